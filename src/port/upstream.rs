//! Where people come from. One trait for each way of proving who one is.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    assertion::UpstreamAssertion,
    fault::Fault,
    ids::{TenantId, UpstreamId},
};

/// An upstream and what it can do.
pub trait Upstream: Send + Sync {
    /// Its name.
    fn id(&self) -> &UpstreamId;
    /// What people read.
    fn display_name(&self) -> &str;
    /// The tenant it speaks for.
    fn tenant(&self) -> &TenantId;
    /// Whether it can be used now, and why not.
    fn health(&self) -> Health;
    /// What it can do.
    fn ways(&self) -> Ways<'_>;
}

/// The ways in that an upstream offers.
#[derive(Default)]
pub struct Ways<'a> {
    /// By the browser: redirect or form, there and back.
    pub browser: Option<&'a dyn BrowserLogin>,
    /// By a password that we take ourselves.
    pub password: Option<&'a dyn PasswordLogin>,
    /// By a token that a workload already has.
    pub token: Option<&'a dyn TokenLogin>,
    /// By a message that a partner's Keystone signed.
    pub envelope: Option<&'a dyn EnvelopeLogin>,
    /// Its own logout.
    pub logout: Option<&'a dyn UpstreamLogout>,
    /// Asking it again about somebody who is signed in.
    pub recheck: Option<&'a dyn Recheck>,
    /// Hearing from it that somebody has signed out there.
    pub notices: Option<&'a dyn LogoutNotices>,
}

impl std::fmt::Debug for Ways<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ways")
            .field("browser", &self.browser.is_some())
            .field("password", &self.password.is_some())
            .field("token", &self.token.is_some())
            .field("envelope", &self.envelope.is_some())
            .field("logout", &self.logout.is_some())
            .field("recheck", &self.recheck.is_some())
            .field("notices", &self.notices.is_some())
            .finish()
    }
}

/// Whether an upstream can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    /// It can.
    Ready,
    /// It could, and sign-ins try; but what it was asked for lately has failed.
    Impaired {
        /// What failed, for operators.
        reason: String,
    },
    /// It cannot; it is tried again by itself.
    Down {
        /// Why, for operators.
        reason: String,
    },
}

/// What a sign-in asks of an upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginAsk {
    /// Where the upstream sends the browser back to.
    pub callback: String,
    /// Random, bound to the browser; comes back unchanged.
    pub state: String,
    /// The person must prove it anew (`prompt=login`, `max_age=0`).
    pub fresh: bool,
    /// Authentication context classes asked for (`acr_values`).
    pub acr_values: Option<String>,
    /// Who is expected (`login_hint`).
    pub login_hint: Option<String>,
    /// UI language, BCP 47.
    pub language: Option<String>,
}

/// How a browser login begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Where the browser goes (302 or 303).
    pub redirect: String,
    /// What the upstream needs to finish (nonce, PKCE verifier …). Sealed into the browser's cookie.
    pub memory: Value,
}

/// What came back: the callback's parameters, whether by query or by form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Name and value, decoded, in order. Duplicates are kept: the adapter refuses them.
    pub parameters: Vec<(String, String)>,
}

/// What a finished login leaves besides the assertion.
#[derive(Clone, PartialEq)]
pub struct Finished {
    /// What the upstream said.
    pub assertion: UpstreamAssertion,
    /// The upstream's ID token, for its logout.
    pub hint: Option<String>,
    /// By what it can be asked again: the adapter's own, a secret.
    pub renewal: Option<String>,
}

impl Finished {
    /// Of an upstream that is asked once.
    #[must_use]
    pub fn once(assertion: UpstreamAssertion) -> Self {
        Self {
            assertion,
            hint: None,
            renewal: None,
        }
    }
}

impl std::fmt::Debug for Finished {
    // Both are tokens: they must not reach a log by `{:?}`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Finished")
            .field("assertion", &self.assertion)
            .field("hint", &self.hint.is_some())
            .field("renewal", &self.renewal.is_some())
            .finish()
    }
}

