//! Ours and the real OPA over REST: the same policies, data and inputs, one processor for the server and one for
//! the client, in turns. And the real OPA in process, by its own `opa bench`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use fedgate::rego::{How, Module, Options, Snapshot, Value as Document, Version};
use serde_json::{Value, json};

use crate::{
    credentials::Speed,
    decision::engine,
    opa_part,
    port::free_port,
    process::Server,
    report::{Limit, Report},
};

const TURNS: usize = 8;
/// Connections that ask at the same time.
const CONNECTIONS: &str = "8";

/// A policy with its data and inputs, in files that both servers read.
struct Case {
    name: &'static str,
    folder: tempfile::TempDir,
    /// Below `/v1/data`.
    path: &'static str,
    inputs: Vec<Value>,
    snapshot: Arc<Snapshot>,
}

/// The names and texts of a case's figures.
struct Words {
    ours: (&'static str, &'static str),
    theirs: (&'static str, &'static str),
    ratio: (&'static str, &'static str),
    latency: (&'static str, &'static str),
    in_process: (&'static str, &'static str),
}

pub fn run(report: &mut Report) {
    let Some(opa) = opa_part::binary() else {
        return;
    };
    let rbac = Words {
        ours: ("opa_rbac", "REST, roles of 1,000 users: fedgate policy serve"),
        theirs: ("opa_rbac_opa", "the same: opa run --server"),
        ratio: ("opa_rbac_ratio", "the first to the second"),
        latency: ("opa_rbac_p99", "p99 of the first to that of the second"),
        in_process: ("opa_rbac_in_process", "the same in process, to OPA in process"),
    };
    compare(report, &opa, &roles(), &rbac);
    let federation = Words {
        ours: (
            "opa_access",
            "REST, federation.access over 2,000 rules: fedgate policy serve",
        ),
        theirs: ("opa_access_opa", "the same: opa run --server"),
        ratio: ("opa_access_ratio", "the first to the second"),
        latency: ("opa_access_p99", "p99 of the first to that of the second"),
        in_process: ("opa_access_in_process", "the same in process, to OPA in process"),
    };
    compare(report, &opa, &access(), &federation);
}

/// The example of roles in OPA's documentation, with 1,000 users of 20 roles.
fn roles() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let policy = "package app.rbac\n\nimport rego.v1\n\ndefault allow := false\n\n\
        allow if \"admin\" in data.roles.of[input.user]\n\n\
        allow if {\n\tsome grant in grants\n\tinput.action == grant.action\n\tinput.type == grant.type\n}\n\n\
        grants contains grant if {\n\tsome role in data.roles.of[input.user]\n\
        \tsome grant in data.roles.grants[role]\n}\n";
    fs::write(folder.path().join("rbac.rego"), policy).unwrap();
    let of: serde_json::Map<String, Value> = (0..1_000)
        .map(|user| {
            let held = json!([format!("role{}", user % 20), format!("role{}", (user + 7) % 20)]);
            (format!("user{user}"), held)
        })
        .collect();
    let grants: serde_json::Map<String, Value> = (0..20)
        .map(|role| {
            let all = ["read", "write", "list"]
                .map(|action| json!({"action": action, "type": format!("kind{role}")}));
            (format!("role{role}"), json!(all))
        })
        .collect();
    let data = json!({ "roles": { "of": of, "grants": grants } });
    fs::write(folder.path().join("data.json"), data.to_string()).unwrap();
    let module = Module {
        id: "rbac.rego".into(),
        text: policy.into(),
        version: Version::V1,
    };
    let data = Document::from_json_str(&data.to_string()).unwrap();
    let snapshot = Snapshot::build(vec![Arc::new(module)], data, &Options::default()).unwrap();
    let inputs = (0..64)
        .map(|user| json!({"user": format!("user{user}"), "action": "write", "type": format!("kind{}", user % 30)}))
        .collect();
    Case {
        name: "rbac",
        folder,
        path: "app/rbac/allow",
        inputs,
        snapshot: Arc::new(snapshot),
    }
}

/// The gateway's own decision, as the engine holds it: modules and compiled data.
fn access() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = engine(2_000).rego();
    for (number, module) in snapshot.modules().iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.rego")), &module.text).unwrap();
    }
    let data = snapshot.data().to_json_str().unwrap();
    fs::write(folder.path().join("data.json"), data).unwrap();
    let inputs = (0..64)
        .map(|tenant| {
            let groups: Vec<Value> = (0..20)
                .map(|group| json!({"name": format!("g{group}"), "rule": "mapped"}))
                .collect();
            json!({
                "v": 1,
                "subject": {
                    "tenant": format!("t{tenant}"), "upstream": "people", "issuer": "https://idp.example",
                    "id": "5d41402abc4b2a76b9719d911017c592", "username": "anna", "groups": groups,
                    "extras": {}, "acr": null, "amr": [], "authenticated_at": 900, "client": false,
                },
                "context": {"time_s": 1_000, "client_ip": "192.0.2.1", "reference": "r"},
                "request": {"target": "openstack", "kind": "keystone", "client": null, "only": null},
            })
        })
        .collect();
    Case {
        name: "access",
        folder,
        path: "federation/access/decision",
        inputs,
        snapshot,
    }
}

