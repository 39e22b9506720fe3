//! What our own tokens and the tokens for clusters say, claim by claim.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use fedgate::{
    domain::{
        access::{AccessRequest, Answer, Asked, Ceilings, Entitlement, Grant, Permit, TargetKind, decide},
        assertion::{UpstreamAssertion, Verified},
        credential::Credential,
        fault::Code,
        ids::{ClientId, TargetId, TenantId, UpstreamId},
        key::Algorithm,
        mapping::MappingSettings,
        tenant::Tenant,
        time::Timestamp,
    },
    port::{
        entropy::Entropy,
        signer::{KeyFault, Signer, TokenType},
        target::{IdTokenFacts, Target, TokenFacts, TokenMint as _},
    },
    target::{Declared, Wiring, open, own::OwnTokens},
};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp(1_790_000_000);

/// Writes header and claims, and no signature: what is said is tested here, not how it is signed.
struct Plain;
impl Signer for Plain {
    fn sign(&self, algorithm: Algorithm, typ: TokenType, claims: &[u8]) -> Result<String, KeyFault> {
        let header = json!({ "alg": algorithm.as_str(), "typ": typ.as_str() }).to_string();
        Ok(format!(
            "{}.{}.x",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        ))
    }
    fn verify(&self, _: TokenType, _: &str, _: Timestamp) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::Invalid("not here"))
    }
    fn verify_hint(&self, _: &str) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::Invalid("not here"))
    }
    fn jwks(&self) -> Arc<Bytes> {
        Arc::default()
    }
}

struct Sevens;
impl Entropy for Sevens {
    fn fill(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

fn wiring() -> Wiring {
    Wiring {
        issuer: "https://gw.example".into(),
        signer: Arc::new(Plain),
        entropy: Arc::new(Sevens),
        tenants: Arc::new(BTreeMap::new()),
        lookers: BTreeMap::new(),
        given: None,
    }
}

fn read(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()));
    (parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap())
}

/// A permit for alice of acme, whose proof lives for `proof_s`.
fn permit(kind: TargetKind, target: &str, groups: &[String], proof_s: u64) -> Permit {
    let claims = json!({ "preferred_username": "alice", "name": "Alice A", "email": "a@acme.example", "email_verified": true });
    let tenant = Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "ACME".into(),
        domains: Vec::new(),
        aliases: Vec::new(),
        contact: None,
    };
    let assertion = UpstreamAssertion::verified(Verified {
        upstream: UpstreamId::parse("acme").unwrap(),
        tenant: tenant.id.clone(),
        issuer: "https://idp.acme.example".into(),
        subject: "u-1".into(),
        claims: claims.as_object().unwrap().clone(),
        authenticated_at: NOW,
        acr: Some("mfa".into()),
        amr: vec!["pwd".into(), "otp".into()],
        not_after: NOW.plus(Duration::from_secs(proof_s)),
        upstream_session: None,
    })
    .unwrap();
    let identity = MappingSettings::default().identify(&assertion).unwrap();
    let request = AccessRequest {
        identity: &identity,
        tenant: &tenant,
        target: TargetId::parse(target).unwrap(),
        kind,
        audience: format!("audience-of-{target}"),
        asked: Asked::Everything,
        ceilings: Ceilings {
            lifetime: Duration::from_secs(3600),
        },
        now: NOW,
    };
    let grants = groups
        .iter()
        .map(|group| Grant {
            entitlement: Entitlement::Group { group: group.clone() },
            rule: "test".into(),
        })
        .collect();
    let answer = Answer {
        allow: true,
        reasons: Vec::new(),
        grants,
        rule: "test".into(),
        lifetime_s: None,
        withhold: Vec::new(),
        obligations: Vec::new(),
    };
    decide(&request, answer).unwrap()
}

