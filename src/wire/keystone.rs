//! Keystone's Identity API v3, as far as we speak it.

use serde::{Deserialize, Serialize};

/// Where Keystone puts a token it has issued.
pub const SUBJECT_TOKEN: &str = "x-subject-token";
/// Where a caller puts its token.
pub const AUTH_TOKEN: &str = "x-auth-token";

/// `POST /v3/auth/tokens` as far as it names a token that another is made from.
#[derive(Debug, Clone, Deserialize)]
pub struct Rescope {
    auth: RescopeAuth,
}

#[derive(Debug, Clone, Deserialize)]
struct RescopeAuth {
    identity: std::collections::BTreeMap<String, serde_json::Value>,
}

impl Rescope {
    /// The token that another is made from, by whichever method.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        ["token", "mapped", "openid", "saml2"]
            .into_iter()
            .find_map(|method| self.auth.identity.get(method)?.get("id")?.as_str())
    }
}

/// Keystone's error document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorFields,
}

/// What an error document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFields {
    /// The HTTP status.
    pub code: u16,
    /// Its reason phrase.
    pub title: String,
    /// One sentence for the person at the command line.
    pub message: String,
}

impl ErrorBody {
    /// An error document as JSON.
    #[must_use]
    pub fn json(code: u16, title: &str, message: &str) -> Vec<u8> {
        let body = Self {
            error: ErrorFields {
                code,
                title: title.to_owned(),
                message: message.to_owned(),
            },
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// Something that is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: std::borrow::Cow<'a, str>,
}

/// One element of `projects_json` (mapping schema 3.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssertedProject<'a> {
    /// The project's name.
    pub name: &'a str,
    /// Its domain.
    pub domain: Named<'a>,
    /// Roles on it.
    pub roles: Vec<Named<'a>>,
}

/// A token document, reduced to what we look at.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenBody {
    /// The token.
    pub token: TokenFields,
}

/// What we look at in a token document.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenFields {
    /// RFC 3339 with microseconds.
    pub expires_at: String,
}

/// A resource with an id and a name (domains, roles).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// Keystone's id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// `GET /v3/domains?name=`
#[derive(Debug, Clone, Deserialize)]
pub struct Domains {
    /// What was found.
    pub domains: Vec<Resource>,
}

/// `GET /v3/roles`
#[derive(Debug, Clone, Deserialize)]
pub struct Roles {
    /// What was found.
    pub roles: Vec<Resource>,
}

/// `GET /v3/OS-FEDERATION/identity_providers/{id}`
#[derive(Debug, Clone, Deserialize)]
pub struct IdentityProviderBody {
    /// The identity provider.
    pub identity_provider: IdentityProvider,
}

/// An identity provider in Keystone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdentityProvider {
    /// Issuers that log in through it.
    pub remote_ids: Vec<String>,
    /// Whether it may be used.
    pub enabled: bool,
    /// Minutes for which mapped groups outlive the token.
    #[serde(default)]
    pub authorization_ttl: Option<u64>,
    /// Its domain; fixed when it is made.
    pub domain_id: String,
}

/// `GET /v3/OS-FEDERATION/mappings/{id}`
#[derive(Debug, Clone, Deserialize)]
pub struct MappingBody {
    /// The mapping.
    pub mapping: Mapping,
}

/// A mapping in Keystone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Mapping {
    /// Its rules.
    pub rules: serde_json::Value,
    /// The version of the rules' language.
    #[serde(default)]
    pub schema_version: Option<String>,
}

/// `GET /v3/OS-FEDERATION/identity_providers/{id}/protocols`: the list alone shows `remote_id_attribute`.
#[derive(Debug, Clone, Deserialize)]
pub struct Protocols {
    /// The protocols.
    pub protocols: Vec<Protocol>,
}

/// A protocol of an identity provider in Keystone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Protocol {
    /// Its id.
    pub id: String,
    /// The mapping it uses.
    pub mapping_id: String,
    /// The environ key that names the issuer; none: Keystone's own setting.
    #[serde(default)]
    pub remote_id_attribute: Option<String>,
}
