//! The container files are not run by the tests; what can be known without running them is held here: the
//! settings they use exist, and what they promise about rights is written in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use fedgate::config::{Config, Environment, schema};
use serde_json::Value;

use super::config::{put, schema_keys};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docker").join(name)).unwrap()
}

fn compose() -> Value {
    serde_norway::from_str(&read("compose.yaml")).unwrap()
}

/// The last stage of the Dockerfile: what runs.
fn last_stage() -> Vec<String> {
    let text = read("Dockerfile").replace("\\\n", " ");
    let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let start = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    lines[start..].to_vec()
}

/// The variables of the gateway in compose.yaml.
fn environment() -> BTreeMap<String, String> {
    compose()["services"]["gateway"]["environment"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// The mounted secrets of a service, as the paths they have inside.
fn secrets(service: &str) -> BTreeSet<String> {
    compose()["services"][service]["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| format!("/run/secrets/{}", name.as_str().unwrap()))
        .collect()
}

#[test]
fn the_configuration_with_its_environment_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let text = read("fedgate.yaml");
    let inside = folder.path().to_string_lossy().into_owned();
    let path = folder.path().join("fedgate.yaml");
    put(&path, &text.replace("/run/secrets", &inside));
    // Only the mounted secrets exist: a reference to another one fails.
    for secret in secrets("gateway") {
        let name = secret.trim_start_matches("/run/secrets/").to_owned();
        put(&folder.path().join(name), "0123456789abcdef0123456789abcdef");
    }
    let pairs = environment();
    let environment =
        Environment::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Config::load_with(&path, &environment).unwrap_or_else(|problems| panic!("{problems:#?}"));
}

#[test]
fn every_override_names_a_key_of_the_tree() {
    let keys = schema_keys(&schema());
    let overrides: Vec<String> = environment()
        .keys()
        .filter_map(|name| name.strip_prefix("FEDGATE__"))
        .map(|name| name.to_lowercase().replace("__", "."))
        .collect();
    assert!(!overrides.is_empty());
    for key in overrides {
        assert!(keys.contains(&key), "no key '{key}'");
    }
}

#[test]
fn every_secret_that_is_used_is_declared_and_none_is_idle() {
    let declared: BTreeSet<String> = compose()["secrets"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| format!("/run/secrets/{name}"))
        .collect();
    let mounted: BTreeSet<String> = secrets("gateway").union(&secrets("postgres")).cloned().collect();
    assert_eq!(declared, mounted);
    let used = format!("{}{}", read("fedgate.yaml"), read("compose.yaml"));
    for secret in mounted {
        assert!(used.contains(&secret), "{secret} is mounted and nobody reads it");
    }
}

#[test]
fn the_gateway_has_no_rights_that_it_does_not_need() {
    let compose = compose();
    let gateway = &compose["services"]["gateway"];
    assert_eq!(gateway["read_only"], true);
    assert_eq!(gateway["cap_drop"][0], "ALL");
    assert!(!gateway["user"].as_str().unwrap().starts_with('0'));
    assert!(gateway.get("privileged").is_none() && gateway.get("cap_add").is_none());
    let user = last_stage()
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("USER ").map(str::to_owned))
        .expect("the image says whom it runs as");
    assert!(
        user.split(':').next().unwrap().parse::<u32>().unwrap() > 0,
        "{user}"
    );
    assert_eq!(gateway["user"], user.as_str());
}

#[test]
fn the_image_has_both_programs_a_health_check_and_no_shell_in_its_commands() {
    let stage = last_stage();
    let copied = stage
        .iter()
        .find(|line| line.starts_with("COPY --from=build"))
        .unwrap();
    assert!(copied.contains("/out/fedgate ") && copied.contains("/out/fedctl "));
    assert!(stage[0].contains("bookworm-slim"), "{}", stage[0]);
    for command in ["ENTRYPOINT ", "CMD "] {
        let line = stage.iter().find(|line| line.starts_with(command)).unwrap();
        assert!(
            line[command.len()..].starts_with('['),
            "a shell would get the signals: {line}"
        );
    }
    let health = stage
        .iter()
        .find(|line| line.starts_with("HEALTHCHECK "))
        .unwrap();
    assert!(
        health.contains("CMD [\"/usr/local/bin/fedgate\", \"health\""),
        "{health}"
    );
}

#[test]
fn what_the_image_copies_is_in_the_checkout_and_in_the_context() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let context = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let dockerfile = read("Dockerfile");
    let mut seen = 0;
    for line in dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY ") && !line.contains("--from"))
    {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        for source in &words[..words.len() - 1] {
            seen += 1;
            assert!(root.join(source).exists(), "{source} does not exist");
            assert!(
                context.lines().any(|line| line == format!("!{source}")),
                "{source} is not in the context"
            );
        }
    }
    assert!(seen >= 5);
    let rust = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("FROM rust:"))
        .unwrap();
    let cargo = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let version = rust.split('-').next().unwrap();
    assert!(
        cargo.contains(&format!("rust-version = \"{version}\"")),
        "the image builds with Rust {version}"
    );
}
