//! The operators' interface, below `/admin/v1`: keys, upstreams, policy, audit trail.
//!
//! One token opens it, and the check is a layer around every route: no handler can forget it. It shows no
//! secret and no private key. What is done here is written to the trail before it is done.

use std::{fmt, sync::Arc};

use aws_lc_rs::constant_time;
use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{
        Query, Request, State,
        rejection::{BytesRejection, QueryRejection},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{clusters::bearer_token, fault};
use crate::{
    broker::{Caller, clients::hash_secret, directory::Directory},
    domain::{
        audit::{Event, Personal, What},
        fault::{Code, Fault},
        ids::{TenantId, UpstreamId},
        key::{Algorithm, Stage},
    },
    port::{
        audit::Audit,
        clock::Clock,
        keyring::{KeyCare, KeyCareFault, KeyLine},
        policy::{self, AdminQuestion, Context, Policy},
        policy_care::PolicyCare,
        records::AuditTrail,
        upstream::Health,
    },
};

/// Events shown where the request does not say how many.
const USUAL_EVENTS: u32 = 50;
/// Most events of one answer.
const MOST_EVENTS: u32 = 500;

/// What the operators' interface needs.
#[derive(Clone)]
pub struct Admin {
    /// SHA-256 of the administrator's token ([`hash_secret`]). Tokens are compared by it, so neither their length
    /// nor a common beginning shows in the time it takes.
    pub token_hash: [u8; 32],
    /// Our signing keys.
    pub keys: Arc<dyn KeyCare>,
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Where the trail is read.
    pub trail: Arc<dyn AuditTrail>,
    /// Where it is written.
    pub audit: Arc<dyn Audit>,
    /// For the revision that decides now.
    pub policy: Arc<dyn Policy>,
    /// For changing it; none where it cannot be changed.
    pub care: Option<Arc<dyn PolicyCare>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Admin")
    }
}

impl Admin {
    /// All routes. The layers before put a [`Caller`] into the request.
    pub fn routes(self) -> Router {
        let admin = Arc::new(self);
        Router::new()
            .route("/admin/v1/keys", get(keys))
            .route("/admin/v1/keys/rotate", post(rotate))
            .route("/admin/v1/upstreams", get(upstreams))
            .route("/admin/v1/policy", get(policy_in_force))
            .route("/admin/v1/audit", get(events))
            .merge(super::admin_policy::routes())
            .route_layer(from_fn_with_state(Arc::clone(&admin), guard))
            .with_state(admin)
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        bearer_token(headers).is_some_and(|token| {
            constant_time::verify_slices_are_equal(&hash_secret(token), &self.token_hash).is_ok()
        })
    }

    /// The token opens; policy may still close, for a network or a method.
    fn allows(&self, request: &Request, caller: &Caller) -> Result<(), Fault> {
        if !self.admits(request.headers()) {
            return Err(Fault::new(
                Code::AdminOnly,
                "no administrator's token in the request",
            ));
        }
        let address = caller.address.map(|address| address.to_string());
        let question = AdminQuestion {
            v: policy::VERSION,
            identity: "administrator",
            method: request.method().as_str(),
            path: request
                .uri()
                .path()
                .split('/')
                .filter(|part| !part.is_empty())
                .collect(),
            context: Context {
                time_s: self.clock.now().0,
                client_ip: address.as_deref(),
                reference: &caller.reference.0,
            },
        };
        let verdict = policy::answer(&*self.policy, &question)?;
        if verdict.allow {
            return Ok(());
        }
        Err(Fault {
            code: Code::NoAccess,
            detail: format!("federation/admin refused: {}", verdict.reasons.join(", ")),
            reasons: verdict.reasons,
        })
    }

    pub(super) async fn record(&self, caller: &Caller, what: What) -> Result<(), Fault> {
        let event = Event {
            at: self.clock.now(),
            reference: caller.reference.clone(),
            address: caller.address.map(|address| Personal(address.to_string())),
            subject: None,
            tenant: None,
            what,
        };
        Ok(self.audit.record(event).await?)
    }

    /// New keys as they are shown. The trail first says what was asked for: a key without a trace cannot be.
    async fn rotate(&self, algorithm: Option<Algorithm>, caller: &Caller) -> Result<Vec<KeyView>, Fault> {
        let which = algorithm.map_or("ES256 and RS256", Algorithm::as_str);
        let action = format!("rotate the signing keys: {which}");
        self.record(caller, What::Administered { action }).await?;
        let made = self.keys.rotate(algorithm).await.map_err(|fault| match fault {
            KeyCareFault::Records(fault) => Fault::from(fault),
            KeyCareFault::Ring(why) => Fault::new(Code::Internal, why),
        })?;
        for kid in &made {
            self.record(caller, What::KeyRotated { kid: kid.clone() }).await?;
        }
        let lines = self.keys.list();
        Ok(lines
            .iter()
            .filter(|line| made.contains(&line.kid))
            .map(KeyView::of)
            .collect())
    }
}

