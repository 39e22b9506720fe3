//! An operator's commands: plan, apply, drift.

use std::{sync::Arc, time::Duration};

use fedgate::{
    config::{Config, secret::SecretSources},
    policy::{Basis, LivePolicy, PolicyEngine, pack},
    port::policy_care::PolicyCare as _,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{ALICE, World, config};
use crate::parts::{cloud, gateway::keep, plain_client};

fn begin(lines: &[String], mark: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(mark)).count()
}

pub(super) async fn a_plan_is_shown_and_made_and_nothing_else(world: &World) {
    let lines = world.plan();
    for wanted in [
        "+ project acme/webshop",
        "+ project acme-labs/lab",
        "+ project beta/webshop",
        "+ group developers in domain acme",
        "+ user alice.",
        "+ user carol.",
        "+ role member on acme/webshop for alice",
        "+ member bob",
        // Managers give roles inside one domain only; a sign-in gives this one.
        "! role member on acme-labs/lab for alice",
    ] {
        assert!(begin(&lines, wanted) > 0, "{wanted}\n{}", lines.join("\n"));
    }
    assert!(!lines.iter().any(|line| line.contains("nobody")), "{lines:?}");
    let file = world.path("plan.json");
    let file = file.to_str().unwrap();
    assert_eq!(
        world.fedgate(&["keystone", "plan", "--out", file]).status.code(),
        Some(3)
    );
    // What comes after the plan is not made by it.
    let people = format!(
        "{}- {{ upstream: corp, claims: {{ sub: \"3\", preferred_username: dora, groups: [developers] }} }}\n",
        super::world::PEOPLE
    );
    keep(&world.path("people.yaml"), &people);
    let (made, code) = world.json(&["keystone", "apply", file]);
    assert_eq!(code, 0, "{made}");
    assert!(made[0]["unplanned"].to_string().contains("dora"), "{made}");
    assert!(world.admin.users("beta").await.len() == 2);
    keep(&world.path("people.yaml"), super::world::PEOPLE);
    let alice = world.admin.user("acme", "alice.").await;
    let id = alice["id"].as_str().unwrap();
    assert_eq!(world.admin.roles(id).await, ["platform reader", "webshop member"]);
    assert_eq!(world.admin.groups(id).await, ["fed-developers", "fed-operators"]);
    assert_eq!(alice["email"], "alice@acme.example");
    // The same person is the same at every cloud: by issuer and subject, not by this Keystone.
    let key = fedgate::domain::identity::Identity::key_of(&world.issuer, "alice");
    assert!(alice["name"].as_str().unwrap().ends_with(&key[..12]));
    let one = world.admin.get(&format!("/v3/users/{id}")).await;
    assert_eq!(
        one["user"]["federated"][0]["protocols"][0]["unique_id"], key,
        "{one}"
    );
    // Two people of one name at two tenants are two.
    assert_ne!(world.admin.user("beta", "alice.").await["name"], alice["name"]);
    no_change_makes_no_writes(world).await;
}

async fn no_change_makes_no_writes(world: &World) {
    // `dora` was listed for a moment.
    world.apply();
    let before = world.written().await;
    assert_eq!(world.apply(), Vec::<Value>::new());
    assert_eq!(world.fedgate(&["keystone", "plan"]).status.code(), Some(0));
    assert_eq!(
        world.written().await,
        before,
        "a run without changes wrote to Keystone"
    );
}

