//! Policy, with each decision written down. Who only looks asks the engine itself.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::Deserialize;

use super::entries;
use crate::{
    domain::access::Answer,
    port::{
        clock::Clock,
        decisions::{Asked, Decision, Decisions},
        policy::{self, Entry, Policy, PolicyFault, Question},
    },
};

/// An engine whose decisions are written down.
pub struct Recorded {
    engine: Arc<dyn Policy>,
    log: Arc<dyn Decisions>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Recorded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Recorded")
    }
}

/// What of an input names the request.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    context: Circumstances,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Circumstances {
    reference: Option<String>,
    client_ip: Option<String>,
}

impl Recorded {
    /// Writes what `engine` decides into `log`.
    #[must_use]
    pub fn new(engine: Arc<dyn Policy>, log: Arc<dyn Decisions>, clock: Arc<dyn Clock>) -> Self {
        Self { engine, log, clock }
    }
}

impl Policy for Recorded {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault> {
        policy::answer(self, question)
    }

    fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
        if !self.log.listens() {
            return self.engine.decide(entry, input);
        }
        let began = self.clock.now_ns();
        let outcome = self.engine.decide(entry, input);
        let ended = self.clock.now_ns();
        let named: Named = serde_json::from_str(input).unwrap_or_default();
        let took = u64::try_from(ended.saturating_sub(began)).unwrap_or(0);
        self.log.record(Decision {
            id: named.context.reference.unwrap_or_else(random_id),
            asked: Asked::Path(slashed(entry)),
            input: Some(input.to_owned()),
            result: outcome.as_ref().ok().cloned(),
            error: outcome
                .as_ref()
                .err()
                .map(|fault| serde_json::json!({ "code": "internal_error", "message": fault.0 }).to_string()),
            requested_by: named.context.client_ip,
            at_ns: ended,
            revision: Some(self.engine.revision()),
            bundles: BTreeMap::new(),
            metrics: BTreeMap::from([("timer_rego_query_eval_ns".to_owned(), took)]),
        });
        outcome
    }

    fn revision(&self) -> String {
        self.engine.revision()
    }
}

/// The decision of the gateway's own that is recorded under this path.
#[must_use]
pub fn entry_of(path: &str) -> Option<Entry> {
    Entry::ALL.into_iter().find(|entry| slashed(*entry) == path)
}

/// `federation/access/decision`.
pub(super) fn slashed(entry: Entry) -> String {
    let path = entries::path(entry);
    let below = path.split_once('.').map_or(path, |(_, below)| below);
    below.replace('.', "/")
}

/// A UUID of version 4, for decisions without a request's reference.
fn random_id() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness the decision has a name that others may have, too.
    let _unlucky = aws_lc_rs::rand::fill(&mut bytes);
    let mut number = u128::from_be_bytes(bytes);
    number = (number & !(0xf << 76)) | (4 << 76);
    number = (number & !(0x3 << 62)) | (2 << 62);
    let hex = format!("{number:032x}");
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts: Vec<&str> = parts
        .iter()
        .filter_map(|(from, to)| hex.get(*from..*to))
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(slashed(Entry::Access), "federation/access/decision");
        let id = random_id();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(id, random_id());
    }
}
