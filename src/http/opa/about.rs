//! What the engine tells of itself: `/v1/config`, `/v1/status`, and the front page.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, json, typed},
    parameters::Parameters,
};
use crate::port::bundles::BundleStatus;

#[derive(Serialize)]
struct Answer<T: Serialize> {
    result: T,
}

#[derive(Serialize)]
struct Status<'a> {
    labels: &'a serde_json::Value,
    bundles: BTreeMap<String, BundleStatus>,
    plugins: BTreeMap<&'static str, State>,
}

#[derive(Serialize)]
struct State {
    state: &'static str,
}

/// `GET /v1/config`.
pub(super) fn config(desk: &Desk, parameters: &Parameters) -> Response {
    let result = &desk.about;
    json(StatusCode::OK, &Answer { result }, parameters.pretty())
}

/// `GET /v1/status`.
pub(super) fn status(desk: &Desk, parameters: &Parameters) -> Response {
    let Some(bundles) = &desk.bundles else {
        return Refusal::internal("status plugin not enabled").into_response();
    };
    let state = if bundles.activated() { "OK" } else { "NOT_READY" };
    let result = Status {
        labels: desk.about.get("labels").unwrap_or(&serde_json::Value::Null),
        bundles: bundles.status(),
        plugins: BTreeMap::from([("bundle", State { state }), ("status", State { state: "OK" })]),
    };
    json(StatusCode::OK, &Answer { result }, parameters.pretty())
}

/// `GET /`.
pub(super) fn index() -> Response {
    let page = concat!(
        "<html>\n<body>\n<pre>\nfedgate ",
        env!("CARGO_PKG_VERSION"),
        "\n</pre>\nA policy engine with the REST interface of Open Policy Agent.\n</body>\n</html>\n"
    );
    typed(
        StatusCode::OK,
        "text/html; charset=utf-8",
        page.as_bytes().to_vec(),
    )
}
