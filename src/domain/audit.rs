//! What is worth keeping for an auditor: a closed list of events. No secret, no token.

use serde::{Deserialize, Serialize};

use super::{
    ids::{ClientId, Reference, TargetId, TenantId, UpstreamId},
    time::Timestamp,
};

/// Personal data (GDPR Art. 4). Marked by type, so that every sink decides what it does with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(pub T);

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The request it happened in.
    pub reference: Reference,
    /// From where.
    pub address: Option<Personal<String>>,
    /// Who: the stable `sub`.
    pub subject: Option<Personal<String>>,
    /// On whose behalf.
    pub tenant: Option<TenantId>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// The closed list. `docs/log.md` describes each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// Somebody signed in.
    SignedIn { upstream: UpstreamId },
    /// Somebody could not sign in.
    SignInRefused {
        upstream: UpstreamId,
        code: String,
        reasons: Vec<String>,
    },
    /// A workload was let in by its issuer's token: what it is called (`acme/webshop@main`), and the token's `jti`.
    WorkloadAdmitted {
        upstream: UpstreamId,
        username: String,
        jti: Option<String>,
    },
    /// A user of a partner's Keystone was let in: what they are called, the message's ID, and how it was signed.
    PartnerAdmitted {
        upstream: UpstreamId,
        username: String,
        document: String,
        algorithm: String,
    },
    /// A session ended.
    SignedOut { by: String },
    /// An upstream that was asked again no longer vouches for somebody: their sessions from there have ended.
    UpstreamGone { upstream: UpstreamId, sessions: usize },
    /// An upstream said that somebody has signed out there: their sessions from there have ended.
    UpstreamSignedOut { upstream: UpstreamId, sessions: usize },
    /// A token was issued.
    TokenIssued {
        client: ClientId,
        grant: String,
        audience: String,
        jti: String,
    },
    /// A token was refused.
    TokenRefused {
        client: Option<ClientId>,
        grant: String,
        error: String,
    },
    /// A refresh token came a second time: its family was revoked.
    RefreshReused { client: ClientId, family: String },
    /// A code came a second time: what the first use obtained was revoked.
    CodeReplayed { client: ClientId },
    /// A device was let in, or turned away, by the person.
    DeviceAnswered { client: ClientId, allowed: bool },
    /// A credential was minted at a target.
    CredentialMinted {
        target: TargetId,
        audience: String,
        rules: Vec<String>,
    },
    /// A token at a target was revoked there because its holder's tenant, upstream or client is gone.
    CredentialEnded { target: TargetId, why: String },
    /// A target was refused by policy.
    AccessDenied { target: TargetId, reasons: Vec<String> },
    /// Policy allowed something and demands that it is looked at.
    Obliged {
        target: TargetId,
        obligations: Vec<String>,
    },
    /// Something was given to somebody at a target, or taken away, without them.
    Provisioned { target: TargetId, change: String },
    /// A token was revoked.
    TokenRevoked { client: ClientId, kind: String },
    /// A signing key was added.
    KeyRotated { kid: String },
    /// An administrator did something.
    Administered { action: String },
}
