//! Taken out of a group, and let go: when each thing went.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::world::{ALICE, World, config, until};
use crate::parts::gateway::keep;

/// What one person holds: their user, tokens for two projects, and an application credential on each.
struct Held {
    user: String,
    bearer: String,
    refresh: String,
    unscoped: String,
    webshop: String,
    platform: Option<String>,
    on_webshop: (String, String),
    on_platform: Option<(String, String)>,
}

async fn signed_in(world: &World, tag: &str, platform: bool) -> Held {
    let (bearer, refresh) = world.bearer("alice").await.unwrap();
    let (unscoped, body) = world.unscoped(&bearer).await.unwrap();
    let user = body["token"]["user"]["id"].as_str().unwrap().to_owned();
    let webshop = world.scoped(&unscoped, "webshop").await;
    let on_webshop = world.credential(&user, &webshop, &format!("{tag}-webshop")).await;
    let (mut token, mut credential) = (None, None);
    if platform {
        let scoped = world.scoped(&unscoped, "platform").await;
        credential = Some(world.credential(&user, &scoped, &format!("{tag}-platform")).await);
        token = Some(scoped);
    }
    Held {
        user,
        bearer,
        refresh,
        unscoped,
        webshop,
        platform: token,
        on_webshop,
        on_platform: credential,
    }
}

pub(super) async fn a_lost_group_takes_what_came_with_it(world: &mut World) {
    let made = world.admin.user("acme", "alice.").await;
    let held = signed_in(world, "first", true).await;
    // The sign-in found the user that was made before, and made no second one.
    assert_eq!(made["id"], held.user.as_str());
    assert_eq!(world.by_credential(&held.on_webshop).await, StatusCode::CREATED);
    // The role in the other domain came with the sign-in.
    assert_eq!(
        world.admin.roles(&held.user).await,
        ["lab member", "platform reader", "webshop member"]
    );
    let begun = Instant::now();
    let text = config(&world.issuer, world.port, &world.url, "[developers]");
    keep(&world.path("fedgate.yaml"), &text);
    world.serving.as_ref().unwrap().hang_up();
    let platform = held.platform.as_ref().unwrap();
    until("the token is refused", Duration::from_secs(40), async || {
        !world.admin.validates(platform).await
    })
    .await;
    println!(
        "a lost group: token refused {:.1} s after",
        begun.elapsed().as_secs_f64()
    );
    until("the credential is gone", Duration::from_secs(40), async || {
        world.admin.credentials(&held.user).await == ["first-webshop"]
    })
    .await;
    // Keystone's own word for a credential that is not there any more.
    let gone = world.by_credential(held.on_platform.as_ref().unwrap()).await;
    assert_eq!(gone, StatusCode::NOT_FOUND);
    assert_eq!(world.admin.groups(&held.user).await, ["fed-developers"]);
    // The session that was opened with the group ended, with what hung on it.
    assert_eq!(
        world.unscoped(&held.bearer).await.err(),
        Some(StatusCode::UNAUTHORIZED)
    );
    assert_eq!(world.refresh(&held.refresh).await, StatusCode::BAD_REQUEST);
    // What the other group gives is untouched.
    assert_eq!(world.by_credential(&held.on_webshop).await, StatusCode::CREATED);
    // Back to both.
    keep(
        &world.path("fedgate.yaml"),
        &config(&world.issuer, world.port, &world.url, ALICE),
    );
    world.serving = None;
    world.serve().await;
}

