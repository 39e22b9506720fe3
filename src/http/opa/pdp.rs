//! Decisions and nothing else, for services that ask on every request. Every answer is 200.
//!
//! `oslo.policy.opa` takes anything else for "no answer" and falls back to the service's own default rule. So
//! whatever fails here, down to a body that nobody can read, is a denial.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use http::{Method, StatusCode};
use serde::Serialize;

use super::{
    Desk,
    answer::{Refusal, empty, json, typed},
    compress,
    data::{self, Asking},
    forward_auth, health,
    meter::{Fallback, Handler, since},
    parameters::{Parameters, document_path},
};

/// The decisions door.
#[derive(Debug)]
pub struct Pdp {
    /// What it asks.
    pub desk: Arc<Desk>,
}

#[derive(Serialize)]
struct Denied {
    result: bool,
}

#[derive(Serialize)]
struct Undefined {}

impl Pdp {
    /// The routes.
    pub fn routes(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }
}

async fn serve(State(door): State<Arc<Pdp>>, request: Request) -> Response {
    let desk = &door.desk;
    let began = desk.clock.now_ns();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let data = path
        .strip_prefix("/v1/data")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let (handler, response) = match data {
        Some(rest) if method == Method::POST => (Handler::V1Data, decide(desk, rest, request).await),
        Some(_) => (Handler::V1Data, empty(StatusCode::METHOD_NOT_ALLOWED)),
        None => match path.strip_prefix("/authz/") {
            Some(rest) => {
                let (head, _) = request.into_parts();
                (Handler::ForwardAuth, forward_auth::check(desk, rest, &head).await)
            }
            None => (Handler::Health, look(desk, &path, &request)),
        },
    };
    let took = since(desk.clock.as_ref(), began);
    desk.meter.answered(handler, &method, response.status(), took);
    response
}

fn look(desk: &Desk, path: &str, request: &Request) -> Response {
    let parameters = Parameters::of(request.uri());
    match path {
        "/health" if request.method() == Method::GET => health::health(desk, &parameters),
        _ => typed(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            b"404 page not found\n".to_vec(),
        ),
    }
}

async fn decide(desk: &Desk, rest: &str, request: Request) -> Response {
    let turn = tokio::time::timeout(desk.limits.patience, desk.turns.acquire());
    let Ok(Ok(_turn)) = turn.await else {
        return deny(
            desk,
            rest,
            (Fallback::Overload, "too many requests are under way"),
        );
    };
    if desk.bundles.as_ref().is_some_and(|bundles| !bundles.activated()) {
        return deny(
            desk,
            rest,
            (
                Fallback::NotReady,
                "policy_not_loaded: a bundle is not in force yet",
            ),
        );
    }
    // The values of rules alone: other packages and base documents would show data to every service.
    if !is_rule(desk, rest, true) {
        return json(StatusCode::OK, &Undefined {}, false);
    }
    let (head, body) = request.into_parts();
    let wanted = compress::wanted(&head.headers);
    let asking = Asking {
        rest,
        // None of the caller's: explanations and provenance belong to the management door.
        parameters: &Parameters::default(),
        headers: &head.headers,
        peer: head
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| *peer),
    };
    match data::post(desk, &asking, body).await {
        Ok(response) if wanted => compress::pack(response, true).await,
        Ok(response) => response,
        Err(refusal) => deny(desk, rest, why(&refusal)),
    }
}

/// Whether a rule defines this path. With `packages`, also those with a rule `allow`: `opa_filter` of
/// `oslo.policy.opa` asks for `{allow, filtered}` as a package.
pub(super) fn is_rule(desk: &Desk, rest: &str, packages: bool) -> bool {
    let Ok(path) = document_path(rest) else {
        return false;
    };
    let mut keys: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    let snapshot = desk.store.snapshot();
    if snapshot.has_rules(&keys) {
        return true;
    }
    keys.push("allow");
    packages && snapshot.has_rules(&keys)
}

fn why(refusal: &Refusal) -> (Fallback, &str) {
    let fallback = if refusal.status.is_server_error() {
        Fallback::Evaluation
    } else {
        Fallback::Request
    };
    (fallback, refusal.document.message.as_str())
}

fn deny(desk: &Desk, rest: &str, (why, what): (Fallback, &str)) -> Response {
    fell_back(desk, rest, (why, what));
    json(StatusCode::OK, &Denied { result: false }, false)
}

/// One line and one figure for each denial of our own.
pub(super) fn fell_back(desk: &Desk, rest: &str, (why, what): (Fallback, &str)) {
    desk.meter.fell_back(why);
    tracing::warn!(
        reason = why.name(),
        path = rest.trim_matches('/'),
        what,
        "there was no decision; denied"
    );
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use axum::body::Body;
    use tokio::sync::Semaphore;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        domain::time::Timestamp,
        http::opa::{Limits, Meter},
        port::{
            bundles::{BundleStatus, Bundles},
            clock::Clock,
            decisions::{Decision, Decisions},
            entropy::Entropy,
        },
        rego::{Options, Store, Version},
    };

    struct World;

    impl Clock for World {
        fn now(&self) -> Timestamp {
            Timestamp(1)
        }
    }
    impl Entropy for World {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    impl Decisions for World {
        fn record(&self, _decision: Decision) {}
        fn listens(&self) -> bool {
            false
        }
    }
    impl Bundles for World {
        fn status(&self) -> BTreeMap<String, BundleStatus> {
            BTreeMap::new()
        }
        fn activated(&self) -> bool {
            false
        }
    }

    fn desk(turns: usize, bundles: bool) -> Arc<Desk> {
        let store = Arc::new(Store::open(Options::default()).unwrap());
        let text = "package p\n\nallow := true";
        store
            .change(|draft| draft.put_policy("p.rego", text, Version::V1).map(drop))
            .unwrap();
        Arc::new(Desk {
            store,
            decisions: Arc::new(World),
            bundles: bundles.then(|| Arc::new(World) as Arc<dyn Bundles>),
            clock: Arc::new(World),
            entropy: Arc::new(World),
            meter: Arc::new(Meter::default()),
            limits: Limits {
                patience: Duration::from_millis(20),
                ..Limits::default()
            },
            turns: Semaphore::new(turns),
            about: serde_json::Value::Null,
            version: Version::V1,
        })
    }

    async fn decide(desk: &Arc<Desk>) -> (StatusCode, String) {
        let routes = Pdp {
            desk: Arc::clone(desk),
        }
        .routes();
        let request = http::Request::post("/v1/data/p/allow")
            .body(Body::from("{}"))
            .unwrap();
        let answer = routes.oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (
            status,
            String::from_utf8(body.to_vec()).unwrap().trim().to_owned(),
        )
    }

    #[tokio::test]
    async fn overload_and_a_missing_bundle_are_denials_and_no_other_status() {
        let denied = (StatusCode::OK, r#"{"result":false}"#.to_owned());
        let free = decide(&desk(1, false)).await;
        assert!(free.1.contains(r#""result":true"#), "{free:?}");
        for (desk, reason) in [
            (
                desk(0, false),
                r#"fedgate_policy_fallbacks_total{reason="overload"} 1"#,
            ),
            (
                desk(1, true),
                r#"fedgate_policy_fallbacks_total{reason="not_ready"} 1"#,
            ),
        ] {
            assert_eq!(decide(&desk).await, denied, "{reason}");
            let figures = desk.meter.render();
            assert!(figures.contains(reason), "{figures}");
        }
    }
}
