//! What can go wrong, in the words of the outside: whose fault, which code, what the log may know.
//!
//! Public texts are keyed by [`Code`] and live with the pages (`http/page/texts.rs`), in English and
//! German: what happened, why, what to do next.

use serde::Serialize;

/// Whose fault it is. Decides the status code in each protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The caller sent something that is not right (400).
    Request,
    /// The caller has not proved who they are (401).
    Unauthenticated,
    /// They have, and may not (403).
    Denied,
    /// There is no such thing (404).
    NotFound,
    /// Too often (429).
    TooMany,
    /// An upstream failed (502).
    Upstream,
    /// A target failed (502).
    Target,
    /// We failed (500 or 503).
    Internal,
}

/// Stable codes of refusals and failures: shown to people, quoted to the help desk, found in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// Signed in, but policy gives nothing here.
    NoAccess,
    /// No tenant goes by that name. The same answer whatever was typed.
    UnknownOrganisation,
    /// The sign-in took too long, or its page was opened again after use.
    SignInExpired,
    /// The answer of the identity provider belongs to another browser or to another flow.
    SignInMismatch,
    /// User name or password is wrong. Unknown and wrong look alike.
    BadCredentials,
    /// Too many attempts.
    TooManyAttempts,
    /// The identity provider does not answer.
    UpstreamDown,
    /// The identity provider refused the person or the request.
    UpstreamRefused,
    /// The identity provider's proof did not pass a check.
    ProofInvalid,
    /// No upstream takes tokens of this issuer.
    IssuerUnknown,
    /// A workload's token was made for somebody else.
    AudMismatch,
    /// A workload's token lacks what its upstream's conditions ask for.
    ConditionFailed,
    /// A workload's token was used before.
    TokenReplayed,
    /// The proof lacks what the mapping needs.
    MappingFailed,
    /// The request is malformed.
    BadRequest,
    /// No such client, or the redirect URI is not registered for it: nothing may be redirected.
    BadClient,
    /// The device code is unknown, used or expired.
    DeviceCodeUnknown,
    /// A form was sent from another page than ours, or after its time.
    FormExpired,
    /// The token is malformed, expired, revoked or not ours.
    TokenInvalid,
    /// The token is for somebody else.
    AudienceMismatch,
    /// The session has ended.
    SessionEnded,
    /// The target does not answer.
    TargetDown,
    /// The target refused what we asked of it.
    TargetRefused,
    /// The policy engine failed. Never an allow.
    PolicyFailed,
    /// The store does not answer.
    StoreDown,
    /// There is no such page.
    NotFound,
    /// This path is not reachable that way.
    MethodNotAllowed,
    /// Too large.
    TooLarge,
    /// The administrator's token is missing or wrong.
    AdminOnly,
    /// Our mistake.
    Internal,
}

/// The code as pages, error bodies and the log show it: `NO_ACCESS`.
impl std::fmt::Display for Code {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(out)
    }
}

impl Code {
    /// All codes, so that a test can ask each for its texts.
    pub const ALL: [Self; 30] = [
        Self::NoAccess,
        Self::UnknownOrganisation,
        Self::SignInExpired,
        Self::SignInMismatch,
        Self::BadCredentials,
        Self::TooManyAttempts,
        Self::UpstreamDown,
        Self::UpstreamRefused,
        Self::ProofInvalid,
        Self::IssuerUnknown,
        Self::AudMismatch,
        Self::ConditionFailed,
        Self::TokenReplayed,
        Self::MappingFailed,
        Self::BadRequest,
        Self::BadClient,
        Self::DeviceCodeUnknown,
        Self::FormExpired,
        Self::TokenInvalid,
        Self::AudienceMismatch,
        Self::SessionEnded,
        Self::TargetDown,
        Self::TargetRefused,
        Self::PolicyFailed,
        Self::StoreDown,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::AdminOnly,
        Self::Internal,
    ];

    /// Whose fault it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::BadRequest
            | Self::BadClient
            | Self::SignInExpired
            | Self::SignInMismatch
            | Self::FormExpired
            | Self::DeviceCodeUnknown
            | Self::MethodNotAllowed
            | Self::TooLarge => Kind::Request,
            Self::BadCredentials
            | Self::TokenInvalid
            | Self::AudienceMismatch
            | Self::SessionEnded
            | Self::AdminOnly => Kind::Unauthenticated,
            Self::NoAccess
            | Self::UpstreamRefused
            | Self::ProofInvalid
            | Self::IssuerUnknown
            | Self::AudMismatch
            | Self::ConditionFailed
            | Self::TokenReplayed
            | Self::MappingFailed => Kind::Denied,
            Self::UnknownOrganisation | Self::NotFound => Kind::NotFound,
            Self::TooManyAttempts => Kind::TooMany,
            Self::UpstreamDown => Kind::Upstream,
            Self::TargetDown | Self::TargetRefused => Kind::Target,
            Self::PolicyFailed | Self::StoreDown | Self::Internal => Kind::Internal,
        }
    }
}

/// A failure on its way to the caller. `detail` is for the log alone; `reasons` are policy's own codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Fault {
    /// What the public sees.
    pub code: Code,
    /// What the log sees. Never a token, a secret or a password.
    pub detail: String,
    /// What was missing, for a refusal by policy; what did not fit, for a workload's token. Shown to the caller.
    pub reasons: Vec<String>,
}

impl Fault {
    /// A failure with a detail for the log.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            reasons: Vec::new(),
        }
    }

    /// The same, with what the caller may read about it.
    #[must_use]
    pub fn because(self, reasons: Vec<String>) -> Self {
        Self { reasons, ..self }
    }
}

impl From<super::access::Denial> for Fault {
    fn from(denial: super::access::Denial) -> Self {
        Self {
            code: Code::NoAccess,
            detail: format!("{} refused: {}", denial.policy_rule, denial.reasons.join(", ")),
            reasons: denial.reasons,
        }
    }
}
