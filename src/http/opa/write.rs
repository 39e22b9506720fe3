//! Writing base documents: `PUT`, `PATCH` and `DELETE /v1/data/{path}`.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::{
    Desk,
    answer::{Refusal, empty},
    body,
    broken::json,
    data,
    meter::Timers,
    parameters::{Parameters, pointer_path, storage_path},
};
use crate::rego::{ChangeFault, Draft, Patch, Store, Value};

/// A request that writes, its body not read yet.
pub(super) struct Writing<'a> {
    /// What follows `/v1/data`, still escaped.
    pub(super) rest: &'a str,
    pub(super) parameters: &'a Parameters,
    pub(super) headers: &'a HeaderMap,
}

/// One operation as sent. Without `value` it is null, as in OPA.
#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    op: String,
    #[serde(default)]
    path: String,
    #[serde(default = "null")]
    value: Value,
}

fn null() -> Value {
    Value::Null
}

/// `PUT`: creates the objects above. `If-None-Match: *` leaves alone what is there.
pub(super) async fn put(desk: &Desk, writing: &Writing<'_>, whole: Body) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let value = match read::<Value>(desk, writing.headers, whole).await {
        Ok(value) => value,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(path) = storage_path(writing.rest) else {
        return bad_path(writing.rest);
    };
    let only_new = writing
        .headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|etag| etag == "*");
    let written = change(&desk.store, move |draft| {
        // Before it is looked at: whether a bundle's document exists is the bundle's to tell.
        draft.may_write(&path)?;
        if only_new && draft.data(&path).is_some() {
            return Ok(false);
        }
        draft.put_data(&path, value).map(|()| true)
    });
    match written.await {
        Ok(true) => done(writing, &mut timers),
        Ok(false) => empty(StatusCode::NOT_MODIFIED),
        Err(refusal) => refusal.into_response(),
    }
}

/// `PATCH`: all operations or none.
pub(super) async fn patch(desk: &Desk, writing: &Writing<'_>, whole: Body) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let sent = match read::<Vec<Sent>>(desk, writing.headers, whole).await {
        Ok(sent) => sent,
        Err(refusal) => return refusal.into_response(),
    };
    let operations: Result<Vec<Patch>, Refusal> = sent.into_iter().map(operation).collect();
    let (operations, path) = match (operations, pointer_path(writing.rest)) {
        (Ok(operations), Some(path)) => (operations, path),
        (Err(refusal), _) => return refusal.into_response(),
        (_, None) => return bad_path(writing.rest),
    };
    match change(&desk.store, move |draft| draft.patch(&path, &operations)).await {
        Ok(()) => done(writing, &mut timers),
        Err(refusal) => refusal.into_response(),
    }
}

/// `DELETE`.
pub(super) async fn delete(desk: &Desk, writing: &Writing<'_>) -> Response {
    let mut timers = Timers::start(desk.clock.as_ref());
    let Some(path) = storage_path(writing.rest) else {
        return bad_path(writing.rest);
    };
    match change(&desk.store, move |draft| draft.remove_data(&path)).await {
        Ok(()) => done(writing, &mut timers),
        Err(refusal) => refusal.into_response(),
    }
}

fn operation(sent: Sent) -> Result<Patch, Refusal> {
    let path =
        pointer_path(&sent.path).ok_or_else(|| Refusal::bad(format!("bad patch path: {}", sent.path)))?;
    match sent.op.as_str() {
        "add" => Ok(Patch::Add(path, sent.value)),
        "replace" => Ok(Patch::Replace(path, sent.value)),
        "remove" => Ok(Patch::Remove(path)),
        other => Err(Refusal::bad(format!("bad patch operation: {other}"))),
    }
}

async fn read<T: for<'a> Deserialize<'a>>(
    desk: &Desk,
    headers: &HeaderMap,
    whole: Body,
) -> Result<T, Refusal> {
    let bytes = body::read(headers, whole, &desk.limits)
        .await
        .map_err(Refusal::bad)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::bad("invalid UTF-8"))?;
    json(text, "[]types.PatchV1").map_err(Refusal::bad)
}

fn bad_path(rest: &str) -> Response {
    Refusal::bad(format!("bad path: {}", rest.trim_start_matches('/'))).into_response()
}

fn done(writing: &Writing<'_>, timers: &mut Timers<'_>) -> Response {
    let figures = timers.finish();
    if !writing.parameters.is_on("metrics") {
        return empty(StatusCode::NO_CONTENT);
    }
    data::figures(figures.clone())
}

/// Changes the store off the threads that answer: a large document takes its time to be checked.
pub(super) async fn change<R: Send + 'static>(
    store: &Arc<Store>,
    edit: impl FnOnce(&mut Draft) -> Result<R, ChangeFault> + Send + 'static,
) -> Result<R, Refusal> {
    changed(store, edit)
        .await?
        .map_err(|fault| Refusal::change(&fault))
}

/// The same, with the fault as the store gives it.
pub(super) async fn changed<R: Send + 'static>(
    store: &Arc<Store>,
    edit: impl FnOnce(&mut Draft) -> Result<R, ChangeFault> + Send + 'static,
) -> Result<Result<R, ChangeFault>, Refusal> {
    let store = Arc::clone(store);
    tokio::task::spawn_blocking(move || store.change(edit))
        .await
        .map_err(|error| {
            tracing::error!(%error, "a change of policies or data broke off; the old state is in force");
            Refusal::internal("the change broke off; nothing was changed")
        })
}
