//! What `make demo-openstack` tells to do, with its real Keystone and the stock client: sign in, a token for a project,
//! what is in step, and somebody let go and taken back.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use crate::{
    demo::{Demo, Ports},
    parts::{gateway::Browser, home, plain_client, port::free_port},
};

struct World {
    folder: tempfile::TempDir,
    ports: Ports,
    keystone: u16,
    _demo: Demo,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ports, keystone) = (Ports::free(), free_port());
        let more = ["--openstack", "--keystone-port", &keystone.to_string()];
        let mut demo = Demo::start_with(folder.path(), ports, &more);
        demo.up_to("4/4  ready");
        Self {
            folder,
            ports,
            keystone,
            _demo: demo,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issuer(&self) -> String {
        format!("https://localhost:{}", self.ports.cloud)
    }

    /// As a person at a terminal who has read `target/demo/env`.
    fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("FEDGATE_ISSUER", self.issuer())
            .env("FEDGATE_CA", self.path("tls/ca.pem"))
            .env("FEDGATE_CONFIG", self.path("cloud-a/fedgate.yaml"))
            .env("FEDCTL_CACHE", self.path("cache"))
            .env("OS_AUTH_URL", format!("{}/v3", self.issuer()))
            .env("OS_IDENTITY_API_VERSION", "3")
            .env("OS_CACERT", self.path("tls/ca.pem"))
            .env("OS_IDENTITY_PROVIDER", "fedgate")
            .env("OS_PROTOCOL", "openid")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn said(&self, program: &Path, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// `fedctl login --device`, confirmed in a browser that signs in as alice; false where she is refused.
    async fn log_in(&self) -> bool {
        let mut login = Command::new(env!("CARGO_BIN_EXE_fedctl"))
            .args(["login", "--device"])
            .env("FEDGATE_ISSUER", self.issuer())
            .env("FEDGATE_CA", self.path("tls/ca.pem"))
            .env("FEDCTL_CACHE", self.path("cache"))
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(self.path("login")).unwrap())
            .spawn()
            .unwrap();
        let ends = Instant::now() + Duration::from_secs(30);
        let link = loop {
            let text = std::fs::read_to_string(self.path("login")).unwrap();
            let link = text.split_whitespace().find(|word| word.contains("user_code="));
            if let Some(link) = link {
                break link.to_owned();
            }
            assert!(Instant::now() < ends, "no link: {text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let browser = Browser::of(&self.path("tls/ca.pem"));
        let chooser = browser.open(&link).await;
        let form = browser.submit(&chooser, &[("organisation", "acme")]).await;
        let password = std::fs::read_to_string(self.path("alice.password")).unwrap();
        let typed = [("username", "alice"), ("password", password.trim())];
        let page = browser.submit(&form, &typed).await;
        if page.status != 200 {
            let _gone = login.kill();
            let _ended = login.wait();
            return false;
        }
        browser.submit(&page, &[("answer", "allow")]).await;
        login.wait().unwrap().success()
    }

    fn scoped(&self) -> Output {
        let fedctl = Path::new(env!("CARGO_BIN_EXE_fedctl"));
        let bearer = self.said(fedctl, &["token", "--audience", "openstack"]);
        let client = home().join("keystone/client/bin/openstack");
        let arguments = [
            "--os-auth-type",
            "v3oidcaccesstoken",
            "--os-access-token",
            &bearer,
            "--os-project-name",
            "webshop",
            "--os-project-domain-name",
            "acme",
            "token",
            "issue",
            "-f",
            "value",
            "-c",
            "id",
        ];
        self.run(&client, &arguments)
    }

    /// Whether Keystone itself takes a token.
    async fn takes(&self, token: &str) -> bool {
        let answer = plain_client()
            .get(format!("http://127.0.0.1:{}/v3/auth/tokens", self.keystone))
            .header("x-auth-token", token)
            .header("x-subject-token", token)
            .send()
            .await
            .unwrap();
        answer.status() == StatusCode::OK
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_let_go_and_taken_back() {
    let world = World::start();
    let fedgate = Path::new(env!("CARGO_BIN_EXE_fedgate"));
    assert!(world.log_in().await);
    let issued = world.scoped();
    assert!(
        issued.status.success(),
        "{}",
        String::from_utf8_lossy(&issued.stderr)
    );
    let token = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
    assert!(world.takes(&token).await);
    let status = world.said(fedgate, &["keystone", "status"]);
    assert!(status.contains("openstack"), "{status}");

    let report = world.said(fedgate, &["offboard", "--user", "acme/alice"]);
    for gone in ["let go", "sessions", "role member on acme/webshop"] {
        assert!(report.contains(gone), "{gone}: {report}");
    }
    assert!(!world.takes(&token).await, "Keystone itself refuses it");
    assert!(!world.log_in().await, "she cannot come again");

    world.said(fedgate, &["offboard", "--user", "acme/alice", "--back"]);
    assert!(world.log_in().await);
    assert!(world.scoped().status.success());
}
