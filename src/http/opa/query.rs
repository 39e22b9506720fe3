//! `/v1/query`: ad-hoc queries.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    Desk,
    answer::{Refusal, compact, json},
    ask::{Outcome, Record},
    body,
    broken::json as parse,
    meter::Timers,
    parameters::Parameters,
};
use crate::{
    port::decisions::Asked,
    rego::{EvalFault, Value},
};

/// Members besides these are ignored, as OPA does.
#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    query: String,
    #[serde(default)]
    input: Option<Value>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<BTreeMap<&'static str, u64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    result: Vec<BTreeMap<String, Value>>,
}

/// `GET /v1/query?q=…`; the last `q` wins.
pub(super) fn get(desk: &Desk, parameters: &Parameters, peer: Option<SocketAddr>) -> Response {
    let Some(query) = parameters.last("q") else {
        return Refusal::bad("missing parameter 'q'").into_response();
    };
    let posted = Posted {
        query: query.to_owned(),
        input: None,
    };
    answer(desk, posted, (parameters, peer))
}

/// `POST /v1/query`.
pub(super) async fn post(
    desk: &Desk,
    (parameters, headers, peer): (&Parameters, &HeaderMap, Option<SocketAddr>),
    whole: Body,
) -> Response {
    let malformed = |what: String| {
        Refusal::bad(format!("error(s) occurred while decoding request: {what}")).into_response()
    };
    let bytes = match body::read(headers, whole, &desk.limits).await {
        Ok(bytes) => bytes,
        Err(what) => return malformed(what),
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return malformed("invalid UTF-8".into());
    };
    match parse::<Posted>(text, "types.QueryRequestV1") {
        Ok(posted) => answer(desk, posted, (parameters, peer)),
        Err(what) => malformed(what),
    }
}

fn answer(desk: &Desk, posted: Posted, (parameters, peer): (&Parameters, Option<SocketAddr>)) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let snapshot = desk.store.snapshot();
    let id = desk.decision_id();
    let asked = Asked::Query(posted.query.clone());
    let record = Record::open(id.as_deref(), asked, posted.input.as_ref(), peer);
    let how = desk.how(false, None);
    let held = timers.time("timer_rego_query_eval_ns", || {
        snapshot.query(&posted.query, posted.input.clone(), &how)
    });
    let outcome = held.map_err(|fault| refusal(&posted.query, fault));
    if let Some(record) = record {
        let said = match &outcome {
            Ok(held) => Outcome::Result(compact(held)),
            Err(refusal) => Outcome::Error(refusal),
        };
        record.close(desk, &snapshot, said, &mut timers);
    }
    match outcome {
        Ok(mut held) => {
            // Variables that the compiler made are nobody's answer.
            for bindings in &mut held {
                bindings.retain(|name, _| !name.starts_with('_') && !name.starts_with('$'));
            }
            let answer = Answer {
                metrics: parameters.metrics().then(|| timers.finish().clone()),
                result: held,
            };
            json(StatusCode::OK, &answer, parameters.pretty())
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// A query that cannot be compiled is the caller's fault, unlike a policy that fails.
fn refusal(query: &str, fault: EvalFault) -> Refusal {
    if query.trim().is_empty() {
        return Refusal::internal("cannot evaluate empty query");
    }
    let EvalFault::Failed(mut issues) = fault else {
        return Refusal::evaluation(&fault);
    };
    for issue in &mut issues {
        // Builtins' errors are undefined here: what fails in the query's own text is its syntax.
        let own = issue
            .place
            .as_ref()
            .is_some_and(|place| place.file.starts_with('<'));
        if own && issue.code == "eval_builtin_error" {
            issue.code = "rego_parse_error";
        }
    }
    if issues.iter().any(|issue| issue.code.starts_with("rego_")) {
        return Refusal::evaluation(&EvalFault::BadQuery(issues));
    }
    Refusal::evaluation(&EvalFault::Failed(issues))
}
