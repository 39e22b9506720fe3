//! The Keystone front: `/v3` and everything below belongs to Keystone, except the paths that log people in: one for
//! bearer tokens and partners' users, and two that browsers are sent to by dashboards (WebSSO). Partners' users come in
//! below `/saml/ecp/` first.
//!
//! All requests are relayed as they are, without any header that could speak about identity: on every path, since
//! Keystone looks at identity headers on `POST /v3/auth/tokens` too. A path that this front does not recognise as
//! a login path therefore ends in Keystone's own 401, never in a forged login.
//! Start at [`Front`]; `headers` says what is dropped, `login`, `partner` and `websso` what the login paths do, `relay` the
//! rest.

mod fault;
mod headers;
mod login;
mod partner;
mod relay;
pub mod websso;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    response::Response,
    routing::any,
};
use tokio::sync::Semaphore;

use crate::broker::partners::Partners;
use crate::domain::ids::{Reference, TargetId};
use crate::port::{
    entropy::Entropy,
    relay::Relay,
    target::{BearerToKeystone, CallerFacts},
};

/// What is fixed about a front.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The target that bearer tokens are exchanged at.
    pub target: TargetId,
    /// Keystone's own address, to which it may redirect: the client comes back here instead.
    pub own_address: String,
    /// The path of the login: `/v3/OS-FEDERATION/identity_providers/{idp}/protocols/{protocol}/auth`.
    pub auth_path: String,
    /// How the identity headers of this deployment begin, in any spelling.
    pub own_prefix: String,
    /// How long a caller may take to send a short body.
    pub timeout: Duration,
    /// The `realm` of `WWW-Authenticate`: the gateway's issuer URL.
    pub realm: String,
}

/// The front of one Keystone.
pub struct Front {
    settings: Settings,
    relay: Arc<dyn Relay>,
    exchange: Arc<dyn BearerToKeystone>,
    websso: Option<websso::WebSso>,
    partners: Option<Arc<Partners>>,
    messages: Semaphore,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Front {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Front")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Front {
    /// A front without WebSSO.
    #[must_use]
    pub fn new(
        settings: Settings,
        relay: Arc<dyn Relay>,
        exchange: Arc<dyn BearerToKeystone>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            settings,
            relay,
            exchange,
            websso: None,
            partners: None,
            messages: Semaphore::new(partner::AT_ONCE),
            entropy,
        }
    }

    /// The same for browsers too. Without it the paths of WebSSO are relayed, and Keystone refuses.
    #[must_use]
    pub fn with_websso(mut self, websso: websso::WebSso) -> Self {
        self.websso = Some(websso);
        self
    }

    /// The same for users of partners' Keystones too. Without it there is no such path.
    #[must_use]
    pub fn with_partners(mut self, partners: Arc<Partners>) -> Self {
        self.partners = Some(partners);
        self
    }
}

/// The routes of a front.
pub fn router(front: Arc<Front>) -> Router {
    let partners = match front.partners {
        Some(_) => Router::new().route(&format!("{}{{upstream}}", partner::PATH), any(partner::answer)),
        None => Router::new(),
    };
    partners
        .route("/v3", any(answer))
        .route("/v3/", any(answer))
        .route("/v3/{*below}", any(answer))
        .with_state(front)
}

async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    if let Some(websso) = &front.websso
        && websso.is_at(request.uri().path())
    {
        return websso.answer(request).await;
    }
    let caller = front.caller(&request);
    // Exactly this spelling. Every other one is relayed without identity, which Keystone refuses by itself.
    let outcome = if request.uri().path() == front.settings.auth_path {
        login::exchange(&front, request, &caller).await
    } else {
        relay::pass(&front, request).await
    };
    outcome.unwrap_or_else(|refusal| refusal.into_response(&caller.reference, &front.settings.realm))
}

impl Front {
    /// Who asks: as the layers before have found out, else as far as it is known here.
    fn caller(&self, request: &Request) -> CallerFacts {
        if let Some(known) = request.extensions().get::<CallerFacts>() {
            return known.clone();
        }
        let reference = request
            .extensions()
            .get::<Reference>()
            .cloned()
            .unwrap_or_else(|| Reference(self.entropy.token().chars().take(16).collect()));
        let address = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip().to_string());
        CallerFacts { reference, address }
    }
}
