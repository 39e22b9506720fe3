//! Where the gateway goes for a provider, over TLS, and where it does not.

use std::time::Duration;

use fedgate::{
    domain::fault::Code,
    outbound::{Addresses, Config, Outbound, OutboundFault},
    port::upstream::Health,
};
use serde_json::json;

use super::{
    ask,
    forger::{Forger, Reply, metadata},
    upstream,
};
use crate::parts::wiring::TestClock;

async fn down_for(document: Reply, reason: &str) {
    let forger = Forger::start().await;
    forger.says(|desk| &desk.discovery, document);
    let upstream = forger.open(&TestClock::new(), &json!({}));
    let fault = upstream.ways().browser.unwrap().begin(&ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown, "{reason}: {fault}");
    let health = upstream.health();
    assert!(
        matches!(&health, Health::Down { reason: told } if told.contains(reason)),
        "{reason}: {health:?}"
    );
}

#[tokio::test]
async fn a_discovery_document_of_another_kind_is_not_used() {
    down_for(Reply::Json(metadata("https://evil.example")), "another issuer").await;
    down_for(Reply::Json(json!({ "issuer": "x" })), "authorization_endpoint").await;
    down_for(
        Reply::Text(200, "text/html", "<html>".into()),
        "without the expected JSON",
    )
    .await;
    down_for(Reply::Text(404, "application/json", "{}".into()), "answered 404").await;
    down_for(Reply::Endless, "larger than").await;
    down_for(Reply::Redirect("http://169.254.169.254/".into()), "answered 307").await;
}

#[tokio::test]
async fn endpoints_without_tls_are_not_used() {
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
    ] {
        for scheme in ["http://localhost:1/x", "javascript:alert(1)"] {
            let forger = Forger::start().await;
            let mut document = metadata(&forger.issuer);
            document[name] = json!(scheme);
            forger.says(|desk| &desk.discovery, Reply::Json(document));
            let upstream = forger.open(&TestClock::new(), &json!({}));
            let begun = upstream.ways().browser.unwrap().begin(&ask()).await;
            let fault = begun.expect_err(name);
            assert_eq!(fault.code, Code::UpstreamDown, "{name}");
            assert!(fault.detail.contains("without https"), "{name}: {fault}");
        }
    }
}

#[tokio::test]
async fn this_machine_is_called_only_where_the_configuration_says_so() {
    for addresses in ["public", "private"] {
        let forger = Forger::start().await;
        let number = forger.issuer.replace("localhost", "127.0.0.1");
        for (issuer, reason) in [
            (&forger.issuer, "no address that this gateway may call"),
            (&number, "not an address this gateway may call"),
        ] {
            let more = json!({ "ca": &forger.ca, "addresses": addresses });
            let upstream = upstream(&TestClock::new(), issuer, &more);
            let begun = upstream.ways().browser.unwrap().begin(&ask()).await;
            let fault = begun.unwrap_err();
            assert_eq!(fault.code, Code::UpstreamDown, "{addresses}");
            assert!(fault.detail.contains(reason), "{addresses}: {fault}");
        }
    }
}

#[tokio::test]
async fn a_far_side_that_falls_silent_is_left_in_time() {
    let forger = Forger::start().await;
    forger.says(|desk| &desk.discovery, Reply::Stuck);
    let outbound = Outbound::open(&Config {
        ca: Some(forger.ca.clone()),
        addresses: Addresses::Loopback,
        timeout_s: 1,
        ..Config::default()
    })
    .unwrap();
    let url = format!("{}/.well-known/openid-configuration", forger.issuer);
    let url = url::Url::parse(&url).unwrap();
    let outcome = tokio::time::timeout(Duration::from_secs(20), outbound.get_json(&url)).await;
    let fault = outcome.expect("an end within 20 s").unwrap_err();
    assert!(matches!(fault, OutboundFault::NoAnswer(..)), "{fault:?}");
}

#[test]
fn a_ca_file_that_holds_no_certificate_is_refused_at_open() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("empty.pem", ""), ("text.pem", "no certificate at all")] {
        let ca = folder.path().join(name);
        std::fs::write(&ca, content).unwrap();
        let opened = Outbound::open(&Config {
            ca: Some(ca),
            ..Config::default()
        });
        let fault = opened.map(drop).unwrap_err();
        assert!(
            matches!(&fault, OutboundFault::Ca(text) if text.contains(name)),
            "{fault:?}"
        );
    }
}
