//! One question to the engine, its answer, and its record in the decision log.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr, sync::Arc};

use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, compact},
    meter::Timers,
    parameters::Explain,
};
use crate::{
    port::decisions::{Asked, Decision},
    rego::{Coverage, EvalFault, Evaluated, How, Snapshot, Value},
};

/// A document that is asked for.
pub(super) struct Question<'a> {
    /// Its keys.
    pub(super) path: &'a [Cow<'a, str>],
    pub(super) input: Option<Value>,
    pub(super) strict: bool,
    pub(super) explain: Option<Explain>,
}

impl Desk {
    pub(super) fn how(&self, strict: bool, explain: Option<Explain>) -> How {
        How {
            limit: self.limits.evaluation,
            strict_builtin_errors: strict,
            coverage: explain.is_some_and(|mode| mode != Explain::Notes),
            prints: explain.is_some(),
            now_ns: Some(self.clock.now_ns()),
        }
    }

    /// Asks one snapshot. The caller keeps it: answer, record and provenance speak of the same state.
    pub(super) fn ask(
        &self,
        snapshot: &Snapshot,
        question: Question<'_>,
        timers: &mut Timers<'_>,
    ) -> Result<Evaluated, EvalFault> {
        let how = self.how(question.strict, question.explain);
        let keys: Vec<&str> = question.path.iter().map(AsRef::as_ref).collect();
        timers.time("timer_rego_query_eval_ns", || {
            snapshot.evaluate(&keys, question.input, &how)
        })
    }
}

/// What is known of a decision before it is made; the record of one that is written down.
pub(super) struct Record {
    id: String,
    asked: Asked,
    input: Option<Value>,
    requested_by: Option<String>,
}

impl Record {
    /// None if nobody listens: then nothing is copied.
    pub(super) fn open(
        id: Option<&str>,
        asked: Asked,
        input: Option<&Value>,
        peer: Option<SocketAddr>,
    ) -> Option<Self> {
        Some(Self {
            id: id?.to_owned(),
            asked,
            input: input.cloned(),
            requested_by: peer.map(|peer| peer.to_string()),
        })
    }

    /// Hands it to the log. Written before the answer leaves, so that no answer is without a record.
    pub(super) fn close(
        self,
        desk: &Desk,
        snapshot: &Arc<Snapshot>,
        outcome: Outcome<'_>,
        timers: &mut Timers<'_>,
    ) {
        let (result, error) = match outcome {
            Outcome::Result(result) => (result, None),
            Outcome::Error(refusal) => (None, Some(refusal.as_json())),
        };
        desk.decisions.record(Decision {
            id: self.id,
            asked: self.asked,
            input: self.input.as_ref().and_then(compact),
            result,
            error,
            requested_by: self.requested_by,
            at_ns: timers.began_ns(),
            revision: None,
            bundles: snapshot.bundles().clone(),
            metrics: timers
                .finish()
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        });
    }
}

/// How a question went.
pub(super) enum Outcome<'a> {
    /// The result as JSON; none if it is undefined.
    Result(Option<String>),
    Error(&'a Refusal),
}

impl Outcome<'_> {
    pub(super) fn of(evaluated: &Evaluated) -> Self {
        Self::Result(evaluated.value.as_ref().and_then(compact))
    }
}

/// `provenance`.
#[derive(Serialize)]
pub(super) struct Provenance {
    version: &'static str,
    build_commit: &'static str,
    build_timestamp: &'static str,
    build_hostname: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    bundles: BTreeMap<String, Revision>,
}

#[derive(Serialize)]
struct Revision {
    revision: String,
}

impl Provenance {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let bundles = snapshot.bundles().iter().map(|(name, revision)| {
            let revision = Revision {
                revision: revision.clone(),
            };
            (name.clone(), revision)
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            build_commit: "",
            build_timestamp: "",
            build_hostname: "",
            bundles: bundles.collect(),
        }
    }
}

/// An explanation. The engine keeps no trace of its steps; it tells which lines it used. So `full` and `debug`
/// name every line that held, `fails` those that did not, and `notes` what the policies wrote themselves.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Explanation {
    Pretty(Vec<String>),
    Events(Vec<Event>),
}

/// One step, in the members of OPA's trace events.
#[derive(Serialize)]
pub(super) struct Event {
    op: &'static str,
    query_id: u64,
    parent_id: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    node: Option<&'static str>,
    locals: [(); 0],
    message: String,
}

impl Explanation {
    pub(super) fn of(snapshot: &Snapshot, evaluated: &Evaluated, (mode, pretty): (Explain, bool)) -> Self {
        let mut steps: Vec<(&'static str, String)> = Vec::new();
        let coverage = evaluated.coverage.as_ref();
        if matches!(mode, Explain::Full | Explain::Debug) {
            steps.extend(lines(snapshot, coverage, true).map(|line| ("exit", line)));
        }
        if matches!(mode, Explain::Fails | Explain::Debug) {
            steps.extend(lines(snapshot, coverage, false).map(|line| ("fail", line)));
        }
        steps.extend(evaluated.prints.iter().map(|print| ("note", print.clone())));
        if pretty {
            let shown = steps.iter().map(|(op, text)| format!("{op} {text}"));
            return Self::Pretty(shown.collect());
        }
        let events = steps.into_iter().map(|(op, message)| Event {
            op,
            query_id: 0,
            parent_id: 0,
            kind: "expr",
            node: None,
            locals: [],
            message,
        });
        Self::Events(events.collect())
    }
}

/// `file:line: text` of the lines that were used, or were not, in files where any line was.
fn lines<'a>(
    snapshot: &'a Snapshot,
    coverage: Option<&'a Coverage>,
    used: bool,
) -> impl Iterator<Item = String> + 'a {
    coverage
        .into_iter()
        .flatten()
        .filter(|file| !file.covered.is_empty())
        .flat_map(move |file| {
            let module = snapshot.modules().iter().find(|module| module.id == file.file);
            let numbers = if used { &file.covered } else { &file.not_covered };
            numbers.iter().map(move |number| {
                let text = module.and_then(|module| {
                    let index = usize::try_from(*number).ok()?.checked_sub(1)?;
                    module.text.lines().nth(index)
                });
                format!("{}:{number}: {}", file.file, text.unwrap_or_default().trim())
            })
        })
}