fn groups(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn cluster(changes: &Value) -> Result<Arc<dyn Target>, String> {
    let mut config = json!({ "kind": "kubernetes", "id": "cluster-a", "name": "A", "audience": "k8s-cluster-a",
        "server": "https://k8s.example:6443" });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    let declared: Declared = serde_json::from_value(config).map_err(|problem| problem.to_string())?;
    open(declared, &wiring()).map_err(|fault| fault.to_string())
}

async fn token_for_cluster(target: &dyn Target, permit: &Permit) -> (Value, Value, i64) {
    match target.mint(permit).await.unwrap() {
        Credential::Token(minted) => {
            let (header, claims) = read(&minted.token);
            (header, claims, minted.expires.0)
        }
        Credential::Keystone(_) => panic!("not a token"),
    }
}

#[test]
fn an_access_token_says_what_rfc_9068_wants_and_ends_with_the_permit() {
    let permit = permit(TargetKind::RelyingParty, "grafana", &groups(&["dev", "ops"]), 100);
    let facts = TokenFacts {
        client: ClientId::parse("grafana").unwrap(),
        scope: "openid groups".into(),
        sid: Some("s1".into()),
        algorithm: Algorithm::Es256,
        lifetime: Duration::from_secs(300),
    };
    let minted = OwnTokens::new(&wiring()).access_token(&permit, &facts).unwrap();
    let (header, claims) = read(&minted.token);
    assert_eq!(header, json!({ "alg": "ES256", "typ": "at+jwt" }));
    assert_eq!(
        claims,
        json!({
            "iss": "https://gw.example", "sub": permit.identity().key(), "aud": "audience-of-grafana",
            "exp": NOW.0 + 100, "iat": NOW.0, "nbf": NOW.0, "jti": minted.id, "client_id": "grafana",
            "scope": "openid groups", "sid": "s1", "tenant": "acme", "preferred_username": "alice",
            "groups": ["acme:dev", "acme:ops"],
        })
    );
    assert_eq!(
        minted.expires,
        permit.expires(),
        "the proof ends before the asked lifetime"
    );
}

#[test]
fn an_id_token_releases_claims_by_scope() {
    let permit = permit(TargetKind::RelyingParty, "grafana", &groups(&["dev"]), 28_800);
    let facts = |scope: &str| IdTokenFacts {
        client: ClientId::parse("grafana").unwrap(),
        scope: scope.into(),
        nonce: Some("n".into()),
        sid: Some("s1".into()),
        auth_time: NOW,
        algorithm: Algorithm::Rs256,
        lifetime: Duration::from_secs(300),
        access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".into()),
    };
    let own = OwnTokens::new(&wiring());
    let (header, claims) = read(&own.id_token(&permit, &facts("openid")).unwrap().token);
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
    assert_eq!(
        (&claims["aud"], &claims["nonce"]),
        (&json!("grafana"), &json!("n"))
    );
    assert_eq!(claims["at_hash"], "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(claims["exp"], NOW.0 + 300);
    assert_eq!(
        (&claims["acr"], &claims["amr"]),
        (&json!("mfa"), &json!(["pwd", "otp"]))
    );
    for hidden in ["preferred_username", "name", "email", "email_verified", "groups"] {
        assert!(claims.get(hidden).is_none(), "{hidden} without its scope");
    }
    let all = facts("openid profile email groups");
    let (_, claims) = read(&own.id_token(&permit, &all).unwrap().token);
    assert_eq!(
        (
            &claims["preferred_username"],
            &claims["email"],
            &claims["email_verified"],
            &claims["groups"]
        ),
        (
            &json!("alice"),
            &json!("a@acme.example"),
            &json!(true),
            &json!(["acme:dev"])
        )
    );
    assert!(
        !format!("{all:?}").contains("jHkWEd"),
        "the access token is not printed"
    );
}

#[tokio::test]
async fn a_cluster_token_has_one_audience_and_prefixed_groups() {
    let target = cluster(&json!({ "prefix": "scs:" })).unwrap();
    let permit = permit(TargetKind::Kubernetes, "cluster-a", &groups(&["dev"]), 28_800);
    let (header, claims, expires) = token_for_cluster(&*target, &permit).await;
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
    assert_eq!(claims["aud"], "audience-of-cluster-a");
    assert_eq!(claims["groups"], json!(["scs:acme:dev"]));
    assert_eq!(claims["preferred_username"], "acme:alice");
    assert_eq!(claims["sub"], permit.identity().key());
    assert_eq!(
        (claims["iat"].clone(), claims["nbf"].clone()),
        (json!(NOW.0), json!(NOW.0 - 60))
    );
    assert_eq!(
        (claims["exp"].clone(), expires),
        (json!(NOW.0 + 600), NOW.0 + 600)
    );
    let target = cluster(&json!({ "algorithm": "ES256", "lifetime_s": 60 })).unwrap();
    let (header, claims, _) = token_for_cluster(&*target, &permit).await;
    assert_eq!(
        (&header["alg"], &claims["exp"]),
        (&json!("ES256"), &json!(NOW.0 + 60))
    );
}

#[tokio::test]
async fn a_cluster_token_that_no_proxy_would_pass_on_is_refused() {
    let target = cluster(&json!({})).unwrap();
    let many: Vec<String> = (0..150).map(|n| format!("{n}-{}", "g".repeat(60))).collect();
    let fault = target
        .mint(&permit(TargetKind::Kubernetes, "cluster-a", &many, 28_800))
        .await
        .unwrap_err();
    assert_eq!(fault.code, Code::TargetRefused);
    assert!(fault.detail.contains("150 groups"), "{fault}");
    // A permit for another cluster makes nothing here.
    let other = permit(TargetKind::Kubernetes, "cluster-b", &groups(&["dev"]), 28_800);
    assert!(target.mint(&other).await.is_err());
}

#[test]
fn bad_target_settings_stop_the_start() {
    for (change, told) in [
        (json!({ "server": "http://k8s.example" }), "https"),
        (json!({ "lifetime_s": 601 }), "lifetime_s"),
        (json!({ "audience": " " }), "audience"),
        (json!({ "prefix": "system:" }), "prefix"),
        (json!({ "lifetime": 5 }), "unknown field"),
    ] {
        let problem = cluster(&change).err().expect("refused");
        assert!(problem.contains(told), "{change}: {problem}");
    }
    let keystone = |change: Value| {
        let mut config = json!({ "kind": "keystone", "id": "os", "name": "OS", "audience": "os", "url": "http://127.0.0.1:5000" });
        for (key, value) in change.as_object().unwrap() {
            config[key] = value.clone();
        }
        serde_json::from_value::<Declared>(config).unwrap().problems()
    };
    assert!(keystone(json!({})).is_empty());
    for change in [
        json!({ "url": "http://127.0.0.1:5000/v3" }),
        json!({ "header_prefix": "OIDC_" }),
        json!({ "header_prefix": "-" }),
        json!({ "identity_provider": "a/b" }),
        json!({ "concurrency": 0 }),
    ] {
        assert_eq!(keystone(change.clone()).len(), 1, "{change}");
    }
}
