//! One thing that is to be changed in Keystone, by names alone: readable, and the same at every cloud.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::domain::access::Entitlement;

/// Longest part of a user's name that is taken from what the person is called.
const LONGEST_NAME: usize = 200;
/// Digits of the person's key at the end of the user's name.
const KEY_DIGITS: usize = 12;

/// A person as a user of Keystone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Who {
    /// The Keystone domain of their tenant.
    pub domain: String,
    /// The stable key, made of issuer and subject: Keystone's `unique_id`.
    pub key: String,
    /// What they are called.
    pub username: String,
}

impl Who {
    /// The name of a user that is made for them: two people of one name stay two, and the same person has the same
    /// name at every cloud.
    #[must_use]
    pub fn user_name(&self) -> String {
        let called: String = self.username.chars().take(LONGEST_NAME).collect();
        let digits: String = self.key.chars().take(KEY_DIGITS).collect();
        format!("{called}.{digits}")
    }
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.key.chars().take(KEY_DIGITS).collect();
        write!(out, "{} ({digits}) of domain {}", self.username, self.domain)
    }
}

/// A role on a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// The project's domain.
    pub domain: String,
    /// The project.
    pub project: String,
    /// The role.
    pub role: String,
}

impl Role {
    /// Of an entitlement that is a role on a project.
    #[must_use]
    pub fn of(entitlement: &Entitlement) -> Option<Self> {
        match entitlement {
            Entitlement::Project {
                domain,
                project,
                role,
            } => Some(Self {
                domain: domain.clone(),
                project: project.clone(),
                role: role.clone(),
            }),
            Entitlement::Group { .. } | Entitlement::Session => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} on {}/{}", self.role, self.domain, self.project)
    }
}

/// What is to be changed. The order is that in which it is done: first what takes away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Change {
    /// Application credentials of projects that the person loses are deleted.
    TakeCredentials {
        /// Whose.
        who: Who,
        /// The roles they keep.
        keep: BTreeSet<Role>,
        /// Whether all of them go, also those of projects that are kept.
        all: bool,
    },
    /// A role is taken away.
    Revoke {
        /// From whom.
        who: Who,
        /// Which.
        role: Role,
    },
    /// Somebody leaves a group.
    RemoveMember {
        /// Who.
        who: Who,
        /// Which, without the prefix.
        group: String,
    },
    /// A user can no longer sign in; all their tokens end.
    Disable {
        /// Who.
        who: Who,
    },
    /// A project is made.
    MakeProject {
        /// Its domain.
        domain: String,
        /// Its name.
        project: String,
    },
    /// A group is made.
    MakeGroup {
        /// Its domain.
        domain: String,
        /// Its name, without the prefix.
        group: String,
    },
    /// A user is deleted that was made while the person's first sign-in made another, and could never be used.
    DropDouble {
        /// Whose.
        who: Who,
    },
    /// A user is made before the person's first sign-in.
    MakeUser {
        /// For whom.
        who: Who,
        /// E-mail address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
    },
    /// The user that a first sign-in has made is marked.
    Adopt {
        /// Whose.
        who: Who,
    },
    /// The link between a user and the identity provider is made again.
    Link {
        /// Whose.
        who: Who,
    },
    /// A user who was disabled here may sign in again.
    Enable {
        /// Who.
        who: Who,
    },
    /// Somebody becomes a member of a group.
    AddMember {
        /// Who.
        who: Who,
        /// Which, without the prefix.
        group: String,
    },
    /// A role is given.
    Grant {
        /// To whom.
        who: Who,
        /// Which.
        role: Role,
    },
    /// An empty group that was made here and that no rule names any more.
    DeleteGroup {
        /// Its domain.
        domain: String,
        /// Its name, without the prefix.
        group: String,
    },
    /// A user that was made here and has been disabled for long.
    DeleteUser {
        /// Who.
        who: Who,
    },
}

impl Change {
    /// Its place in the order. Changes of one phase do not depend on one another.
    #[must_use]
    pub fn phase(&self) -> u8 {
        match self {
            Self::TakeCredentials { .. } => 0,
            Self::Revoke { .. } | Self::RemoveMember { .. } => 1,
            Self::Disable { .. } => 2,
            Self::MakeProject { .. } | Self::MakeGroup { .. } => 3,
            Self::DropDouble { .. }
            | Self::MakeUser { .. }
            | Self::Adopt { .. }
            | Self::Link { .. }
            | Self::Enable { .. } => 4,
            Self::AddMember { .. } | Self::Grant { .. } => 5,
            Self::DeleteGroup { .. } | Self::DeleteUser { .. } => 6,
        }
    }