pub(super) async fn who_is_let_go_has_nothing_left(world: &World) {
    until("both groups again", Duration::from_secs(40), async || {
        world
            .admin
            .groups(world.admin.user("acme", "alice.").await["id"].as_str().unwrap())
            .await
            == ["fed-developers", "fed-operators"]
    })
    .await;
    let held = signed_in(world, "second", true).await;
    let begun = Instant::now();
    let (report, code) = world.json(&["offboard", "--user", "staff/alice"]);
    let refused = until("the tokens are refused", Duration::from_secs(20), async || {
        let mut good = false;
        for token in [&held.unscoped, &held.webshop] {
            good |= world.admin.validates(token).await;
        }
        !good
    })
    .await;
    println!(
        "let go: tokens refused {:.1} s after the command began ({:.1} s after it ended)",
        begun.elapsed().as_secs_f64(),
        refused.as_secs_f64()
    );
    assert_eq!(code, 0, "{report}");
    let taken = report["taken"].to_string();
    for wanted in [
        "let go",
        "sessions with their refresh tokens ended",
        "application credentials of alice",
        "role member on acme/webshop from alice",
        "member alice",
        "the user is disabled",
    ] {
        assert!(taken.contains(wanted), "{wanted}\n{report}");
    }
    let since = report["since"].as_i64().unwrap();
    for entry in report["taken"].as_array().unwrap() {
        assert!(entry[0].as_i64().unwrap() - since <= 15 * 60, "{entry}");
    }
    assert_eq!(world.admin.credentials(&held.user).await, Vec::<String>::new());
    for credential in [&held.on_webshop, held.on_platform.as_ref().unwrap()] {
        assert_eq!(world.by_credential(credential).await, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.admin.groups(&held.user).await, Vec::<String>::new());
    assert_eq!(
        world.unscoped(&held.bearer).await.err(),
        Some(StatusCode::UNAUTHORIZED)
    );
    assert_eq!(world.refresh(&held.refresh).await, StatusCode::BAD_REQUEST);
    // The right password does not help, and nothing brings her back by itself.
    assert!(world.bearer("alice").await.is_err());
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(world.admin.user("acme", "alice.").await["enabled"], false);
    let (again, _) = world.json(&["offboard", "--user", "staff/alice", "--report"]);
    assert_eq!(again["since"], report["since"]);
    // She is taken back.
    let (back, code) = world.json(&["offboard", "--user", "staff/alice", "--back"]);
    assert_eq!((code, &back["since"]), (0, &Value::Null), "{back}");
    let (bearer, _) = world.bearer("alice").await.unwrap();
    assert!(world.unscoped(&bearer).await.is_ok());
}

/// A token that must end within seconds makes no application credential through the gateway. Past it, it does, and that
/// outlives the token: whoever is let go loses it all the same, and does not get it back.
pub(super) async fn a_credential_that_a_limited_token_made_goes_too(world: &mut World) {
    let text = config(&world.issuer, world.port, &world.url, ALICE)
        .replace("{ rule: build,", "{ rule: build, lifetime_s: 8,");
    keep(&world.path("fedgate.yaml"), &text);
    world.serving = None;
    world.serve().await;
    let (bearer, _) = world.bearer("alice").await.unwrap();
    let (unscoped, body) = world.unscoped(&bearer).await.unwrap();
    let user = body["token"]["user"]["id"].as_str().unwrap().to_owned();
    let made = crate::parts::cloud::scoped(&world.issuer, &unscoped, ("acme", "webshop")).await;
    let (limited, _) = made.unwrap();
    let path = format!("/v3/users/{user}/application_credentials");
    let front = crate::parts::plain_client()
        .post(format!("{}{path}", world.issuer))
        .header("x-auth-token", &limited)
        .json(&serde_json::json!({ "application_credential": { "name": "front" } }));
    assert_eq!(front.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let credential = world.credential(&user, &limited, "past the front").await;
    until("the token ends", Duration::from_secs(30), async || {
        !world.admin.validates(&limited).await
    })
    .await;
    assert_eq!(world.by_credential(&credential).await, StatusCode::CREATED);
    let (report, code) = world.json(&["offboard", "--user", "staff/alice"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(world.by_credential(&credential).await, StatusCode::NOT_FOUND);
    let (back, code) = world.json(&["offboard", "--user", "staff/alice", "--back"]);
    assert_eq!(code, 0, "{back}");
    until("she is back", Duration::from_secs(40), async || {
        world.admin.user("acme", "alice.").await["enabled"] == true
    })
    .await;
    assert_eq!(world.admin.credentials(&user).await, Vec::<String>::new());
    assert_eq!(world.by_credential(&credential).await, StatusCode::NOT_FOUND);
}
