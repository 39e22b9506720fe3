//! Users of the partner, as they come.

use std::process::{Command, Output};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Administrator, PASSWORD, World};
use crate::parts::{
    cloud::{AUTH, roles, scoped},
    home,
    saml::{SHA1, sign},
};

/// What the partner's administrator does, as docs/openstack.md tells them; and two people of the same name.
async fn register(world: &World) {
    let partner = Administrator::of(&world.partner.url).await;
    let mut command = client(world);
    command
        .args(["--os-username", "admin", "--os-password", "adminpw"])
        .args([
            "--os-user-domain-name",
            "Default",
            "--os-project-domain-name",
            "Default",
        ])
        .args([
            "--os-project-name",
            "admin",
            "service",
            "provider",
            "create",
            "cloud",
        ])
        .args(["--service-provider-url", &world.door("partner")])
        .args(["--auth-url", &format!("{}{AUTH}", world.issuer)]);
    let made = run(command).await;
    assert!(made.status.success(), "{made:?}");
    let role = partner.find("roles", "admin").await;
    for domain in ["research", "elsewhere"] {
        let domain = partner.make("domains", "domain", json!({ "name": domain })).await;
        let project = json!({ "name": "genome", "domain_id": domain });
        let project = partner.make("projects", "project", project).await;
        let user = json!({ "name": "ada", "domain_id": domain, "password": PASSWORD });
        let user = partner.make("users", "user", user).await;
        // They are administrators there.
        let path = format!("projects/{project}/users/{user}/roles/{role}");
        partner.ask(Method::PUT, &path, None).await;
        let group = json!({ "name": "devs", "domain_id": domain });
        let group = partner.make("groups", "group", group).await;
        partner
            .ask(Method::PUT, &format!("groups/{group}/users/{user}"), None)
            .await;
    }
}

