//! The settings of an OpenID provider as upstream.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        ids::{TenantId, UpstreamId},
        mapping::MappingSettings,
        secret::SecretRef,
    },
    outbound,
};

/// How we prove to the provider that we are its client (OIDC Core §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
}

/// Whether, and by what, the provider is asked again when somebody's tokens are refreshed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecheckBy {
    /// By its refresh token, where it gave one (with the scope `offline_access`, as a rule).
    #[default]
    RefreshToken,
    /// By its access token at its userinfo endpoint: the session ends with that token.
    Userinfo,
    /// Never.
    Off,
}

/// An OpenID provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name; stands in the callback URL `<our issuer>/login/<id>/callback` to register there.
    pub id: UpstreamId,
    /// What people read.
    pub name: String,
    /// The tenant it speaks for, and no other.
    pub tenant: TenantId,
    /// Its issuer URL, letter for letter as in its discovery document and its ID tokens.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Our client secret there. Absent: a public client with PKCE alone.
    #[serde(default)]
    pub client_secret: Option<SecretRef>,
    /// How the secret is sent. Absent: as the provider's metadata asks, Basic where it leaves the choice.
    #[serde(default)]
    pub client_auth: Option<ClientAuthMethod>,
    /// Scopes to ask for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Also ask the userinfo endpoint for claims.
    #[serde(default)]
    pub userinfo: bool,
    /// Whether, and by what, it is asked again when somebody's tokens are refreshed: who was removed there loses
    /// access within the life of one token.
    #[serde(default)]
    pub recheck: RecheckBy,
    /// How its claims become an identity.
    #[serde(default)]
    pub mapping: MappingSettings,
    /// CA certificates of the provider (PEM). Given: only these are trusted.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Where the provider may be: `public`, `private` or `loopback` addresses.
    #[serde(default)]
    pub addresses: outbound::Addresses,
    /// Longest session that follows from one sign-in there, in seconds. An ID token's own `exp` is minutes:
    /// it ends the proof's transport, not the person's day.
    #[serde(default = "eight_hours")]
    pub session_lifetime_s: u64,
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email", "groups"]
        .into_iter()
        .map(str::to_owned)
        .collect()
}
fn eight_hours() -> u64 {
    8 * 3600
}

impl Config {
    /// How the provider is called.
    #[must_use]
    pub fn outbound(&self) -> outbound::Config {
        outbound::Config {
            ca: self.ca.clone(),
            addresses: self.addresses,
            ..outbound::Config::default()
        }
    }
}
