//! `POST /kubernetes/{cluster}/authorize`: a cluster's API server asks who may do what (SubjectAccessReview).
//!
//! Each cluster has a token of its own. No opinion and a veto are 200 both; a failure is 503 without `Retry-After`,
//! because the API server retries 500, 504 and 429 for seconds while somebody waits (kubernetes.md §6).

use std::{collections::BTreeMap, fmt, sync::Arc};

use aws_lc_rs::constant_time;
use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use http::{HeaderMap, StatusCode};

use super::clusters::bearer_token;
use crate::{
    broker::{Caller, clients::hash_secret},
    domain::ids::TargetId,
    port::{
        clock::Clock,
        policy::{self, Context, Policy, ReviewAnswer, ReviewQuestion, ReviewSpec, VERSION},
    },
    wire::kube::{ReviewStatus, ReviewedAccess, SubjectAccessReview},
};

const KIND: &str = "SubjectAccessReview";
const VERSIONS: [&str; 2] = ["authorization.k8s.io/v1", "authorization.k8s.io/v1beta1"];

/// What is known about a cluster that may ask.
#[derive(Clone)]
pub struct Asking {
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What stands before `<tenant>:<group>` when it asks.
    pub prefix: String,
}

impl fmt::Debug for Asking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Asking({:?})", self.prefix)
    }
}

/// What the webhook needs.
#[derive(Clone)]
pub struct Reviews {
    /// Decides.
    pub policy: Arc<dyn Policy>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Clusters that may ask, by target.
    pub clusters: Arc<BTreeMap<TargetId, Asking>>,
}

impl fmt::Debug for Reviews {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reviews")
            .field("clusters", &self.clusters)
            .finish_non_exhaustive()
    }
}

/// Why a review gets no answer: a status, and words for the API server's log.
struct Unanswered(StatusCode, &'static str);

impl Reviews {
    /// The route. The layers before put a [`Caller`] into the request.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/kubernetes/{cluster}/authorize", post(authorize))
            .with_state(Arc::new(self))
    }

    fn answer(
        &self,
        (cluster, headers): (&str, &HeaderMap),
        body: &[u8],
        caller: &Caller,
    ) -> Result<(String, ReviewAnswer), Unanswered> {
        // A cluster that is not configured and one with another token look alike from outside.
        let stranger = Unanswered(StatusCode::UNAUTHORIZED, "the token is not this cluster's");
        let known = TargetId::parse(cluster).ok();
        let Some(asking) = known.and_then(|id| self.clusters.get(&id)) else {
            return Err(stranger);
        };
        let own = bearer_token(headers).is_some_and(|token| {
            constant_time::verify_slices_are_equal(&hash_secret(token), &asking.token_hash).is_ok()
        });
        if !own {
            return Err(stranger);
        }
        let malformed = |_| Unanswered(StatusCode::BAD_REQUEST, "the body is no SubjectAccessReview");
        let review: SubjectAccessReview = serde_json::from_slice(body).map_err(malformed)?;
        if review.kind != KIND || !VERSIONS.contains(&review.api_version.as_str()) {
            return Err(Unanswered(
                StatusCode::BAD_REQUEST,
                "send a SubjectAccessReview of authorization.k8s.io/v1 or v1beta1",
            ));
        }
        let spec: ReviewSpec = serde_json::from_value(review.spec).map_err(malformed)?;
        let address = caller.address.map(|address| address.to_string());
        let question = ReviewQuestion {
            v: VERSION,
            cluster,
            prefix: &asking.prefix,
            review: &spec,
            context: Context {
                time_s: self.clock.now().0,
                client_ip: address.as_deref(),
                reference: &caller.reference.0,
            },
        };
        let answer = policy::answer(&*self.policy, &question).map_err(|fault| {
            tracing::error!(reference = %caller.reference, detail = %fault, "a review could not be decided");
            Unanswered(StatusCode::SERVICE_UNAVAILABLE, "the policy engine failed")
        })?;
        Ok((review.api_version, answer))
    }
}

async fn authorize(
    State(reviews): State<Arc<Reviews>>,
    Extension(caller): Extension<Caller>,
    Path(cluster): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match reviews.answer((&cluster, &headers), &body, &caller) {
        Ok((api_version, answer)) => Json(ReviewedAccess {
            api_version: &api_version,
            kind: KIND,
            status: ReviewStatus {
                allowed: answer.allowed,
                denied: answer.denied,
                reason: reason(&answer, &caller),
            },
        })
        .into_response(),
        Err(Unanswered(status, why)) => {
            let text = format!("{why} (reference {})\n", caller.reference);
            (status, text).into_response()
        }
    }
}

