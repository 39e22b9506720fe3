//! What operators do with the policies of a real gateway: impact, shadow, apply, roll back, read again. Alice
//! exchanges her session for the cluster's token meanwhile, and sees which policies decide.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::parts::{
    gateway::{Landscape, client},
    party::{authorize, redeem, token},
};

const ALICE: usize = 0;
const RULE: &str = "  - { rule: developers-on-cluster-a,";

struct Operator {
    landscape: Landscape,
    session: String,
    work: tempfile::TempDir,
}

impl Operator {
    async fn start() -> Self {
        let edit = |_: &str, text: String| text;
        let landscape = Landscape::start_with(&edit, &[]).await;
        let browser = landscape.browser();
        let chooser = browser.open(&authorize(&landscape, &[])).await;
        let stopped = landscape.sign_in(&browser, chooser, ALICE).await;
        let tokens = redeem(&landscape, &stopped).await;
        Self {
            session: tokens["access_token"].as_str().unwrap().to_owned(),
            landscape,
            work: tempfile::tempdir().unwrap(),
        }
    }

    fn config(&self) -> PathBuf {
        self.landscape.cloud.folder.join("fedgate.yaml")
    }

    /// `fedgate policy …` of the cloud: exit code, standard output, standard error.
    fn policy(&self, arguments: &[&str], running: bool) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate"));
        command
            .arg("policy")
            .args(arguments)
            .arg("--config")
            .arg(self.config());
        if running {
            command.arg("--ca").arg(&self.landscape.ca);
        }
        let done = command.env_clear().output().unwrap();
        (
            done.status.code(),
            String::from_utf8(done.stdout).unwrap(),
            String::from_utf8(done.stderr).unwrap(),
        )
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.policy(arguments, true);
        assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
        out
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.done(&["status", "--output", "json"])).unwrap()
    }

    /// A folder with the repository's access policy, changed.
    fn folder(&self, name: &str, change: impl FnOnce(String) -> String) -> String {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/federation/access.rego"));
        let folder = self.work.path().join(name);
        fs::create_dir_all(folder.join("federation")).unwrap();
        fs::write(folder.join("federation/access.rego"), change(text.unwrap())).unwrap();
        let revision = format!("{{\"revision\": \"{name}\"}}");
        fs::write(folder.join(".manifest"), revision).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    /// One that lets nobody into the cluster.
    fn closed(&self) -> String {
        self.folder("closed", |text| {
            let unmet = "unmet contains \"rule_found\" if {";
            assert!(text.contains(unmet));
            let closed = "unmet contains \"rule_found\" if input.request.target == \"cluster-a\"";
            text.replace(unmet, &format!("{closed}\n\n{unmet}"))
        })
    }

    /// Whether alice gets the cluster's token now.
    async fn enters(&self) -> bool {
        let (status, answer) = token(
            &self.landscape,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("client_id", "fedctl"),
                ("subject_token", &self.session),
                (
                    "subject_token_type",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
                ("audience", "k8s-cluster-a"),
            ],
        )
        .await;
        assert!(status == 200 || answer["error"].is_string(), "{status} {answer}");
        status == 200
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let ends = Instant::now() + Duration::from_secs(20);
        while !holds().await {
            assert!(Instant::now() < ends, "{what}: {}", self.landscape.cloud.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The events that the gateway has kept.
    async fn kept(&self) -> Vec<String> {
        use sqlx::{Connection as _, Row as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.landscape.cloud.folder.join("fedgate.db"))
            .read_only(true);
        let mut database = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let rows = sqlx::query("SELECT event FROM decisions ORDER BY number")
            .fetch_all(&mut database)
            .await;
        rows.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_weighed_watched_applied_and_taken_back() {
    let mut operator = Operator::start().await;
    assert!(operator.enters().await);
    let exchange = "federation/exchange/decision";
    operator
        .until("kept", async || {
            operator.kept().await.iter().any(|event| event.contains(exchange))
        })
        .await;
    no_secrets(&operator).await;
    let status = operator.status();
    assert_eq!(
        (status["source"].as_str(), status["previous"].as_str()),
        (Some("configuration"), None)
    );

    let closed = operator.closed();
    weighed(&operator, &closed);
    watched(&operator, &closed).await;
    refused(&operator).await;

    operator.done(&["apply", "--folder", &closed]);
    assert!(!operator.enters().await);
    let applied = operator.status();
    assert_eq!(
        (applied["source"].as_str(), applied["previous"].as_str()),
        (Some("closed"), Some("configuration"))
    );
    // A restart decides by what was applied.
    operator.landscape.cloud.kill();
    let client = client(&operator.landscape.ca);
    operator.landscape.cloud.start(&client).await;
    assert!(!operator.enters().await);
    assert_eq!(operator.status()["revision"], applied["revision"]);

    operator.done(&["rollback"]);
    assert!(operator.enters().await);
    assert_eq!(operator.status()["revision"], status["revision"]);
    operator.done(&["rollback"]);
    assert!(!operator.enters().await);
    operator.done(&["rollback"]);
    assert!(operator.enters().await);
    read_again(&operator).await;
}

/// The log holds who asked for what, and no token.
async fn no_secrets(operator: &Operator) {
    let kept = operator.kept().await.concat();
    assert!(
        kept.contains("\"username\":\"alice\"") || kept.contains("alice"),
        "{kept}"
    );
    assert!(
        !kept.contains("eyJ") && !kept.contains(&operator.session),
        "{kept}"
    );
}

fn weighed(operator: &Operator, closed: &str) {
    let (code, out, err) = operator.policy(
        &["impact", "--folder", closed, "--since", "1h", "--output", "json"],
        false,
    );
    assert_eq!(code, Some(3), "{out}{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let changes = report["changes"].as_array().unwrap();
    let at_cluster: Vec<&Value> = changes
        .iter()
        .filter(|change| change["target"] == "cluster-a")
        .collect();
    assert!(
        !at_cluster.is_empty() && at_cluster.len() == changes.len(),
        "{report}"
    );
    for change in at_cluster {
        assert_eq!(
            change["loses"],
            serde_json::json!([["group developers", "developers-on-cluster-a"]]),
            "{report}"
        );
        assert_eq!(change["reasons"], serde_json::json!(["no_matching_rule"]));
        assert_eq!(change["gains"], serde_json::json!([]));
    }
    let (code, out, _) = operator.policy(&["impact", "--folder", closed], false);
    assert_eq!(code, Some(3));
    assert!(
        out.contains("loses group developers, given now by developers-on-cluster-a"),
        "{out}"
    );
    let same = operator.folder("same", |text| text);
    let (code, out, err) = operator.policy(&["impact", "--folder", &same], false);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("nobody would gain or lose anything"), "{out}");
}

async fn watched(operator: &Operator, closed: &str) {
    operator.done(&["shadow", "--folder", closed]);
    assert!(operator.enters().await);
    let exchange = "federation/exchange/decision";
    operator
        .until("compared", async || {
            operator.status()["shadow"]["entries"][exchange]["different"] == 1
        })
        .await;
    let status = operator.status();
    let last = &status["shadow"]["last"][0];
    assert!(
        last["decision_id"].as_str().unwrap().starts_with("FG-"),
        "{status}"
    );
    assert_eq!(
        (&last["live"]["allow"], &last["candidate"]["allow"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let metrics = client(&operator.landscape.ca)
        .get(operator.landscape.cloud.at("/metrics"))
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    let line =
        format!("fedgate_policy_shadow_decisions_total{{entry=\"{exchange}\",outcome=\"different\"}} 1");
    assert!(metrics.contains(&line), "{metrics}");
    operator.done(&["shadow", "off"]);
    assert_eq!(operator.status()["shadow"], Value::Null);
}

/// Each with what is wrong and where; what decided decides on.
async fn refused(operator: &Operator) {
    let before = operator.status()["revision"].clone();
    let broken = operator.folder("broken", |text| format!("{text}\nallow if {{\n"));
    let open = operator.folder("open", |_| {
        "package federation.access\n\nimport rego.v1\n\ndecision := {\"allow\": true, \"reasons\": [], \"rule\": \"x\"}\n".to_owned()
    });
    let failing = operator.folder("failing", |text| text);
    fs::write(
        Path::new(&failing).join("federation/access_test.rego"),
        "package federation.access_test\n\nimport rego.v1\n\ntest_never if 1 == 2\n",
    )
    .unwrap();
    let fed = operator.folder("fed", |text| text);
    fs::write(Path::new(&fed).join("data.json"), "{\"fed\": {\"rules\": {}}}").unwrap();
    let random = operator.folder("random", |text| format!("{text}\nx := http.send({{}})\n"));
    for (folder, parts) in [
        (broken, ["federation/access.rego:", "error"]),
        (
            open,
            ["empty input is allowed", "refuses where facts are missing"],
        ),
        (failing, ["federation/access_test.rego:5", "did not pass"]),
        (fed, ["data.fed", "another name"]),
        (random, ["federation/access.rego:", "http.send"]),
    ] {
        let (code, out, err) = operator.policy(&["apply", "--folder", &folder], true);
        assert_eq!(code, Some(1), "{out}{err}");
        if !parts[1].is_empty() && parts[1] != "error" {
            assert!(err.contains(parts[1]), "{err}");
        }
        assert!(err.contains(parts[0]), "{err}");
    }
    let nothing = operator.work.path().join("nothing.tar.gz");
    fs::write(&nothing, b"nothing").unwrap();
    let (code, _, err) = operator.policy(&["apply", "--bundle", nothing.to_str().unwrap()], true);
    assert_eq!(code, Some(1));
    assert!(err.contains("archive read failed"), "{err}");
    assert_eq!(operator.status()["revision"], before);
    assert!(operator.enters().await);
    let kept = fs::read_dir(operator.landscape.cloud.folder.join("state/policies"));
    assert_eq!(
        kept.map_or(0, Iterator::count),
        0,
        "refused archives are not kept"
    );
}

/// SIGHUP takes rules and policies of the file into use, whole or not at all.
async fn read_again(operator: &Operator) {
    let before = fs::read_to_string(operator.config()).unwrap();
    let without: String = before
        .lines()
        .filter(|line| !line.starts_with(RULE))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(before, without);
    fs::write(operator.config(), &without).unwrap();
    operator.landscape.cloud.hang_up();
    operator
        .until("the rule is gone", async || !operator.enters().await)
        .await;
    fs::write(
        operator.config(),
        before.replace("target: cluster-a", "target: cluster-x"),
    )
    .unwrap();
    operator.landscape.cloud.hang_up();
    operator
        .until("the mistake is said", async || {
            let log = operator.landscape.cloud.log();
            log.contains("the configuration was not taken") && log.contains("cluster-x")
        })
        .await;
    assert!(!operator.enters().await);
    fs::write(operator.config(), &before).unwrap();
    operator.landscape.cloud.hang_up();
    operator
        .until("the rule is back", async || operator.enters().await)
        .await;
}
