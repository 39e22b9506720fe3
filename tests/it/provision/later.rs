//! Provisioning that is switched on, changed and switched off while the gateway runs, and its account's password rotated.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{
    bounds::list,
    world::{ALICE, World, config, until},
};
use crate::parts::{cloud::without, gateway::keep};

const SOON: Duration = Duration::from_secs(40);

fn text(world: &World) -> String {
    config(&world.issuer, world.port, &world.url, ALICE)
}

/// The same without anything of provisioning, as a gateway may have been started.
fn bare(world: &World) -> String {
    without(&without(&text(world), "provision: {", 1), "people: {", 1)
}

fn configure(world: &World, text: &str) {
    keep(&world.path("fedgate.yaml"), text);
    world.serving.as_ref().unwrap().hang_up();
}

async fn came(world: &World, name: &str) {
    until(name, SOON, async || {
        let user = world.admin.users("beta").await.into_iter().find(|user| {
            let own = user["name"].as_str().unwrap();
            own.starts_with(name) && user["enabled"] == true
        });
        match user {
            Some(user) => world.admin.roles(user["id"].as_str().unwrap()).await == ["webshop member"],
            None => false,
        }
    })
    .await;
}

async fn is_there(world: &World, name: &str) -> bool {
    let users = world.admin.users("beta").await;
    users
        .iter()
        .any(|user| user["name"].as_str().unwrap().starts_with(name))
}

pub(super) async fn a_keeper_comes_and_goes_without_a_restart(world: &mut World) {
    keep(&world.path("fedgate.yaml"), &bare(world));
    list(world, 300..341);
    world.serve().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!is_there(world, "p340.").await, "nobody is provisioned");

    // A password that is not there: nothing is taken.
    let wrong = text(world).replace("manager.password", "nowhere.password");
    configure(world, &wrong);
    until("refused", SOON, async || {
        let log = crate::parts::serving::log(world.folder.path());
        log.contains("was not taken") && log.contains("nowhere.password")
    })
    .await;
    configure(world, &text(world));
    came(world, "p340.").await;
    let log = crate::parts::serving::log(world.folder.path());
    assert!(!log.contains("waits for a restart"), "{log}");

    a_password_is_rotated(world).await;

    configure(world, &bare(world));
    until("taken", SOON, async || {
        let log = crate::parts::serving::log(world.folder.path());
        log.matches("was read again and is in use").count() == 2
    })
    .await;
    list(world, 300..343);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!is_there(world, "p342.").await, "nobody is provisioned any more");
    world.serving = None;
}

/// At Keystone first and in the file a moment later, with no signal: the passes in between fail and lose nothing.
async fn a_password_is_rotated(world: &World) {
    let id = world
        .admin
        .id("users", "name=fedgate-provision&domain_id=default")
        .await;
    let body = json!({ "user": { "password": "another-password" } });
    let path = format!("/v3/users/{id}");
    assert_eq!(world.admin.call(Method::PATCH, &path, Some(&body)).await.0, 200);
    list(world, 300..342);
    until("refused", SOON, async || {
        world.json(&["keystone", "status"]).1 == 3
    })
    .await;
    assert!(!is_there(world, "p341.").await);
    keep(&world.path("manager.password"), "another-password");
    came(world, "p341.").await;
    until("in step", SOON, async || {
        world.json(&["keystone", "status"]).1 == 0
    })
    .await;
}
