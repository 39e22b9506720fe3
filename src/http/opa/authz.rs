//! Who calls the management door, and what `data.system.authz.allow` says to it.
//!
//! The policy sees what OPA's sees: path, method, parameters, headers, the body of a question, the identity.
//! No policy is a refusal, and so is every answer but `true` or `{"allowed": true}`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::{
    Desk,
    answer::{Refusal, code},
    body,
    parameters::unescape,
};
use crate::{domain::secret::Secret, rego::Value};

const REJECTED: &str = "request rejected by administrative policy";

/// The subject of the client certificate that the listener has verified; set by the listener alone.
#[derive(Debug, Clone)]
pub struct ClientIdentity(pub Option<String>);

/// How callers say who they are, besides by a client certificate.
#[derive(Debug, Clone)]
pub enum Callers {
    /// Not at all.
    Anonymous,
    /// By a bearer token that the policy judges: the token itself is the identity, as in OPA.
    AnyToken,
    /// By a bearer token or certificate that is known. Its name is the identity; nobody else comes in.
    Known(Known),
}

/// Callers that are known: their names, and their bearer tokens by hash.
#[derive(Debug, Clone, Default)]
pub struct Known {
    names: BTreeSet<String>,
    tokens: BTreeMap<[u8; 32], Arc<str>>,
}

impl Known {
    /// Adds a caller. One without a token comes with a certificate of this subject.
    pub fn add(&mut self, name: &str, token: Option<&Secret>) {
        if let Some(token) = token {
            self.tokens.insert(hash(token.reveal()), name.into());
        } else {
            self.names.insert(name.to_owned());
        }
    }

    fn holder(&self, token: &str) -> Option<String> {
        // Looked up by hash: how long a comparison takes tells nothing about a token.
        Some(self.tokens.get(&hash(token))?.as_ref().to_owned())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether `data.system.authz.allow` is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// Each request.
    Policy,
    /// Nobody is asked: for trials on loopback.
    Off,
}

impl Callers {
    fn identity(&self, request: &Request) -> Result<Option<String>, Refusal> {
        let certified = request
            .extensions()
            .get::<ClientIdentity>()
            .and_then(|ClientIdentity(subject)| subject.clone());
        let token = bearer(request.headers());
        match self {
            Self::Anonymous => Ok(certified),
            Self::AnyToken => Ok(certified.or_else(|| token.map(str::to_owned))),
            Self::Known(known) => token
                .and_then(|token| known.holder(token))
                .or_else(|| certified.filter(|subject| known.names.contains(subject)))
                .map(Some)
                .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, REJECTED)),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = value.strip_prefix("Bearer")?;
    let rest = token.trim_start();
    (token.len() != rest.len() && !rest.is_empty() && !rest.contains(char::is_whitespace)).then_some(rest)
}

/// Lets the request pass, its body whole again, or answers it.
pub(super) async fn admit(
    desk: &Desk,
    (callers, authorization): (&Callers, Authorization),
    request: Request,
) -> Result<Request, Response> {
    let identity = callers.identity(&request).map_err(Refusal::into_response)?;
    if authorization == Authorization::Off {
        return Ok(request);
    }
    let (head, whole) = request.into_parts();
    let bad = |what| Refusal::bad(what).into_response();
    let (body, rest) = if asks(&head.method, head.uri.path()) {
        let packed = body::read(&head.headers, whole, &desk.limits)
            .await
            .map_err(bad)?;
        let bytes = body::unpack(&head.headers, packed.clone(), &desk.limits).map_err(bad)?;
        let document = body::document(&head.headers, &bytes).map_err(bad)?;
        (document, Body::from(packed))
    } else {
        (None, whole)
    };
    let input = input(&head.method, &head.uri, (&head.headers, identity, body));
    decide(desk, input).map_err(Refusal::into_response)?;
    Ok(Request::from_parts(head, rest))
}

fn decide(desk: &Desk, input: Option<Value>) -> Result<(), Refusal> {
    let rejected = |why: &str| Refusal::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, why);
    let answer = desk
        .store
        .snapshot()
        .evaluate(&["system", "authz", "allow"], input, &desk.how(false, None))
        .map_err(|fault| Refusal::evaluation(&fault))?;
    match answer.value {
        None => Err(Refusal::internal("authorization policy missing or undefined")),
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Object(said)) => match said.get(&Value::from("allowed")) {
            None => Err(Refusal::internal("document missing or undefined")),
            Some(Value::Bool(true)) => Ok(()),
            Some(_) => match said.get(&Value::from("reason")) {
                Some(Value::String(reason)) => Err(rejected(reason)),
                Some(_) | None => Err(rejected(REJECTED)),
            },
        },
        Some(_) => Err(rejected(REJECTED)),
    }
}

/// Requests whose body the policy may see: questions, not documents and policies on their way in.
fn asks(method: &Method, path: &str) -> bool {
    method == Method::POST && (path == "/" || path.starts_with("/v0/data") || path.starts_with("/v1/data"))
}

fn input(
    method: &Method,
    uri: &Uri,
    (headers, identity, body): (&HeaderMap, Option<String>, Option<Value>),
) -> Option<Value> {
    let path: Vec<String> = uri
        .path()
        .trim_start_matches('/')
        .split('/')
        .map(|segment| unescape(segment).map_or_else(|| segment.to_owned(), std::borrow::Cow::into_owned))
        .collect();
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned() {
        parameters.entry(key).or_default().push(value);
    }
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        shown.entry(canonical(name.as_str())).or_default().push(value);
    }
    let document = json!({
        "path": path, "method": method.as_str(), "params": parameters, "headers": shown,
    });
    let mut input = Value::from_json_str(&document.to_string()).ok()?;
    let members = input.as_object_mut().ok()?;
    if let Some(identity) = identity {
        members.insert(Value::from("identity"), Value::from(identity));
    }
    if let Some(body) = body {
        members.insert(Value::from("body"), body);
    }
    Some(input)
}

/// `content-type` is `Content-Type` to a policy written for OPA.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    });
    words.collect::<Vec<_>>().join("-")
}

/// An answer for requests that hold no turn.
pub(super) fn busy() -> Response {
    let what = "too many requests are under way; nothing was done; ask again";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL, what).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_one_word() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("Bearer    abc").as_deref(), Some("abc"));
        for none in ["Bearer", "Bearer a b", "Bearerabc", "Basic abc"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn the_input_is_opas() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "7".parse().unwrap());
        let uri: Uri = "/v1/data/a%2Fb?pretty&x=1&x=2".parse().unwrap();
        let input = input(
            &Method::GET,
            &uri,
            (&headers, Some("bob".into()), Some(Value::from(1))),
        )
        .unwrap();
        assert_eq!(
            input.to_string(),
            r#"{"body":1,"headers":{"X-Request-Id":["7"]},"identity":"bob","method":"GET","params":{"pretty":[""],"x":["1","2"]},"path":["v1","data","a/b"]}"#
        );
    }
}
