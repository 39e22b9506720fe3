//! One tenant cannot reach into another, whatever its upstream says and whatever its managers do.

use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Admin, PEOPLE, World};
use crate::parts::{gateway::keep, plain_client};

/// Claims of beta's directory that try to be somebody, or get something, elsewhere.
fn hostile() -> Value {
    let person = |sub: &str, name: &str, groups: Value| {
        json!({ "upstream": "corp", "claims": { "sub": sub, "preferred_username": name, "groups": groups,
            "tenant": "acme", "domain": "acme", "openstack-user-domain": "acme", "iss": "http://elsewhere.example",
            "projects_json": [{ "name": "webshop", "domain": { "name": "acme" }, "roles": [{ "name": "admin" }] }] } })
    };
    json!([
        person(
            "9001",
            "mallory",
            json!(["operators", "acme:operators", "acme/operators", "admin"])
        ),
        person(
            "9002",
            "alice",
            json!(["JSON:{\"name\":\"developers\",\"domain\":{\"name\":\"acme\"}}"])
        ),
        person(
            "9003",
            "../acme/eve",
            json!(["developers;operators", "['developers','operators']"])
        ),
        person("9004", "eve@acme", json!(["developers", "fed-operators"])),
        person("9005", "JSON:{\"name\":\"x\"}", json!(["developers"])),
        person("9006", "a;b", json!(["developers"])),
        person(
            "9007",
            "\u{202e}ecila",
            json!(["developers\u{0}operators", "developers"])
        ),
    ])
}