fn compare(report: &mut Report, opa: &Path, case: &Case, words: &Words) {
    let scratch = tempfile::tempdir().unwrap();
    let script = scratch.path().join("ask.lua");
    fs::write(&script, lua(case)).unwrap();
    let (ours, theirs) = servers(opa, case, scratch.path());
    assert_eq!(
        answers(&ours, case),
        answers(&theirs, case),
        "{}: different answers",
        case.name
    );
    let (mut of_ours, mut of_theirs) = (Side::default(), Side::default());
    for server in [&ours, &theirs] {
        wrk(server, case, &script, "1s");
    }
    for _ in 0..TURNS {
        of_ours.turn(&ours, case, &script);
        of_theirs.turn(&theirs, case, &script);
    }
    let (we, they) = (of_ours.speed.per_second(), of_theirs.speed.per_second());
    report.add(words.ours, we, "per CPU-second", Limit::Told);
    report.add(words.theirs, they, "per CPU-second", Limit::Told);
    report.add(words.ratio, we / they, "", Limit::AtLeast(3.0));
    report.add(
        words.latency,
        of_ours.p99() / of_theirs.p99(),
        "",
        Limit::AtMost(1.0),
    );
    let ratio = their_nanos(opa, case, scratch.path()) / our_nanos(case);
    report.add(words.in_process, ratio, "", Limit::Told);
}

#[derive(Default)]
struct Side {
    speed: Speed,
    p99_ms: Vec<f64>,
}

impl Side {
    fn turn(&mut self, server: &Server, case: &Case, script: &Path) {
        let mut p99 = 0.0;
        self.speed.add(server, || {
            let (done, latency) = wrk(server, case, script, "2s");
            p99 = latency;
            done
        });
        self.p99_ms.push(p99);
    }

    /// Of the quietest turn: the machine is never idle.
    fn p99(&self) -> f64 {
        self.p99_ms.iter().copied().fold(f64::MAX, f64::min)
    }
}

/// Both on processor 0, one thread of work each.
fn servers(opa: &Path, case: &Case, scratch: &Path) -> (Server, Server) {
    let start = |program: &Path, flags: &[&str], log: &str| {
        let port = free_port();
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program).args(flags);
        command.args(["--addr", &format!("127.0.0.1:{port}"), "--log-level", "error"]);
        command
            .arg(case.folder.path())
            .env("GOMAXPROCS", "1")
            .env("RUST_BACKTRACE", "0");
        Server::start(command, (port, "/health"), scratch.join(log))
    };
    let fedgate = Path::new(env!("CARGO_BIN_EXE_fedgate"));
    (
        start(fedgate, &["policy", "serve", "--no-authorization"], "ours.log"),
        start(opa, &["run", "--server", "--disable-telemetry"], "theirs.log"),
    )
}

/// Asks with each input in turn.
fn lua(case: &Case) -> String {
    let bodies: Vec<String> = case
        .inputs
        .iter()
        .map(|input| format!("[==[{}]==]", json!({ "input": input })))
        .collect();
    format!(
        "local bodies = {{{}}}\nlocal turn = 0\nlocal headers = {{[\"Content-Type\"] = \"application/json\"}}\n\
         request = function()\n  turn = turn % #bodies + 1\n  \
         return wrk.format(\"POST\", nil, headers, bodies[turn])\nend\n\
         done = function(summary, latency)\n  io.write(string.format(\"DONE %d P99 %f\\n\", summary.requests, \
         latency:percentile(99) / 1000))\nend\n",
        bodies.join(",\n")
    )
}

/// Requests that were answered, and the p99 in milliseconds.
fn wrk(server: &Server, case: &Case, script: &Path, span: &str) -> (f64, f64) {
    let out = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", "-c", CONNECTIONS, "-d", span, "-s"])
        .arg(script)
        .arg(server.at(&format!("/v1/data/{}", case.path)))
        .stdin(Stdio::null())
        .output()
        .expect("wrk is missing: run tests/parts/system.sh bench");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && !text.contains("Non-2xx"), "{text}");
    let line = text.lines().find(|line| line.starts_with("DONE ")).expect(&text);
    let words: Vec<&str> = line.split_whitespace().collect();
    (words[1].parse().unwrap(), words[3].parse().unwrap())
}

/// What a server says to every input.
fn answers(server: &Server, case: &Case) -> Vec<Value> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = crate::walk::client();
        let mut all = Vec::new();
        for input in &case.inputs {
            let request = client
                .post(server.at(&format!("/v1/data/{}", case.path)))
                .json(&json!({ "input": input }));
            let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
            all.push(answer["result"].take());
        }
        all
    })
}

/// The median of one evaluation in this process.
fn our_nanos(case: &Case) -> f64 {
    let path: Vec<&str> = case.path.split('/').collect();
    let input = Document::from_json_str(&case.inputs[0].to_string()).unwrap();
    let mut times: Vec<u128> = (0..4_000)
        .map(|_| {
            let began = Instant::now();
            case.snapshot
                .evaluate(&path, Some(input.clone()), &How::default())
                .unwrap();
            began.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    f64::from(u32::try_from(times[times.len() / 2]).unwrap())
}

/// The median of one evaluation by `opa bench`, the best of three runs.
fn their_nanos(opa: &Path, case: &Case, scratch: &Path) -> f64 {
    let input = scratch.join("input.json");
    fs::write(&input, case.inputs[0].to_string()).unwrap();
    let out = Command::new(opa)
        .args(["bench", "--format", "json", "--count", "3", "--data"])
        .arg(case.folder.path())
        .arg("--input")
        .arg(&input)
        .arg(format!("data.{}", case.path.replace('/', ".")))
        .env("GOMAXPROCS", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .map(|run| {
            run.unwrap()["Extra"]["histogram_timer_rego_query_eval_ns_median"]
                .as_f64()
                .unwrap()
        })
        .fold(f64::MAX, f64::min)
}
