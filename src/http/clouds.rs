//! The OpenStack clouds behind this gateway, for `fedctl openstack`: how each is reached, which anybody may know, and
//! what one person may have in one project, which only they learn.
//!
//! Nothing is given here. A token for a cloud is asked for at the token endpoint, where policy decides again.

use std::{collections::BTreeSet, fmt, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use super::{clusters::bearer_token, fault, page::texts};
use crate::{
    broker::{Caller, bearer::Bearer, directory::Goal, overview::Overview},
    domain::{
        access::{Asked, Entitlement, Permit},
        fault::{Code, Fault},
        ids::TargetId,
    },
    wire::cloud::{Access, Cloud, Clouds, HeldRole, Missing},
};

/// Roles that a project usually has (scs-0300, scs-0302): what is missing for them is told where none is named.
const USUAL: [&str; 4] = ["reader", "member", "manager", "load-balancer_member"];

/// What the answers need.
#[derive(Clone)]
pub struct CloudsFront {
    /// Checks tokens.
    pub bearer: Arc<Bearer>,
    /// Weighs what would be allowed.
    pub overview: Arc<Overview>,
    /// The clouds.
    pub clouds: Arc<[Cloud]>,
}

impl fmt::Debug for CloudsFront {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CloudsFront")
            .field("clouds", &self.clouds)
            .finish_non_exhaustive()
    }
}

/// Which project is meant, and which role is wanted there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    domain: String,
    project: String,
    role: Option<String>,
}

impl CloudsFront {
    /// `GET /api/v1/clouds` and `GET /api/v1/clouds/{id}/access`.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/api/v1/clouds", get(list))
            .route("/api/v1/clouds/{id}/access", get(access))
            .with_state(Arc::new(self))
    }

    async fn access(
        &self,
        id: &str,
        wish: &Wish,
        (headers, caller): (&HeaderMap, &Caller),
    ) -> Result<Access, Fault> {
        let missing = || Fault::new(Code::NotFound, "no such cloud");
        let cloud = self
            .clouds
            .iter()
            .find(|cloud| cloud.id == id)
            .ok_or_else(missing)?;
        let token = bearer_token(headers)
            .ok_or_else(|| Fault::new(Code::TokenInvalid, "no bearer token in the request"))?;
        let claims = self.bearer.claims(token).await?;
        // A person asks with the session's token; a workload has one for the cloud alone.
        if claims.aud != self.overview.directory.issuer() && claims.aud != cloud.audience {
            return Err(Fault::new(
                Code::AudienceMismatch,
                "a token for another place asks about a cloud",
            ));
        }
        let live = self.bearer.live(&claims).await?;
        let target = TargetId::parse(id).ok();
        let target = target.and_then(|id| self.overview.directory.target(&id).cloned());
        let goal = Goal::at(target.ok_or_else(missing)?.facts());
        let weigh = |asked: Asked| {
            self.overview
                .door
                .weigh(&live.identity, &goal, asked, (Some(&claims.client_id), caller))
        };
        let roles = match weigh(Asked::Everything) {
            Ok(permit) => held(&permit, wish),
            Err(fault) if fault.code == Code::NoAccess => Vec::new(),
            Err(fault) => return Err(fault),
        };
        let lacking = match weigh(Asked::Only(wanted(wish))) {
            Ok(_) => Vec::new(),
            Err(fault) if fault.code == Code::NoAccess => fault.reasons,
            Err(fault) => return Err(fault),
        };
        Ok(Access {
            domain: wish.domain.clone(),
            project: wish.project.clone(),
            roles,
            missing: lacking.into_iter().map(explained).collect(),
        })
    }
}

async fn list(State(front): State<Arc<CloudsFront>>) -> Response {
    Json(Clouds {
        clouds: front.clouds.to_vec(),
    })
    .into_response()
}

async fn access(
    State(front): State<Arc<CloudsFront>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Response {
    match front.access(&id, &wish, (&headers, &caller)).await {
        Ok(answer) => {
            let mut response = Json(answer).into_response();
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(fault) => {
            tracing::info!(reference = %caller.reference, code = %fault.code, detail = %fault.detail, "the question about a cloud was refused");
            fault::bearer(&fault, &caller.reference)
        }
    }
}

/// The roles that a permit gives in the project.
fn held(permit: &Permit, wish: &Wish) -> Vec<HeldRole> {
    permit
        .grants()
        .iter()
        .filter_map(|grant| match &grant.entitlement {
            Entitlement::Project {
                domain,
                project,
                role,
            } if *domain == wish.domain && *project == wish.project => Some(HeldRole {
                role: role.clone(),
                rule: grant.rule.clone(),
            }),
            Entitlement::Project { .. } | Entitlement::Group { .. } | Entitlement::Session => None,
        })
        .collect()
}

fn wanted(wish: &Wish) -> BTreeSet<Entitlement> {
    let roles: Vec<&str> = wish.role.as_deref().map_or(USUAL.to_vec(), |role| vec![role]);
    roles
        .into_iter()
        .map(|role| Entitlement::Project {
            domain: wish.domain.clone(),
            project: wish.project.clone(),
            role: role.to_owned(),
        })
        .collect()
}

fn explained(code: String) -> Missing {
    let (en, de) = texts::reason(&code);
    Missing { code, en, de }
}