/// The rules or reasons, and the reference by which the decision is found here.
fn reason(answer: &ReviewAnswer, caller: &Caller) -> String {
    let named = if answer.allowed {
        &answer.rules
    } else {
        &answer.reasons
    };
    format!("fedgate: {} ({})", named.join(", "), caller.reference)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        domain::{access::Answer, ids::Reference, time::Timestamp},
        port::policy::{Entry, PolicyFault, Question},
    };

    struct Fixed(Option<&'static str>);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp(1_790_000_000)
        }
    }
    impl Policy for Fixed {
        fn ask(&self, _: &Question<'_>) -> Result<Answer, PolicyFault> {
            Err(PolicyFault("not asked here".to_owned()))
        }
        fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
            assert_eq!(entry, Entry::Kubernetes);
            let input: Value = serde_json::from_str(input).unwrap();
            assert_eq!(input["prefix"], "oidc:");
            assert_eq!(input["review"]["groups"], json!(["oidc:acme:devs"]));
            assert_eq!(input["review"]["resourceAttributes"]["group"], "");
            self.0
                .map(str::to_owned)
                .ok_or_else(|| PolicyFault("SECRET-DETAIL".to_owned()))
        }
        fn revision(&self) -> String {
            "1".to_owned()
        }
    }

    async fn ask(
        output: Option<&'static str>,
        (path, token): (&str, &str),
        body: &Value,
    ) -> (StatusCode, String) {
        let asking = Asking {
            token_hash: hash_secret("cluster-token"),
            prefix: "oidc:".to_owned(),
        };
        let router = Reviews {
            policy: Arc::new(Fixed(output)),
            clock: Arc::new(Fixed(None)),
            clusters: Arc::new(BTreeMap::from([(TargetId::literal("cluster-a"), asking)])),
        }
        .routes()
        .layer(Extension(Caller {
            reference: Reference("FG-TEST".to_owned()),
            address: None,
        }));
        let request = http::Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status();
        assert!(!answer.headers().contains_key("retry-after"));
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn review(version: &str, groups: &str) -> Value {
        json!({
            "kind": "SubjectAccessReview", "apiVersion": version, "metadata": {}, "status": {"allowed": false},
            "spec": {
                "user": "x", groups: ["oidc:acme:devs"],
                "resourceAttributes": {"namespace": "n", "verb": "get", "version": "v1", "resource": "pods"},
            },
        })
    }

    const OWN: (&str, &str) = ("/kubernetes/cluster-a/authorize?timeout=3s", "cluster-token");

    #[tokio::test]
    async fn both_versions_are_answered_as_asked() {
        let allow = Some(r#"{"allowed": true, "denied": false, "reasons": [], "rules": ["devs"]}"#);
        for (version, groups) in [
            ("authorization.k8s.io/v1", "groups"),
            ("authorization.k8s.io/v1beta1", "group"),
        ] {
            let (status, body) = ask(allow, OWN, &review(version, groups)).await;
            assert_eq!(status, 200);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                body,
                json!({
                    "apiVersion": version, "kind": "SubjectAccessReview",
                    "status": {"allowed": true, "reason": "fedgate: devs (FG-TEST)"},
                })
            );
        }
    }

    #[tokio::test]
    async fn no_opinion_and_a_veto_are_answers() {
        let ask_v1 = review("authorization.k8s.io/v1", "groups");
        let none = Some(r#"{"allowed": false, "denied": false, "reasons": ["no_cluster_rule"]}"#);
        let (status, body) = ask(none, OWN, &ask_v1).await;
        assert_eq!(status, 200);
        assert!(
            !body.contains("denied") && body.contains("no_cluster_rule"),
            "{body}"
        );
        let veto = Some(r#"{"allowed": false, "denied": true, "reasons": ["tenant_suspended"]}"#);
        let (status, body) = ask(veto, OWN, &ask_v1).await;
        assert_eq!(status, 200);
        assert!(body.contains(r#""denied":true"#), "{body}");
    }

    #[tokio::test]
    async fn a_failed_engine_is_no_answer() {
        let ask_v1 = review("authorization.k8s.io/v1", "groups");
        let both = Some(r#"{"allowed": true, "denied": true, "reasons": []}"#);
        for output in [None, both, Some("true")] {
            let (status, body) = ask(output, OWN, &ask_v1).await;
            assert_eq!(status, 503);
            assert!(!body.contains("SECRET"), "{body}");
        }
    }

    #[tokio::test]
    async fn only_the_cluster_itself_is_answered() {
        let ask_v1 = review("authorization.k8s.io/v1", "groups");
        for asked in [
            (OWN.0, "wrong"),
            (OWN.0, ""),
            ("/kubernetes/cluster-b/authorize", "cluster-token"),
            ("/kubernetes/..%2f/authorize", "cluster-token"),
        ] {
            assert_eq!(ask(None, asked, &ask_v1).await.0, 401, "{asked:?}");
        }
        for wrong in [
            json!({}),
            json!({"kind": "TokenReview", "apiVersion": "authorization.k8s.io/v1", "spec": {}}),
            json!({"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v2", "spec": {}}),
            json!({"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"user": 1}}),
        ] {
            assert_eq!(ask(None, OWN, &wrong).await.0, 400, "{wrong}");
        }
    }
}
