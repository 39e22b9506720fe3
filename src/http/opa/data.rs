//! Reading documents: `/v1/data`, `/v0/data` and `POST /`.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr};

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, code, json},
    ask::{Explanation, Outcome, Provenance, Question, Record},
    body,
    broken::whole_json,
    meter::Timers,
    parameters::{Explain, Parameters, document_path},
};
use crate::{
    port::decisions::Asked,
    rego::{Snapshot, Value},
};

/// What `POST /` asks for.
const DEFAULT_DECISION: &str = "system/main";

/// `warning` of an answer to a question without input.
const NO_INPUT: Warning = Warning {
    code: "api_usage_warning",
    message: "'input' key missing from the request",
};

/// OPA's answer, its members in OPA's order.
#[derive(Serialize, Default)]
struct DataAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<Provenance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<BTreeMap<&'static str, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Warning>,
}

#[derive(Serialize)]
struct Warning {
    code: &'static str,
    message: &'static str,
}

/// A request for a document, its body still packed.
pub(super) struct Asking<'a> {
    /// What follows `/v1/data`, still escaped.
    pub(super) rest: &'a str,
    pub(super) parameters: &'a Parameters,
    pub(super) headers: &'a HeaderMap,
    pub(super) peer: Option<SocketAddr>,
}

/// A question and what was asked of it besides.
struct Read<'a> {
    asking: &'a Asking<'a>,
    input: Option<Value>,
    /// Whether a missing input is worth a warning.
    warn: bool,
}

/// `GET /v1/data/{path}`.
pub(super) fn get(desk: &Desk, asking: &Asking<'_>) -> Result<Response, Refusal> {
    let mut timers = Timers::start(desk.clock.as_ref());
    let given = asking.parameters.last("input");
    let input = timers.time("timer_rego_input_parse_ns", || {
        given.map(whole_json::<Value>).transpose()
    });
    let input =
        input.map_err(|what| Refusal::bad(format!("parameter contains malformed input document: {what}")))?;
    let read = Read {
        asking,
        input,
        warn: false,
    };
    read.answer(desk, &mut timers)
}

/// `POST /v1/data/{path}`.
pub(super) async fn post(desk: &Desk, asking: &Asking<'_>, whole: Body) -> Result<Response, Refusal> {
    let mut timers = Timers::start(desk.clock.as_ref());
    let input = posted(desk, asking.headers, whole, &mut timers)
        .await
        .map_err(Refusal::bad)?;
    let read = Read {
        asking,
        input,
        warn: true,
    };
    read.answer(desk, &mut timers)
}

/// The input of a posted question.
async fn posted(
    desk: &Desk,
    headers: &HeaderMap,
    whole: Body,
    timers: &mut Timers<'_>,
) -> Result<Option<Value>, String> {
    let packed = body::read(headers, whole, &desk.limits).await?;
    timers.time("timer_rego_input_parse_ns", || {
        let bytes = body::unpack(headers, packed, &desk.limits)?;
        body::input(headers, &bytes)
    })
}

/// The figures of a write, where they are all that is asked.
pub(super) fn figures(metrics: BTreeMap<&'static str, u64>) -> Response {
    let answer = DataAnswer {
        metrics: Some(metrics),
        ..DataAnswer::default()
    };
    json(StatusCode::OK, &answer, false)
}

