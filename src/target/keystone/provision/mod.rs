//! People in Keystone before they come, and gone from it when they are let go ("provision mode").
//!
//! The gateway says who should have what ([`Wanted`]); this room reads what is there, says what differs
//! ([`Plan`]), and makes exactly that. It works with a `manager` of each tenant's domain and refuses to work with
//! more: an account that is `admin` is turned away. Keystone's own rules then confine it to the domain.
//!
//! * A person is the same at every cloud: Keystone's federated `unique_id` is made of issuer and subject, and so is
//!   the end of the user's name. Who signs in later is that user, not a second one.
//! * Nothing is taken away that was not given here. Users, groups and projects carry a mark; roles and memberships,
//!   which cannot carry one, are written down (`port::people::Given`) before they are given, here and at sign-in.
//! * Users are disabled, and deleted only long after, if that is configured. Projects are never deleted: they hold
//!   machines and data. Somebody disabled by hand stays disabled.
//! * Every pass starts from what is there, so a pass that was killed is finished by the next one.
//!
//! Start at [`Provisioner::look`]; then `plan.rs` (what differs), `apply.rs` (makes it).

mod apply;
mod change;
mod config;
mod credentials;
mod found;
mod lacks;
mod manager;
mod plan;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

pub use apply::{Done, Outcome};
pub use change::{Change, Role, Who};
pub use config::Config;
pub use lacks::{Looker, Wants};
pub use plan::{Drift, Plan, Then};

use crate::domain::{access::Permit, secret::Secret};
use crate::port::{clock::Clock, secrets::Secrets};

use super::{KeystoneFault, encoded, transport::Transport};

/// Who should have what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Every person that is known, also those who should have nothing.
    pub people: Vec<Person>,
    /// Keystone domains of all tenants.
    pub domains: BTreeSet<String>,
    /// Projects that rules name: domain and project.
    pub projects: BTreeSet<(String, String)>,
    /// Groups that rules name: domain and group, without the prefix.
    pub groups: BTreeSet<(String, String)>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub who: Who,
    /// E-mail address, for a new user.
    pub email: Option<String>,
    /// Roles on projects; none: the person is to have no way in.
    pub roles: BTreeSet<Role>,
    /// Groups, without the prefix.
    pub groups: BTreeSet<String>,
}

/// What was given before, as it was written down.
#[derive(Debug, Clone, Default)]
pub struct Ledger(BTreeSet<Change>);

/// What a sign-in is about to give, as texts for the ledger.
#[must_use]
pub fn entries_of(permit: &Permit, domain: &str) -> Vec<String> {
    let identity = permit.identity();
    let who = Who {
        domain: domain.to_owned(),
        key: identity.key().to_owned(),
        username: String::new(),
    };
    let roles = permit
        .grants()
        .iter()
        .filter_map(|grant| Role::of(&grant.entitlement));
    roles
        .filter_map(|role| {
            serde_json::to_string(&Change::Grant {
                who: who.clone(),
                role,
            })
            .ok()
        })
        .collect()
}

impl Ledger {
    /// From the texts that were kept. One that cannot be read was none of ours.
    #[must_use]
    pub fn read(items: &[String]) -> Self {
        let changes = items.iter().filter_map(|item| serde_json::from_str(item).ok());
        Self(changes.collect())
    }

    /// Whether it says that this was given.
    #[must_use]
    pub fn holds(&self, change: &Change) -> bool {
        self.0.contains(change)
    }

    /// Whether the making of this person's user was begun and not seen to its end.
    fn doubts(&self, key: &str) -> bool {
        self.0
            .iter()
            .any(|change| matches!(change, Change::MakeUser { who, .. } if who.key == key))
    }

    /// What the ledger does not have of `changes` yet, as texts to keep.
    #[must_use]
    pub fn lacks<'a>(&self, changes: impl IntoIterator<Item = &'a Change>) -> Vec<String> {
        let new = changes.into_iter().filter(|change| !self.holds(change));
        new.filter_map(|change| serde_json::to_string(change).ok())
            .collect()
    }
}

/// Works on one Keystone.
pub struct Provisioner {
    settings: Config,
    keystone: super::Config,
    remote_id: String,
    password: Mutex<Secret>,
    rereading: Option<Arc<dyn Secrets>>,
    transport: Transport,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Provisioner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Provisioner({})", self.keystone.id)
    }
}

impl Provisioner {
    /// For a Keystone as configured; none where provisioning is not switched on.
    pub fn open(
        keystone: &super::Config,
        issuer: &str,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, KeystoneFault> {
        let Some(settings) = keystone.provision.clone() else {
            return Ok(None);
        };
        let wrong = KeystoneFault::Configuration;
        let client = keystone.client().map_err(|fault| wrong(fault.to_string()))?;
        let transport =
            Transport::open(keystone, issuer, client, settings.concurrency.max(1)).map_err(wrong)?;
        Ok(Some(Self {
            transport: transport.within(manager::WITHIN),
            remote_id: keystone.remote_id(issuer),
            password: Mutex::new(
                secrets
                    .read(&settings.password)
                    .map_err(|missing| wrong(missing.to_string()))?,
            ),
            rereading: None,
            keystone: keystone.clone(),
            settings,
            clock,
        }))
    }

    /// Reads the account's password again there where Keystone refuses it: rotating it needs no restart.
    #[must_use]
    pub fn rereading(self, secrets: Arc<dyn Secrets>) -> Self {
        Self {
            rereading: Some(secrets),
            ..self
        }
    }

    fn password(&self) -> Secret {
        let password = self.password.lock().unwrap_or_else(PoisonError::into_inner);
        password.clone()
    }

    /// Another password than the one that Keystone has refused, if there is one by now. The same is not tried again:
    /// Keystone may lock an account for it.
    fn password_after(&self, refused: &Secret) -> Option<Secret> {
        let read = match self.rereading.as_ref()?.read(&self.settings.password) {
            Ok(read) => read,
            Err(missing) => {
                tracing::warn!(target = self.target(), %missing, "the password of provisioning was refused and cannot be read again");
                return None;
            }
        };
        if read.reveal() == refused.reveal() {
            return None;
        }
        *self.password.lock().unwrap_or_else(PoisonError::into_inner) = read.clone();
        Some(read)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Config {
        &self.settings
    }

    /// The target's name.
    #[must_use]
    pub fn target(&self) -> &str {
        self.keystone.id.as_str()
    }

    /// Reads what is there, before the ledger is read: what a sign-in gives meanwhile stands in the ledger first.
    pub async fn look(&self, wanted: &Wanted) -> Result<Found, KeystoneFault> {
        found::read(self, wanted).await
    }
}

pub use found::Found;
