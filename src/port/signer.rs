//! Our own keys: signing, verifying what we signed, sealing what we hand out to get back.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::domain::{key::Algorithm, time::Timestamp};

/// `typ` of a JWT we sign. Each kind has its own, its own audience and its own verify path (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// ID token (OIDC Core §2): `JWT`.
    Id,
    /// Access token (RFC 9068): `at+jwt`.
    Access,
    /// Logout token (OIDC Back-Channel Logout §2.4): `logout+jwt`.
    Logout,
}

impl TokenType {
    /// The header's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "JWT",
            Self::Access => "at+jwt",
            Self::Logout => "logout+jwt",
        }
    }
}

/// A key failed or a token is not ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No key of that algorithm signs now.
    #[error("no active {0} key")]
    NoKey(&'static str),
    /// The token is malformed, of another type, signed by another key, or not valid at this time.
    #[error("not a valid token of this gateway: {0}")]
    Invalid(&'static str),
    /// The crypto library refused.
    #[error("the key failed: {0}")]
    Broken(String),
}

/// Signs and verifies with the gateway's key ring.
pub trait Signer: Send + Sync {
    /// Signs a claims document (JSON object) with the active key of that algorithm.
    fn sign(&self, algorithm: Algorithm, typ: TokenType, claims: &[u8]) -> Result<String, KeyFault>;
    /// The claims of a token that this gateway signed: signature by a published key, its algorithm fixed by
    /// the key, `typ` as asked, `iss` ours, `exp` after `now`. The audience is the caller's to check.
    fn verify(&self, typ: TokenType, token: &str, now: Timestamp) -> Result<Map<String, Value>, KeyFault>;
    /// As `verify`, but an expired token passes (`id_token_hint`, RP-Initiated Logout §2).
    fn verify_hint(&self, token: &str) -> Result<Map<String, Value>, KeyFault>;
    /// The JWKS document (RFC 7517) with `x5c`, rendered when the ring changes.
    fn jwks(&self) -> Arc<Bytes>;
    /// The keys of a target that is an issuer of its own; none where there is no such issuer.
    fn of_issuer(&self, _issuer: &str) -> Option<Arc<dyn Signer>> {
        None
    }
}

/// What a sealed text is for. A seal of one purpose does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A pending sign-in, in its cookie.
    PendingLogin,
    /// Where a sign-in returns to.
    Return,
    /// A form's proof that it came from our page (CSRF).
    Form,
    /// An upstream's ID token at rest.
    UpstreamHint,
    /// A private key at rest.
    PrivateKey,
    /// The tag of a refresh token.
    Refresh,
    /// The tag of a device code.
    Device,
    /// What a page must be told once (a notice after logout).
    Notice,
    /// Tokens at dashboards that a session has handed out.
    Handed,
    /// By what an upstream is asked again.
    Renewal,
    /// Who is on the way from a partner's Keystone.
    Arrival,
}

impl Purpose {
    /// Bound into the seal as associated data.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingLogin => "pending-login",
            Self::Return => "return",
            Self::Form => "form",
            Self::UpstreamHint => "upstream-hint",
            Self::PrivateKey => "private-key",
            Self::Refresh => "refresh",
            Self::Device => "device",
            Self::Notice => "notice",
            Self::Handed => "handed",
            Self::Renewal => "renewal",
            Self::Arrival => "arrival",
        }
    }
}

/// Authenticated encryption and keyed tags with the gateway's secret.
pub trait Sealer: Send + Sync {
    /// Encrypts; base64url.
    fn seal(&self, purpose: Purpose, plain: &[u8]) -> String;
    /// Decrypts what `seal` made for the same purpose; none for anything else.
    fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>>;
    /// HMAC-SHA-256 over the text, base64url.
    fn tag(&self, purpose: Purpose, text: &str) -> String;
    /// Whether `tag` is that of `text`, in constant time.
    fn tagged(&self, purpose: Purpose, text: &str, tag: &str) -> bool;
}
