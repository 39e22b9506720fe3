//! What the provider says of itself: metadata (OIDC Discovery §4) and keys (RFC 7517).

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::{
    domain::{
        fault::{Code, Fault},
        time::Timestamp,
    },
    outbound::Outbound,
    port::{clock::Clock, upstream::Health},
};

use super::{
    super::jose::{
        keys::KeySet,
        trouble::{Part, Troubles},
    },
    ClientAuthMethod,
};

/// Metadata is read anew after this.
const METADATA_KEPT: Duration = Duration::from_secs(3600);
/// A provider that is down is tried again after this, doubling up to `RETRY_LONGEST`.
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_LONGEST: Duration = Duration::from_secs(60);
/// A person's request tries a provider that is down at most this often.
const ASK_AT_MOST_EVERY: Duration = Duration::from_secs(2);

/// The members that are used.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    #[serde(default)]
    pub userinfo_endpoint: Option<Url>,
    #[serde(default)]
    pub end_session_endpoint: Option<Url>,
    /// RFC 9207 §3: then an answer without `iss` is refused.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Absent means `client_secret_basic` (OIDC Discovery §3).
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

impl Metadata {
    fn endpoints(&self) -> Vec<&Url> {
        let mut all = vec![&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        all.extend(&self.userinfo_endpoint);
        all.extend(&self.end_session_endpoint);
        all
    }

    /// How the secret is sent where the configuration does not say: Basic, unless only the form is offered.
    pub(super) fn client_auth(&self) -> ClientAuthMethod {
        let offered = |name: &str| {
            self.token_endpoint_auth_methods_supported
                .iter()
                .any(|method| method == name)
        };
        if offered("client_secret_post") && !offered("client_secret_basic") {
            ClientAuthMethod::ClientSecretPost
        } else {
            ClientAuthMethod::ClientSecretBasic
        }
    }
}

/// One provider.
pub(super) struct Provider {
    issuer: String,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    metadata: ArcSwapOption<(Metadata, Timestamp)>,
    keys: KeySet,
    tried: Mutex<Option<Timestamp>>,
    down: RwLock<String>,
    pub(super) troubles: Troubles,
}

impl Provider {
    pub(super) fn new(issuer: String, outbound: Outbound, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            outbound,
            clock,
            metadata: ArcSwapOption::empty(),
            keys: KeySet::default(),
            tried: Mutex::new(None),
            down: RwLock::new("not asked yet".to_owned()),
            troubles: Troubles::default(),
        })
    }

    pub(super) fn health(&self) -> Health {
        if self.metadata.load().is_none() {
            return Health::Down {
                reason: self.reason(),
            };
        }
        self.troubles
            .told(self.clock.now())
            .map_or(Health::Ready, |reason| Health::Impaired { reason })
    }

    /// The metadata, if it has ever been read.
    pub(super) fn known(&self) -> Option<Metadata> {
        self.metadata.load().as_ref().map(|known| known.0.clone())
    }

    /// The metadata; asks the provider if it has not answered yet.
    pub(super) async fn metadata(&self) -> Result<Metadata, Fault> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let mut tried = self.tried.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let now = self.clock.now();
        let soon = tried.is_some_and(|at| now < at.plus(ASK_AT_MOST_EVERY));
        if soon {
            return Err(Fault::new(Code::UpstreamDown, self.reason()));
        }
        // Before the answer: who goes away while waiting must not cause a question each time.
        *tried = Some(now);
        let outcome = self.discover().await;
        outcome.map_err(|reason| Fault::new(Code::UpstreamDown, reason))?;
        self.known()
            .ok_or_else(|| Fault::new(Code::UpstreamDown, self.reason()))
    }

    fn reason(&self) -> String {
        self.down
            .read()
            .map_or_else(|_| String::new(), |reason| reason.clone())
    }

    /// Reads the metadata. On failure what was known stays: a provider's hiccup ends no sign-in under way.
    async fn discover(&self) -> Result<(), String> {
        let outcome = self.read().await;
        match &outcome {
            Ok(metadata) => {
                self.metadata
                    .store(Some(Arc::new((metadata.clone(), self.clock.now()))));
                if let Ok(mut down) = self.down.write() {
                    down.clear();
                }
                self.troubles.worked(Part::Metadata);
            }
            Err(reason) => {
                if let Ok(mut down) = self.down.write() {
                    down.clone_from(reason);
                }
                self.troubles
                    .failed(Part::Metadata, self.clock.now(), reason.clone());
            }
        }
        outcome.map(|_| ())
    }

    async fn read(&self) -> Result<Metadata, String> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        );
        let url = Url::parse(&url).map_err(|error| format!("issuer: {error}"))?;
        let document = self
            .outbound
            .get_json(&url)
            .await
            .map_err(|fault| fault.to_string())?;
        let metadata: Metadata =
            serde_json::from_value(document).map_err(|error| format!("the discovery document: {error}"))?;
        // A document of another issuer would hand our people to somebody else (RFC 8414 §3.3).
        if metadata.issuer != self.issuer {
            return Err("the discovery document names another issuer than the configuration".to_owned());
        }
        // A secret or a token must not leave by a plain connection that the document slipped in.
        if self.issuer.starts_with("https:")
            && metadata
                .endpoints()
                .into_iter()
                .any(|url| url.scheme() != "https")
        {
            return Err("the discovery document names an endpoint without https".to_owned());
        }
        Ok(metadata)
    }

    /// The keys that may have made a signature with this key id. An unknown id leads to at most one fetch in a
    /// minute, and parallel sign-ins wait for the same one.
    pub(super) async fn keys(&self, kid: Option<&str>) -> Result<Vec<Jwk>, Fault> {
        let mut held = self.keys.hold().await;
        let now = self.clock.now();
        if held.must_ask(kid, now) {
            let (url, outbound) = (self.metadata().await?.jwks_uri, self.outbound.clone());
            held.ask(now, async move {
                outbound.get_json(&url).await.map_err(|fault| fault.to_string())
            });
        }
        held.answered(kid, &self.troubles).await?;
        held.candidates(kid)
    }
}

/// Looks for the provider in the background, and now and then looks again, as long as somebody has it.
pub(super) fn keep_looking(provider: &Arc<Provider>) {
    let provider = Arc::downgrade(provider);
    tokio::spawn(async move {
        let mut wait = RETRY_FIRST;
        while let Some(there) = provider.upgrade() {
            let outcome = there.discover().await;
            let pause = match outcome {
                Ok(()) => {
                    wait = RETRY_FIRST;
                    METADATA_KEPT
                }
                Err(reason) => {
                    let pause = wait;
                    tracing::warn!(
                        issuer = there.issuer,
                        reason,
                        retry_s = pause.as_secs(),
                        "an upstream is down"
                    );
                    wait = (wait * 2).min(RETRY_LONGEST);
                    pause
                }
            };
            drop(there);
            tokio::time::sleep(pause).await;
        }
    });
}
