//! `/health`, with its parameters, and the checks that policies define themselves.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, json},
    parameters::{Parameters, document_path},
};
use crate::rego::{How, Value, reference};

#[derive(Serialize)]
struct Health {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a health rule sees.
#[derive(Serialize)]
struct Plugins {
    plugin_state: BTreeMap<&'static str, &'static str>,
    plugins_ready: bool,
}

fn answer(error: Option<String>) -> Response {
    let status = if error.is_none() {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    json(status, &Health { error }, false)
}

fn bundles_ready(desk: &Desk) -> bool {
    desk.bundles.as_ref().is_none_or(|bundles| bundles.activated())
}

/// `GET /health`.
pub(super) fn health(desk: &Desk, parameters: &Parameters) -> Response {
    let snapshot = desk.store.snapshot();
    let how = How {
        limit: desk.limits.evaluation,
        ..How::default()
    };
    if snapshot.query("x = 1", None, &how).is_err() {
        return answer(Some("unable to perform evaluation".into()));
    }
    let with_bundles = parameters.is_on("bundle") || parameters.is_on("bundles");
    if with_bundles && !bundles_ready(desk) {
        return answer(Some("one or more bundles are not activated".into()));
    }
    let excluded = parameters.all("exclude-plugin").any(|name| name == "bundle");
    if parameters.is_on("plugins") && !excluded && !bundles_ready(desk) {
        return answer(Some("one or more plugins are not up".into()));
    }
    answer(None)
}

/// `GET /health/{path}` asks `data.system.health.{path}`, which must be `true`.
pub(super) fn by_policy(desk: &Desk, rest: &str) -> Response {
    let path = match document_path(rest) {
        Ok(path) => path,
        Err(what) => return Refusal::bad(what).into_response(),
    };
    let mut keys = vec!["system", "health"];
    keys.extend(path.iter().map(AsRef::as_ref));
    let ready = bundles_ready(desk);
    let mut plugin_state = BTreeMap::new();
    if desk.bundles.is_some() {
        plugin_state.insert("bundle", if ready { "OK" } else { "NOT_READY" });
    }
    let plugins = Plugins {
        plugin_state,
        plugins_ready: ready,
    };
    let input = serde_json::to_string(&plugins)
        .ok()
        .and_then(|json| Value::from_json_str(&json).ok());
    let name = reference(&keys);
    match desk
        .store
        .snapshot()
        .evaluate(&keys, input, &desk.how(false, None))
    {
        Ok(evaluated) => answer(match evaluated.value {
            Some(Value::Bool(true)) => None,
            Some(_) => Some(format!("health check ({name}) returned unexpected value")),
            None => Some(format!("health check ({name}) was undefined")),
        }),
        Err(fault) => answer(Some(fault.to_string())),
    }
}
