//! Refusals of the OAuth endpoints: the protocol's error code with the fault behind it.

use super::fault::{Code, Fault};

/// `error` codes (RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, RFC 8628 §3.5, RFC 8693 §2.2.2, RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthError {
    /// Malformed, duplicate or oversized parameters.
    InvalidRequest,
    /// The client is unknown or has not proved that it is itself.
    InvalidClient,
    /// The code, refresh token, device code or subject token is not good, or not this client's.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// No such grant here.
    UnsupportedGrantType,
    /// `response_type` other than `code`.
    UnsupportedResponseType,
    /// A scope the client may not ask for.
    InvalidScope,
    /// An audience that does not exist or that the client may not name (RFC 8707 §2).
    InvalidTarget,
    /// Policy or the person refused.
    AccessDenied,
    /// `prompt=none` and nobody is signed in.
    LoginRequired,
    /// `prompt=none` and the person must do something.
    InteractionRequired,
    /// `request` objects are not taken.
    RequestNotSupported,
    /// `request_uri` is not taken.
    RequestUriNotSupported,
    /// The person has not answered yet.
    AuthorizationPending,
    /// Polled too fast.
    SlowDown,
    /// The device code has ended.
    ExpiredToken,
    /// The bearer token is not good.
    InvalidToken,
    /// The bearer token lacks a scope.
    InsufficientScope,
    /// We failed.
    ServerError,
    /// Something we depend on does not answer.
    TemporarilyUnavailable,
}

impl OAuthError {
    /// The value of `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status at the token endpoint and its neighbours.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::AccessDenied
            | Self::LoginRequired
            | Self::InteractionRequired
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::AuthorizationPending
            | Self::SlowDown
            | Self::ExpiredToken => 400,
        }
    }
}

/// The scope that names the one project of a token: `project:NAME` or `project:DOMAIN/NAME`. It only narrows, so
/// every client may ask for it.
pub const PROJECT_SCOPE: &str = "project:";

/// A refusal: what the protocol says, one sentence for the developer, and the fault for page and log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", error.as_str())]
pub struct Refused {
    /// The protocol's code.
    pub error: OAuthError,
    /// `error_description`: plain ASCII, no user input, no detail that helps an attacker.
    pub description: &'static str,
    /// The fault behind it.
    pub fault: Fault,
}

impl Refused {
    /// A refusal of a malformed or improper request.
    #[must_use]
    pub fn new(error: OAuthError, description: &'static str) -> Self {
        let code = match error {
            OAuthError::InvalidClient | OAuthError::UnauthorizedClient => Code::BadClient,
            OAuthError::InvalidToken => Code::TokenInvalid,
            OAuthError::AccessDenied | OAuthError::InsufficientScope => Code::NoAccess,
            OAuthError::ExpiredToken => Code::DeviceCodeUnknown,
            OAuthError::ServerError => Code::Internal,
            OAuthError::TemporarilyUnavailable => Code::StoreDown,
            OAuthError::InvalidRequest
            | OAuthError::InvalidGrant
            | OAuthError::UnsupportedGrantType
            | OAuthError::UnsupportedResponseType
            | OAuthError::InvalidScope
            | OAuthError::InvalidTarget
            | OAuthError::LoginRequired
            | OAuthError::InteractionRequired
            | OAuthError::RequestNotSupported
            | OAuthError::RequestUriNotSupported
            | OAuthError::AuthorizationPending
            | OAuthError::SlowDown => Code::BadRequest,
        };
        Self {
            error,
            description,
            fault: Fault::new(code, description),
        }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let (error, description) = match fault.code {
            Code::NoAccess | Code::MappingFailed | Code::UpstreamRefused | Code::ProofInvalid => {
                (OAuthError::AccessDenied, "policy does not allow this")
            }
            // RFC 8693 §2.2.2: a subject token that is not acceptable is an invalid request.
            Code::IssuerUnknown => (
                OAuthError::InvalidRequest,
                "no upstream here takes tokens of this issuer",
            ),
            Code::AudMismatch => (
                OAuthError::InvalidRequest,
                "the subject token was made for another audience; see reasons",
            ),
            Code::ConditionFailed => (
                OAuthError::InvalidRequest,
                "the subject token does not meet the conditions; see reasons",
            ),
            Code::TokenReplayed => (
                OAuthError::InvalidRequest,
                "the subject token was used before; let the issuer make a new one",
            ),
            Code::TokenInvalid | Code::SessionEnded | Code::SignInExpired => (
                OAuthError::InvalidGrant,
                "the session behind this grant has ended",
            ),
            Code::AudienceMismatch => (OAuthError::InvalidTarget, "the token is for another audience"),
            Code::StoreDown | Code::UpstreamDown | Code::TargetDown => (
                OAuthError::TemporarilyUnavailable,
                "something this answer depends on does not answer; try again",
            ),
            Code::BadClient => (OAuthError::InvalidClient, "unknown client or wrong credentials"),
            Code::BadRequest
            | Code::UnknownOrganisation
            | Code::SignInMismatch
            | Code::BadCredentials
            | Code::TooManyAttempts
            | Code::DeviceCodeUnknown
            | Code::FormExpired
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::TooLarge
            | Code::AdminOnly => (OAuthError::InvalidRequest, "the request is not right"),
            Code::PolicyFailed | Code::TargetRefused | Code::Internal => (
                OAuthError::ServerError,
                "the gateway failed; quote the reference to its operator",
            ),
        };
        Self {
            error,
            description,
            fault,
        }
    }
}
