//! My access: what one person may have here, until when, and why.

use std::sync::Arc;

use crate::domain::{
    access::{Asked, Ceilings, Permit, TargetKind},
    fault::Fault,
};
use crate::port::target::{GroupPrefix, TargetFacts};

use super::{
    Caller,
    admit::Door,
    directory::{Directory, Goal},
    session::Live,
};

/// Shows, and gives nothing.
#[derive(Debug, Clone)]
pub struct Overview {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The pipeline.
    pub door: Arc<Door>,
}

/// One target and the outcome there.
#[derive(Debug)]
pub struct Reach {
    /// The target.
    pub facts: TargetFacts,
    /// What would be permitted, or what is missing.
    pub outcome: Result<Permit, Fault>,
}

impl Overview {
    /// Weighs every configured target for this person, in the order of their names.
    #[must_use]
    pub fn of(&self, live: &Live, caller: &Caller) -> Vec<Reach> {
        self.directory
            .targets()
            .map(|target| {
                let facts = target.facts().clone();
                let goal = Goal::at(&facts);
                let outcome = self
                    .door
                    .weigh(&live.identity, &goal, Asked::Everything, (None, caller));
                Reach { facts, outcome }
            })
            .collect()
    }

    /// Weighs every tool that signs people in here: clients with a redirect URI that act for themselves.
    #[must_use]
    pub fn tools(&self, live: &Live, caller: &Caller) -> Vec<Reach> {
        self.directory
            .clients()
            .filter(|client| !client.redirect_uris.is_empty())
            // A command line whose tokens are for a target is that target's door, no tool of its own.
            .filter(|client| {
                self.directory.audience(client, None).as_deref() == Some(self.directory.issuer())
            })
            .filter_map(|client| {
                let goal = self.directory.goal(client, self.directory.issuer())?;
                if goal.kind != TargetKind::RelyingParty {
                    return None;
                }
                let facts = TargetFacts {
                    id: goal.target.clone(),
                    name: client.name.clone(),
                    kind: goal.kind,
                    audience: client.id.to_string(),
                    ceilings: Ceilings {
                        lifetime: goal.ceiling,
                    },
                    group_prefix: GroupPrefix(String::new()),
                };
                let outcome = self.door.weigh(
                    &live.identity,
                    &goal,
                    Asked::Everything,
                    (Some(&client.id), caller),
                );
                Some(Reach { facts, outcome })
            })
            .collect()
    }
}
