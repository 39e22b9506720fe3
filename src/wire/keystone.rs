//! Keystone's Identity API v3, as far as we speak it.

use serde::{Deserialize, Serialize};

/// Where Keystone puts a token it has issued.
pub const SUBJECT_TOKEN: &str = "x-subject-token";
/// Where a caller puts its token.
pub const AUTH_TOKEN: &str = "x-auth-token";

/// `POST /v3/auth/tokens` as far as it names tokens that another is made from. What is written twice is no
/// `Rescope`: which of the two counts must not be a guess.
#[derive(Clone, Default, Deserialize)]
pub struct Rescope {
    #[serde(default)]
    auth: RescopeAuth,
}

#[derive(Clone, Default, Deserialize)]
struct RescopeAuth {
    #[serde(default)]
    identity: std::collections::BTreeMap<String, serde_json::Value>,
}

impl Rescope {
    /// The tokens that another may be made from: the `id` of any method, since Keystone's configuration says which
    /// methods there are, and the request which of them count. Ids of other things are among them.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.auth
            .identity
            .values()
            .filter_map(|method| method.get("id")?.as_str())
    }
}

// It holds bearer secrets: `{:?}` must not print them.
impl std::fmt::Debug for Rescope {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Rescope")
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

/// `GET /v3/projects?domain_id=&name=`
#[derive(Debug, Clone, Deserialize)]
pub struct Projects {
    /// What was found.
    pub projects: Vec<Resource>,
}

/// `GET /v3/groups?domain_id=&name=`
#[derive(Debug, Clone, Deserialize)]
pub struct Groups {
    /// What was found.
    pub groups: Vec<Resource>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(body: &str) -> Option<Vec<String>> {
        let read: Rescope = serde_json::from_str(body).ok()?;
        Some(read.tokens().map(str::to_owned).collect())
    }

    #[test]
    fn every_method_may_name_a_token_whatever_methods_says() {
        let all = tokens(
            r#"{"auth": {"identity": {"methods": ["mapped"], "token": {"id": "decoy"}, "mapped": {"id": "limited"},
            "kerberos-of-ours": {"id": "third"}, "password": {"user": {"id": "nobody"}}}, "scope": {}}}"#,
        );
        assert_eq!(all.unwrap(), ["third", "limited", "decoy"]);
        assert_eq!(tokens(r#"{"ec2Credentials": {"access": "x"}}"#).unwrap(), [""; 0]);
        // Python takes the last of several, as we do; where we would not, it is unreadable.
        let last = r#"{"auth": {"identity": {"token": {"id": "decoy", "id": "limited"}}}}"#;
        assert_eq!(tokens(last).unwrap(), ["limited"]);
        for twice in [
            r#"{"auth": {}, "auth": {"identity": {"token": {"id": "limited"}}}}"#,
            r#"{"auth": {"identity": {}, "identity": {"token": {"id": "limited"}}}}"#,
            r#"{"auth": {"identity": {"token": {"id": "limited"}}}, "x": NaN}"#,
        ] {
            assert_eq!(tokens(twice), None, "{twice}");
        }
    }
}
