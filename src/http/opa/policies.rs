//! `/v1/policies`: putting, listing, reading and taking away policies.

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, code, json},
    body,
    meter::Timers,
    parameters::{Parameters, unescape},
    write::changed,
};
use crate::rego::{ChangeFault, Module};

#[derive(Serialize)]
struct Answer<T: Serialize> {
    result: T,
}

#[derive(Serialize)]
struct Policy<'a> {
    id: &'a str,
    raw: &'a str,
    /// OPA's syntax tree. The engine's own has another form, which no client could read.
    ast: (),
}

#[derive(Serialize)]
struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<std::collections::BTreeMap<&'static str, u64>>,
}

/// An id may hold slashes, escaped or not.
pub(super) fn id(rest: &str) -> String {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    unescape(rest).map_or_else(|| rest.to_owned(), std::borrow::Cow::into_owned)
}

fn policy(module: &Module) -> Policy<'_> {
    Policy {
        id: &module.id,
        raw: &module.text,
        ast: (),
    }
}

/// `GET /v1/policies`.
pub(super) fn list(desk: &Desk, parameters: &Parameters) -> Response {
    let snapshot = desk.store.snapshot();
    let mut modules: Vec<_> = snapshot.modules().iter().collect();
    modules.sort_by(|one, other| one.id.cmp(&other.id));
    let result: Vec<_> = modules.into_iter().map(|module| policy(module)).collect();
    json(StatusCode::OK, &Answer { result }, parameters.pretty())
}

/// `GET /v1/policies/{id}`.
pub(super) fn get(desk: &Desk, id: &str, parameters: &Parameters) -> Response {
    let snapshot = desk.store.snapshot();
    match snapshot.modules().iter().find(|module| module.id == id) {
        Some(module) => {
            let result = policy(module);
            json(StatusCode::OK, &Answer { result }, parameters.pretty())
        }
        None => Refusal::change(&ChangeFault::NotFound(format!("policy id {id:?}"))).into_response(),
    }
}

/// `PUT /v1/policies/{id}`: the same text again changes nothing; a text that does not load changes nothing.
pub(super) async fn put(
    desk: &Desk,
    id: &str,
    (parameters, headers): (&Parameters, &HeaderMap),
    whole: Body,
) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let bytes = match body::read(headers, whole, &desk.limits).await {
        Ok(bytes) => bytes,
        Err(what) => return Refusal::bad(what).into_response(),
    };
    let Ok(text) = String::from_utf8(bytes.to_vec()) else {
        return Refusal::bad("the policy is not UTF-8").into_response();
    };
    if text.trim().is_empty() {
        return Refusal::bad(format!("{id}:0: rego_parse_error: empty module")).into_response();
    }
    let (version, key) = (desk.version, id.to_owned());
    let began = desk.clock.now_ns();
    let put = changed(&desk.store, move |draft| draft.put_policy(&key, &text, version)).await;
    timers.count(
        "timer_rego_module_compile_ns",
        super::meter::since(desk.clock.as_ref(), began),
    );
    match put {
        Ok(Ok(_)) => done(parameters, &mut timers),
        Ok(Err(fault)) => Refusal::policies(&fault, code::INVALID_PARAMETER).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// `DELETE /v1/policies/{id}`: only if the rest loads without it.
pub(super) async fn delete(desk: &Desk, id: &str, parameters: &Parameters) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let key = id.to_owned();
    match changed(&desk.store, move |draft| draft.remove_policy(&key)).await {
        Ok(Ok(())) => done(parameters, &mut timers),
        Ok(Err(fault)) => Refusal::policies(&fault, code::INVALID_OPERATION).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn done(parameters: &Parameters, timers: &mut Timers<'_>) -> Response {
    let metrics = parameters.is_on("metrics").then(|| timers.finish().clone());
    json(StatusCode::OK, &Done { metrics }, parameters.pretty())
}
