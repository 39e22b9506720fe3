//! Who is known at a gateway without any Keystone: let go by hand, and read again on SIGHUP.

use std::{
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use fedgate::{
    app::clock::SystemClock,
    config::{Config, secret::SecretSources},
    domain::identity::Identity,
    port::people::Known,
    store::{self, Opened},
};

use crate::parts::{
    gateway::keep,
    port::free_port,
    serving::{self, Serving},
};

const IDP: &str = "https://idp.beta.example";
const LIST: &str = r#"
- { upstream: corp, claims: { sub: "1", preferred_username: anna, groups: [developers, operators] } }
- { upstream: corp, claims: { sub: "2", preferred_username: ben, groups: [developers] } }
"#;

fn text(port: u16, mapping: &str, policy: &str) -> String {
    format!(
        r#"issuer: http://127.0.0.1:{port}
name: Cloud
listen: {{ address: "127.0.0.1:{port}" }}
secret_key: {{ file: secret.key }}
store: {{ records: {{ kind: sqlite, path: fedgate.db }} }}
tenants:
  - {{ id: beta, name: Beta, domains: [beta] }}
upstreams:
  - kind: oidc
    id: corp
    name: Corp
    tenant: beta
    issuer: {IDP}
    client_id: cloud
    client_secret: {{ file: program.secret }}
    mapping: {{ groups: [{mapping}] }}
people: {{ path: people.yaml }}
policy: {policy}
"#
    )
}

const ALL: &str = r#"{ rule: all, claim: groups, accept: ["*"] }"#;
const OTHERS: &str = r#"{ rule: others, claim: groups, accept: ["*"], group: "other-{value}" }"#;

struct World {
    folder: tempfile::TempDir,
    port: u16,
    opened: Opened,
    serving: Option<Serving>,
}

impl World {
    async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let path = |name: &str| folder.path().join(name);
        keep(&path("secret.key"), "0123456789-0123456789-0123456789-0123456789");
        keep(&path("program.secret"), "a-long-secret-of-a-program-0123456789");
        keep(&path("people.yaml"), LIST);
        keep(&path("fedgate.yaml"), &text(port, ALL, "{}"));
        let config = Config::load(&path("fedgate.yaml")).unwrap();
        let secrets = SecretSources::default();
        let opened = store::open(&config.store, &secrets, Arc::new(SystemClock));
        Self {
            opened: opened.await.unwrap(),
            folder,
            port,
            serving: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        serving::command(self.folder.path(), arguments)
    }

    fn serve(&mut self) {
        self.serving = Some(Serving::start(self.folder.path()));
    }

    fn hang_up(&self) {
        self.serving.as_ref().unwrap().hang_up();
    }

    fn log(&self) -> String {
        serving::log(self.folder.path())
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let ends = Instant::now() + Duration::from_secs(20);
        while !holds().await {
            assert!(Instant::now() < ends, "{what}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn person(&self, sub: &str) -> Option<Known> {
        let key = Identity::key_of(IDP, sub);
        self.opened.people.person(&key).await.unwrap()
    }

    async fn held(&self, sub: &str) -> Vec<String> {
        self.person(sub).await.map(|known| known.held).unwrap_or_default()
    }
}

/// Seen by a sign-in first, listed since, let go by an operator: the list is no newer word than the operator's.
#[tokio::test]
async fn who_is_let_go_by_hand_stays_so_though_they_were_listed_after_they_came() {
    let mut world = World::start().await;
    world.serve();
    world
        .until("anna is known", async || world.person("1").await.is_some())
        .await;
    world.serving = None;
    // As her sign-in has left her, before there was a list.
    let seen = Known {
        listed: false,
        ..world.person("1").await.unwrap()
    };
    world.opened.people.saw(&seen).await.unwrap();
    let done = world
        .command(&["offboard", "--user", "corp/anna"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(world.person("1").await.unwrap().gone.is_some());
    let list = format!("{LIST}- {{ upstream: corp, claims: {{ sub: \"3\", groups: [developers] }} }}\n");
    keep(&world.path("people.yaml"), &list);
    world.serve();
    world
        .until("a pass has been", async || world.person("3").await.is_some())
        .await;
    assert!(world.person("1").await.unwrap().gone.is_some(), "{}", world.log());
}

/// What policies were refused for is not taken for people either.
#[tokio::test]
async fn a_configuration_is_read_again_whole_or_not_at_all() {
    let mut world = World::start().await;
    world.serve();
    let both = ["developers", "operators"];
    world
        .until("anna is known", async || world.held("1").await == both)
        .await;
    std::fs::create_dir(world.path("policies")).unwrap();
    keep(
        &world.path("policies/access.rego"),
        "package federation.access\n\nbroken {",
    );
    keep(&world.path("fewer.yaml"), &LIST.replace(", operators", ""));
    let fewer = |policy: &str| {
        let text = text(world.port, OTHERS, policy);
        text.replace("people.yaml", "fewer.yaml")
    };
    keep(&world.path("fedgate.yaml"), &fewer("{ folder: policies }"));
    world.hang_up();
    world
        .until("it is refused", async || world.log().contains("was not taken"))
        .await;
    // A pass would come two seconds after the last one.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(world.held("1").await, both, "{}", world.log());
    keep(&world.path("fedgate.yaml"), &fewer("{}"));
    world.hang_up();
    world
        .until("she has lost a group, and the mapping is another", async || {
            world.held("1").await == ["other-developers"]
        })
        .await;
}
