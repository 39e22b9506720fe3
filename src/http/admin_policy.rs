//! The operators' interface to the policies in force: apply, roll back, run a candidate in the shadow.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    response::Response,
    routing::{get, post, put},
};
use http::StatusCode;
use serde_json::json;

use super::admin::{Admin, answered, refused};
use crate::{
    broker::Caller,
    domain::{
        audit::What,
        fault::{Code, Fault},
    },
    port::policy_care::{PolicyCare, PolicyCareFault},
};

/// Largest archive, in bytes: what a bundle may be unpacked.
const LARGEST_ARCHIVE: usize = 64 << 20;

/// The routes. The guard of all administration stands before them.
pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route("/admin/v1/policy/state", get(state))
        .route("/admin/v1/policy/apply", post(apply))
        .route("/admin/v1/policy/rollback", post(roll_back))
        .route("/admin/v1/policy/shadow", put(shadow).delete(end_shadow))
        .layer(DefaultBodyLimit::max(LARGEST_ARCHIVE))
}

fn care(admin: &Admin) -> Result<&Arc<dyn PolicyCare>, Fault> {
    admin
        .care
        .as_ref()
        .ok_or_else(|| Fault::new(Code::NotFound, "these policies cannot be changed"))
}

fn archive(body: Result<Bytes, BytesRejection>) -> Result<Vec<u8>, Fault> {
    body.map(Vec::from).map_err(|rejection| {
        let code = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Code::TooLarge
        } else {
            Code::BadRequest
        };
        Fault::new(code, rejection.body_text())
    })
}

async fn state(State(admin): State<Arc<Admin>>, Extension(caller): Extension<Caller>) -> Response {
    match care(&admin) {
        Ok(care) => answered(StatusCode::OK, json!(care.state())),
        Err(fault) => refused(&fault, &caller),
    }
}

/// What was done, or why not: refusals carry every line that a policy author needs.
fn told(outcome: Result<Option<String>, PolicyCareFault>) -> Response {
    match outcome {
        Ok(revision) => answered(StatusCode::OK, json!({ "revision": revision })),
        Err(PolicyCareFault::Refused(problems)) => answered(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!({ "code": "POLICY_REFUSED", "problems": problems }),
        ),
        Err(PolicyCareFault::Unable(why)) => answered(
            StatusCode::CONFLICT,
            json!({ "code": "POLICY_UNCHANGED", "problems": [why] }),
        ),
    }
}

async fn apply(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let outcome = async {
        let (care, archive) = (care(&admin)?, archive(body)?);
        on_the_trail(&admin, &caller, "apply policies").await?;
        Ok(care.apply(archive).await.map(Some))
    };
    outcome.await.map_or_else(|fault| refused(&fault, &caller), told)
}

async fn roll_back(State(admin): State<Arc<Admin>>, Extension(caller): Extension<Caller>) -> Response {
    let outcome = async {
        let care = care(&admin)?;
        on_the_trail(&admin, &caller, "roll the policies back").await?;
        Ok(care.roll_back().await.map(Some))
    };
    outcome.await.map_or_else(|fault| refused(&fault, &caller), told)
}

async fn shadow(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let outcome = async {
        let (care, archive) = (care(&admin)?, archive(body)?);
        on_the_trail(&admin, &caller, "run policies in the shadow").await?;
        Ok(care.shadow(Some(archive)).await)
    };
    outcome.await.map_or_else(|fault| refused(&fault, &caller), told)
}

async fn end_shadow(State(admin): State<Arc<Admin>>, Extension(caller): Extension<Caller>) -> Response {
    let outcome = async {
        let care = care(&admin)?;
        on_the_trail(&admin, &caller, "end the policies in the shadow").await?;
        Ok(care.shadow(None).await)
    };
    outcome.await.map_or_else(|fault| refused(&fault, &caller), told)
}

/// First the trail: a change without a trace cannot be.
async fn on_the_trail(admin: &Admin, caller: &Caller, action: &str) -> Result<(), Fault> {
    let action = action.to_owned();
    admin.record(caller, What::Administered { action }).await
}