async fn guard(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    match admin.allows(&request, &caller) {
        Ok(()) => next.run(request).await,
        Err(fault) => refused(&fault, &caller),
    }
}

pub(super) fn refused(fault: &Fault, caller: &Caller) -> Response {
    tracing::info!(reference = %caller.reference, code = %fault.code, detail = %fault.detail, "an administrator's request was refused");
    fault::plain(fault, &caller.reference)
}

pub(super) fn answered(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A key as operators see it; times in RFC 3339.
#[derive(Serialize)]
struct KeyView {
    kid: String,
    algorithm: Algorithm,
    stage: Stage,
    published: String,
    signs_from: String,
    signs_until: Option<String>,
    gone_at: Option<String>,
}

impl KeyView {
    fn of(line: &KeyLine) -> Self {
        Self {
            kid: line.kid.clone(),
            algorithm: line.algorithm,
            stage: line.stage,
            published: line.life.published.rfc3339(),
            signs_from: line.life.signs_from.rfc3339(),
            signs_until: line.life.signs_until.map(|at| at.rfc3339()),
            gone_at: line.life.gone_at.map(|at| at.rfc3339()),
        }
    }
}

async fn keys(State(admin): State<Arc<Admin>>) -> Response {
    let keys: Vec<KeyView> = admin.keys.list().iter().map(KeyView::of).collect();
    answered(StatusCode::OK, json!({ "keys": keys }))
}

/// Body of a rotation. All members may be absent, and so may the body: then both algorithms get a new key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rotation {
    algorithm: Option<Algorithm>,
}

fn rotation(body: Result<Bytes, BytesRejection>) -> Result<Rotation, Fault> {
    let body = body.map_err(|rejection| {
        let code = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Code::TooLarge
        } else {
            Code::BadRequest
        };
        Fault::new(code, rejection.body_text())
    })?;
    if body.trim_ascii().is_empty() {
        return Ok(Rotation::default());
    }
    // An object it must be: a derived reader also takes an array of the members.
    serde_json::from_slice::<Map<String, Value>>(&body)
        .and_then(|members| serde_json::from_value(Value::Object(members)))
        .map_err(|error| Fault::new(Code::BadRequest, format!("not the body of a rotation: {error}")))
}

async fn rotate(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let outcome = match rotation(body) {
        Ok(rotation) => admin.rotate(rotation.algorithm, &caller).await,
        Err(fault) => Err(fault),
    };
    match outcome {
        Ok(made) => answered(StatusCode::OK, json!({ "keys": made })),
        Err(fault) => refused(&fault, &caller),
    }
}

#[derive(Serialize)]
struct UpstreamView<'a> {
    id: &'a UpstreamId,
    name: &'a str,
    tenant: &'a TenantId,
    health: Health,
}

async fn upstreams(State(admin): State<Arc<Admin>>) -> Response {
    let upstreams: Vec<UpstreamView<'_>> = admin
        .directory
        .sources()
        .map(|source| UpstreamView {
            id: source.upstream.id(),
            name: source.upstream.display_name(),
            tenant: source.upstream.tenant(),
            health: source.upstream.health(),
        })
        .collect();
    answered(StatusCode::OK, json!({ "upstreams": upstreams }))
}

async fn policy_in_force(State(admin): State<Arc<Admin>>) -> Response {
    answered(StatusCode::OK, json!({ "revision": admin.policy.revision() }))
}

/// Which events are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    reference: Option<String>,
    most: Option<u32>,
}

#[derive(Serialize)]
struct EventView {
    number: i64,
    time: String,
    #[serde(flatten)]
    event: Event,
}

impl Admin {
    async fn recent(&self, wanted: Result<Query<Wanted>, QueryRejection>) -> Result<Vec<EventView>, Fault> {
        let Query(wanted) =
            wanted.map_err(|rejection| Fault::new(Code::BadRequest, rejection.body_text()))?;
        let most = wanted.most.unwrap_or(USUAL_EVENTS);
        if !(1..=MOST_EVENTS).contains(&most) {
            return Err(Fault::new(
                Code::BadRequest,
                format!("'most' is 1 to {MOST_EVENTS}"),
            ));
        }
        let events = self.trail.recent(wanted.reference.as_deref(), most).await?;
        Ok(events
            .into_iter()
            .map(|(number, event)| EventView {
                number,
                time: event.at.rfc3339(),
                event,
            })
            .collect())
    }
}