/// Policies that were applied decide by hand, too, not those that the configuration names.
pub(super) async fn what_was_applied_decides_by_hand(world: &World) {
    let file = world.path("fedgate.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    let kept = world.path("applied");
    std::fs::create_dir(&kept).unwrap();
    keep(
        &file,
        &format!(
            "{before}policy: {{ persistence_directory: {} }}\n",
            kept.display()
        ),
    );
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/policies/federation/access.rego"
    ));
    let folder = world.path("closed");
    std::fs::create_dir_all(folder.join("federation")).unwrap();
    let closed = format!("{}\nunmet contains \"rule_found\" if active\n", text.unwrap());
    std::fs::write(folder.join("federation/access.rego"), closed).unwrap();
    std::fs::write(folder.join(".manifest"), "{\"revision\": \"closed\"}").unwrap();

    let config = Config::load(&file).unwrap();
    let (rules, tenants) = (config.access.clone(), config.tenants.clone());
    let engine = PolicyEngine::load(&config.policy, &rules, &tenants).unwrap();
    let basis = Basis {
        config: config.policy,
        rules,
        tenants,
    };
    let live = LivePolicy::open(Arc::new(engine), basis, &SecretSources::default()).unwrap();
    live.apply(pack(&folder).unwrap()).await.unwrap();
    let lines = world.plan();
    assert!(
        begin(&lines, "- role member on acme/webshop from alice") > 0,
        "{lines:?}"
    );
    keep(&file, &before);
    assert_eq!(begin(&world.plan(), "-"), 0);
}

pub(super) async fn the_account_is_a_manager_and_nothing_more(world: &World) {
    let roles = |domain: &str| {
        let (domain, url) = (domain.to_owned(), world.url.clone());
        async move {
            let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
                "name": "fedgate-provision", "domain": { "name": "Default" }, "password": "managerpw" } } },
                "scope": { "domain": { "name": domain } } } });
            let answer = plain_client()
                .post(format!("{url}/v3/auth/tokens"))
                .json(&body)
                .send()
                .await
                .unwrap();
            let token = answer
                .headers()
                .get("x-subject-token")
                .map(|token| token.to_str().unwrap().to_owned());
            (token, answer.json::<Value>().await.unwrap())
        }
    };
    let (token, body) = roles("acme").await;
    assert_eq!(cloud::roles(&body), ["manager", "member", "reader"], "{body}");
    assert!(roles("Default").await.0.is_none());
    // What an administrator may, it may not.
    let manager = super::world::Admin {
        url: world.url.clone(),
        token: token.unwrap(),
    };
    for (method, path, body) in [
        (
            Method::POST,
            "/v3/domains",
            json!({ "domain": { "name": "mine" } }),
        ),
        (Method::GET, "/v3/OS-FEDERATION/mappings", Value::Null),
        (Method::POST, "/v3/roles", json!({ "role": { "name": "mine" } })),
    ] {
        let (status, body) = manager
            .call(method, path, (!body.is_null()).then_some(&body))
            .await;
        assert_eq!(status, 403, "{path}: {body}");
    }
}

pub(super) async fn an_account_with_more_is_turned_away(world: &World) {
    let admin = &world.admin;
    let user = admin.id("users", "name=fedgate-provision").await;
    let (role, domain) = (
        admin.id("roles", "name=admin").await,
        admin.id("domains", "name=beta").await,
    );
    let path = format!("/v3/domains/{domain}/users/{user}/roles/{role}");
    assert_eq!(admin.call(Method::PUT, &path, None).await.0, 204);
    let done = world.fedgate(&["keystone", "plan"]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("holds the role 'admin'"), "{told}");
    assert_eq!(admin.call(Method::DELETE, &path, None).await.0, 204);
}

