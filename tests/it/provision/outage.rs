//! Keystone goes away and comes back.

use std::time::Duration;

use super::world::{ALICE, World, config, until};
use crate::parts::gateway::keep;

pub(super) async fn an_outage_queues_and_loses_nothing(world: &mut World) {
    world.serve().await;
    let in_step = |world: &World| {
        let (stand, code) = world.json(&["keystone", "status"]);
        (stand[0].clone(), code)
    };
    until("in step", Duration::from_secs(40), async || in_step(world).1 == 0).await;
    // Bob is taken out of everything while Keystone is down.
    world.keystone = None;
    let text = config(&world.issuer, world.port, &world.url, ALICE).replace(
        "username: bob, groups: [developers]",
        "username: bob, groups: [guests]",
    );
    keep(&world.path("fedgate.yaml"), &text);
    world.serving.as_ref().unwrap().hang_up();
    until("behind", Duration::from_secs(40), async || in_step(world).1 == 3).await;
    let (stand, _) = in_step(world);
    assert!(stand["behind_since"].is_i64(), "{stand}");
    assert!(stand["why"].as_str().unwrap().contains("Keystone"), "{stand}");
    let text = String::from_utf8(world.fedgate(&["keystone", "status"]).stdout).unwrap();
    assert!(text.contains("behind since"), "{text}");
    // The gateway itself ends and starts again: what waits is not lost.
    world.serving = None;
    world.keystone_again().await;
    world.serve().await;
    until("in step again", Duration::from_secs(60), async || {
        let bob = world.admin.user("acme", "bob.").await;
        bob["enabled"] == false && in_step(world).1 == 0
    })
    .await;
    let bob = world.admin.user("acme", "bob.").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // What others gave him is theirs to take; he cannot use it any more.
    assert_eq!(world.admin.roles(&bob).await, ["own member", "webshop manager"]);
    assert_eq!(world.admin.groups(&bob).await, Vec::<String>::new());
    // And he comes back when he is in the group again.
    keep(
        &world.path("fedgate.yaml"),
        &config(&world.issuer, world.port, &world.url, ALICE),
    );
    world.serving.as_ref().unwrap().hang_up();
    until("bob is back", Duration::from_secs(40), async || {
        world.admin.user("acme", "bob.").await["enabled"] == true
            && world.admin.groups(&bob).await == ["fed-developers"]
    })
    .await;
}
