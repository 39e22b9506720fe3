//! What bounds a pass: how many lose their access, when a user is deleted, and that replicas take turns.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use sqlx::{Connection as _, Row as _};

use super::world::{PEOPLE, World, until};
use crate::parts::gateway::keep;

const DAY_S: i64 = 86_400;

/// Beta's directory: those who are always there, and people of these numbers.
pub(super) fn list(world: &World, numbers: std::ops::Range<u32>) {
    let people: Vec<String> = numbers
        .map(|sub| {
            format!(
                "- {{ upstream: corp, claims: {{ sub: \"{sub}\", preferred_username: p{sub}, groups: [developers] }} }}\n"
            )
        })
        .collect();
    keep(
        &world.path("people.yaml"),
        &format!("{PEOPLE}{}", people.concat()),
    );
}

/// The enabled users of beta whose names begin so.
async fn enabled(world: &World, begins: &str) -> usize {
    let users = world.admin.users("beta").await;
    users
        .iter()
        .filter(|user| user["enabled"] == true && user["name"].as_str().unwrap().starts_with(begins))
        .count()
}

/// The running gateway takes access from so many; an operator says yes to the rest.
pub(super) async fn a_pass_takes_access_from_few(world: &mut World) {
    list(world, 300..308);
    world.apply();
    assert_eq!(enabled(world, "p30").await, 8);
    let before = std::fs::read_to_string(world.path("fedgate.yaml")).unwrap();
    let few = before.replace("within_s: 30,", "within_s: 30, most_disabled: 2,");
    assert_ne!(few, before);
    keep(&world.path("fedgate.yaml"), &few);
    // Three leave at once, and one comes: giving goes on, taking waits.
    list(world, 303..309);
    world.serve().await;
    let stand = async |world: &World| world.json(&["keystone", "status"]).0[0].clone();
    until("held", Duration::from_secs(40), async || {
        stand(world).await["held"] == true
    })
    .await;
    let state = stand(world).await;
    assert!(state["waiting"].as_u64().unwrap() >= 3, "{state}");
    let why = state["why"].as_str().unwrap();
    assert!(
        why.contains("3 people would lose their access") && why.contains("keystone apply --yes"),
        "{why}"
    );
    assert_eq!(
        enabled(world, "p30").await,
        9,
        "nobody lost anything, and one came"
    );
    // By hand there is no such bound; then the running gateway is in step again.
    let done = world.apply();
    let disabled = done
        .iter()
        .filter(|done| done["change"]["do"] == "disable")
        .count();
    assert_eq!(disabled, 3, "{done:?}");
    assert_eq!(enabled(world, "p30").await, 6);
    world.serving.as_ref().unwrap().hang_up();
    until("in step", Duration::from_secs(40), async || {
        let state = stand(world).await;
        state["held"] == false && state["behind_since"].is_null()
    })
    .await;
    // Two are no more than two.
    list(world, 305..309);
    world.serving.as_ref().unwrap().hang_up();
    until("two are gone", Duration::from_secs(40), async || {
        enabled(world, "p30").await == 4
    })
    .await;
    world.serving = None;
    keep(&world.path("fedgate.yaml"), &before);
}

/// Who is disabled for longer than the days of the configuration (30) is deleted, if made and disabled from here.
pub(super) async fn the_disabled_are_deleted_in_time(world: &World) {
    let admin = &world.admin;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let now = i64::try_from(now).unwrap();
    let mut ids = Vec::new();
    for (name, days) in [("p300.", 31), ("p301.", 29), ("p302.", 31)] {
        let user = admin.user("beta", name).await;
        assert_eq!(user["enabled"], false, "{name}");
        let id = user["id"].as_str().unwrap().to_owned();
        let mut mark = admin.get(&format!("/v3/users/{id}")).await["user"]["fedgate"].clone();
        assert!(mark["disabled"].is_i64() && mark["made"] == true, "{mark}");
        mark["disabled"] = json!(now - days * DAY_S);
        if name == "p302." {
            // A sign-in made that one, not provisioning.
            mark["made"] = json!(false);
        }
        let body = json!({ "user": { "fedgate": mark } });
        let (status, told) = admin
            .call(reqwest::Method::PATCH, &format!("/v3/users/{id}"), Some(&body))
            .await;
        assert_eq!(status, 200, "{told}");
        ids.push(id);
    }
    let mut planned = world.plan();
    planned.retain(|line| !line.starts_with('!'));
    assert!(planned.len() == 1 && planned[0].contains("p300"), "{planned:?}");
    let done = world.apply();
    assert_eq!(done.len(), 1, "{done:?}");
    let status = async |id: &str| {
        let path = format!("/v3/users/{id}");
        admin.call(reqwest::Method::GET, &path, None).await.0
    };
    assert_eq!(
        (
            status(&ids[0]).await,
            status(&ids[1]).await,
            status(&ids[2]).await
        ),
        (404, 200, 200)
    );
    assert_eq!(world.apply(), Vec::<Value>::new());
    // Back on the list, the deleted one is a new user of the same key.
    list(world, 300..309);
    world.apply();
    let again = admin.user("beta", "p300.").await;
    assert!(
        again["enabled"] == true && again["id"] != ids[0].as_str(),
        "{again}"
    );
}

/// Everything that was ever done at Keystone for people whose names begin so, from the audit trail.
async fn trail(world: &World, begins: &str) -> Vec<String> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(world.path("fedgate.db"))
        .read_only(true);
    let mut base = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query("SELECT event FROM audit WHERE event LIKE '%provisioned%' ORDER BY number")
        .fetch_all(&mut base)
        .await
        .unwrap();
    rows.iter()
        .filter_map(|row| {
            let event: Value = serde_json::from_str(row.get::<&str, _>(0)).unwrap();
            let change = event["change"].as_str()?.to_owned();
            change.contains(begins).then_some(change)
        })
        .collect()
}

/// Two gateways and two operators on one store and one Keystone.
pub(super) async fn replicas_take_turns(world: &mut World) {
    world.serve().await;
    let first = world.serving.take();
    // The second listens elsewhere; all else is the same.
    let port = crate::parts::port::free_port();
    let text = std::fs::read_to_string(world.path("fedgate.yaml")).unwrap();
    let other = text.replace(
        &format!("127.0.0.1:{}\" }}", world.port),
        &format!("127.0.0.1:{port}\" }}"),
    );
    assert_ne!(other, text);
    keep(&world.path("fedgate.yaml"), &other);
    world.serve().await;
    let second = world.serving.take();
    keep(&world.path("fedgate.yaml"), &text);
    list(world, 300..316);
    for one in [&first, &second] {
        one.as_ref().unwrap().hang_up();
    }
    let by_hand: Vec<_> = (0..2)
        .map(|_| {
            world
                .command(&["keystone", "apply", "--yes", "--output", "json"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in by_hand {
        let done = one.wait_with_output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }
    until("all are there", Duration::from_secs(40), async || {
        enabled(world, "p31").await == 6
    })
    .await;
    drop((first, second));
    assert_eq!(world.apply(), Vec::<Value>::new(), "nothing is left to do");
    let done = trail(world, "p31").await;
    let once: BTreeSet<&String> = done.iter().collect();
    assert!(
        done.len() >= 6 && once.len() == done.len(),
        "something was done twice: {done:#?}"
    );
    for user in world.admin.users("beta").await {
        if user["name"].as_str().unwrap().starts_with("p31") {
            let roles = world.admin.roles(user["id"].as_str().unwrap()).await;
            assert_eq!(roles, ["webshop member"]);
        }
    }
}
