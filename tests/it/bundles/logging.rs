//! The decision log: masked by the live policies, sent in gzip, kept for replays, bounded.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fedgate::{
    config::secret::SecretSources,
    domain::time::Timestamp,
    policy::{
        Credentials, ServiceConfig,
        log::{DecisionLog, DecisionLogsConfig, ReportingConfig, Wiring},
    },
    port::{
        decisions::{Asked, Decision, DecisionRecords, Decisions as _, KeptDecision},
        records::RecordFault,
    },
    rego::{Options, Store, Version},
};
use serde_json::{Value, json};

use super::{keeping::Wall, server::Server};

const RULES: &str = r#"package system.log

mask contains "/input/person" if input.path == "shop/allow"
mask contains {"op": "upsert", "path": "/input/address", "value": "***"} if input.input.address
drop if input.input.boring
"#;

#[derive(Default)]
struct Kept(Mutex<Vec<KeptDecision>>);

#[async_trait]
impl DecisionRecords for Kept {
    async fn append(&self, decisions: &[KeptDecision]) -> Result<(), RecordFault> {
        self.0.lock().unwrap().extend_from_slice(decisions);
        Ok(())
    }
    async fn since(&self, _: Timestamp, _: i64, _: u32) -> Result<Vec<(i64, KeptDecision)>, RecordFault> {
        Ok(Vec::new())
    }
    async fn of(&self, _: &str) -> Result<Vec<KeptDecision>, RecordFault> {
        Ok(Vec::new())
    }
    async fn sweep(&self, _: Timestamp, _: u64) -> Result<u64, RecordFault> {
        Ok(0)
    }
}

fn decision(id: &str, input: Value) -> Decision {
    Decision {
        id: id.to_owned(),
        asked: Asked::Path("shop/allow".to_owned()),
        input: Some(input.to_string()),
        result: Some("true".to_owned()),
        error: None,
        requested_by: Some("127.0.0.1:1".to_owned()),
        at_ns: 1_800_000_000_000_000_000,
        revision: None,
        bundles: [("main".to_owned(), "r1".to_owned())].into(),
        metrics: std::collections::BTreeMap::new(),
    }
}

fn start(server: &Server, rules: &str, reporting: ReportingConfig) -> (DecisionLog, Arc<Kept>, Arc<Store>) {
    let store = Arc::new(Store::open(Options::default()).unwrap());
    store
        .change(|draft| draft.put_policy("log.rego", rules, Version::V1))
        .unwrap();
    let kept = Arc::new(Kept::default());
    let service = ServiceConfig {
        url: server.url(),
        ca: None,
        addresses: fedgate::outbound::Addresses::Loopback,
        headers: std::collections::BTreeMap::new(),
        response_header_timeout_seconds: 5,
        credentials: Credentials::default(),
    };
    let config = DecisionLogsConfig {
        service: Some("sink".to_owned()),
        reporting,
        ..DecisionLogsConfig::default()
    };
    let live = Arc::clone(&store);
    let secrets = SecretSources::default();
    let wiring = Wiring {
        services: &[("sink".to_owned(), service)].into(),
        secrets: &secrets,
        records: Some(kept.clone()),
        rules: vec![Arc::new(move || live.snapshot())],
        labels: [("id".to_owned(), "gate-1".to_owned())].into(),
        clock: Arc::new(Wall),
        also: None,
    };
    (DecisionLog::start(&config, wiring).unwrap(), kept, store)
}

fn quick() -> ReportingConfig {
    ReportingConfig {
        min_delay_seconds: 1,
        max_delay_seconds: 1,
        ..ReportingConfig::default()
    }
}

