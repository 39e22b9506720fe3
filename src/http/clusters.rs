//! The clusters a person may sign in to, for `fedctl kube config`: asked with the session's access token.
//!
//! Nothing is given here. A token for a cluster is asked for at the token endpoint, where policy decides again.

use std::{collections::BTreeMap, fmt, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header};

use super::fault;
use crate::{
    broker::{
        Caller,
        bearer::Bearer,
        overview::{Overview, Reach},
    },
    domain::{
        access::TargetKind,
        fault::{Code, Fault, Kind},
        ids::TargetId,
    },
    wire::kube,
};

/// What is configured about a cluster and concerns its clients alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFacts {
    /// The API server, https.
    pub server: String,
    /// PEM text of the API server's CA; none where public roots vouch for it.
    pub certificate_authority: Option<String>,
}

/// What the list needs.
#[derive(Clone)]
pub struct Clusters {
    /// Checks the session's token.
    pub bearer: Arc<Bearer>,
    /// Which clusters are open to the person.
    pub overview: Arc<Overview>,
    /// How to reach each. A cluster without facts is not listed.
    pub clusters: Arc<BTreeMap<TargetId, ClusterFacts>>,
}

impl fmt::Debug for Clusters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Clusters")
            .field("clusters", &self.clusters)
            .finish_non_exhaustive()
    }
}

impl Clusters {
    /// `GET /api/v1/clusters`. The layers before put a [`Caller`] into the request.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/api/v1/clusters", get(show))
            .with_state(Arc::new(self))
    }

    async fn list(&self, headers: &HeaderMap, caller: &Caller) -> Result<kube::Clusters, Fault> {
        let token = bearer_token(headers)
            .ok_or_else(|| Fault::new(Code::TokenInvalid, "no bearer token in the request"))?;
        let issuer = self.overview.directory.issuer();
        let (live, _) = self.bearer.verify(token, issuer).await?;
        listed(self.overview.of(&live, caller), &self.clusters)
    }
}

async fn show(
    State(front): State<Arc<Clusters>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    match front.list(&headers, &caller).await {
        Ok(list) => {
            let mut response = Json(list).into_response();
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(fault) => {
            tracing::info!(reference = %caller.reference, code = ?fault.code, detail = %fault.detail, "the clusters were refused");
            fault::bearer(&fault, &caller.reference)
        }
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme's name in any case (RFC 9110 §11.1).
/// None where the header stands twice: two readers could take different ones.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}

/// The clusters that policy opens, sorted by id. A refusal leaves a cluster out; a failed engine is no refusal,
/// and a list that lacks a cluster for it would be believed.
fn listed(reaches: Vec<Reach>, facts: &BTreeMap<TargetId, ClusterFacts>) -> Result<kube::Clusters, Fault> {
    let mut clusters = Vec::new();
    for reach in reaches {
        if reach.facts.kind != TargetKind::Kubernetes {
            continue;
        }
        match (reach.outcome, facts.get(&reach.facts.id)) {
            (Ok(_), Some(cluster)) => clusters.push(kube::Cluster {
                id: reach.facts.id.to_string(),
                name: reach.facts.name,
                audience: reach.facts.audience,
                server: cluster.server.clone(),
                certificate_authority_data: cluster
                    .certificate_authority
                    .as_ref()
                    .map(|pem| STANDARD.encode(pem)),
            }),
            (Ok(_), None) => {}
            (Err(fault), _) if fault.code.kind() == Kind::Denied => {}
            (Err(fault), _) => return Err(fault),
        }
    }
    clusters.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(kube::Clusters { clusters })
}