/// Sign-in by sending the browser there and back (OIDC and SAML alike).
#[async_trait]
pub trait BrowserLogin: Send + Sync {
    /// Where to send the browser.
    async fn begin(&self, ask: &LoginAsk) -> Result<Begin, Fault>;
    /// Checks what came back. `memory` and `ask` are those of `begin`.
    async fn finish(&self, ask: &LoginAsk, memory: &Value, answered: &Answered) -> Result<Finished, Fault>;
}

/// Sign-in by a password that this gateway takes itself.
#[async_trait]
pub trait PasswordLogin: Send + Sync {
    /// Checks it. Unknown user and wrong password look alike, in answer and in time.
    /// `address` is the caller's, for throttling.
    async fn verify(&self, username: &str, password: &str, address: &str)
    -> Result<UpstreamAssertion, Fault>;
}

/// Sign-in by a token that another issuer gave to a workload: a CI job, a pod (RFC 8693, RFC 7523).
#[async_trait]
pub trait TokenLogin: Send + Sync {
    /// The issuer whose tokens are taken, letter for letter. Several upstreams may share one.
    fn issuer(&self) -> &str;
    /// The audiences that a token for us has: one of them must be in it.
    fn audiences(&self) -> &[String];
    /// Checks the token and everything in it. One that has been used before is refused, unless the operator takes
    /// repeated ones.
    async fn accept(&self, token: &str) -> Result<UpstreamAssertion, Fault>;
}

/// Sign-in by a message that a partner's Keystone signed and its user's client brings here (Keystone-to-Keystone).
#[async_trait]
pub trait EnvelopeLogin: Send + Sync {
    /// Checks the message and everything in it. One that came before is refused.
    async fn accept(&self, envelope: Bytes) -> Result<Brought, Fault>;
}

/// What such a message leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Brought {
    /// What the partner said.
    pub assertion: UpstreamAssertion,
    /// The message's own name, for the audit trail.
    pub document: String,
    /// How it was signed.
    pub algorithm: &'static str,
}

/// Logout at the upstream (RP-Initiated Logout).
pub trait UpstreamLogout: Send + Sync {
    /// Where to send the browser so that the upstream's session ends too.
    fn begin(&self, hint: Option<&str>, back_to: &str, state: &str) -> Option<String>;
}

/// What an upstream says when it is asked again.
pub enum Again {
    /// They may go on: what it says of them now, and by what it can be asked the next time.
    Still {
        /// As before, with the claims of now. It ends no later than before.
        assertion: UpstreamAssertion,
        /// Replaces what was kept.
        renewal: String,
    },
    /// They are gone, or it takes our question no longer: their session ends.
    Gone {
        /// Why, for the log.
        why: String,
    },
}

// It holds a token.
impl std::fmt::Debug for Again {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Still { .. } => out.write_str("Still"),
            Self::Gone { why } => write!(out, "Gone({why})"),
        }
    }
}

/// Asking an upstream again (OIDC Core §12).
#[async_trait]
pub trait Recheck: Send + Sync {
    /// Asks about whom `before` is. An upstream that does not answer is a fault, never a yes and never a no.
    async fn again(&self, before: &UpstreamAssertion, renewal: &str) -> Result<Again, Fault>;
}

/// Who has signed out at the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The issuer.
    pub issuer: String,
    /// Whom it is about; none where it is one session, whoever's.
    pub subject: Option<String>,
    /// The upstream's name of the session; none where all of the person's have ended.
    pub session: Option<String>,
}

/// Hearing of sign-outs (OpenID Connect Back-Channel Logout 1.0).
#[async_trait]
pub trait LogoutNotices: Send + Sync {
    /// Checks a logout token as strictly as an ID token. One that came before is refused.
    async fn read(&self, token: &str) -> Result<LogoutNotice, Fault>;
}
