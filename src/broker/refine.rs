//! What policy makes of a mapped identity, remembered: the question holds no time and no address, so the same proof
//! gets the same answer for as long as the policies stay, and a request costs no evaluation beside its own.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::digest;

use crate::domain::{
    assertion::Verified,
    fault::{Code, Fault},
    identity::Identity,
    mapping::{RefineFault, Refinement, refine},
};
use crate::port::policy::{self, ClaimFacts, Decision as _, MappingQuestion, Policy, PolicyFault, Subject};

/// Most answers of one generation. Two are kept, so that a full memory forgets what nobody asks for.
const MOST_KEPT: usize = 4_096;

type Key = [u8; 32];

/// Asks the entry point for mapping and remembers its answers.
#[derive(Debug, Default)]
pub(super) struct Refinements {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    revision: String,
    young: HashMap<Key, Arc<Refinement>>,
    old: HashMap<Key, Arc<Refinement>>,
}

/// What an upstream said, as policy sees it.
pub(super) fn claim_facts<'a>(identity: &'a Identity, facts: &'a Verified) -> ClaimFacts<'a> {
    ClaimFacts {
        subject: &facts.subject,
        email: identity.email(),
        email_verified: identity.email_verified(),
        claims: &facts.claims,
    }
}

impl Refinements {
    /// The identity as policy refines it.
    pub(super) fn of(
        &self,
        policy: &dyn Policy,
        identity: Identity,
        facts: &Verified,
    ) -> Result<Identity, Fault> {
        let by = self.ask(policy, &identity, facts)?;
        refine(identity, &by).map_err(|fault| match fault {
            RefineFault::Refused(reasons) => Fault {
                code: Code::NoAccess,
                detail: format!("federation/mapping refused: {}", reasons.join(", ")),
                reasons,
            },
            RefineFault::Unusable(_) => Fault::new(Code::PolicyFailed, fault.to_string()),
        })
    }

    fn ask(
        &self,
        policy: &dyn Policy,
        identity: &Identity,
        facts: &Verified,
    ) -> Result<Arc<Refinement>, Fault> {
        let question = MappingQuestion {
            v: policy::VERSION,
            subject: Subject::of(identity),
            login: claim_facts(identity, facts),
        };
        let input = serde_json::to_string(&question)
            .map_err(|error| PolicyFault(format!("the question cannot be written: {error}")))?;
        let (key, revision) = (key_of(&input), policy.revision());
        if let Some(known) = self.known(&key, &revision) {
            return Ok(known);
        }
        let output = policy.decide(MappingQuestion::ENTRY, &input)?;
        let answer = Arc::new(policy::read::<Refinement>(&output)?);
        self.keep(key, revision, Arc::clone(&answer));
        Ok(answer)
    }

    fn known(&self, key: &Key, revision: &str) -> Option<Arc<Refinement>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if kept.revision != revision {
            return None;
        }
        kept.young.get(key).or_else(|| kept.old.get(key)).cloned()
    }

    fn keep(&self, key: Key, revision: String, answer: Arc<Refinement>) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.revision != revision {
            *kept = Kept {
                revision,
                ..Kept::default()
            };
        }
        if kept.young.len() >= MOST_KEPT {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(key, answer);
    }
}

/// A hash that nobody can aim: a collision would give one person another's groups.
fn key_of(input: &str) -> Key {
    let mut key = Key::default();
    let hash = digest::digest(&digest::SHA256, input.as_bytes());
    for (to, from) in key.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    key
}
