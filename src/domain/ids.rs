//! Names that cannot be mixed up: each kind of thing has its own type.

use std::{fmt, marker::PhantomData, sync::Arc};

use aws_lc_rs::digest;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A short name from configuration: `[a-z0-9][a-z0-9._-]*`, at most 64 characters.
/// The set is safe in a path segment, a header value, a label and a cookie name.
pub struct Name<Of>(Arc<str>, PhantomData<fn() -> Of>);

/// An upstream: where people come from.
pub type UpstreamId = Name<OfUpstream>;
/// A target: where they are let in.
pub type TargetId = Name<OfTarget>;
/// A tenant: the customer or partner an upstream speaks for.
pub type TenantId = Name<OfTenant>;
/// A registered relying party (RFC 6749 §2.2).
pub type ClientId = Name<OfClient>;

#[derive(Debug)]
pub enum OfUpstream {}
#[derive(Debug)]
pub enum OfTarget {}
#[derive(Debug)]
pub enum OfTenant {}
#[derive(Debug)]
pub enum OfClient {}

/// Why a text is not a [`Name`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a name is 1 to 64 of a-z, 0-9, '.', '_' and '-', and starts with a letter or digit")]
pub struct BadName;

impl<Of> Name<Of> {
    /// Checks the text.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let first = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
        if first && rest && text.len() <= 64 {
            Ok(Self(text.into(), PhantomData))
        } else {
            Err(BadName)
        }
    }

    /// A name that the program itself fixes.
    #[must_use]
    pub(crate) fn literal(text: &'static str) -> Self {
        debug_assert!(Self::parse(text).is_ok());
        Self(text.into(), PhantomData)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<Of> Clone for Name<Of> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}
impl<Of> PartialEq for Name<Of> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<Of> Eq for Name<Of> {}
impl<Of> PartialOrd for Name<Of> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<Of> Ord for Name<Of> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<Of> std::hash::Hash for Name<Of> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<Of> fmt::Display for Name<Of> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
impl<Of> fmt::Debug for Name<Of> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, out)
    }
}
impl<Of> Serialize for Name<Of> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}
impl<'de, Of> Deserialize<'de> for Name<Of> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
impl<Of> JsonSchema for Name<Of> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"})
    }
}

/// What a person quotes to the help desk and an operator finds in the log: one for each request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reference(pub String);

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A browser or command-line login. Random; only its SHA-256 is stored by the records.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);

impl SessionId {
    /// The session's public name, in tokens: the first 32 hex digits of SHA-256(id). It identifies, it does
    /// not authenticate.
    #[must_use]
    pub fn sid(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.0.as_bytes());
        let mut sid = String::with_capacity(32);
        for byte in hash.as_ref().iter().take(16) {
            // Writing to a text does not fail.
            let _written = fmt::Write::write_fmt(&mut sid, format_args!("{byte:02x}"));
        }
        sid
    }
}

/// Whether a text has the form of 256 bits in base64url, as our random names and S256 challenges
/// (RFC 7636 §4.2) have it: 43 characters.
#[must_use]
pub fn is_256_bits(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl fmt::Debug for SessionId {
    // A session id is a bearer secret: it must not reach a log by `{:?}`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SessionId(…)")
    }
}
