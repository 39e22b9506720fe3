//! Directories that send too much, strange names, and names that are taken; and a Keystone that restarts in a pass.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};

use super::{
    bounds::list,
    world::{World, until},
};
use crate::parts::gateway::keep;

fn person(sub: &str, name: &str, groups: Value) -> Value {
    json!({ "upstream": "corp", "claims": { "sub": sub, "preferred_username": name, "groups": groups,
        "roles": ["admin"], "openstack_roles": ["admin"] } })
}

/// Users of beta that are enabled, as what comes before the end made of the key, with their ids.
async fn users(world: &World) -> Vec<(String, String)> {
    let mut users: Vec<(String, String)> = world
        .admin
        .users("beta")
        .await
        .iter()
        .filter(|user| user["enabled"] == true)
        .map(|user| {
            let name = user["name"].as_str().unwrap();
            let (name, _) = name.rsplit_once('.').unwrap_or((name, ""));
            (name.to_owned(), user["id"].as_str().unwrap().to_owned())
        })
        .collect();
    users.sort();
    users
}

pub(super) async fn crowds_and_strange_names_stay_apart(world: &World) {
    list(world, 300..309);
    world.apply();
    let before = users(world).await;
    let acme = world.admin.users("acme").await;
    let crowd: Vec<String> = (0..9_999).map(|number| format!("group-{number}")).collect();
    let all = |last: &str| json!([crowd.clone(), vec![last.to_owned()]].concat());
    let strange = [
        person("s1", "Jürgen Ñ €", json!(["developers", "größe", "开发"])),
        person("s2", "李雷", json!(["developers"])),
        person("sübject-🌍", "🌍", json!(["developers"])),
        // Names that others have: two by one name, one that differs by its letters' size alone, one of acme's.
        person("s4", "carol", json!(["developers"])),
        person("s5", "CAROL", json!(["developers"])),
        person("s6", "bob", json!(["developers"])),
        // Asserting what no partner may say.
        person(
            "s7",
            "admin",
            json!(["developers", "admin", "system", "operators"]),
        ),
        person("s8", "crowd", all("developers")),
    ];
    let mut people = usual();
    people.extend(strange.iter().cloned());
    keep(&world.path("people.yaml"), &Value::from(people).to_string());
    let begun = std::time::Instant::now();
    let (made, code) = world.json(&["keystone", "apply", "--yes"]);
    assert_eq!(code, 0, "{}", made[0]["failed"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let now = users(world).await;
    let mut came: Vec<&str> = Vec::new();
    for (name, id) in &now {
        // Whatever they are called and whatever they claim: this one role.
        assert_eq!(world.admin.roles(id).await, ["webshop member"], "{name}");
        if !before.iter().any(|(_, old)| old == id) {
            came.push(name);
        }
    }
    came.sort_unstable();
    // A directory that names more groups than a person can have is not believed about that person, and only there.
    let mut wanted = ["CAROL", "Jürgen Ñ €", "admin", "bob", "carol", "李雷", "🌍"];
    wanted.sort_unstable();
    assert_eq!(came, wanted);
    assert_eq!(now.len(), before.len() + 7);
    assert_eq!(world.admin.users("acme").await, acme, "nobody of acme is touched");
    assert_eq!(world.apply(), Vec::<Value>::new());

    // Where the mapping takes what it knows from so many, that is what they get.
    let text = std::fs::read_to_string(world.path("fedgate.yaml")).unwrap();
    let (head, tail) = text.rsplit_once("accept: [\"*\"]").unwrap();
    keep(
        &world.path("fedgate.yaml"),
        &format!("{head}accept: [developers]{tail}"),
    );
    world.apply();
    let now = users(world).await;
    let (_, id) = now
        .iter()
        .find(|(name, _)| name == "crowd")
        .expect("the crowd is there");
    assert_eq!(world.admin.roles(id).await, ["webshop member"]);
    assert_eq!(now.len(), before.len() + 8);
    keep(&world.path("fedgate.yaml"), &text);
    list(world, 300..309);
    world.apply();
    let mut left = users(world).await;
    left.sort();
    assert_eq!(left, before, "who left has no way in");
}

/// The same people as those of `list`, as JSON.
fn usual() -> Vec<Value> {
    let developer = |sub: &str, name: &str| json!({ "upstream": "corp", "claims": { "sub": sub, "preferred_username": name, "groups": ["developers"] } });
    let mut people = vec![developer("1", "alice"), developer("2", "carol")];
    people.extend((300..309).map(|sub| developer(&sub.to_string(), &format!("p{sub}"))));
    people
}

/// Keystone goes away in the middle of a pass and comes back: what was made counts, what was not is named, and the rest
/// follows. The pass stands still while Keystone ends, so that it cannot be over before.
pub(super) async fn keystone_restarts_in_the_middle_of_a_pass(world: &mut World) {
    let before = users(world).await.len();
    list(world, 300..340);
    let running = world
        .command(&["keystone", "apply", "--yes", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let signal = |name: &str| {
        let id = running.id().to_string();
        let done = std::process::Command::new("kill").args([name, &id]).status();
        assert!(done.unwrap().success(), "{name}: it has ended");
    };
    until("somebody is made", Duration::from_secs(30), async || {
        users(world).await.len() > before
    })
    .await;
    signal("-STOP");
    let mut complete = 0;
    for (_, id) in users(world).await {
        complete += usize::from(world.admin.roles(&id).await == ["webshop member"]);
    }
    assert!(complete < before + 31, "all of them: it is over already");
    world.keystone = None;
    signal("-CONT");
    world.keystone_again().await;
    let done = tokio::task::spawn_blocking(move || running.wait_with_output().unwrap())
        .await
        .unwrap();
    // Calls that broke are made again, so all of it may be made after all. The exit code says which, and must be right.
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let failed = told[0]["failed"].as_array().unwrap();
    assert!(
        failed.iter().all(|one| !one[1].as_str().unwrap().is_empty()),
        "{told}"
    );
    let code = if failed.is_empty() { 0 } else { 3 };
    assert_eq!(done.status.code(), Some(code), "{told}");
    assert_eq!(world.apply().is_empty(), code == 0, "{told}");
    assert_eq!(world.apply(), Vec::<Value>::new());
    let mut names: Vec<String> = Vec::new();
    for (name, id) in users(world).await {
        assert_eq!(world.admin.roles(&id).await, ["webshop member"], "{name}");
        names.push(name);
    }
    let many = names.len();
    names.dedup();
    assert_eq!((names.len(), many), (42, 42), "nobody twice");
}
