//! Tokens that a client makes of others at Keystone, seen by the front: none escapes the end of what it is made of,
//! however it is asked for. Keystone itself is played here; the same against the real one stands in `workload`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use fedgate::{
    domain::{credential::Credential, fault::Code, fault::Fault, ids::TargetId, time::Timestamp},
    http::keystone::{Front, Settings, router},
    keys::SystemEntropy,
    port::{
        relay::{Answer, Call, Payload, Relay, RelayFault},
        target::{BearerToKeystone, Bound, CallerFacts},
    },
};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use tower::ServiceExt as _;

const LIMITED: &str = "limited";
const MADE: &str = "made";

/// A Keystone that makes a token of whatever comes; the broker, who knows one token that must end, until it has ended.
#[derive(Default)]
struct World {
    bound: Mutex<Vec<(String, Bound)>>,
    forgotten: Mutex<bool>,
}

fn end() -> Bound {
    Bound {
        target: TargetId::parse("openstack").unwrap(),
        ends: Timestamp(100),
        gone: Timestamp(200),
        holder: None,
    }
}

#[async_trait]
impl Relay for World {
    async fn call(&self, call: Call) -> Result<Answer, RelayFault> {
        if let Payload::Stream { mut parts, .. } = call.body {
            while parts.next().await.is_some() {}
        }
        // While Keystone makes the token, its origin ends and is forgotten.
        *self.forgotten.lock().unwrap() = true;
        let mut headers = HeaderMap::new();
        if call.path.contains("auth") {
            headers.insert("x-subject-token", HeaderValue::from_static(MADE));
        }
        Ok(Answer {
            status: StatusCode::CREATED,
            headers,
            body: Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"{}"))])),
        })
    }
}

#[async_trait]
impl BearerToKeystone for World {
    async fn exchange(&self, _: &str, _: &TargetId, _: &CallerFacts) -> Result<Credential, Fault> {
        Err(Fault::new(Code::Internal, "not in this test"))
    }
    async fn bound(&self, from: &[String]) -> Result<Option<Bound>, Fault> {
        let known = !*self.forgotten.lock().unwrap() && from.iter().any(|token| token == LIMITED);
        Ok(known.then(end))
    }
    async fn bind(&self, token: &str, bound: &Bound) -> Result<(), Fault> {
        self.bound.lock().unwrap().push((token.to_owned(), bound.clone()));
        Ok(())
    }
}

/// What a request gets, whether a token is in it, and what must end by it.
async fn sent(path: &str, body: &str) -> (StatusCode, bool, String, Vec<(String, Bound)>) {
    asked("POST", path, body, None).await
}

async fn asked(
    method: &str,
    path: &str,
    body: &str,
    token: Option<&str>,
) -> (StatusCode, bool, String, Vec<(String, Bound)>) {
    let world = Arc::new(World::default());
    let settings = Settings {
        target: TargetId::parse("openstack").unwrap(),
        own_address: "http://127.0.0.1:1".to_owned(),
        auth_path: "/v3/OS-FEDERATION/identity_providers/i/protocols/p/auth".to_owned(),
        own_prefix: "FEDGW_".to_owned(),
        timeout: std::time::Duration::from_secs(5),
        realm: "https://gateway.test".to_owned(),
    };
    let front = Front::new(settings, world.clone(), world.clone(), Arc::new(SystemEntropy));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-length", body.len());
    if let Some(token) = token {
        request = request.header("x-auth-token", token);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = router(Arc::new(front)).oneshot(request).await.unwrap();
    let (status, given) = (answer.status(), answer.headers().contains_key("x-subject-token"));
    let told = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let bound = world.bound.lock().unwrap().clone();
    (status, given, String::from_utf8(told.to_vec()).unwrap(), bound)
}

fn rescope(method: &str, token: &str) -> String {
    format!(r#"{{"auth": {{"identity": {{"methods": ["{method}"], "{method}": {{"id": "{token}"}}}}}}}}"#)
}

#[tokio::test]
async fn the_answer_decides_and_not_the_path() {
    for path in [
        "/v3/auth/tokens",
        "/v3/auth/tokens?nocatalog",
        "/v3/auth/tokens/",
        "/v3//auth/tokens",
        "/v3/auth/token%73",
        "/v3/auth/a-door-of-tomorrow",
    ] {
        let (status, given, _, bound) = sent(path, &rescope("token", LIMITED)).await;
        assert_eq!((status, given), (StatusCode::CREATED, true), "{path}");
        assert_eq!(bound, [(MADE.to_owned(), end())], "{path}");
    }
    let (_, given, _, bound) = sent("/v3/auth/tokens", &rescope("token", "another")).await;
    assert!(given && bound.is_empty(), "what nobody limits has no end of ours");
}

#[tokio::test]
async fn every_method_counts_whatever_methods_says() {
    for body in [
        rescope("mapped", LIMITED),
        rescope("a-method-of-theirs", LIMITED),
        r#"{"auth": {"identity": {"methods": ["mapped"], "token": {"id": "decoy"}, "mapped": {"id": "limited"}}}}"#
            .to_owned(),
    ] {
        let (_, given, _, bound) = sent("/v3/auth/tokens", &body).await;
        assert!(given && bound == [(MADE.to_owned(), end())], "{body}");
    }
}

/// A token of which nobody can say when it must end is not handed out.
#[tokio::test]
async fn what_cannot_be_read_gets_no_token() {
    let padded = format!("{}{}", rescope("token", LIMITED), " ".repeat(300 * 1024));
    let twice = r#"{"auth": {}, "auth": {"identity": {"token": {"id": "limited"}}}}"#;
    let nan = r#"{"x": NaN, "auth": {"identity": {"token": {"id": "limited"}}}}"#;
    for body in [padded.as_str(), twice, nan] {
        let (status, given, told, _) = sent("/v3/auth/tokens", body).await;
        assert_eq!((status, given), (StatusCode::BAD_REQUEST, false), "{told}");
        assert!(told.contains("the token is withheld"), "{told}");
    }
    // Nothing is in the way of what makes no token.
    let (status, ..) = sent("/v3/images", &padded).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, ..) = sent("/v3/images", nan).await;
    assert_eq!(status, StatusCode::CREATED);
}

/// Keystone takes `post` for POST.
#[tokio::test]
async fn a_method_has_one_spelling() {
    for method in ["post", "PoSt", "POSTS"] {
        let (status, given, told, _) =
            asked(method, "/v3/auth/tokens", &rescope("token", LIMITED), None).await;
        assert_eq!((status, given), (StatusCode::METHOD_NOT_ALLOWED, false), "{told}");
    }
}

/// An application credential would make tokens without end.
#[tokio::test]
async fn a_token_that_must_end_makes_nothing_that_lasts() {
    for path in [
        "/v3/users/u/application_credentials",
        "/v3/users/u/application%5Fcredentials",
        "/v3/users/u/credentials/OS-EC2",
        "/v3/credentials",
        "/v3/OS-TRUST/trusts",
    ] {
        let (status, _, told, _) = asked("POST", path, "{}", Some(LIMITED)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {told}");
        let (status, ..) = asked("POST", path, "{}", Some("another")).await;
        assert_eq!(status, StatusCode::CREATED, "{path}");
    }
    let (status, ..) = asked("POST", "/v3/projects", "{}", Some(LIMITED)).await;
    assert_eq!(status, StatusCode::CREATED);
}
