//! Registered relying parties (RFC 6749 §2): what each may do, and how it proves that it is itself.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ClientId, TenantId},
    key::Algorithm,
    secret::SecretRef,
};

/// Grants of the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum GrantType {
    /// RFC 6749 §4.1
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// RFC 6749 §6
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// RFC 6749 §4.4
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// RFC 8628
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 8693
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    /// RFC 7523 §2.1: a workload's token as a grant.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
    /// RFC 6749 §4.3: the client takes the person's password. Only for old command lines (`v3oidcpassword`).
    #[serde(rename = "password")]
    Password,
}

impl GrantType {
    /// All of them, in the order of the discovery document.
    pub const ALL: [Self; 7] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
        Self::Password,
    ];

    /// The value of `grant_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Password => "password",
        }
    }

    /// Reads a `grant_type`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// How a client proves that it is itself (OIDC Core §9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientAuth {
    /// A public client: PKCE is its proof.
    None,
    /// `Authorization: Basic` (RFC 6749 §2.3.1) or the secret in the form, whichever it uses.
    Secret {
        /// Where the secret is.
        secret: SecretRef,
    },
    /// A JWT signed by the client's key (RFC 7523 §2.2).
    PrivateKeyJwt {
        /// The client's public keys: a JWKS file.
        jwks_file: std::path::PathBuf,
    },
}

/// One client, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSettings {
    /// `client_id`.
    pub id: ClientId,
    /// What people read on the device page and in My access.
    pub name: String,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// Grants it may use.
    pub grants: BTreeSet<GrantType>,
    /// Redirect URIs, compared as exact strings; for `http://127.0.0.1/…`, `http://[::1]/…` and
    /// `http://localhost/…` any port is taken (RFC 8252 §7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Where RP-initiated logout may return to, compared as exact strings.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Scopes it may ask for.
    #[serde(default = "default_scopes")]
    pub scopes: BTreeSet<String>,
    /// Audiences its access tokens may have: this gateway's issuer URL or target audiences.
    /// The first is used where a request names none. Empty: the issuer.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Audiences it may exchange a session or a workload's token for (RFC 8693, RFC 7523); `*` for every target.
    #[serde(default)]
    pub exchange: Vec<String>,
    /// Algorithm of its ID tokens and access tokens.
    #[serde(default = "default_algorithm")]
    pub algorithm: Algorithm,
    /// The tenant on whose behalf it acts with client_credentials, or whose people's passwords it takes.
    #[serde(default)]
    pub tenant: Option<TenantId>,
    /// Life of its access tokens and ID tokens, in seconds.
    #[serde(default = "default_token_lifetime")]
    pub token_lifetime_s: u64,
    /// Whether a code without PKCE is accepted. Only for confidential clients that cannot do it
    /// (keystoneauth's `v3oidcauthcode`).
    #[serde(default)]
    pub pkce_optional: bool,
}

fn default_scopes() -> BTreeSet<String> {
    ["openid", "profile", "email", "groups", "offline_access"]
        .into_iter()
        .map(str::to_owned)
        .collect()
}
fn default_algorithm() -> Algorithm {
    Algorithm::Es256
}
fn default_token_lifetime() -> u64 {
    300
}

impl ClientSettings {
    /// Whether it has no secret (RFC 6749 §2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.auth, ClientAuth::None)
    }

    /// Life of its tokens.
    #[must_use]
    pub fn token_lifetime(&self) -> Duration {
        Duration::from_secs(self.token_lifetime_s)
    }

    /// Whether `uri` is one of its redirect URIs. Strings are compared as registered: nothing is
    /// normalised, so no parser trick can make two different strings equal. The port of a registered
    /// loopback address is the only freedom.
    #[must_use]
    pub fn accepts_redirect(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|own| own == uri || same_loopback(own, uri))
    }
}

fn same_loopback(own: &str, uri: &str) -> bool {
    const HOSTS: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    HOSTS.into_iter().any(|host| {
        let (Some(own), Some(asked)) = (own.strip_prefix(host), uri.strip_prefix(host)) else {
            return false;
        };
        let own = without_port(own);
        let asked = without_port(asked);
        own.is_some() && own == asked
    })
}

/// The path and what follows, after an optional `:port`; none if anything else stands there.
fn without_port(rest: &str) -> Option<&str> {
    if rest.is_empty() || rest.starts_with('/') {
        return Some(rest);
    }
    let digits = rest.strip_prefix(':')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (port, path) = digits.split_at_checked(end)?;
    let port_fits = port.parse::<u16>().is_ok_and(|port| port > 0);
    (port_fits && (path.is_empty() || path.starts_with('/'))).then_some(path)
}
