//! A sign-in at this gateway: what was proved, by whom, until when.

use super::{
    assertion::UpstreamAssertion,
    ids::{ClientId, SessionId},
    time::Timestamp,
};

/// One sign-in. Kept with the assertion, not with the identity: mapping and policy run afresh at every
/// use, so a changed rule reaches running sessions at their next token.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its secret name (in the browser's cookie; as `sid` only its hash is shown).
    pub id: SessionId,
    /// What the upstream said.
    pub assertion: UpstreamAssertion,
    /// When it began.
    pub started: Timestamp,
    /// When it ends, whatever happens.
    pub ends: Timestamp,
    /// The upstream's ID token, sealed, as `id_token_hint` for its logout.
    pub upstream_hint: Option<String>,
}

/// A family of refresh tokens: one for each login of one client (RFC 9700 §4.14).
#[derive(Debug, Clone, PartialEq)]
pub struct RefreshFamily {
    /// Random, not secret: the token carries it beside a keyed tag.
    pub id: String,
    /// The client it was issued to.
    pub client: ClientId,
    /// `sid` of the session it hangs on; ending the session ends it.
    pub sid: String,
    /// What the upstream said at that login.
    pub assertion: UpstreamAssertion,
    /// Granted scopes, space separated.
    pub scope: String,
    /// The audience of its access tokens.
    pub audience: String,
    /// The newest token's number.
    pub generation: i64,
    /// When the newest token was issued.
    pub rotated: Timestamp,
    /// When the family ends, whatever happens.
    pub ends: Timestamp,
}
