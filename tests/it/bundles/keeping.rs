//! Bundles from a server, a file and a folder: taken into use whole, kept, refused while the old one answers.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fedgate::{
    config::secret::SecretSources,
    domain::time::Timestamp,
    policy::{
        BearerConfig, Config, Credentials, ServiceConfig,
        bundles::{BundleConfig, BundleKeeper, KeyConfig, PollingConfig, Wiring, into_store, problems},
        rest::{DecisionsListener, Rest},
    },
    port::{bundles::Bundles as _, clock::Clock},
    rego::{How, Options, Store, Value},
};

use super::{
    opa::{packed, pair, run, write},
    server::Server,
};

pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ns() / 1_000_000_000)
    }
    fn now_ns(&self) -> i64 {
        i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
    }
}

/// An archive whose rule `data.ROOT.answer` gives a number.
fn archive(root: &str, revision: &str, answer: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    source(folder.path(), root, revision, answer);
    packed(folder.path())
}

fn source(folder: &Path, root: &str, revision: &str, answer: &str) {
    let manifest = format!(r#"{{"revision":"{revision}","roots":["{root}"]}}"#);
    let policy = format!("package {root}\n\nanswer := {answer}\n");
    write(
        folder,
        &[(".manifest", &manifest), (&format!("{root}/p.rego"), &policy)],
    );
}

fn service(server: &Server) -> ServiceConfig {
    ServiceConfig {
        url: server.url(),
        ca: None,
        addresses: fedgate::outbound::Addresses::Loopback,
        headers: [("x-cloud".to_owned(), "a".to_owned())].into(),
        response_header_timeout_seconds: 5,
        credentials: Credentials::default(),
    }
}

fn config(server: &Server, directory: Option<&Path>) -> Config {
    let main = BundleConfig {
        service: Some("control".to_owned()),
        persist: directory.is_some(),
        polling: PollingConfig {
            min_delay_seconds: 1,
            max_delay_seconds: 1,
            long_polling_timeout_seconds: None,
        },
        ..BundleConfig::default()
    };
    Config {
        services: [("control".to_owned(), service(server))].into(),
        bundles: [("main".to_owned(), main)].into(),
        persistence_directory: directory.map(Path::to_path_buf),
        rest: asked(),
        ..Config::default()
    }
}

/// A door where the bundles' policies are asked.
fn asked() -> Rest {
    Rest {
        decisions: Some(DecisionsListener {
            address: ([127, 0, 0, 1], 0).into(),
            tls: None,
        }),
        ..Rest::default()
    }
}

struct Running {
    store: Arc<Store>,
    keeper: BundleKeeper,
}

fn start(config: &Config) -> Running {
    assert_eq!(problems(config), []);
    let store = Arc::new(Store::open(Options::default()).unwrap());
    let secrets = SecretSources::default();
    let wiring = Wiring {
        secrets: &secrets,
        activate: into_store(Arc::clone(&store)),
        clock: Arc::new(Wall),
    };
    let keeper = BundleKeeper::start(config, &wiring).unwrap();
    Running { store, keeper }
}

impl Running {
    fn answer(&self, root: &str) -> Option<Value> {
        let snapshot = self.store.snapshot();
        snapshot
            .evaluate(&[root, "answer"], None, &How::default())
            .unwrap()
            .value
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let ends = tokio::time::Instant::now() + Duration::from_secs(20);
        while !holds(self) {
            assert!(
                tokio::time::Instant::now() < ends,
                "{what}: {:?}",
                self.keeper.status()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn message(&self) -> String {
        self.keeper.status()["main"].message.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_etag_of_what_is_in_use_is_what_is_asked_with() {
    let server = Server::start().await;
    server.serve(|now| {
        now.archive = archive("shop", "r1", "1");
        now.etag = "\"e1\"".to_owned();
    });
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "s3cret-token\n").unwrap();
    run_chmod(&token);
    let mut config = config(&server, None);
    let bearer = BearerConfig {
        token: fedgate::domain::secret::SecretRef::File(token),
        scheme: "Bearer".to_owned(),
    };
    config.services.get_mut("control").unwrap().credentials.bearer = Some(bearer);
    let running = start(&config);
    running
        .until("r1", |it| it.answer("shop") == Some(Value::from(1)))
        .await;
    running.until("status", |it| it.keeper.activated()).await;
    let status = running.keeper.status()["main"].clone();
    assert_eq!(
        (status.active_revision.as_str(), status.kind.as_str()),
        ("r1", "snapshot")
    );
    assert!(status.size > 0 && status.metrics.contains_key("timer_bundle_request_ns"));
    running
        .until("304", |_| server.last("if-none-match").is_some())
        .await;
    assert_eq!(server.last("if-none-match").unwrap(), "\"e1\"");
    assert_eq!(server.last("authorization").unwrap(), "Bearer s3cret-token");
    assert_eq!(server.last("x-cloud").unwrap(), "a");
    // A bundle that is refused: what was in use answers, and its name is still what is asked with.
    server.serve(|now| {
        now.archive = archive("shop", "r2", "1 +");
        now.etag = "\"e2\"".to_owned();
    });
    running.until("refused", |it| !it.message().is_empty()).await;
    let status = running.keeper.status()["main"].clone();
    assert_eq!(status.code, "bundle_error");
    assert_eq!(status.message, "error(s) occurred while compiling module(s)");
    assert!(
        status.errors[0]["location"]["row"].as_u64().is_some(),
        "{:?}",
        status.errors
    );
    assert_eq!(
        (status.active_revision.as_str(), running.answer("shop")),
        ("r1", Some(Value::from(1)))
    );
    let before = server.requests();
    running.until("again", |_| server.requests() > before).await;
    assert_eq!(server.last("if-none-match").unwrap(), "\"e1\"");
    server.serve(|now| {
        now.archive = archive("shop", "r3", "3");
        now.etag = "\"e3\"".to_owned();
    });
    running
        .until("r3", |it| it.answer("shop") == Some(Value::from(3)))
        .await;
    running.until("mended", |it| it.message().is_empty()).await;
}

#[cfg(unix)]
fn run_chmod(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_holds_the_request_is_heard_at_once() {
    let server = Server::start().await;
    server.serve(|now| {
        now.archive = archive("shop", "r1", "1");
        now.etag = "e1".to_owned();
        now.holds = true;
    });
    let mut config = config(&server, None);
    config.bundles.get_mut("main").unwrap().polling = PollingConfig {
        min_delay_seconds: 3000,
        max_delay_seconds: 3000,
        long_polling_timeout_seconds: Some(30),
    };
    let running = start(&config);
    running
        .until("r1", |it| it.answer("shop") == Some(Value::from(1)))
        .await;
    running.until("held", |_| server.requests() == 2).await;
    assert_eq!(server.last("prefer").unwrap(), "modes=snapshot;wait=30");
    server.serve(|now| {
        now.archive = archive("shop", "r2", "2");
        now.etag = "e2".to_owned();
    });
    running
        .until("r2", |it| it.answer("shop") == Some(Value::from(2)))
        .await;
    assert!(server.requests() <= 3, "{}", server.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_bundle_is_used_while_the_server_is_away() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    server.serve(|now| {
        now.archive = archive("shop", "r1", "1");
        now.etag = "e1".to_owned();
    });
    let config = config(&server, Some(folder.path()));
    let running = start(&config);
    running
        .until("kept", |_| folder.path().join("bundles/main.tar.gz").exists())
        .await;
    drop(running);
    server.serve(|now| now.status = Some(503));
    let running = start(&config);
    // Before anything was fetched.
    assert_eq!(running.answer("shop"), Some(Value::from(1)));
    assert!(running.keeper.activated());
    running
        .until("outage", |it| it.keeper.status()["main"].http_code == Some(503))
        .await;
    assert_eq!(running.keeper.status()["main"].active_revision, "r1");
    // It comes back, with something newer.
    let newer = archive("shop", "r2", "2");
    server.serve(|now| {
        now.status = None;
        now.archive = newer.clone();
        now.etag = "e2".to_owned();
    });
    running
        .until("r2", |it| it.answer("shop") == Some(Value::from(2)))
        .await;
    let kept = folder.path().join("bundles/main.tar.gz");
    running
        .until("the newer is kept", |_| fs::read(&kept).unwrap() == newer)
        .await;
    drop(running);
    // What somebody wrote over it on the disk is checked like anything else.
    running_with_broken_disk(&server, &config, folder.path()).await;
}

async fn running_with_broken_disk(server: &Server, config: &Config, folder: &Path) {
    server.serve(|now| now.status = Some(503));
    fs::write(folder.join("bundles/main.tar.gz"), b"broken").unwrap();
    let running = start(config);
    assert_eq!(
        (running.answer("shop"), running.keeper.activated()),
        (None, false)
    );
    server.serve(|now| now.status = None);
    running
        .until("from the server", |it| it.answer("shop") == Some(Value::from(2)))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_folders_and_several_roots() {
    let folder = tempfile::tempdir().unwrap();
    let (file, tree) = (folder.path().join("one.tar.gz"), folder.path().join("two"));
    fs::write(&file, archive("one", "f1", "1")).unwrap();
    source(&tree, "two", "d1", "2");
    let url = |path: &Path| Some(url::Url::from_file_path(path).unwrap().to_string());
    let bundle = |resource| BundleConfig {
        resource,
        ..BundleConfig::default()
    };
    let mut config = Config {
        bundles: [
            ("file".to_owned(), bundle(url(&file))),
            ("main".to_owned(), bundle(url(&tree))),
        ]
        .into(),
        rest: asked(),
        ..Config::default()
    };
    let running = start(&config);
    running.until("both", |it| it.keeper.activated()).await;
    assert_eq!(running.answer("one"), Some(Value::from(1)));
    assert_eq!(running.answer("two"), Some(Value::from(2)));
    source(&tree, "two", "d2", "22");
    running
        .until("edited", |it| it.answer("two") == Some(Value::from(22)))
        .await;
    running
        .until("d2", |it| it.keeper.status()["main"].active_revision == "d2")
        .await;
    drop(running);
    // Roots that overlap: whoever comes second is refused.
    source(&tree, "one", "d3", "3");
    fs::remove_dir_all(tree.join("two")).unwrap();
    config.bundles.retain(|_, _| true);
    let running = start(&config);
    running
        .until("overlap", |it| {
            it.keeper
                .status()
                .values()
                .any(|state| state.message.contains("overlapping roots"))
        })
        .await;
    assert!(running.answer("one").is_some());
}

/// The issue's list: the live policy keeps answering, and nothing of the old state is lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_taken() {
    let server = Server::start().await;
    server.serve(|now| {
        now.archive = archive("shop", "r1", "1");
        now.etag = "e0".to_owned();
    });
    let mut config = config(&server, None);
    // Back-off after failures is short, so that one store meets all of them.
    config.bundles.get_mut("main").unwrap().polling.max_delay_seconds = 1;
    let running = start(&config);
    running
        .until("r1", |it| it.answer("shop") == Some(Value::from(1)))
        .await;
    let outside = {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            &[
                (".manifest", r#"{"roots":["shop"]}"#),
                ("other/data.json", "{\"x\":1}"),
            ],
        );
        packed(folder.path())
    };
    let conflict = {
        let folder = tempfile::tempdir().unwrap();
        source(folder.path(), "shop", "r9", "9");
        write(folder.path(), &[("shop/data.json", "{\"answer\":1}")]);
        packed(folder.path())
    };
    let half = {
        let whole = archive("shop", "r2", "2");
        whole[..whole.len() / 2].to_vec()
    };
    let bomb = {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("data.json"), vec![b' '; 100 << 20]).unwrap();
        packed(folder.path())
    };
    let hundred = {
        // Random, so that it cannot be small: larger than the bundle may be.
        let mut bytes = vec![0_u8; 100 << 20];
        aws_lc_rs::rand::fill(&mut bytes).unwrap();
        bytes
    };
    let deep = {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        write(folder.path(), &[("data.json", &text)]);
        packed(folder.path())
    };
    for (number, (what, archive, part)) in [
        ("half an archive", half, "archive read failed"),
        ("a web page", b"<html></html>".to_vec(), "archive read failed"),
        ("outside its roots", outside, "do not permit data at path '/other"),
        ("data over a rule", conflict, "compiling module"),
        ("a bomb", bomb, "exceeds"),
        ("100 MB", hundred, "larger than"),
        ("deep JSON", deep, "recursion"),
    ]
    .into_iter()
    .enumerate()
    {
        server.serve(|now| {
            now.archive = archive;
            now.etag = format!("bad{number}");
        });
        running.until(what, |it| it.message().contains(part)).await;
        assert_eq!(running.answer("shop"), Some(Value::from(1)), "{what}");
        assert_eq!(running.keeper.status()["main"].active_revision, "r1", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_by_opa_and_by_nobody_else() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    source(&folder.path().join("src"), "shop", "signed", "7");
    let (private, public) = pair("ES256");
    write(
        folder.path(),
        &[("key.pem", &private), ("claims.json", r#"{"keyid":"release"}"#)],
    );
    run(
        &binary,
        folder.path(),
        &[
            "build",
            "-b",
            "src",
            "--signing-key",
            "key.pem",
            "--signing-alg",
            "ES256",
            "--claims-file",
            "claims.json",
        ],
    );
    let signed = fs::read(folder.path().join("bundle.tar.gz")).unwrap();
    let server = Server::start().await;
    server.serve(|now| {
        now.archive = archive("shop", "unsigned", "0");
        now.etag = "e1".to_owned();
    });
    let mut config = config(&server, None);
    let key = KeyConfig {
        key: Some(public),
        algorithm: Some("ES256".to_owned()),
        ..KeyConfig::default()
    };
    config.keys.insert("release".to_owned(), key);
    let running = start(&config);
    running
        .until("unsigned", |it| it.message().contains("missing .signatures.json"))
        .await;
    assert_eq!(running.answer("shop"), None);
    server.serve(|now| {
        now.archive = signed;
        now.etag = "e2".to_owned();
    });
    running
        .until("signed", |it| it.answer("shop") == Some(Value::from(7)))
        .await;
}

#[test]
fn settings_that_contradict_themselves() {
    let nobody = BundleConfig {
        persist: true,
        polling: PollingConfig {
            min_delay_seconds: 9,
            max_delay_seconds: 1,
            long_polling_timeout_seconds: None,
        },
        signing: Some(fedgate::policy::bundles::SigningConfig {
            keyid: Some("k".into()),
            ..Default::default()
        }),
        ..BundleConfig::default()
    };
    let mut config = Config {
        bundles: [("../x".to_owned(), nobody)].into(),
        ..Config::default()
    };
    config.decision_logs.service = Some("nope".to_owned());
    let said: Vec<String> = problems(&config).iter().map(ToString::to_string).collect();
    for part in [
        "no door",
        "no service",
        "no name of a bundle",
        "max_delay_seconds",
        "persistence_directory",
        "key id k",
        "'nope'",
    ] {
        assert!(said.iter().any(|line| line.contains(part)), "{part}: {said:?}");
    }
}
