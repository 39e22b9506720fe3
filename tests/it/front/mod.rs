//! Front mode as people and command lines meet it: real gateways, a real Keystone under uWSGI's own protocol, a real
//! Horizon in a real browser, and the stock clients.

mod clients;
mod dashboard;
mod faults;
mod sign_in;
mod wiring;

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::parts::{
    gateway::{Browser, Landscape, Page, keep},
    horizon::Horizon,
    keystone::{Keystone, Wish},
    port::free_port,
};

/// A cloud with everything.
struct Cloud {
    land: Landscape,
    /// None while it is down.
    keystone: Option<Keystone>,
    /// Keystone's own address, for looking past the gateway.
    straight: String,
    /// Where Horizon listens, or would.
    horizon: u16,
    /// Where a command line waits for the browser.
    line: u16,
    socket: PathBuf,
    state: PathBuf,
    _folder: tempfile::TempDir,
}

/// A client with a secret that knows no PKCE, as the plugins `v3oidcauthcode` and `v3oidcclientcredentials` want it,
/// and one that takes the passwords of the cloud's own staff (`v3oidcpassword`).
const CLIENTS: &str = "  - id: robot
    name: A program
    auth: { method: secret, secret: { file: ../demo-app.secret } }
    grants: [authorization_code, client_credentials]
    redirect_uris: [\"http://127.0.0.1/callback\"]
    audiences: [openstack]
    tenant: acme
    pkce_optional: true
  - id: old-script
    name: An old script
    auth: { method: secret, secret: { file: ../demo-app.secret } }
    grants: [password]
    audiences: [openstack]
    tenant: cloud-a
";

/// Who may do what beside the demonstration's rules.
const ACCESS: &str =
    "  - { rule: operators-sign-in, tenant: acme, group: operators, target: gateway, session: true }
  - rule: the-robot-builds
    tenant: acme
    group: client:robot
    target: openstack
    projects: [{ domain: acme, project: webshop, roles: [member] }]
  - rule: staff-looks
    tenant: cloud-a
    group: \"*\"
    target: openstack
    projects: [{ domain: operations, project: watch, roles: [reader] }]
  - { rule: accountants-sign-in, tenant: acme, group: accounting, target: gateway, session: true }
  - rule: accountants-look-for-a-moment
    tenant: acme
    group: accounting
    target: openstack
    lifetime_s: 6
    projects: [{ domain: acme, project: webshop, roles: [reader] }]
";

/// What acme tells of carol.
const TOLD: &str = "\naccess:
  - { rule: tell-accountants, tenant: acme, group: cloud-accounting, target: cloud-a, groups: [cloud-accounting] }
";

impl Cloud {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (socket, state) = (
            folder.path().join("keystone.sock"),
            folder.path().join("keystone"),
        );
        let horizon = free_port();
        let origin = format!("{}/auth/websso/", Horizon::url(horizon));
        let back = format!("{}/auth/login/", Horizon::url(horizon));
        let line = free_port();
        let line_origin = format!("http://localhost:{line}/auth/websso/");
        let target = format!(
            "url: uwsgi://{}\n    timeout_s: 60\n    dashboards:\n      - {{ name: Horizon, origin: \"{origin}\", logout_returns: [\"{back}\"] }}\n      \
             - {{ name: A command line, origin: \"{line_origin}\" }}",
            socket.display()
        );
        let land = Landscape::start_with(
            &|name: &str, text: String| {
                match name {
            "cloud-a" => text
                .replace("url: http://127.0.0.1:8435", &target)
                .replace(
                    "name: Cloud A, aliases",
                    "name: Cloud A, domains: [operations], aliases",
                )
                .replace("\naccess:\n", &format!("{CLIENTS}\naccess:\n{ACCESS}"))
                // Bob may sign in, and has no project.
                .replace(
                    "target: openstack\n    projects: [{ domain: acme, project: webshop, roles: [reader] }]",
                    "target: cluster-a\n    groups: [viewers]",
                ),
            "acme" => text
                .replace("groups: [accounting]", "groups: [cloud-accounting]")
                .replace("\naccess:\n", TOLD),
            _ => text,
        }
            },
            &[],
        )
        .await;
        let wish = Wish {
            socket: Some(&socket),
            dashboards: &format!("{origin} {line_origin}"),
            dir: Some(&state),
            ..Wish::default()
        };
        let keystone = Keystone::start_as(&land.cloud.issuer, &wish).await;
        keep(&land.cloud.folder.join("keystone-admin.password"), "adminpw");
        let told = land.cloud.operate(&["keystone", "setup"]);
        for line in [
            "assertion_prefix = FEDGW_",
            "remote_id_attribute = FEDGW_ISS",
            &format!("trusted_dashboard = {origin}"),
        ] {
            assert!(told.contains(line), "setup prints {line}: {told}");
        }
        Self {
            land,
            straight: keystone.url.clone(),
            keystone: Some(keystone),
            horizon,
            line,
            socket,
            state,
            _folder: folder,
        }
    }

    /// Keystone's own view, past the gateway: as its administrator.
    async fn admin(&self) -> String {
        let body = serde_json::json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
            "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
        let answer = crate::parts::plain_client()
            .post(format!("{}/v3/auth/tokens", self.straight))
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.headers()["x-subject-token"].to_str().unwrap().to_owned()
    }

    /// Whether Keystone takes a token, asked past the gateway.
    async fn takes(&self, token: &str) -> bool {
        let answer = crate::parts::plain_client()
            .get(format!("{}/v3/auth/tokens", self.straight))
            .header("X-Auth-Token", token)
            .header("X-Subject-Token", token)
            .send()
            .await
            .unwrap();
        answer.status() == 200
    }
}

/// The way of a browser that a dashboard sends: `origin` is the command line's.
fn websso(cloud: &Cloud) -> String {
    format!(
        "{}/v3/auth/OS-FEDERATION/identity_providers/fedgate/protocols/openid/websso?origin=http://localhost:{}/auth/websso/",
        cloud.land.cloud.issuer, cloud.line
    )
}

/// Signs a person in by that way: Keystone's page.
async fn signed_in_page(cloud: &Cloud, browser: &Browser, person: usize) -> Page {
    let chooser = browser.open(&websso(cloud)).await;
    cloud.land.sign_in(browser, chooser, person).await
}

/// The token in Keystone's page.
fn token_in(page: &Page) -> String {
    let (_, rest) = page
        .html
        .split_once("name=\"token\"")
        .unwrap_or_else(|| panic!("no token: {}", page.html));
    rest.split('"').nth(3).unwrap().to_owned()
}

/// All that needs no Horizon, one after the other, because the parts take longer to start than each needs.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_dashboard() {
    let cloud = Cloud::start().await;
    wiring::nobody_forges_a_key(&cloud).await;
    wiring::requests_pass_as_over_http(&cloud).await;
    sign_in::origins_are_compared_before_anything_else(&cloud).await;
    sign_in::a_sign_in_may_take_ten_minutes(&cloud).await;
    sign_in::a_dashboards_token_ends_with_its_permit(&cloud).await;
    clients::every_plugin_of_the_stock_client(&cloud).await;
    faults::keystone_fails_and_comes_back(cloud).await;
}

/// A program from a Python environment of the parts, without any `OS_*` of the person who runs the tests.
async fn program(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> std::process::Output {
    let mut command = Command::new(crate::parts::home().join(name));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OS_")) {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .expect("it runs")
}

/// Its output as JSON; fails with what it said otherwise.
fn json_of(output: &std::process::Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {told}"))
}