    /// Whose it is; none for groups and projects.
    #[must_use]
    pub fn who(&self) -> Option<&Who> {
        match self {
            Self::TakeCredentials { who, .. }
            | Self::Revoke { who, .. }
            | Self::RemoveMember { who, .. }
            | Self::Disable { who }
            | Self::DropDouble { who }
            | Self::MakeUser { who, .. }
            | Self::Adopt { who }
            | Self::Link { who }
            | Self::Enable { who }
            | Self::AddMember { who, .. }
            | Self::Grant { who, .. }
            | Self::DeleteUser { who } => Some(who),
            Self::MakeProject { .. } | Self::MakeGroup { .. } | Self::DeleteGroup { .. } => None,
        }
    }

    /// What a ledger entry for it looks like, whoever wrote it: a person who is called otherwise by now is the same.
    #[must_use]
    pub fn entry(&self) -> Self {
        let nameless = |who: &Who| Who {
            username: String::new(),
            ..who.clone()
        };
        match self {
            Self::Grant { who, role } | Self::Revoke { who, role } => Self::Grant {
                who: nameless(who),
                role: role.clone(),
            },
            Self::AddMember { who, group } | Self::RemoveMember { who, group } => Self::AddMember {
                who: nameless(who),
                group: group.clone(),
            },
            Self::MakeUser { who, .. }
            | Self::DropDouble { who }
            | Self::Link { who }
            | Self::DeleteUser { who } => Self::MakeUser {
                who: nameless(who),
                email: None,
            },
            Self::TakeCredentials { .. }
            | Self::Disable { .. }
            | Self::MakeProject { .. }
            | Self::MakeGroup { .. }
            | Self::Adopt { .. }
            | Self::Enable { .. }
            | Self::DeleteGroup { .. } => self.clone(),
        }
    }

    /// Whether it takes something away from somebody.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.phase() <= 2 || matches!(self, Self::DeleteUser { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakeCredentials { who, all: true, .. } => write!(out, "- application credentials of {who}"),
            Self::TakeCredentials { who, .. } => {
                write!(
                    out,
                    "- application credentials of {who} on projects that are lost"
                )
            }
            Self::Revoke { who, role } => write!(out, "- role {role} from {who}"),
            Self::RemoveMember { who, group } => write!(out, "- member {who} of group {group}"),
            Self::Disable { who } => write!(out, "- sign-in and tokens of {who}: the user is disabled"),
            Self::MakeProject { domain, project } => write!(out, "+ project {domain}/{project}"),
            Self::MakeGroup { domain, group } => write!(out, "+ group {group} in domain {domain}"),
            Self::MakeUser { who, .. } => write!(out, "+ user {} for {who}", who.user_name()),
            Self::DropDouble { who } => write!(
                out,
                "- second user of {who}: made here during their first sign-in, linked to nobody"
            ),
            Self::Adopt { who } => write!(out, "~ user of {who}: made at a sign-in, gets our mark"),
            Self::Link { who } => write!(out, "~ user of {who}: linked to the identity provider"),
            Self::Enable { who } => write!(out, "~ user of {who}: enabled again"),
            Self::AddMember { who, group } => write!(out, "+ member {who} of group {group}"),
            Self::Grant { who, role } => write!(out, "+ role {role} for {who}"),
            Self::DeleteGroup { domain, group } => {
                write!(
                    out,
                    "- group {group} in domain {domain}: empty, and no rule names it"
                )
            }
            Self::DeleteUser { who } => write!(out, "- user of {who}: made here, disabled for long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(key: &str) -> Who {
        Who {
            domain: "acme".into(),
            key: key.into(),
            username: "alice".into(),
        }
    }

    #[test]
    fn names_are_made_of_the_person_and_two_of_one_name_stay_two() {
        let one = who("aaaaaaaaaaaabbbb").user_name();
        assert_eq!(one, "alice.aaaaaaaaaaaa");
        assert_ne!(one, who("cccccccccccccccc").user_name());
        let long = Who {
            username: "ü".repeat(255),
            ..who("aaaaaaaaaaaabbbb")
        };
        assert!(long.user_name().chars().count() <= 255);
    }

    #[test]
    fn what_takes_away_comes_first() {
        let role = Role {
            domain: "acme".into(),
            project: "p".into(),
            role: "member".into(),
        };
        let mut changes = [
            Change::Grant {
                who: who("k"),
                role: role.clone(),
            },
            Change::MakeUser {
                who: who("k"),
                email: None,
            },
            Change::Disable { who: who("k") },
            Change::Revoke { who: who("k"), role },
        ];
        changes.sort();
        let phases: Vec<u8> = changes.iter().map(Change::phase).collect();
        assert_eq!(phases, [1, 2, 4, 5]);
    }

    #[test]
    fn the_ledger_knows_a_person_by_another_name() {
        let role = Role {
            domain: "acme".into(),
            project: "p".into(),
            role: "member".into(),
        };
        let given = Change::Grant {
            who: who("k"),
            role: role.clone(),
        };
        let renamed = Change::Revoke {
            who: Who {
                username: "alice-m".into(),
                ..who("k")
            },
            role,
        };
        assert_eq!(given.entry(), renamed.entry());
    }
}