/// The stock client at the partner's Keystone, without any `OS_*` of the person who runs the tests.
fn client(world: &World) -> Command {
    let mut command = Command::new(home().join("keystone/client/bin/openstack"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OS_")) {
        command.env_remove(name);
    }
    command.args(["--os-auth-url", &format!("{}/v3", world.partner.url)]);
    command
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

/// The stock client, by the partner's Keystone, at the cloud behind the gateway.
async fn openstack(world: &World, domain: &str, arguments: &[&str]) -> Output {
    let mut command = client(world);
    command
        .args(["--os-username", "ada", "--os-password", PASSWORD])
        .args(["--os-user-domain-name", domain])
        .args(["--os-project-name", "genome", "--os-project-domain-name", domain])
        .args(["--os-service-provider", "cloud"])
        .args(["--os-remote-project-name", "webshop"])
        .args(["--os-remote-project-domain-name", "acme"])
        .arg("--os-cacert")
        .arg(&world.ca)
        .args(arguments);
    run(command).await
}

pub(super) async fn the_stock_client_reaches_the_project(world: &World) {
    register(world).await;
    let output = openstack(world, "research", &["token", "issue", "-f", "json"]).await;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{}", world.log());
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = Administrator::of(&world.keystone.url).await;
    let webshop = ours.find("projects", "webshop").await;
    assert_eq!(issued["project_id"], json!(webshop), "{issued}");
    // Keystone's own word for whose token it is. They are administrators at home, and here what the rule gives.
    let user = issued["user_id"].as_str().unwrap();
    let user = ours.ask(Method::GET, &format!("users/{user}"), None).await;
    assert_eq!(user["user"]["name"], "ada@research", "{user}");
    let given = ours
        .ask(
            Method::GET,
            &format!(
                "role_assignments?include_names&user.id={}",
                issued["user_id"].as_str().unwrap()
            ),
            None,
        )
        .await;
    assert!(!given.to_string().contains("\"admin\""), "{given}");
    // How it was signed stands on the trail: Keystone knows one way.
    let events = world.events("partner_admitted").await;
    assert_eq!(events[0]["algorithm"], "rsa-sha1", "{events:?}");
    assert_eq!(events[0]["username"], "ada@research");
    // Nor does the one who is called the same, in a group that is called the same, of another domain.
    let output = openstack(world, "elsewhere", &["token", "issue"]).await;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("NO_ACCESS"), "{told}");
}

/// Positive controls of the messages that the attacks change, with text that canonicalisers treat differently.
pub(super) async fn a_message_is_read_whatever_stands_in_it(world: &World) {
    let mut draft = world.draft("partner");
    let (token, body) = world.sign_in(&draft.signed(&world.pair)).await;
    assert_eq!(body["token"]["user"]["name"], "ada@research");
    let (_, body) = scoped_here(world, &token).await.unwrap();
    assert_eq!(
        roles(&body),
        ["member", "reader"],
        "admin at home is nothing here"
    );
    draft.algorithms = SHA1;
    world.sign_in(&draft.signed(&world.pair)).await;
    // The same names without a prefix, and a prefix that is bound anew inside: other text, the same message.
    let both = format!(
        "{},{}",
        world.pair.key.display(),
        world.pair.certificate.display()
    );
    let plain = draft.template().replace("<saml:", "<").replace("</saml:", "</");
    let plain = plain.replacen("xmlns:saml=", "xmlns=", 1).replacen(
        "<NameID>",
        "<xsi:NameID xmlns:xsi=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
        1,
    );
    let plain = plain.replacen("</NameID>", "</xsi:NameID>", 1);
    world.sign_in(&sign(&plain, &["--privkey-pem", &both])).await;
    draft.algorithms = [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    ];
    draft.user = "größe &amp; &lt;x&gt; &quot;y&quot; &#39;z&#x27;".to_owned();
    draft.roles = vec!["tab&#9;line&#10;return&#13;".to_owned(), "]]&gt;".to_owned()];
    let (_, body) = world.sign_in(&draft.signed(&world.pair)).await;
    assert_eq!(body["token"]["user"]["name"], "größe & <x> \"y\" 'z'@research");
}

pub(super) async fn the_same_name_in_another_domain_is_somebody_else(world: &World) {
    let mut draft = world.draft("partner");
    let (_, here) = world.sign_in(&draft.signed(&world.pair)).await;
    draft.domain = "elsewhere".to_owned();
    let (_, there) = world.sign_in(&draft.signed(&world.pair)).await;
    assert_ne!(here["token"]["user"]["id"], there["token"]["user"]["id"]);
    // And the same person is the same each time.
    draft.domain = "research".to_owned();
    let (_, again) = world.sign_in(&draft.signed(&world.pair)).await;
    assert_eq!(here["token"]["user"]["id"], again["token"]["user"]["id"]);
    // The partner's `admin` without a group that a rule knows: nothing.
    draft.groups = Vec::new();
    let cookie = world.cookie(&draft.signed(&world.pair)).await;
    let answer = world.go_on(AUTH, &cookie).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let told = answer.text().await.unwrap();
    assert!(
        told.contains("no_matching_rule") && told.contains("NO_ACCESS"),
        "{told}"
    );
}

/// A rule that asks for one says so, whatever the partner's message claims of its sign-in.
pub(super) async fn no_second_factor_comes_this_way(world: &World) {
    let mut draft = world.draft("partner");
    draft.groups = vec!["JSON:{\"name\": \"ops\", \"domain\": {\"name\": \"research\"}}".to_owned()];
    let template = draft.template();
    let claimed = template.replace("ac:classes:Password", "ac:classes:MobileTwoFactorContract");
    assert_ne!(claimed, template);
    let both = format!(
        "{},{}",
        world.pair.key.display(),
        world.pair.certificate.display()
    );
    let message = sign(&claimed, &["--privkey-pem", &both]);
    let cookie = world.cookie(&message).await;
    let answer = world.go_on(AUTH, &cookie).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let told = answer.text().await.unwrap();
    assert!(told.contains("mfa_required"), "{told}");
}

/// Whatever their own Keystone still signs.
pub(super) async fn who_was_let_go_stays_out(world: &World) {
    let message = || world.draft("partner").signed(&world.pair);
    world.sign_in(&message()).await;
    let name = ["offboard", "--user", "partner/ada@research"];
    let done = world.fedgate(&name);
    assert!(done.status.success(), "{done:?}");
    let answer = world.post("partner", message()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let told = answer.text().await.unwrap();
    assert!(told.contains("deprovisioned"), "{told}");
    let back = world.fedgate(&[&name[..], &["--back"]].concat());
    assert!(back.status.success(), "{back:?}");
    world.sign_in(&message()).await;
}

/// By the check and the log.
pub(super) async fn an_operator_is_told(world: &World) {
    let checked = world.fedgate(&["check"]);
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{told}");
    for line in [
        "warning: upstream 'partner': sha1_until: signatures with SHA-1 count until 2099-01-01",
        "warning: upstream 'past': sha1_until: 2020-01-01 has passed",
        "nothing is wrong",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    assert!(world.log().contains("count until 2099-01-01"), "{}", world.log());
}

/// A token for the project that the rule gives, asked at the gateway.
async fn scoped_here(world: &World, token: &str) -> Result<(String, Value), StatusCode> {
    // The follow-up request is relayed: Keystone itself is asked here, as the gateway's certificate is this test's own.
    scoped(&world.keystone.url, token, ("acme", "webshop")).await
}