fn events(server: &Server) -> Vec<Value> {
    let logs = server.logs.lock().unwrap();
    logs.iter()
        .flat_map(|(headers, body)| {
            assert_eq!(headers["content-encoding"], "gzip");
            assert_eq!(headers["content-type"], "application/json");
            let mut text = String::new();
            flate2::read::GzDecoder::new(body.as_slice())
                .read_to_string(&mut text)
                .unwrap();
            serde_json::from_str::<Vec<Value>>(&text).unwrap()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn masked_sent_and_kept() {
    let server = Server::start().await;
    server.serve(|now| now.status = Some(500));
    let (log, kept, store) = start(&server, RULES, quick());
    assert!(log.listens());
    log.record(decision(
        "d1",
        json!({"person": "alice", "address": "x", "password": "hunter2", "n": 1}),
    ));
    log.record(decision("d2", json!({"boring": true})));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(events(&server).is_empty());
    // The sink is back: what waited is sent, in order, by the rules of when it was decided.
    server.serve(|now| now.status = None);
    store
        .change(|draft| draft.put_policy("log.rego", "package system.log\n", Version::V1))
        .unwrap();
    log.record(decision("d3", json!({"person": "bob"})));
    tokio::time::timeout(Duration::from_secs(20), log.close())
        .await
        .unwrap();
    let sent = events(&server);
    let ids: Vec<&str> = sent
        .iter()
        .map(|event| event["decision_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["d1", "d3"]);
    assert_eq!(
        sent[0],
        json!({
            "labels": {"id": "gate-1"},
            "decision_id": "d1",
            "bundles": {"main": {"revision": "r1"}},
            "path": "shop/allow",
            "input": {"address": "***", "n": 1},
            "result": true,
            "erased": ["/input/password", "/input/person"],
            "masked": ["/input/address"],
            "requested_by": "127.0.0.1:1",
            "timestamp": "2027-01-15T08:00:00Z",
        })
    );
    assert_eq!(sent[1]["input"]["person"], "bob");
    let kept = kept.0.lock().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(
        (kept[0].path.as_str(), kept[0].at),
        ("shop/allow", Timestamp(1_800_000_000))
    );
    assert_eq!(serde_json::from_str::<Value>(&kept[0].event).unwrap(), sent[0]);
    assert!(!kept[0].event.contains("hunter2"));
    log.record(decision("d4", json!({})));
    assert!(!log.listens());
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_keep_to_their_size() {
    let server = Server::start().await;
    let reporting = ReportingConfig {
        upload_size_limit_bytes: 2_048,
        ..quick()
    };
    let (log, _, _) = start(&server, RULES, reporting);
    for number in 0..300 {
        // Random enough that compression cannot hide the size.
        let mut noise = [0_u8; 48];
        aws_lc_rs::rand::fill(&mut noise).unwrap();
        log.record(decision(&format!("d{number}"), json!({"noise": noise.to_vec()})));
    }
    log.close().await;
    let sizes: Vec<usize> = server
        .logs
        .lock()
        .unwrap()
        .iter()
        .map(|(_, body)| body.len())
        .collect();
    assert!(
        sizes.len() > 10 && sizes.iter().all(|size| *size <= 2_048),
        "{sizes:?}"
    );
    let ids: Vec<String> = events(&server)
        .iter()
        .map(|event| event["decision_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        ids,
        (0..300).map(|number| format!("d{number}")).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_buffer_drops_the_newest_and_a_broken_mask_writes_nothing() {
    let server = Server::start().await;
    server.serve(|now| now.status = Some(500));
    let reporting = ReportingConfig {
        buffer_size_limit_events: 3,
        ..quick()
    };
    let (log, kept, store) = start(&server, RULES, reporting);
    for number in 0..9 {
        log.record(decision(&format!("d{number}"), json!({})));
    }
    let ends = tokio::time::Instant::now() + Duration::from_secs(10);
    while kept.0.lock().unwrap().len() < 9 {
        assert!(tokio::time::Instant::now() < ends);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let broken = "package system.log\n\nmask := 1 if input.decision_id\nmask := 2 if input.decision_id\n";
    store
        .change(|draft| draft.put_policy("log.rego", broken, Version::V1))
        .unwrap();
    log.record(decision("lost", json!({"person": "alice"})));
    server.serve(|now| now.status = None);
    log.close().await;
    let ids: Vec<String> = events(&server)
        .iter()
        .map(|event| event["decision_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["d0", "d1", "d2"]);
    assert_eq!(kept.0.lock().unwrap().len(), 9);
}
