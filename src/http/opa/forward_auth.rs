//! `/authz/{path}`: a decision as a status, for proxies that ask by a subrequest (nginx `auth_request`, Envoy
//! `ext_authz` over HTTP): 200 to let pass, 401 where nobody has said who they are, else 403.
//!
//! What is asked about stands in headers that the proxy sets (`X-Original-URI`, `X-Original-Method`, or
//! `X-Forwarded-Uri`, `X-Forwarded-Method`), or, as Envoy does it with a path prefix, behind `/-/` in the path.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{extract::ConnectInfo, response::Response};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde_json::json;
use url::form_urlencoded;

use super::{
    Desk,
    answer::{Refusal, empty},
    ask::{Outcome, Question, Record},
    meter::{Fallback, Timers},
    parameters::{document_path, unescape},
    pdp::{fell_back, is_rule},
};
use crate::{port::decisions::Asked, rego::Value};

pub(super) async fn check(desk: &Desk, rest: &str, request: &Parts) -> Response {
    let turn = tokio::time::timeout(desk.limits.patience, desk.turns.acquire());
    let (policy, appended) = match rest.split_once("/-/") {
        Some((policy, path)) => (policy, Some(path)),
        None => (rest, None),
    };
    let Ok(Ok(_turn)) = turn.await else {
        fell_back(
            desk,
            policy,
            (Fallback::Overload, "too many requests are under way"),
        );
        return empty(StatusCode::FORBIDDEN);
    };
    if desk.bundles.as_ref().is_some_and(|bundles| !bundles.activated()) {
        fell_back(
            desk,
            policy,
            (
                Fallback::NotReady,
                "policy_not_loaded: a bundle is not in force yet",
            ),
        );
        return empty(StatusCode::FORBIDDEN);
    }
    let input = input(request, appended);
    match ask(desk, policy, input, request) {
        Ok(true) => empty(StatusCode::OK),
        Ok(false) => empty(denied(&request.headers)),
        Err(refusal) => {
            fell_back(desk, policy, (Fallback::Evaluation, &refusal.document.message));
            empty(StatusCode::FORBIDDEN)
        }
    }
}

/// Somebody without credentials is asked for them; somebody with is told no.
fn denied(headers: &HeaderMap) -> StatusCode {
    if headers.contains_key(header::AUTHORIZATION) || headers.contains_key(header::COOKIE) {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::UNAUTHORIZED
    }
}

fn ask(desk: &Desk, policy: &str, input: Option<Value>, request: &Parts) -> Result<bool, Refusal> {
    let path = document_path(policy).map_err(Refusal::bad)?;
    if !is_rule(desk, policy, false) {
        return Ok(false);
    }
    let mut timers = Timers::start(desk.clock.as_ref());
    let snapshot = desk.store.snapshot();
    let id = desk.decision_id();
    let peer = request
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer);
    let asked = Asked::Path(policy.trim_matches('/').to_owned());
    let record = Record::open(id.as_deref(), asked, input.as_ref(), peer);
    let question = Question {
        path: &path,
        input,
        strict: false,
        explain: None,
    };
    let outcome = desk
        .ask(&snapshot, question, &mut timers)
        .map_err(|fault| Refusal::evaluation(&fault));
    if let Some(record) = record {
        let said = match &outcome {
            Ok(evaluated) => Outcome::of(evaluated),
            Err(refusal) => Outcome::Error(refusal),
        };
        record.close(desk, &snapshot, said, &mut timers);
    }
    Ok(allows(outcome?.value.as_ref()))
}

/// `true`, or an object with `allowed` or `allow` that is `true`. Anything else denies.
fn allows(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(allow)) => *allow,
        Some(Value::Object(said)) => ["allowed", "allow"]
            .iter()
            .any(|key| said.get(&Value::from(*key)) == Some(&Value::Bool(true))),
        Some(_) | None => false,
    }
}

fn input(request: &Parts, appended: Option<&str>) -> Option<Value> {
    let headers = &request.headers;
    let first = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok().map(str::to_owned))
    };
    let method = first(["x-original-method", "x-forwarded-method"])
        .unwrap_or_else(|| request.method.as_str().to_owned());
    let target = match appended {
        Some(path) => {
            let query = request.uri.query().map(|query| format!("?{query}"));
            format!("/{path}{}", query.unwrap_or_default())
        }
        None => first(["x-original-uri", "x-forwarded-uri"]).unwrap_or_default(),
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| unescape(segment).map_or_else(|| segment.to_owned(), std::borrow::Cow::into_owned))
        .collect();
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        parameters.entry(key).or_default().push(value);
    }
    let mut shown: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let all = shown.entry(name.as_str()).or_default();
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&value);
    }
    let document = json!({
        "method": method, "path": segments, "raw_path": path, "params": parameters, "headers": shown,
    });
    Value::from_json_str(&document.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_in_question_is_read_from_headers_or_path() {
        let nginx = http::Request::builder()
            .uri("/authz/web/allow")
            .header("x-original-uri", "/a%20b/c?x=1")
            .header("x-original-method", "DELETE")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        assert_eq!(
            input(&nginx, None).unwrap().to_string(),
            r#"{"headers":{"x-original-method":"DELETE","x-original-uri":"/a%20b/c?x=1"},"method":"DELETE","params":{"x":["1"]},"path":["a b","c"],"raw_path":"/a%20b/c"}"#
        );
        let envoy = http::Request::builder()
            .method("POST")
            .uri("/authz/web/allow/-/v2/servers?y")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let shown = input(&envoy, Some("v2/servers")).unwrap().to_string();
        assert!(shown.contains(r#""path":["v2","servers"]"#), "{shown}");
        assert!(shown.contains(r#""params":{"y":[""]}"#), "{shown}");
    }

    #[test]
    fn only_true_allows() {
        let value = |json: &str| Value::from_json_str(json).unwrap();
        for yes in ["true", r#"{"allowed": true}"#, r#"{"allow": true}"#] {
            assert!(allows(Some(&value(yes))), "{yes}");
        }
        for no in ["false", "1", r#""true""#, r#"{"allow": "true"}"#, "[true]", "{}"] {
            assert!(!allows(Some(&value(no))), "{no}");
        }
        assert!(!allows(None));
    }
}