async fn events(
    State(admin): State<Arc<Admin>>,
    Extension(caller): Extension<Caller>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    match admin.recent(wanted).await {
        Ok(events) => answered(StatusCode::OK, json!({ "events": events })),
        Err(fault) => refused(&fault, &caller),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, sync::Mutex, time::Duration};

    use async_trait::async_trait;
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        broker::directory::Source,
        domain::{access::Answer, ids::Reference, key::Life, mapping::MappingSettings, time::Timestamp},
        port::{
            policy::{Entry, PolicyFault, Question},
            records::RecordFault,
            upstream::{Upstream, Ways},
        },
    };

    const TOKEN: &str = "operator-token-1234567890";
    const NOW: Timestamp = Timestamp(1_790_000_000);

    const ALLOWED: Option<&str> = Some(r#"{"allow": true, "reasons": []}"#);

    /// The clock, and what policy answers; none where the engine fails.
    struct Fixed(Option<&'static str>);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            NOW
        }
    }
    impl Policy for Fixed {
        fn ask(&self, _: &Question<'_>) -> Result<Answer, PolicyFault> {
            Err(PolicyFault("not asked here".to_owned()))
        }
        fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
            assert_eq!(entry, Entry::Admin);
            let input: Value = serde_json::from_str(input).unwrap();
            assert_eq!(
                (&input["identity"], &input["path"][0]),
                (&json!("administrator"), &json!("admin"))
            );
            match self.0 {
                Some(text) => Ok(text.to_owned()),
                None => Err(PolicyFault("SECRET-DETAIL".to_owned())),
            }
        }
        fn revision(&self) -> String {
            "revision-7".to_owned()
        }
    }

    /// A trail in memory, and the keys beside it so that their order can be seen.
    #[derive(Default)]
    struct Books {
        events: Mutex<Vec<Event>>,
        lines: Mutex<Vec<KeyLine>>,
        closed: bool,
    }
    #[async_trait]
    impl Audit for Books {
        async fn record(&self, event: Event) -> Result<(), RecordFault> {
            if self.closed {
                return Err(RecordFault("SECRET-DETAIL".to_owned()));
            }
            self.events.lock().unwrap().push(event);
            Ok(())
        }
    }
    #[async_trait]
    impl AuditTrail for Books {
        async fn append(&self, _: &[Event]) -> Result<(), RecordFault> {
            Err(RecordFault("not used here".to_owned()))
        }
        async fn recent(&self, reference: Option<&str>, most: u32) -> Result<Vec<(i64, Event)>, RecordFault> {
            let events = self.events.lock().unwrap();
            Ok((1..)
                .zip(events.iter().cloned())
                .filter(|(_, event)| reference.is_none_or(|one| one == event.reference.0))
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .take(most as usize)
                .collect())
        }
    }
    #[async_trait]
    impl KeyCare for Books {
        fn list(&self) -> Vec<KeyLine> {
            self.lines.lock().unwrap().clone()
        }
        async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<Vec<String>, KeyCareFault> {
            let mut lines = self.lines.lock().unwrap();
            let made = algorithm.map_or(vec![Algorithm::Es256, Algorithm::Rs256], |one| vec![one]);
            Ok(made
                .into_iter()
                .map(|algorithm| {
                    let kid = format!("new-{}", algorithm.as_str());
                    lines.push(KeyLine {
                        kid: kid.clone(),
                        issuer: None,
                        algorithm,
                        stage: Stage::Pending,
                        life: Life::successor(NOW),
                    });
                    kid
                })
                .collect())
        }
    }

    struct Far(UpstreamId, TenantId);
    impl Upstream for Far {
        fn id(&self) -> &UpstreamId {
            &self.0
        }
        fn display_name(&self) -> &str {
            "ACME"
        }
        fn tenant(&self) -> &TenantId {
            &self.1
        }
        fn health(&self) -> Health {
            Health::Down {
                reason: "connection refused".to_owned(),
            }
        }
        fn ways(&self) -> Ways<'_> {
            Ways::default()
        }
    }

    fn books() -> Arc<Books> {
        let first = KeyLine {
            kid: "first".to_owned(),
            issuer: None,
            algorithm: Algorithm::Es256,
            stage: Stage::Active,
            life: Life::first(NOW.minus(Duration::from_secs(86_400))),
        };
        Arc::new(Books {
            lines: Mutex::new(vec![first]),
            ..Books::default()
        })
    }

    fn router(books: &Arc<Books>, policy: Option<&'static str>) -> Router {
        let source = Source {
            upstream: Arc::new(Far(UpstreamId::literal("far"), TenantId::literal("acme"))),
            mapping: MappingSettings::default(),
        };
        let names = ("https://gate.example".to_owned(), "Cloud A".to_owned());
        let directory = Directory::new(names, Vec::new(), vec![source], Vec::new(), Vec::new());
        Admin {
            token_hash: hash_secret(TOKEN),
            keys: Arc::clone(books) as Arc<dyn KeyCare>,
            directory: Arc::new(directory),
            trail: Arc::clone(books) as Arc<dyn AuditTrail>,
            audit: Arc::clone(books) as Arc<dyn Audit>,
            policy: Arc::new(Fixed(policy)),
            care: None,
            clock: Arc::new(Fixed(None)),
        }
        .routes()
        .layer(Extension(Caller {
            reference: Reference("FG-TEST".to_owned()),
            address: Some(IpAddr::from([192, 0, 2, 1])),
        }))
    }

    /// Status, headers and body of an answer to `GET path`, or to `POST path` where there is a body.
    async fn ask(
        books: &Arc<Books>,
        authorization: &[&str],
        path: &str,
        body: Option<&str>,
    ) -> (StatusCode, HeaderMap, String) {
        let mut request = http::Request::builder()
            .method(if body.is_some() { "POST" } else { "GET" })
            .uri(path);
        for value in authorization {
            request = request.header(header::AUTHORIZATION, *value);
        }
        let request = request
            .body(Body::from(body.unwrap_or_default().to_owned()))
            .unwrap();
        let (parts, body) = router(books, ALLOWED)
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (
            parts.status,
            parts.headers,
            String::from_utf8(bytes.to_vec()).unwrap(),
        )
    }

    async fn asked(books: &Arc<Books>, path: &str, body: Option<&str>) -> (StatusCode, Value) {
        let right = format!("Bearer {TOKEN}");
        let (status, headers, text) = ask(books, &[&right], path, body).await;
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert!(
            !text.contains(TOKEN) && !text.contains("SECRET"),
            "{path}: {text}"
        );
        (status, serde_json::from_str(&text).unwrap())
    }

    #[tokio::test]
    async fn every_route_wants_the_token_and_does_nothing_without() {
        let books = books();
        let right = format!("Bearer {TOKEN}");
        let refusals: [&[&str]; 7] = [
            &[],
            &["Bearer wrong"],
            &["Bearer "],
            &["Bearer operator-token-123456789"],
            &[&format!("{right}0")],
            &["Basic b3BlcmF0b3I6dG9rZW4="],
            &[&right, &right],
        ];
        for authorization in refusals {
            for (path, body) in [
                ("/admin/v1/keys", None),
                ("/admin/v1/keys/rotate", Some("")),
                ("/admin/v1/upstreams", None),
                ("/admin/v1/policy", None),
                ("/admin/v1/audit", None),
            ] {
                let (status, headers, text) = ask(&books, authorization, path, body).await;
                assert_eq!(status, 401, "{path} {authorization:?}");
                assert!(headers.contains_key(header::WWW_AUTHENTICATE));
                assert!(text.contains("ADMIN_ONLY") && text.contains("FG-TEST"), "{text}");
                assert!(!text.contains("first") && !text.contains(TOKEN), "{text}");
            }
        }
        assert!(books.events.lock().unwrap().is_empty());
        assert_eq!(books.lines.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn policy_may_close_what_the_token_opens_and_a_failed_engine_opens_nothing() {
        let shut = Some(r#"{"allow": false, "reasons": ["network_not_allowed"]}"#);
        for (policy, status, code) in [
            (shut, 403, "NO_ACCESS"),
            (None, 500, "POLICY_FAILED"),
            (Some(r#"{"allow": true, "reasons": ["x"]}"#), 500, "POLICY_FAILED"),
        ] {
            let books = books();
            let request = http::Request::builder()
                .method("POST")
                .uri("/admin/v1/keys/rotate")
                .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
                .body(Body::empty())
                .unwrap();
            let answer = router(&books, policy).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status);
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            assert!(text.contains(code) && !text.contains("SECRET"), "{text}");
            assert_eq!(books.lines.lock().unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn keys_are_shown_by_their_public_facts_alone() {
        let (status, body) = asked(&books(), "/admin/v1/keys", None).await;
        assert_eq!(status, 200);
        assert_eq!(
            body,
            json!({"keys": [{
                "kid": "first", "algorithm": "ES256", "stage": "active",
                "published": "2026-09-20T14:13:20Z", "signs_from": "2026-09-20T14:13:20Z",
                "signs_until": null, "gone_at": null,
            }]})
        );
    }

    #[tokio::test]
    async fn a_rotation_is_on_the_trail_before_and_after_it_is_done() {
        let books = books();
        let (status, body) = asked(&books, "/admin/v1/keys/rotate", Some(r#"{"algorithm":"ES256"}"#)).await;
        assert_eq!(status, 200);
        assert_eq!(body["keys"].as_array().unwrap().len(), 1);
        assert_eq!(body["keys"][0]["kid"], "new-ES256");
        assert_eq!(body["keys"][0]["stage"], "pending");
        assert_eq!(body["keys"][0]["signs_from"], "2026-09-21T14:19:20Z");
        let (status, body) = asked(&books, "/admin/v1/keys/rotate", Some("")).await;
        assert_eq!(
            (status, body["keys"].as_array().unwrap().len()),
            (StatusCode::OK, 3)
        );
        let events = books.events.lock().unwrap();
        let whats: Vec<&What> = events.iter().map(|event| &event.what).collect();
        assert!(matches!(whats[0], What::Administered { action } if action.ends_with(": ES256")));
        assert_eq!(
            whats[1],
            &What::KeyRotated {
                kid: "new-ES256".to_owned()
            }
        );
        assert!(matches!(whats[2], What::Administered { action } if action.ends_with("ES256 and RS256")));
        assert_eq!(whats.len(), 5);
        assert!(
            events
                .iter()
                .all(|event| event.reference.0 == "FG-TEST" && event.at == NOW)
        );
    }

    #[tokio::test]
    async fn what_is_no_rotation_changes_nothing() {
        let books = books();
        for body in [
            r#"{"algorithm":"HS256"}"#,
            r#"{"algoritm":"ES256"}"#,
            "ES256",
            "[]",
        ] {
            let (status, answer) = asked(&books, "/admin/v1/keys/rotate", Some(body)).await;
            assert_eq!(
                (status, &answer["code"]),
                (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")),
                "{body}"
            );
        }
        assert_eq!(books.lines.lock().unwrap().len(), 1);
        assert!(books.events.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn without_a_trail_no_key_is_made() {
        let books = Arc::new(Books {
            closed: true,
            ..Books::default()
        });
        let (status, body) = asked(&books, "/admin/v1/keys/rotate", Some("{}")).await;
        assert_eq!(
            (status, &body["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("STORE_DOWN"))
        );
        assert!(books.lines.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn upstreams_and_the_policy_in_force() {
        let (_, body) = asked(&books(), "/admin/v1/upstreams", None).await;
        assert_eq!(
            body,
            json!({"upstreams": [{
                "id": "far", "name": "ACME", "tenant": "acme",
                "health": {"state": "down", "reason": "connection refused"},
            }]})
        );
        let (_, body) = asked(&books(), "/admin/v1/policy", None).await;
        assert_eq!(body, json!({"revision": "revision-7"}));
    }

    #[tokio::test]
    async fn the_trail_newest_first_by_reference_and_bounded() {
        let books = books();
        for (reference, by) in [("FG-1", "one"), ("FG-2", "two"), ("FG-1", "three")] {
            books.events.lock().unwrap().push(Event {
                at: NOW,
                reference: Reference(reference.to_owned()),
                address: None,
                subject: None,
                tenant: None,
                what: What::SignedOut { by: by.to_owned() },
            });
        }
        let numbers = |body: &Value| -> Vec<i64> {
            body["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["number"].as_i64().unwrap())
                .collect()
        };
        let (_, body) = asked(&books, "/admin/v1/audit", None).await;
        assert_eq!(numbers(&body), [3, 2, 1]);
        assert_eq!(body["events"][0]["event"], "signed_out");
        assert_eq!(body["events"][0]["by"], "three");
        assert_eq!(body["events"][0]["time"], "2026-09-21T14:13:20Z");
        let (_, body) = asked(&books, "/admin/v1/audit?reference=FG-1&most=1", None).await;
        assert_eq!(numbers(&body), [3]);
        for query in ["most=0", "most=501", "most=-1", "most=x", "refernce=FG-1"] {
            let (status, _) = asked(&books, &format!("/admin/v1/audit?{query}"), None).await;
            assert_eq!(status, 400, "{query}");
        }
    }
}
