//! An OpenID provider as upstream: authorization code with PKCE, nonce, RFC 9207, and every ID-token check.
//!
//! Signatures are verified by `jsonwebtoken` on aws-lc, the crypto library of the whole server; the checks of
//! OIDC Core §3.1.3.7 stand in `claims`. Start at `login.rs`.

mod claims;
mod config;
mod discovery;
mod login;
mod notice;
mod recheck;

use std::sync::Arc;

use crate::{
    domain::{
        ids::{TenantId, UpstreamId},
        secret::Secret,
    },
    outbound::Outbound,
    port::{
        clock::Clock,
        entropy::Entropy,
        tickets::Tickets,
        upstream::{BrowserLogin, Health, LogoutNotices, Recheck, Upstream, UpstreamLogout, Ways},
    },
};

pub use config::{ClientAuthMethod, Config, RecheckBy};
use discovery::Provider;

use super::Wiring;

/// The adapter.
pub struct Oidc {
    config: Config,
    secret: Option<Secret>,
    provider: Arc<Provider>,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    tickets: Arc<dyn Tickets>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Oidc")
            .field("id", &self.config.id)
            .finish_non_exhaustive()
    }
}

impl Oidc {
    /// Opens it and starts looking for the provider; a provider that is down is tried again by itself.
    pub(super) fn open(config: Config, wiring: &Wiring<'_>) -> Result<Arc<Self>, String> {
        let secret = match &config.client_secret {
            Some(from) => Some(
                wiring
                    .secrets
                    .read(from)
                    .map_err(|missing| format!("client_secret: {missing}"))?,
            ),
            None => None,
        };
        let outbound = Outbound::open(&config.outbound()).map_err(|fault| fault.to_string())?;
        let provider = Provider::new(config.issuer.clone(), outbound.clone(), Arc::clone(&wiring.clock));
        discovery::keep_looking(&provider);
        Ok(Arc::new(Self {
            secret,
            provider,
            outbound,
            clock: Arc::clone(&wiring.clock),
            entropy: Arc::clone(&wiring.entropy),
            tickets: Arc::clone(&wiring.tickets),
            config,
        }))
    }
}

impl Upstream for Oidc {
    fn id(&self) -> &UpstreamId {
        &self.config.id
    }
    fn display_name(&self) -> &str {
        &self.config.name
    }
    fn tenant(&self) -> &TenantId {
        &self.config.tenant
    }
    fn health(&self) -> Health {
        self.provider.health()
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            browser: Some(self as &dyn BrowserLogin),
            logout: Some(self as &dyn UpstreamLogout),
            recheck: (self.config.recheck != RecheckBy::Off).then_some(self as &dyn Recheck),
            notices: Some(self as &dyn LogoutNotices),
            ..Ways::default()
        }
    }
}

impl UpstreamLogout for Oidc {
    fn begin(&self, hint: Option<&str>, back_to: &str, state: &str) -> Option<String> {
        let metadata = self.provider.known()?;
        let mut url = metadata.end_session_endpoint.clone()?;
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &self.config.client_id);
        query
            .append_pair("post_logout_redirect_uri", back_to)
            .append_pair("state", state);
        if let Some(hint) = hint {
            query.append_pair("id_token_hint", hint);
        }
        drop(query);
        Some(url.into())
    }
}
