//! Our own messages about OpenStack clouds: how one is reached, and what a person may have there.

use serde::{Deserialize, Serialize};

/// Header of the login's answer: when the token ends, in seconds since 1970, where that is before Keystone says.
pub const TOKEN_ENDS: &str = "x-fedgate-token-ends";

/// `GET /api/v1/clouds`: the OpenStack clouds behind this gateway. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clouds {
    /// Each of them, by id.
    pub clouds: Vec<Cloud>,
}

/// One OpenStack cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cloud {
    /// Its name in rules and commands.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The audience of tokens that are good for logging in there.
    pub audience: String,
    /// Keystone's address for clients: this gateway's.
    pub auth_url: String,
    /// The identity provider's id in Keystone.
    pub identity_provider: String,
    /// The protocol's id in Keystone.
    pub protocol: String,
    /// The public client for the device grant of the stock command line, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// `GET /api/v1/clouds/{id}/access`: what somebody may have in one project, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The project's domain.
    pub domain: String,
    /// The project.
    pub project: String,
    /// Roles that they hold.
    pub roles: Vec<HeldRole>,
    /// What is missing for more.
    pub missing: Vec<Missing>,
}

/// A role and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRole {
    /// The role.
    pub role: String,
    /// The access rule that gives it.
    pub rule: String,
}

/// What is missing: a code for programs, a sentence with the next step for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The reason's code.
    pub code: String,
    /// English.
    pub en: String,
    /// German.
    pub de: String,
}
