//! A candidate beside the live policies. It hears each decision after it was made, on a thread of its own: it
//! can neither change an answer nor delay one, and when it is behind it is asked less.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use serde_json::Value;

use super::{
    recorded::{entry_of, slashed},
    snapshot::Snapshot,
};
use crate::port::{
    decisions::{Asked, Decision, Decisions},
    policy::Entry,
    policy_care::{Disagreement, ShadowCounts, ShadowState},
};

/// Decisions that wait for the candidate.
const QUEUE: usize = 256;
/// Disagreements that are kept.
const LAST: usize = 20;
/// Decisions of the candidate. Labels: `entry`, `outcome` (`same`, `different`, `failed`).
const DECISIONS: &str = "fedgate_policy_shadow_decisions_total";
/// Decisions that the candidate was not asked for.
const SKIPPED: &str = "fedgate_policy_shadow_skipped_total";

/// The place of the candidate; empty most of the time.
#[derive(Default)]
pub(super) struct Shadow {
    running: Mutex<Option<Running>>,
}

struct Running {
    queue: SyncSender<(Entry, Decision)>,
    found: Arc<Found>,
}

/// What was found so far.
struct Found {
    revision: String,
    skipped: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    entries: BTreeMap<String, ShadowCounts>,
    last: VecDeque<Disagreement>,
}

impl fmt::Debug for Shadow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shadow")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counters and a list: whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shadow {
    /// Puts a candidate there, or none. The one before ends.
    pub(super) fn set(&self, candidate: Option<Snapshot>) {
        let running = candidate.map(|snapshot| {
            let (queue, decisions) = sync_channel(QUEUE);
            let found = Arc::new(Found {
                revision: snapshot.revision.clone(),
                skipped: AtomicU64::new(0),
                seen: Mutex::default(),
            });
            let worker = Arc::clone(&found);
            std::thread::spawn(move || compare(&snapshot, &decisions, &worker));
            Running { queue, found }
        });
        *locked(&self.running) = running;
    }

    pub(super) fn state(&self) -> Option<ShadowState> {
        let found = locked(&self.running)
            .as_ref()
            .map(|running| Arc::clone(&running.found))?;
        let seen = locked(&found.seen);
        Some(ShadowState {
            revision: found.revision.clone(),
            entries: seen.entries.clone(),
            skipped: found.skipped.load(Ordering::Relaxed),
            last: seen.last.iter().cloned().collect(),
        })
    }
}

impl Decisions for Shadow {
    fn record(&self, decision: Decision) {
        let Asked::Path(path) = &decision.asked else {
            return;
        };
        let Some(entry) = entry_of(path) else {
            return;
        };
        if let Some(running) = locked(&self.running).as_ref()
            && running.queue.try_send((entry, decision)).is_err()
        {
            running.found.skipped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!(SKIPPED).increment(1);
        }
    }

    fn listens(&self) -> bool {
        locked(&self.running).is_some()
    }
}

/// Until the candidate's place is taken by another.
fn compare(snapshot: &Snapshot, decisions: &Receiver<(Entry, Decision)>, found: &Found) {
    while let Ok((entry, decision)) = decisions.recv() {
        // A live policy that failed has no answer to agree with.
        let (Some(input), Some(result)) = (decision.input, decision.result) else {
            continue;
        };
        let live: Value = serde_json::from_str(&result).unwrap_or_default();
        let (candidate, failed) = match snapshot.decide(entry, &input) {
            Ok(output) => (serde_json::from_str(&output).unwrap_or_default(), false),
            Err(fault) => (Value::from(fault.to_string()), true),
        };
        let path = slashed(entry);
        let mut seen = locked(&found.seen);
        let counts = seen.entries.entry(path.clone()).or_default();
        let outcome = if failed {
            counts.failed += 1;
            "failed"
        } else if live == candidate {
            counts.same += 1;
            "same"
        } else {
            counts.different += 1;
            "different"
        };
        metrics::counter!(DECISIONS, "entry" => path.clone(), "outcome" => outcome).increment(1);
        if outcome != "same" {
            seen.last.push_front(Disagreement {
                decision_id: decision.id,
                path,
                live,
                candidate,
            });
            seen.last.truncate(LAST);
        }
    }
}
