//! My access: what one person may have here, until when, and why.

use std::sync::Arc;

use crate::domain::{
    access::{Asked, Permit},
    fault::Fault,
};
use crate::port::target::TargetFacts;

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
                let goal = Goal {
                    target: facts.id.clone(),
                    kind: facts.kind,
                    audience: facts.audience.clone(),
                    ceiling: facts.ceilings.lifetime,
                };
                let outcome = self
                    .door
                    .weigh(&live.identity, &goal, Asked::Everything, (None, caller));
                Reach { facts, outcome }
            })
            .collect()
    }
}
