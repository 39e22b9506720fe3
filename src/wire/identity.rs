//! Keystone's Identity API, as far as people, groups, projects and assignments are read from it.
//!
//! Whoever may write in a domain may write anything into the fields that Keystone does not know. So marks are read
//! one by one, as JSON of any shape: a broken mark is no mark, and hides no other entry of a list.

use serde::Deserialize;
use serde_json::Value;

/// A user.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct User {
    /// Keystone's id.
    pub id: String,
    /// Its name; none for some that came by federation.
    #[serde(default)]
    pub name: Option<String>,
    /// Its domain.
    pub domain_id: String,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Our mark.
    #[serde(default)]
    pub fedgate: Value,
    /// Its links to identity providers; only where one user is read.
    #[serde(default)]
    pub federated: Vec<Federated>,
}

/// A user's links to one identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Federated {
    /// The identity provider.
    pub idp_id: String,
    /// By protocol.
    #[serde(default)]
    pub protocols: Vec<FederatedProtocol>,
}

/// A user's name at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FederatedProtocol {
    /// The protocol.
    pub protocol_id: String,
    /// The name.
    pub unique_id: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Group {
    /// Keystone's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Our mark.
    #[serde(default)]
    pub fedgate: Value,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Keystone's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it can be used.
    #[serde(default)]
    pub enabled: bool,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A role somebody has somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Assignment {
    /// The role.
    pub role: ById,
    /// The user; none for a group's.
    #[serde(default)]
    pub user: Option<ById>,
    /// The group; none for a user's.
    #[serde(default)]
    pub group: Option<ById>,
    /// Where.
    pub scope: Scope,
}

/// Where a role is held.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scope {
    /// On a project.
    #[serde(default)]
    pub project: Option<ById>,
    /// Whether it passes on to projects below.
    #[serde(default, rename = "OS-INHERIT:inherited_to")]
    pub inherited_to: Option<String>,
}

/// Something by its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ById {
    /// The id.
    pub id: String,
}

/// A credential that acts for a user on one project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ApplicationCredential {
    /// Keystone's id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its project.
    pub project_id: String,
}

/// A token document, as far as it says whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AnyToken {
    /// The token.
    pub token: AnyTokenFields,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AnyTokenFields {
    /// The user.
    pub user: ById,
}

/// A token document, as far as the provisioning account looks at its own.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnToken {
    /// The token.
    pub token: OwnTokenFields,
}

/// What the provisioning account looks at.
#[derive(Debug, Clone, Deserialize)]
pub struct OwnTokenFields {
    /// The domain it is good for.
    #[serde(default)]
    pub domain: Option<ById>,
    /// Roles in it.
    #[serde(default)]
    pub roles: Vec<super::keystone::Resource>,
}
