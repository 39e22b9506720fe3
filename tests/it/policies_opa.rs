//! The built-in policies by the real OPA: strict checks and all their tests. Where there is no `opa`
//! (tests/parts/opa.sh says why) it says so and skips.

use std::{path::Path, process::Command};

/// The folders of `policies/` that hold Rego; schemas and texts are no data of OPA's.
const FOLDERS: [&str; 5] = ["federation", "kubernetes", "lib", "openstack", "rules"];

fn run(arguments: &[&str]) -> Option<(bool, String)> {
    let answer = Command::new(crate::parts::opa::binary()?)
        .args(arguments)
        .args(FOLDERS)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&answer.stdout).into_owned() + &String::from_utf8_lossy(&answer.stderr);
    Some((answer.status.success(), text))
}

#[test]
fn opa_finds_nothing_wrong_in_strict_mode() {
    if let Some((good, text)) = run(&["check", "--strict"]) {
        assert!(good, "{text}");
    }
}

#[test]
fn opa_passes_every_test_that_we_pass() {
    let ours = fedgate::policy::run_tests(&fedgate::policy::Config::default()).unwrap();
    assert!(ours.iter().all(|trial| trial.failure.is_none()));
    if let Some((good, text)) = run(&["test"]) {
        assert!(good, "{text}");
        let wanted = format!("PASS: {}/{}", ours.len(), ours.len());
        assert!(text.contains(&wanted), "{wanted}: {text}");
    }
}