pub(super) async fn an_upstream_speaks_for_its_own_tenant_alone(world: &World) {
    let admin = &world.admin;
    let (users, everything) = (admin.users("acme").await, snapshot(admin, "acme").await);
    let labs = snapshot(admin, "acme-labs").await;
    let mut people = hostile();
    let mine: Value = serde_json::from_str(&json_of(PEOPLE)).unwrap();
    let others = (100..112).map(|sub| {
        json!({ "upstream": "corp", "claims": { "sub": sub.to_string(), "preferred_username": format!("p{sub}"),
            "groups": ["developers"] } })
    });
    let all = people.as_array_mut().unwrap();
    all.extend(mine.as_array().unwrap().iter().cloned());
    all.extend(others);
    keep(&world.path("people.yaml"), &people.to_string());
    let lines = world.plan();
    for line in &lines {
        assert!(
            !line.contains("acme")
                || line.starts_with('?')
                || line.starts_with("! role")
                || line.contains("eve@acme")
                || line.contains("../acme/eve"),
            "{line}"
        );
    }
    let (made, _) = world.json(&["keystone", "apply", "--yes"]);
    for done in made[0]["done"].as_array().unwrap() {
        let change = &done["change"];
        assert!(
            change["who"]["domain"]
                .as_str()
                .is_none_or(|domain| domain == "beta"),
            "{change}"
        );
        assert!(
            change["role"]["domain"]
                .as_str()
                .is_none_or(|domain| domain == "beta"),
            "{change}"
        );
        assert!(
            change["role"]["role"]
                .as_str()
                .is_none_or(|role| role == "member"),
            "{change}"
        );
    }
    assert_eq!(admin.users("acme").await, users, "somebody new in acme");
    assert_eq!(snapshot(admin, "acme").await, everything);
    assert_eq!(snapshot(admin, "acme-labs").await, labs);
    // Groups that sound like something are nothing: mallory and the JSON group have no user at all.
    let names: Vec<String> = admin
        .users("beta")
        .await
        .iter()
        .map(|user| user["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(!names.iter().any(|name| name.starts_with("mallory")), "{names:?}");
    for user in admin.users("beta").await {
        let roles = admin.roles(user["id"].as_str().unwrap()).await;
        assert!(
            roles.iter().all(|role| role == "webshop member"),
            "{user}: {roles:?}"
        );
        let domain = admin.id("domains", "name=beta").await;
        assert_eq!(user["domain_id"], domain);
    }
    keep(&world.path("people.yaml"), &{
        let all = people.as_array().unwrap();
        json!(all[7..]).to_string()
    });
    world.apply();
}

/// Users, groups, projects and assignments of a domain, to be compared.
async fn snapshot(admin: &Admin, domain: &str) -> Value {
    let id = admin.id("domains", &format!("name={domain}")).await;
    let mut all = json!({});
    for kind in ["users", "groups", "projects"] {
        all[kind] = admin.get(&format!("/v3/{kind}?domain_id={id}")).await[kind].clone();
    }
    let mut roles = Vec::new();
    for project in all["projects"].as_array().unwrap() {
        let path = format!(
            "/v3/role_assignments?scope.project.id={}",
            project["id"].as_str().unwrap()
        );
        let mut own: Vec<String> = admin.get(&path).await["role_assignments"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        own.sort();
        roles.push(own);
    }
    all["roles"] = json!(roles);
    all
}

fn json_of(yaml: &str) -> String {
    let entries: Vec<String> = yaml
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .map(|line| {
            line.replace("upstream: corp", "\"upstream\": \"corp\"")
                .replace("claims:", "\"claims\":")
                .replace("sub:", "\"sub\":")
                .replace("preferred_username: alice", "\"preferred_username\": \"alice\"")
                .replace("preferred_username: carol", "\"preferred_username\": \"carol\"")
                .replace("groups: [developers]", "\"groups\": [\"developers\"]")
        })
        .collect();
    format!("[{}]", entries.join(","))
}

/// The rules for domain managers (scs-0302), by the provisioning account and by one that it could make.
pub(super) async fn managers_keep_to_their_domain(world: &World) {
    let admin = &world.admin;
    let beta = Admin {
        url: world.url.clone(),
        token: manager_of(world, "beta").await,
    };
    let acme = admin.id("domains", "name=acme").await;
    // Users, groups and projects of the other tenant are invisible.
    for kind in ["users", "groups", "projects"] {
        let (status, found) = beta
            .call(Method::GET, &format!("/v3/{kind}?domain_id={acme}"), None)
            .await;
        let none = found[kind].as_array().is_none_or(Vec::is_empty);
        assert!(status == 403 || none, "{kind}: {found}");
    }
    let alice = admin.user("acme", "alice.").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = admin.user("beta", "carol.").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        beta.call(Method::GET, &format!("/v3/users/{alice}"), None)
            .await
            .0,
        403
    );
    let (webshop, their) = (
        admin
            .id("projects", &format!("domain_id={acme}&name=webshop"))
            .await,
        {
            let beta = admin.id("domains", "name=beta").await;
            admin
                .id("projects", &format!("domain_id={beta}&name=webshop"))
                .await
        },
    );
    let (role, high) = (
        admin.id("roles", "name=member").await,
        admin.id("roles", "name=admin").await,
    );
    for path in [
        // The other tenant's project, the other tenant's user, a role beyond what managers may give.
        format!("/v3/projects/{webshop}/users/{own}/roles/{role}"),
        format!("/v3/projects/{their}/users/{alice}/roles/{role}"),
        format!("/v3/projects/{their}/users/{own}/roles/{high}"),
    ] {
        assert_eq!(beta.call(Method::PUT, &path, None).await.0, 403, "{path}");
    }
    let foreign = json!({ "user": { "name": "planted", "domain_id": acme } });
    assert_eq!(beta.call(Method::POST, "/v3/users", Some(&foreign)).await.0, 403);
    // A manager of beta who writes our mark for a person of acme on a user of theirs gains nothing, and is named.
    let key = fedgate::domain::identity::Identity::key_of(&world.issuer, "alice");
    let mark = json!({ "user": { "fedgate": { "person": key, "made": true, "disabled": null } } });
    let before = admin.get(&format!("/v3/users/{own}")).await["user"]["fedgate"].clone();
    assert_eq!(
        beta.call(Method::PATCH, &format!("/v3/users/{own}"), Some(&mark))
            .await
            .0,
        200
    );
    let text = String::from_utf8(world.fedgate(&["keystone", "plan"]).stdout).unwrap();
    assert!(!text.contains(" role member on acme/webshop for alice"), "{text}");
    let back = json!({ "user": { "fedgate": before } });
    assert_eq!(
        beta.call(Method::PATCH, &format!("/v3/users/{own}"), Some(&back))
            .await
            .0,
        200
    );
    // Local users with passwords work as before: the standard's own test needs them.
    let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
        "name": "local", "domain": { "name": "acme" }, "password": "pw" } } } } });
    let answer = plain_client()
        .post(format!("{}/v3/auth/tokens", world.url))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(world.apply(), Vec::<Value>::new());
}

async fn manager_of(world: &World, domain: &str) -> String {
    let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
        "name": "fedgate-provision", "domain": { "name": "Default" }, "password": "managerpw" } } },
        "scope": { "domain": { "name": domain } } } });
    let answer = plain_client()
        .post(format!("{}/v3/auth/tokens", world.url))
        .json(&body)
        .send()
        .await
        .unwrap();
    answer.headers()["x-subject-token"].to_str().unwrap().to_owned()
}