pub(super) async fn what_others_made_stays_and_is_named(world: &World) {
    let admin = &world.admin;
    let acme = admin.id("domains", "name=acme").await;
    let alice = admin.user("acme", "alice.").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let bob = admin.user("acme", "bob.").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let role = |name: &'static str| admin.id("roles", name);
    let (manager, member) = (role("name=manager").await, role("name=member").await);
    let project = |name: &str| format!("domain_id={acme}&name={name}");
    let webshop = admin.id("projects", &project("webshop")).await;
    // By hand: a local user with a role on our project, a member of our group, a role for bob, one taken from alice,
    // a project of their own, and bob's user disabled.
    let local = json!({ "user": { "name": "local", "domain_id": acme, "password": "pw" } });
    let local = admin.post("/v3/users", &local).await["user"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = json!({ "project": { "name": "own", "domain_id": acme } });
    let own = admin.post("/v3/projects", &own).await["project"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let group = admin
        .id("groups", &format!("domain_id={acme}&name=fed-developers"))
        .await;
    for path in [
        format!("/v3/projects/{webshop}/users/{local}/roles/{member}"),
        format!("/v3/projects/{own}/users/{bob}/roles/{member}"),
        format!("/v3/projects/{webshop}/users/{bob}/roles/{manager}"),
        format!("/v3/groups/{group}/users/{local}"),
    ] {
        assert_eq!(admin.call(Method::PUT, &path, None).await.0, 204, "{path}");
    }
    let taken = format!("/v3/projects/{webshop}/users/{alice}/roles/{member}");
    assert_eq!(admin.call(Method::DELETE, &taken, None).await.0, 204);
    let done = world.fedgate(&["keystone", "drift"]);
    assert_eq!(done.status.code(), Some(3));
    let text = String::from_utf8(done.stdout).unwrap();
    for wanted in [
        "given by hand: role manager on acme/webshop for bob",
        "given by hand: role member on acme/own for bob",
        "user local was added to group fed-developers of domain acme by hand; stays",
        "taken away by hand: role member on acme/webshop for alice",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let done: Vec<String> = world
        .apply()
        .iter()
        .map(|done| done["change"].to_string())
        .collect();
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(admin.roles(&alice).await, ["platform reader", "webshop member"]);
    assert_eq!(
        admin.roles(&bob).await,
        ["own member", "webshop manager", "webshop member"]
    );
    assert_eq!(admin.roles(&local).await, ["webshop member"]);
    assert_eq!(admin.groups(&local).await, ["fed-developers"]);
    // Somebody disabled by hand stays disabled.
    let off = json!({ "user": { "enabled": false } });
    admin
        .call(Method::PATCH, &format!("/v3/users/{bob}"), Some(&off))
        .await;
    assert_eq!(world.apply(), Vec::<Value>::new());
    assert_eq!(admin.user("acme", "bob.").await["enabled"], false);
    let on = json!({ "user": { "enabled": true } });
    admin
        .call(Method::PATCH, &format!("/v3/users/{bob}"), Some(&on))
        .await;
}

/// SIGKILL at several moments of a pass; whatever it left, the next one finishes, and makes nobody twice.
pub(super) async fn a_pass_that_was_killed_is_finished_by_the_next(world: &World) {
    let people: Vec<String> = (100..116)
        .map(|sub| {
            format!(
                "- {{ upstream: corp, claims: {{ sub: \"{sub}\", preferred_username: p{sub}, groups: [developers] }} }}"
            )
        })
        .collect();
    keep(
        &world.path("people.yaml"),
        &format!("{}{}\n", super::world::PEOPLE, people.join("\n")),
    );
    let mut before = world.admin.users("beta").await.len();
    for pause in [1200, 1600] {
        let mut running = world.command(&["keystone", "apply", "--yes"]).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        running.kill().unwrap();
        running.wait().unwrap();
        world.turns_end().await;
        let after = world.admin.users("beta").await.len();
        assert!(after >= before);
        before = after;
    }
    world.apply();
    assert_eq!(world.apply(), Vec::<Value>::new());
    let users = world.admin.users("beta").await;
    assert_eq!(users.len(), 2 + 16, "{users:?}");
    for user in users {
        let id = user["id"].as_str().unwrap();
        assert_eq!(world.admin.roles(id).await, ["webshop member"]);
        let one = world.admin.get(&format!("/v3/users/{id}")).await;
        assert_eq!(one["user"]["federated"].as_array().unwrap().len(), 1, "{one}");
    }
    // Losing most of a list at once is not believed; the file is put right, and then it is fine.
    keep(&world.path("people.yaml"), "[]\n");
    let done = world.fedgate(&["keystone", "plan"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("is not believed"));
    keep(
        &world.path("people.yaml"),
        &format!("{}{}\n", super::world::PEOPLE, people[..12].join("\n")),
    );
    let done = world.apply();
    let disabled = done
        .iter()
        .filter(|done| done["change"]["do"] == "disable")
        .count();
    assert_eq!(disabled, 4, "{done:?}");
    keep(
        &world.path("fedgate.yaml"),
        &config(&world.issuer, world.port, &world.url, ALICE),
    );
}
