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
            tracing::info!(reference = %caller.reference, code = %fault.code, detail = %fault.detail, "the clusters were refused");
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

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use async_trait::async_trait;
    use axum::body::Body;
    use bytes::Bytes;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use serde_json::{Map, Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        broker::{
            admit::Door,
            directory::{Directory, Source},
            endings::Ender,
            session::SessionDesk,
        },
        domain::{
            access::{Answer, Ceilings, Entitlement, Grant, Permit},
            assertion::{UpstreamAssertion, Verified},
            audit::Event,
            credential::Credential,
            identity::Identity,
            ids::{Reference, SessionId, TenantId, UpstreamId},
            key::Algorithm,
            session::Session,
            time::Timestamp,
        },
        port::{
            audit::Audit,
            bonds::{Bond, Bonds, Meant, Renewal},
            clock::Clock,
            entropy::Entropy,
            policy::{Entry, Policy, PolicyFault, Question},
            records::{Ending, Endings, RecordFault, Revocations, Sessions},
            signer::{KeyFault, Purpose, Sealer, Signer, TokenType},
            target::{GroupPrefix, Target, TargetFacts},
            upstream::{Health, Upstream, Ways},
        },
    };

    const ISSUER: &str = "https://gate.example";
    const NOW: Timestamp = Timestamp(1_790_000_000);

    fn assertion() -> UpstreamAssertion {
        UpstreamAssertion::recalled(Verified {
            upstream: UpstreamId::literal("people"),
            tenant: TenantId::literal("acme"),
            issuer: "https://idp.example".to_owned(),
            subject: "alice".to_owned(),
            claims: Map::from_iter([("preferred_username".to_owned(), json!("alice"))]),
            authenticated_at: NOW,
            acr: None,
            amr: Vec::new(),
            not_after: NOW.plus(Duration::from_secs(3600)),
            upstream_session: None,
        })
    }

    /// Everything behind the broker. A token is `<sid>|<audience>`.
    struct World {
        engine_fails: bool,
    }
    impl Signer for World {
        fn sign(&self, _: Algorithm, _: TokenType, _: &[u8]) -> Result<String, KeyFault> {
            Err(KeyFault::NoKey("none here"))
        }
        fn verify(
            &self,
            typ: TokenType,
            token: &str,
            now: Timestamp,
        ) -> Result<Map<String, Value>, KeyFault> {
            let (sid, audience) = token.split_once('|').ok_or(KeyFault::Invalid("SECRET-DETAIL"))?;
            assert_eq!((typ, now), (TokenType::Access, NOW));
            let claims = json!({
                "iss": ISSUER, "sub": Identity::key_of("https://idp.example", "alice"), "aud": audience,
                "exp": NOW.0 + 60, "iat": NOW.0, "jti": "j", "client_id": "fedctl", "sid": sid,
            });
            Ok(claims.as_object().cloned().unwrap())
        }
        fn verify_hint(&self, _: &str) -> Result<Map<String, Value>, KeyFault> {
            Err(KeyFault::Invalid("not here"))
        }
        fn jwks(&self) -> Arc<Bytes> {
            Arc::default()
        }
    }
    #[async_trait]
    impl Bonds for World {
        async fn bind(&self, _: &Bond, _: Option<&Renewal>) -> Result<(), RecordFault> {
            Ok(())
        }
        async fn bond(&self, _: &str) -> Result<Option<Bond>, RecordFault> {
            Ok(None)
        }
        async fn bound(&self, _: Meant<'_>) -> Result<Vec<String>, RecordFault> {
            Ok(Vec::new())
        }
        async fn renewal(&self, _: &str) -> Result<Option<Renewal>, RecordFault> {
            Ok(None)
        }
        async fn renewed(&self, _: &Renewal, _: &UpstreamAssertion) -> Result<(), RecordFault> {
            Ok(())
        }
    }
    #[async_trait]
    impl Endings for World {
        async fn note(&self, _: &Ending) -> Result<(), RecordFault> {
            Ok(())
        }
        async fn known(&self, _: &str) -> Result<Option<Ending>, RecordFault> {
            Ok(None)
        }
        async fn due(&self, _: Timestamp, _: u32) -> Result<Vec<Ending>, RecordFault> {
            Ok(Vec::new())
        }
        async fn done(&self, _: &str) -> Result<(), RecordFault> {
            Ok(())
        }
    }
    #[async_trait]
    impl Sessions for World {
        async fn open(&self, _: &Session) -> Result<(), RecordFault> {
            Ok(())
        }
        async fn find(&self, _: &SessionId, _: Timestamp) -> Result<Option<Session>, RecordFault> {
            Ok(None)
        }
        async fn by_sid(&self, sid: &str, _: Timestamp) -> Result<Option<Session>, RecordFault> {
            Ok((sid == "live").then(|| Session {
                id: SessionId(String::new()),
                assertion: assertion(),
                started: NOW,
                ends: NOW.plus(Duration::from_secs(600)),
                upstream_hint: None,
            }))
        }
        async fn end(&self, _: &str) -> Result<(), RecordFault> {
            Ok(())
        }
        async fn sweep(&self, _: Timestamp) -> Result<u64, RecordFault> {
            Ok(0)
        }
    }
    #[async_trait]
    impl Revocations for World {
        async fn revoke(&self, _: &str, _: Timestamp) -> Result<(), RecordFault> {
            Ok(())
        }
        async fn is_revoked(&self, _: &str) -> Result<bool, RecordFault> {
            Ok(false)
        }
        fn ended(&self) -> u64 {
            0
        }
    }
    impl Sealer for World {
        fn seal(&self, _: Purpose, _: &[u8]) -> String {
            String::new()
        }
        fn open(&self, _: Purpose, _: &str) -> Option<Vec<u8>> {
            None
        }
        fn tag(&self, _: Purpose, _: &str) -> String {
            String::new()
        }
        fn tagged(&self, _: Purpose, _: &str, _: &str) -> bool {
            false
        }
    }
    #[async_trait]
    impl Audit for World {
        async fn record(&self, _: Event) -> Result<(), RecordFault> {
            Ok(())
        }
    }
    impl Clock for World {
        fn now(&self) -> Timestamp {
            NOW
        }
    }
    impl Entropy for World {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }
    impl Policy for World {
        fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault> {
            let target = question.request.target;
            if self.engine_fails && target == "cluster-b" {
                return Err(PolicyFault("SECRET-DETAIL".to_owned()));
            }
            let allow = target != "cluster-denied";
            let group = Grant {
                entitlement: Entitlement::Group {
                    group: "developers".to_owned(),
                },
                rule: "acme-developers".to_owned(),
            };
            Ok(Answer {
                allow,
                reasons: Vec::new(),
                grants: if allow { vec![group] } else { Vec::new() },
                rule: "federation/access".to_owned(),
                lifetime_s: None,
                withhold: Vec::new(),
                obligations: Vec::new(),
            })
        }
        fn decide(&self, entry: Entry, _: &str) -> Result<String, PolicyFault> {
            assert_eq!(entry, Entry::Mapping);
            Ok(r#"{"allow": true, "reasons": []}"#.to_owned())
        }
        fn revision(&self) -> String {
            "1".to_owned()
        }
    }

    struct Place(TargetFacts);
    #[async_trait]
    impl Target for Place {
        fn facts(&self) -> &TargetFacts {
            &self.0
        }
        async fn mint(&self, _: &Permit) -> Result<Credential, Fault> {
            Err(Fault::new(Code::Internal, "the list gives nothing"))
        }
    }

    struct People(UpstreamId, TenantId);
    impl Upstream for People {
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
            Health::Ready
        }
        fn ways(&self) -> Ways<'_> {
            Ways::default()
        }
    }

    fn directory() -> Directory {
        let of = |value| serde_json::from_value(value).unwrap();
        let place = |id: &'static str, kind| -> Arc<dyn Target> {
            Arc::new(Place(TargetFacts {
                id: TargetId::literal(id),
                name: format!("Name of {id}"),
                kind,
                audience: format!("aud-{id}"),
                ceilings: Ceilings {
                    lifetime: Duration::from_secs(600),
                },
                group_prefix: GroupPrefix(String::new()),
            }))
        };
        let source = Source {
            upstream: Arc::new(People(UpstreamId::literal("people"), TenantId::literal("acme"))),
            mapping: of(json!({})),
        };
        let client = json!({"id": "fedctl", "name": "fedctl", "auth": {"method": "none"}, "grants": []});
        Directory::new(
            (ISSUER.to_owned(), "Cloud A".to_owned()),
            serde_json::from_value(json!([{"id": "acme", "name": "ACME GmbH"}])).unwrap(),
            vec![source],
            vec![
                place("cluster-b", TargetKind::Kubernetes),
                place("cluster-a", TargetKind::Kubernetes),
                place("cluster-denied", TargetKind::Kubernetes),
                place("cluster-without-facts", TargetKind::Kubernetes),
                place("a-tool", TargetKind::RelyingParty),
            ],
            vec![serde_json::from_value(client).unwrap()],
        )
    }

    fn router(engine_fails: bool) -> Router {
        let world = Arc::new(World { engine_fails });
        let directory = Arc::new(directory());
        let door = Arc::new(Door::new(
            directory.clone(),
            world.clone(),
            world.clone(),
            world.clone(),
        ));
        let desk = SessionDesk {
            directory: directory.clone(),
            door: door.clone(),
            sessions: world.clone(),
            bonds: world.clone(),
            sealer: world.clone(),
            audit: world.clone(),
            clock: world.clone(),
            entropy: world.clone(),
            lifetime: Duration::from_secs(3600),
            remember: None,
        };
        let bearer = Bearer {
            directory: directory.clone(),
            door: door.clone(),
            desk: Arc::new(desk),
            revocations: world.clone(),
            ender: Arc::new(Ender {
                directory: directory.clone(),
                endings: world.clone(),
                sealer: world.clone(),
                audit: world.clone(),
                clock: world.clone(),
            }),
            signer: world.clone(),
            audit: world.clone(),
            clock: world,
        };
        let facts = |id: &str, ca: Option<&str>| {
            let facts = ClusterFacts {
                server: format!("https://{id}.example:6443"),
                certificate_authority: ca.map(str::to_owned),
            };
            (TargetId::parse(id).unwrap(), facts)
        };
        Clusters {
            bearer: Arc::new(bearer),
            overview: Arc::new(Overview { directory, door }),
            clusters: Arc::new(BTreeMap::from([
                facts("cluster-a", Some("-----BEGIN CERTIFICATE-----\n")),
                facts("cluster-b", None),
                facts("cluster-denied", None),
                facts("a-tool", None),
            ])),
        }
        .routes()
        .layer(Extension(Caller {
            reference: Reference("FG-TEST".to_owned()),
            address: Some(IpAddr::from([192, 0, 2, 1])),
        }))
    }

    async fn ask(router: Router, authorization: &[&str]) -> (StatusCode, HeaderMap, String) {
        let mut request = http::Request::builder().uri("/api/v1/clusters");
        for value in authorization {
            request = request.header(header::AUTHORIZATION, *value);
        }
        let answer = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (
            parts.status,
            parts.headers,
            String::from_utf8(bytes.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn only_a_live_sessions_token_for_us_opens_the_list() {
        let right = format!("Bearer live|{ISSUER}");
        let refusals: [(&[&str], &str); 6] = [
            (&[], "TOKEN_INVALID"),
            (&["Bearer nonsense"], "TOKEN_INVALID"),
            (&["Bearer live|aud-cluster-a"], "AUDIENCE_MISMATCH"),
            (&[&format!("Bearer ended|{ISSUER}")], "SESSION_ENDED"),
            (&[&format!("Basic live|{ISSUER}")], "TOKEN_INVALID"),
            (&[&right, &right], "TOKEN_INVALID"),
        ];
        for (authorization, code) in refusals {
            let (status, headers, text) = ask(router(false), authorization).await;
            assert_eq!(status, 401, "{authorization:?}");
            assert!(
                headers[header::WWW_AUTHENTICATE]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer ")
            );
            assert!(
                text.contains(code) && text.contains("FG-TEST"),
                "{authorization:?}: {text}"
            );
            assert!(
                !text.contains("SECRET-DETAIL") && !text.contains("cluster-"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn the_list_holds_what_policy_opens_sorted_by_id() {
        let (status, headers, text) = ask(router(false), &[&format!("bearer live|{ISSUER}")]).await;
        assert_eq!(status, 200, "{text}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"clusters": [
                {
                    "id": "cluster-a", "name": "Name of cluster-a", "audience": "aud-cluster-a",
                    "server": "https://cluster-a.example:6443",
                    "certificate_authority_data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
                },
                {
                    "id": "cluster-b", "name": "Name of cluster-b", "audience": "aud-cluster-b",
                    "server": "https://cluster-b.example:6443",
                },
            ]})
        );
    }

    #[tokio::test]
    async fn a_failed_engine_is_an_error_and_not_a_shorter_list() {
        let (status, _, text) = ask(router(true), &[&format!("Bearer live|{ISSUER}")]).await;
        assert_eq!(status, 500);
        assert!(
            text.contains("POLICY_FAILED") && !text.contains("SECRET-DETAIL"),
            "{text}"
        );
        assert!(!text.contains("cluster-a"), "{text}");
    }
}
