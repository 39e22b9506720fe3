//! What a Keystone lacks of what policy gives somebody.

use std::fmt;

/// One thing that is not there, or cannot be used. As a text it is a reason, as refusals give them: a code with texts in
/// every language, and after a colon the name that belongs into the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The domain does not exist.
    Domain(String),
    /// The domain does not exist, or who looks may not look into it.
    ClosedDomain(String),
    /// The domain is disabled.
    DisabledDomain(String),
    /// The project, `domain/project`, is not there yet. It is made at a sign-in.
    Project(String),
    /// The project, `domain/project`, is disabled.
    DisabledProject(String),
    /// The role does not exist.
    Role(String),
    /// The group, `domain/group`, is not there yet. Provisioning makes it.
    Group(String),
    /// Something of the gateway's own setup: its identity provider, its protocol, its mapping.
    Setup(String),
}

impl Lack {
    /// Whether Keystone lets nobody in for that.
    #[must_use]
    pub fn stops(&self) -> bool {
        match self {
            Self::Domain(_)
            | Self::DisabledDomain(_)
            | Self::DisabledProject(_)
            | Self::Role(_)
            | Self::Setup(_) => true,
            Self::ClosedDomain(_) | Self::Project(_) | Self::Group(_) => false,
        }
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Domain(name) => ("keystone_domain_missing", name),
            Self::ClosedDomain(name) => ("keystone_domain_closed", name),
            Self::DisabledDomain(name) => ("keystone_domain_disabled", name),
            Self::Project(name) => ("keystone_project_missing", name),
            Self::DisabledProject(name) => ("keystone_project_disabled", name),
            Self::Role(name) => ("keystone_role_missing", name),
            Self::Group(name) => ("keystone_group_missing", name),
            Self::Setup(name) => ("keystone_setup_missing", name),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, name) = self.parts();
        write!(out, "{code}:{name}")
    }
}

/// The code of a reason, and the name that belongs into its text.
#[must_use]
pub fn parts_of(reason: &str) -> (&str, Option<&str>) {
    reason
        .split_once(':')
        .map_or((reason, None), |(code, name)| (code, Some(name)))
}

/// The text of a reason, with the name that belongs into it.
#[must_use]
pub fn worded(text: &str, name: Option<&str>) -> String {
    name.map_or_else(|| text.to_owned(), |name| text.replacen("{}", name, 1))
}
