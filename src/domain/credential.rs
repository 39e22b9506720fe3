//! What a far side accepts. Made by `target/*`, which need a `&Permit`.

use std::fmt;

use super::time::Timestamp;

/// A credential that has been minted for one target.
#[derive(Clone)]
pub enum Credential {
    /// A signed token (JWT) for one audience.
    Token(MintedToken),
    /// What Keystone answered: its token travels in `X-Subject-Token`.
    Keystone(KeystoneToken),
}

/// A signed token.
#[derive(Clone)]
pub struct MintedToken {
    /// Compact JWS.
    pub token: String,
    /// RFC 8693 §3 `issued_token_type`.
    pub token_type: &'static str,
    /// `jti`, the handle for revocation and the join key with the far side's audit log.
    pub id: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// A Keystone token with Keystone's own answer around it.
#[derive(Clone)]
pub struct KeystoneToken {
    /// The value of `X-Subject-Token`.
    pub token: String,
    /// Keystone's status code (201).
    pub status: u16,
    /// Headers of Keystone's answer that the client needs, without hop-by-hop ones.
    pub headers: Vec<(String, String)>,
    /// Keystone's JSON document.
    pub body: Vec<u8>,
    /// When Keystone ends it, as its document says.
    pub expires: Option<Timestamp>,
    /// When we end it, where that is sooner.
    pub ends: Option<Timestamp>,
}

// Credentials are bearer secrets: `{:?}` must not print them.
impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(minted) => write!(
                out,
                "Credential::Token({}, {:?})",
                minted.token_type, minted.expires
            ),
            Self::Keystone(answer) => write!(out, "Credential::Keystone({})", answer.status),
        }
    }
}
impl fmt::Debug for MintedToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MintedToken({}, {:?})", self.token_type, self.expires)
    }
}
impl fmt::Debug for KeystoneToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeystoneToken({})", self.status)
    }
}
