//! The OpenID provider's front: discovery, authorize, token and their neighbours.
//!
//! A handler parses strictly, makes one broker call, renders. No rule lives here. The client and its
//! redirect URI are checked before anything is redirected. Start at [`OidcFrontend::routes`].

mod authorize;
mod client_auth;
mod device;
mod discovery;
mod inspect;
mod logout;
mod parameters;
mod request;
mod respond;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use bytes::Bytes;

use super::page::Pages;
use crate::{
    broker::{
        bearer::Bearer, clients::ClientDesk, device::DeviceDesk, directory::Directory, login::Logins,
        logout::Logouts, session::SessionDesk, token::TokenDesk,
    },
    domain::client::GrantType,
    port::{
        clock::Clock,
        signer::{Sealer, Signer},
    },
};

/// Largest form (RFC 6749 sets none; ours are below 8 KiB).
const LARGEST_BODY: usize = 64 * 1024;

/// What the provider's endpoints need.
#[derive(Clone)]
pub struct OidcFrontend {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Who the client is.
    pub clients: Arc<ClientDesk>,
    /// Grants.
    pub tokens: Arc<TokenDesk>,
    /// Our tokens, coming back.
    pub bearer: Arc<Bearer>,
    /// Devices.
    pub devices: Arc<DeviceDesk>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// Sign-ins.
    pub logins: Arc<Logins>,
    /// Sign-outs.
    pub logouts: Arc<Logouts>,
    /// Our public keys.
    pub signer: Arc<dyn Signer>,
    /// Seals what a sign-in comes back to.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Error pages.
    pub pages: Arc<Pages>,
}

impl std::fmt::Debug for OidcFrontend {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OidcFrontend")
    }
}

/// The front end with its prebuilt discovery document.
struct Front {
    parts: OidcFrontend,
    discovery: Bytes,
}

impl std::ops::Deref for Front {
    type Target = OidcFrontend;
    fn deref(&self) -> &OidcFrontend {
        &self.parts
    }
}

impl OidcFrontend {
    /// All routes of the provider.
    pub fn routes(self) -> Router {
        // Grants that no client here may use would only invite people to try, or to type passwords.
        let used = |grant: GrantType| {
            let seldom = matches!(grant, GrantType::Password | GrantType::JwtBearer);
            !seldom
                || self
                    .directory
                    .clients()
                    .any(|client| client.grants.contains(&grant))
        };
        let discovery = discovery::document(self.directory.issuer(), used);
        let targets = self.targets();
        let front = Front {
            parts: self,
            discovery,
        };
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery::show))
            .route("/.well-known/oauth-authorization-server", get(discovery::show))
            .route("/oauth2/jwks", get(discovery::jwks))
            .route(
                "/oauth2/authorize",
                get(authorize::by_query).post(authorize::by_form),
            )
            .route("/oauth2/authorize/resume", get(authorize::resume))
            .route("/oauth2/token", post(token::token))
            .route("/oauth2/device", post(device::start))
            .route("/oauth2/userinfo", get(userinfo::show).post(userinfo::show))
            .route("/oauth2/introspect", post(inspect::introspect))
            .route("/oauth2/revoke", post(inspect::revoke))
            .route("/oauth2/logout", get(logout::by_query).post(logout::by_form))
            .route("/logout/done", get(logout::done))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(Arc::new(front))
            .merge(targets)
    }

    /// The documents of targets that are issuers of their own; their doors are the gateway's.
    fn targets(&self) -> Router {
        let mut router = Router::new();
        for target in self.directory.targets() {
            let path = target
                .ways()
                .issuer
                .and_then(|issuer| issuer.issuer().strip_prefix(self.directory.issuer()));
            if let Some(path) = path {
                let documents = Router::new()
                    .route(
                        &format!("{path}/.well-known/openid-configuration"),
                        get(discovery::of_target),
                    )
                    .route(&format!("{path}/jwks"), get(discovery::keys_of_target));
                router = router.merge(documents.with_state(Arc::clone(target)));
            }
        }
        router
    }
}
