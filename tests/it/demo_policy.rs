//! What the demonstration tells about policies comes true: a refusal, a candidate, what `impact` predicts of
//! it, and what happens when it is applied and rolled back.

use std::{fs, path::Path, process::Command};

use crate::parts::gateway::{Landscape, PEOPLE};

const ALICE: usize = 0;
const CAROL: usize = 2;

/// `fedgate policy …` beside the cloud's gateway: exit code and output.
fn policy(landscape: &Landscape, arguments: &[&str]) -> (i32, String) {
    let all: Vec<&str> = std::iter::once("policy")
        .chain(arguments.iter().copied())
        .collect();
    run(landscape, &all)
}

fn run(landscape: &Landscape, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(arguments)
        .env_clear()
        .env("FEDGATE_CONFIG", landscape.cloud.folder.join("fedgate.yaml"))
        .current_dir(&landscape.cloud.folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Whether somebody gets in, in a browser of their own.
async fn let_in(landscape: &Landscape, person: usize) -> (bool, String) {
    let browser = landscape.browser();
    let chooser = browser.open(&landscape.cloud.at("/login")).await;
    let page = landscape.sign_in(&browser, chooser, person).await;
    (page.status == 200, page.html)
}

fn candidate(folder: &Path) {
    fs::create_dir_all(folder.join("federation")).unwrap();
    let access = fedgate::policy::built_in("federation/access.rego").unwrap();
    fs::write(folder.join("federation/access.rego"), access).unwrap();
    let guests = include_str!("../../config/demo/guests.rego");
    fs::write(folder.join("federation/guests.rego"), guests).unwrap();
}

/// What `impact` says of the guests, once a decision about `person` is kept: the gateway does that in the
/// background.
async fn weighed(landscape: &Landscape, folder: &str, person: &str) -> (i32, String) {
    let mut found = (0, String::new());
    for _ in 0..50 {
        found = policy(landscape, &["impact", "--since", "1h", "--folder", folder]);
        if found.1.contains(&format!("{person} (tenant")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_admits_whom_impact_said_it_would() {
    let landscape = Landscape::start().await;
    let folder = landscape.folder.path().join("candidate");
    candidate(&folder);
    let (folder, ca) = (folder.to_str().unwrap(), landscape.ca.to_str().unwrap());

    // Alice has a session by a rule of the configuration: the candidate gives her nothing.
    assert!(let_in(&landscape, ALICE).await.0);
    let (code, text) = weighed(&landscape, folder, "alice").await;
    assert!(
        code == 0
            && text.contains("nobody would gain or lose anything")
            && text.contains("  keeps sign-in, "),
        "{text}"
    );
    assert!(
        !text.contains("gains") && text.contains("then by developers-sign-in, guests-of-acme"),
        "{text}"
    );

    let (inside, html) = let_in(&landscape, CAROL).await;
    assert!(!inside, "{} is refused: {html}", PEOPLE[CAROL].0);

    let claims = landscape.folder.path().join("carol.claims.json");
    fs::write(
        &claims,
        r#"{"sub": "carol", "preferred_username": "carol", "groups": []}"#,
    )
    .unwrap();
    let claims = claims.to_str().unwrap();
    let asked = [
        "explain",
        "--claims",
        claims,
        "--upstream",
        "acme",
        "--target",
        "gateway",
    ];
    let (code, text) = run(&landscape, &asked);
    assert!(code == 0 && text.contains("no_matching_rule"), "{text}");

    let found = weighed(&landscape, folder, "carol").await;
    assert_eq!(found.0, 3, "{}", found.1);

    // What was recorded of her explains the same, without her claims in a file.
    let (code, text) = run(&landscape, &["explain", "--user", "carol", "--target", "gateway"]);
    assert!(
        code == 0 && text.contains("preferred_username = \"carol\"") && text.contains("no_matching_rule"),
        "{text}"
    );
    let reference = html.split_once("FG-").expect("a reference").1;
    let reference: String = reference
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let (code, text) = run(&landscape, &["explain", "--decision", &format!("FG-{reference}")]);
    assert!(
        code == 0 && text.contains("federation/login/decision") && text.contains("no_matching_rule"),
        "{text}"
    );
    let (code, text) = run(&landscape, &["explain", "--decision", "FG-NOTHING"]);
    assert!(code == 1 && text.contains("there is no decision"), "{text}");
    assert!(
        found.1.contains("gains sign-in, by guests-of-acme"),
        "{}",
        found.1
    );

    let (code, text) = policy(&landscape, &["apply", "--ca", ca, "--folder", folder]);
    assert_eq!(code, 0, "{text}");
    let (inside, html) = let_in(&landscape, CAROL).await;
    assert!(inside, "what was predicted comes true: {html}");

    let (code, text) = policy(&landscape, &["rollback", "--ca", ca]);
    assert_eq!(code, 0, "{text}");
    assert!(!let_in(&landscape, CAROL).await.0, "she is refused again");
}