impl Read<'_> {
    fn answer(self, desk: &Desk, timers: &mut Timers<'_>) -> Result<Response, Refusal> {
        let asking = self.asking;
        let path = path(asking.rest)?;
        let snapshot = desk.store.snapshot();
        let id = desk.decision_id();
        let asked = Asked::Path(asking.rest.trim_matches('/').to_owned());
        let record = Record::open(id.as_deref(), asked, self.input.as_ref(), asking.peer);
        let explain = asking.parameters.explain();
        let warning = (self.warn && self.input.is_none()).then_some(NO_INPUT);
        timers.count("counter_server_query_cache_hit", 1);
        let question = Question {
            path: &path,
            input: self.input,
            strict: asking.parameters.is_on("strict-builtin-errors"),
            explain,
        };
        let evaluated = desk
            .ask(&snapshot, question, timers)
            .map_err(|fault| Refusal::evaluation(&fault));
        if let Some(record) = record {
            let said = match &evaluated {
                Ok(evaluated) => Outcome::of(evaluated),
                Err(refusal) => Outcome::Error(refusal),
            };
            record.close(desk, &snapshot, said, timers);
        }
        let evaluated = evaluated?;
        let pretty = asking.parameters.pretty();
        let answer = DataAnswer {
            decision_id: id.as_deref(),
            provenance: asking
                .parameters
                .is_on("provenance")
                .then(|| Provenance::of(&snapshot)),
            // Of an undefined document, OPA explains only the whole.
            explanation: explain
                .filter(|mode| evaluated.value.is_some() || *mode == Explain::Full)
                .map(|mode| Explanation::of(&snapshot, &evaluated, (mode, pretty))),
            metrics: asking.parameters.metrics().then(|| timers.finish().clone()),
            result: evaluated.value.as_ref(),
            warning,
        };
        Ok(json(StatusCode::OK, &answer, pretty))
    }
}

/// OPA's own odd one: a path that makes no reference is an internal error there.
fn path(rest: &str) -> Result<Vec<Cow<'_, str>>, Refusal> {
    document_path(rest).map_err(|what| Refusal::internal(format!("invalid_parameter: {what}")))
}

/// `POST /v0/data/{path}`: the body is the input, the answer is the document.
pub(super) async fn post_v0(desk: &Desk, asking: &Asking<'_>, whole: Body) -> Result<Response, Refusal> {
    let mut timers = Timers::start(desk.clock.as_ref());
    let input = bare(desk, asking.headers, whole)
        .await
        .map_err(|what| Refusal::bad(format!("unexpected parse error for input: {what}")))?;
    let path = path(asking.rest)?;
    let snapshot = desk.store.snapshot();
    let id = desk.decision_id();
    let asked = Asked::Path(asking.rest.trim_matches('/').to_owned());
    let record = Record::open(id.as_deref(), asked, input.as_ref(), asking.peer);
    let question = Question {
        path: &path,
        input,
        strict: false,
        explain: None,
    };
    let outcome = desk
        .ask(&snapshot, question, &mut timers)
        .map_err(|fault| Refusal::evaluation(&fault))
        .and_then(|evaluated| match evaluated.value {
            Some(_) => Ok(evaluated),
            None => Err(undefined(&snapshot, &path)),
        });
    if let Some(record) = record {
        let said = match &outcome {
            Ok(evaluated) => Outcome::of(evaluated),
            Err(refusal) => Outcome::Error(refusal),
        };
        record.close(desk, &snapshot, said, &mut timers);
    }
    outcome.map(|evaluated| json(StatusCode::OK, &evaluated.value, asking.parameters.pretty()))
}

/// `POST /`.
pub(super) async fn post_default(desk: &Desk, asking: &Asking<'_>, whole: Body) -> Result<Response, Refusal> {
    let asking = Asking {
        rest: DEFAULT_DECISION,
        ..*asking
    };
    post_v0(desk, &asking, whole).await
}

/// OPA's empty input of version 0 is null, not absent.
async fn bare(desk: &Desk, headers: &HeaderMap, whole: Body) -> Result<Option<Value>, String> {
    let packed = body::read(headers, whole, &desk.limits).await?;
    let bytes = body::unpack(headers, packed, &desk.limits)?;
    Ok(Some(body::document(headers, &bytes)?.unwrap_or(Value::Null)))
}

/// Tells a document that nothing defines from one that is undefined for this input.
fn undefined(snapshot: &Snapshot, path: &[Cow<'_, str>]) -> Refusal {
    let keys: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let what = if snapshot.has_rules(&keys) {
        "document undefined"
    } else {
        "document missing"
    };
    Refusal::new(
        StatusCode::NOT_FOUND,
        code::UNDEFINED,
        format!("{what}: {}", crate::rego::reference(&keys)),
    )
}
