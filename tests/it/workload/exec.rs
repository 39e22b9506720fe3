//! `fedctl openstack`: the stock client with a `clouds.yaml` without a secret, programs with a token of a project, and
//! what a person reads who may not.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::cloud::World;
use crate::parts::{fedctl::fedctl, gateway::Browser, home};

const ALICE: usize = 0;
const BOB: usize = 1;
/// A small openstacksdk script: which project it works in, by which Keystone, and whether that takes its token.
const SCRIPT: &str = "import openstack
c = openstack.connect()
keystone = c.endpoint_for('identity')
print(c.current_project_id, keystone, c.session.get(keystone + '/auth/projects').status_code)";

/// What a program said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `fedctl` as somebody whose session lies in a folder of its own.
async fn run_as(world: &World, who: &str, arguments: &[&str], more: &[(&str, &str)]) -> Said {
    let mut command = fedctl(&world.land, arguments);
    command
        .env("FEDCTL_CACHE", world.land.folder.path().join(who))
        // What a person may have set for another cloud.
        .env("OS_USERNAME", "somebody-else")
        .envs(more.iter().copied());
    let output = tokio::time::timeout(Duration::from_secs(90), command.output())
        .await
        .expect("it ends")
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn run(world: &World, arguments: &[&str]) -> Said {
    run_as(world, "alice", arguments, &[]).await
}

impl Said {
    fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    fn json(self) -> Value {
        let good = self.good();
        serde_json::from_str(&good.out).unwrap_or_else(|_| panic!("{}{}", good.out, good.err))
    }
}

/// `fedctl login --device`, confirmed in a browser.
async fn sign_in(world: &World, who: &str, person: usize) -> Browser {
    let mut command = fedctl(&world.land, &["login", "--device"]);
    command.env("FEDCTL_CACHE", world.land.folder.path().join(who));
    let mut login = command.spawn().unwrap();
    let browser = world.land.browser();
    confirm(world, &browser, &mut login, Some(person)).await;
    assert!(login.wait().await.unwrap().success());
    browser
}

/// Opens the link that a program prints on standard error, and allows what it asks.
async fn confirm(
    world: &World,
    browser: &Browser,
    program: &mut tokio::process::Child,
    person: Option<usize>,
) {
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let link = loop {
        let line = lines.next_line().await.unwrap().expect("a link with the code");
        if let Some(link) = line.split_whitespace().find(|word| word.contains("user_code=")) {
            break link.trim_end_matches('.').to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let mut question = browser.open(&link).await;
    if question.url.path() == "/login" {
        question = world.land.sign_in(browser, question, person.unwrap()).await;
    }
    let done = browser.submit(&question, &[("answer", "allow")]).await;
    assert_eq!(done.status, 200, "{}", done.html);
}

fn openstack() -> String {
    home().join("keystone/client/bin/openstack").display().to_string()
}

fn python() -> String {
    home().join("keystone/client/bin/python3").display().to_string()
}

pub async fn programs_run_in_a_project(world: &World) {
    let browser = sign_in(world, "alice", ALICE).await;
    clouds_yaml_holds_no_secret_and_works(world, &browser).await;
    programs_find_the_project(world).await;
    exit_codes_and_signals_go_through(world).await;
    what_may_not_be_is_explained(world).await;
    jobs_do_the_same(world).await;
    a_long_run_is_renewed(world).await;
    a_renewal_holds_nothing_up(world).await;
}

async fn clouds_yaml_holds_no_secret_and_works(world: &World, browser: &Browser) {
    let path = world.land.folder.path().join("clouds.yaml");
    let name = path.display().to_string();
    std::fs::write(
        &path,
        "cache: { expiration_time: 5 }\nclouds: { mine: { auth_type: none } }\n",
    )
    .unwrap();
    let at = ["openstack", "config", "--project", "webshop", "--domain", "acme"];
    run(world, &[&at[..], &["--write", &name]].concat()).await.good();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("mine") && text.contains("expiration_time"),
        "what was there stays: {text}"
    );
    for secret in ["token:", "password", "secret", "eyJ", "gAAA"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    // The stock client with that file alone.
    let mut stock = Command::new(openstack());
    stock
        .args(["--os-cloud", "openstack", "token", "issue", "-f", "json"])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", world.land.folder.path())
        .env("OS_CLIENT_CONFIG_FILE", &path)
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut stock = stock.spawn().unwrap();
    confirm(world, browser, &mut stock, None).await;
    let output = stock.wait_with_output().await.unwrap();
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(issued["project_id"].is_string(), "{issued}");
    // Without a project: one entry for each that Keystone knows of.
    let all = run(world, &["openstack", "config"]).await.good().out;
    for words in [
        "openstack-webshop:",
        "openstack-platform:",
        "project_domain_name: acme",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
}

async fn programs_find_the_project(world: &World) {
    let token: Value = run(
        world,
        &["openstack", "token", "--project", "webshop", "--output", "json"],
    )
    .await
    .json();
    let project = token["project_id"].as_str().unwrap();
    assert!(
        token["roles"].as_array().unwrap().contains(&"member".into()),
        "{token}"
    );
    assert!(world.takes(token["token"].as_str().unwrap()).await);
    let (stock, python) = (openstack(), python());
    let exec = ["openstack", "exec", "--project", "webshop", "--domain", "acme"];
    let issue = ["--", &stock, "token", "issue", "-f", "json"];
    let issued = run(world, &[&exec[..], &issue].concat()).await.json();
    assert_eq!(issued["project_id"], project);
    for yaml in [&[][..], &["--clouds-yaml"]] {
        let said = run(world, &[&exec[..], yaml, &["--", &python, "-c", SCRIPT]].concat()).await;
        let said = said.good().out;
        assert!(said.starts_with(project), "{said}");
        assert!(
            said.contains(&world.land.cloud.issuer) && said.trim_end().ends_with(" 200"),
            "not past the gateway: {said}"
        );
    }
    // The environment is this project's alone, and nothing is left behind.
    let run_time = world.land.folder.path().join("run");
    std::fs::create_dir_all(&run_time).unwrap();
    let show = "env | sort; stat -c '%a' \"$FEDCTL_TOKEN_FILE\" \"$(dirname \"$FEDCTL_TOKEN_FILE\")\"";
    let more = [("XDG_RUNTIME_DIR", run_time.to_str().unwrap())];
    let said = run_as(
        world,
        "alice",
        &[&exec[..], &["--", "sh", "-c", show]].concat(),
        &more,
    )
    .await;
    let said = said.good().out;
    assert!(
        !said.contains("OS_USERNAME") && said.contains("OS_TOKEN=gAAA"),
        "{said}"
    );
    assert!(
        said.contains("OS_CACERT=/") && said.contains("OS_REGION_NAME="),
        "{said}"
    );
    assert!(said.ends_with("600\n700\n"), "{said}");
    assert_eq!(std::fs::read_dir(&run_time).unwrap().count(), 0, "files are left");
}

async fn exit_codes_and_signals_go_through(world: &World) {
    let exec = [
        "openstack",
        "exec",
        "--project",
        "webshop",
        "--domain",
        "acme",
        "--",
    ];
    for (program, code) in [
        (&["sh", "-c", "exit 7"][..], 7),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["no-such-program"], 127),
        (&["/etc/passwd"], 126),
    ] {
        let said = run(world, &[&exec[..], program].concat()).await;
        assert_eq!(said.code, Some(code), "{program:?}: {}{}", said.out, said.err);
    }
    for (signal, code) in [("TERM", 9), ("INT", 10), ("USR1", 11)] {
        let trap = format!("trap 'exit {code}' {signal}; echo ready; while :; do sleep 0.05; done");
        let mut command = fedctl(&world.land, &[&exec[..], &["sh", "-c", &trap]].concat());
        command.env("FEDCTL_CACHE", world.land.folder.path().join("alice"));
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
        let id = child.id().unwrap().to_string();
        let told = Command::new("kill").args(["-s", signal, &id]).status().await;
        assert!(told.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
        assert_eq!(ended.expect("it ends").unwrap().code(), Some(code), "{signal}");
    }
}

async fn what_may_not_be_is_explained(world: &World) {
    let vault = [
        "openstack",
        "exec",
        "--project",
        "vault",
        "--domain",
        "acme",
        "--",
        "true",
    ];
    let said = run(world, &vault).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    for words in [
        "no access to project vault",
        "mfa_required",
        "sign in again with your second factor",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    let german = run(world, &[&["--language", "de"], &vault[..]].concat()).await;
    for words in [
        "keinen Zugang zum Projekt vault",
        "mfa_required",
        "mit zweitem Faktor neu an",
    ] {
        assert!(german.err.contains(words), "{words}: {}", german.err);
    }
    let json = run(world, &[&["--output", "json"], &vault[..]].concat()).await;
    let json: Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(
        (&json["code"], &json["reasons"][0]),
        (&"NO_ACCESS".into(), &"mfa_required".into()),
        "{json}"
    );

    sign_in(world, "bob", BOB).await;
    let needs = [
        "openstack",
        "exec",
        "--project",
        "webshop",
        "--role",
        "member",
        "--",
        "true",
    ];
    let english = run_as(world, "bob", &needs, &[]).await;
    assert_eq!(english.code, Some(1), "{}", english.err);
    let words =
        "project webshop: you hold reader, this needs member; granted by rule viewers-read (ROLE_DENIED)";
    assert!(english.err.contains(words), "{}", english.err);
    let german = run_as(world, "bob", &[&["--language", "de"], &needs[..]].concat(), &[]).await;
    let words = "Projekt webshop: Sie haben reader, nötig ist member; vergeben durch Regel viewers-read (ROLE_DENIED)";
    assert!(german.err.contains(words), "{}", german.err);
    // What does not exist, and what is somebody else's, look alike.
    for project in ["platform", "no-such-project"] {
        let ask = ["openstack", "token", "--project", project, "--domain", "acme"];
        let said = run_as(world, "bob", &ask, &[]).await;
        assert!(
            said.code == Some(1) && said.err.contains("nothing_granted"),
            "{}",
            said.err
        );
    }
}

fn written(world: &World, name: &str, text: &str) -> PathBuf {
    let path = world.land.folder.path().join(name);
    crate::parts::gateway::keep(&path, text);
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn jobs_do_the_same(world: &World) {
    let stock = openstack();
    let job = written(world, "job.token", &format!("{}\n", world.job("exec", |_| {})));
    let place = [
        "--project",
        "webshop",
        "--domain",
        "acme",
        "--subject-token-file",
        text(&job),
    ];
    let issue = ["--", &stock, "token", "issue", "-f", "json"];
    let issued = run_as(
        world,
        "nobody",
        &[&["openstack", "exec"], &place[..], &issue].concat(),
        &[],
    )
    .await;
    assert!(issued.json()["project_id"].is_string());
    assert!(
        !world.land.folder.path().join("nobody").exists(),
        "nothing is kept on a runner"
    );
    // A second time it is no proof any more; programs read why, and no token.
    let ask = [&["--output", "json", "openstack", "token"], &place[..]].concat();
    let said = run_as(world, "nobody", &ask, &[]).await;
    assert_eq!(said.code, Some(1));
    let problem: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(
        (&problem["code"], &problem["error"]),
        (&"TOKEN_REPLAYED".into(), &"invalid_request".into())
    );
    let branch = world.job("exec-2", |claims| claims["ref"] = "feature/x".into());
    let branch_file = written(world, "branch.token", &branch);
    let ask = [
        "token",
        "--audience",
        "openstack",
        "--subject-token-file",
        text(&branch_file),
    ];
    let said = run_as(world, "nobody", &ask, &[]).await;
    assert_eq!(said.code, Some(1));
    for words in [
        "CONDITION_FAILED",
        "ref=feature/x, allowed: main, release/*",
        "Reference: FG-",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!said.err.contains(&branch));
}

/// The rule gives six seconds: the file has another token before they are over, whatever signals come.
async fn a_long_run_is_renewed(world: &World) {
    let pod = written(world, "pod.token", &world.pod());
    let script = "trap : USR1; a=$(cat \"$FEDCTL_TOKEN_FILE\"); n=0; \
                  while [ $n -lt 16 ]; do kill -USR1 $PPID; sleep 0.5; n=$((n + 1)); done; b=$(cat \"$FEDCTL_TOKEN_FILE\"); \
                  grep -q \"$b\" \"$FEDCTL_CLOUDS_YAML\" || exit 3; [ \"$a\" != \"$b\" ] || exit 4; printf %s \"$b\"";
    let said = run_as(world, "nobody", &looking(&pod, script), &[]).await.good();
    assert!(said.out.starts_with("gAAA"), "{}", said.out);
}

/// The gateway hangs while the token is renewed: the program hears its signal, and its end is not held up for long.
async fn a_renewal_holds_nothing_up(world: &World) {
    let pod = written(world, "pod.token", &world.pod());
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = fedctl(&world.land, &looking(&pod, script)).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
    world.land.cloud.hold(true);
    // It is renewed after five seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let id = child.id().unwrap().to_string();
    let told = Command::new("kill").args(["-s", "TERM", &id]).status().await;
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    world.land.cloud.hold(false);
    assert!(told.unwrap().success());
    assert_eq!(ended.expect("it ends").unwrap().code(), Some(9));
}

/// `fedctl openstack exec` of a pod's token, whose rule gives six seconds.
fn looking<'a>(pod: &'a Path, script: &'a str) -> [&'a str; 12] {
    [
        "openstack",
        "exec",
        "--project",
        "platform",
        "--domain",
        "acme",
        "--subject-token-file",
        text(pod),
        "--",
        "sh",
        "-c",
        script,
    ]
}
