//! A customer comes, changes and goes while the gateway runs (SIGHUP): nobody else notices, and a configuration with a
//! mistake changes nothing.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::parts::gateway::{Browser, Landscape, PEOPLE, Page};

const TENANT: &str = "tenants:\n  - { id: beta, name: Beta AG, domains: [beta], aliases: [beta.example], contact: help@beta.example }\n";
const UPSTREAM: &str = r#"upstreams:
  - kind: local
    id: beta-people
    name: Beta AG
    tenant: beta
    users: [{ username: erin, groups: [makers], password_hash: { file: ../acme/alice.hash } }]
    mapping: { groups: [{ rule: beta-groups, claim: groups, accept: ["*"] }] }
"#;
const ACCESS: &str =
    "access:\n  - { rule: beta-sign-in, tenant: beta, group: makers, target: gateway, session: true }
  - { rule: beta-builds, tenant: beta, group: makers, target: cluster-a, groups: [beta-makers] }\n";

const LATER: &str = "  - { kind: kubernetes, id: later, name: Later, audience: k8s-later, server: \"https://localhost:1\" }\n";
const TO_LATER: &str =
    "  - { rule: beta-later, tenant: beta, group: makers, target: later, groups: [beta-makers] }\n";

struct World {
    land: Landscape,
    /// The configuration before there was a new customer.
    before: String,
}

impl World {
    fn write(&self, text: &str) {
        fs::write(self.land.cloud.folder.join("fedgate.yaml"), text).unwrap();
        self.land.cloud.hang_up();
    }

    fn with_beta(&self) -> String {
        let changed = self
            .before
            .replacen("tenants:\n", TENANT, 1)
            .replacen("upstreams:\n", UPSTREAM, 1)
            .replacen("\naccess:\n", &format!("\n{ACCESS}"), 1);
        assert_eq!(changed.matches("beta-").count(), 5);
        changed
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let ends = Instant::now() + Duration::from_secs(30);
        while !holds().await {
            assert!(Instant::now() < ends, "{what}: {}", self.land.cloud.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn said(&self, word: &str) -> usize {
        self.land.cloud.log().matches(word).count()
    }

    async fn of_beta(&self, browser: &Browser) -> Page {
        browser.open(&self.land.cloud.at("/t/beta")).await
    }

    async fn erin(&self, browser: &Browser) -> Page {
        let form = self.of_beta(browser).await;
        assert!(form.url.path().ends_with("/password"), "{}", form.url);
        browser
            .submit(&form, &[("username", "erin"), ("password", PEOPLE[0].1)])
            .await
    }

    async fn home(&self, browser: &Browser) -> Page {
        browser.open(&self.land.cloud.at("/")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_come_and_go_without_a_restart() {
    let land = Landscape::start().await;
    let before = fs::read_to_string(land.cloud.folder.join("fedgate.yaml")).unwrap();
    let world = World { land, before };
    let (alice, late, erin) = (world.land.browser(), world.land.browser(), world.land.browser());
    let chooser = world.home(&alice).await;
    assert!(
        world
            .land
            .sign_in(&alice, chooser, 0)
            .await
            .text()
            .contains("webshop")
    );
    // Somebody is at their organisation just now.
    let chooser = world.home(&late).await;
    let form = world.land.to_acme(&late, chooser).await;
    assert!(!world.of_beta(&erin).await.url.path().ends_with("/password"));

    world.write(&world.with_beta());
    let known = async || {
        world
            .of_beta(&world.land.browser())
            .await
            .url
            .path()
            .ends_with("/password")
    };
    world.until("beta may come", known).await;
    let page = world.erin(&erin).await;
    for word in ["erin", "Beta AG", "beta-makers", "beta-builds"] {
        assert!(page.text().contains(word), "{word}: {}", page.text());
    }
    let page = late
        .submit(&form, &[("username", PEOPLE[1].0), ("password", PEOPLE[1].1)])
        .await;
    assert_eq!(
        page.url.path(),
        "/",
        "who was on their way arrives: {}",
        page.html
    );
    assert!(world.home(&alice).await.text().contains("webshop"));

    mistakes_change_nothing(&world, &alice, &erin).await;
    what_waits_is_named(&world, &erin).await;

    world.write(&world.before);
    world.until("beta is gone", async || !known().await).await;
    // Refused at once, and ended a moment later.
    assert!(!world.home(&erin).await.text().contains("beta-makers"));
    let ended = async || world.home(&erin).await.text().contains("Which organisation");
    world.until("her session has ended", ended).await;
    assert!(world.home(&alice).await.text().contains("webshop"));
    assert!(world.home(&late).await.text().contains(PEOPLE[1].0));
}

/// In the tree, in a secret, in a policy, and in what a tree means beside what runs.
async fn mistakes_change_nothing(world: &World, alice: &Browser, erin: &Browser) {
    let good = world.with_beta();
    let folder = world.land.cloud.folder.join("broken");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("access.rego"),
        "package federation.access\n\nbroken {",
    )
    .unwrap();
    let gone = good.replace("- { id: beta, name", "- { id: gamma, name");
    for (wrong, word) in [
        (gone, "beta"),
        (
            good.replace("../acme/alice.hash", "../acme/nowhere.hash"),
            "nowhere.hash",
        ),
        (
            world
                .before
                .replace("\npolicy:\n", "\npolicy:\n  folder: broken\n"),
            "access.rego:3",
        ),
        // A target waits for a restart, so a rule that leads there would decide nothing until then.
        (
            good.replacen("\ntargets:\n", &format!("\ntargets:\n{LATER}"), 1)
                .replacen("\naccess:\n", &format!("\naccess:\n{TO_LATER}"), 1),
            "with targets as they run until a restart: access[0].target",
        ),
    ] {
        let refused = world.said("was not taken");
        world.write(&wrong);
        world
            .until("it is refused", async || world.said("was not taken") > refused)
            .await;
        let log = world.land.cloud.log();
        let line = log.lines().rfind(|line| line.contains("was not taken")).unwrap();
        assert!(line.contains(word), "{line}");
        assert!(world.home(erin).await.text().contains("beta-makers"));
        assert!(world.home(alice).await.text().contains("webshop"));
    }
}

/// A gateway opens some things once. What else was changed with them counts at once.
async fn what_waits_is_named(world: &World, erin: &Browser) {
    let changed = world
        .with_beta()
        .replace("name: Cloud A\n", "name: Cloud of tomorrow\n")
        .replace("name: Cluster A\n", "name: Cluster of tomorrow\n");
    world.write(&changed);
    world
        .until("the name is new", async || {
            world.home(erin).await.text().contains("Cloud of tomorrow")
        })
        .await;
    assert!(world.home(erin).await.text().contains("Cluster A"));
    let log = world.land.cloud.log();
    let line = log
        .lines()
        .rfind(|line| line.contains("waits for a restart"))
        .unwrap();
    assert!(line.contains("\"waiting\":\"targets\""), "{line}");
}
