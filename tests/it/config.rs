//! The configuration: the example is true, and what is wrong is said, all of it, with its place.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use fedgate::config::{Config, Environment, schema};
use serde_json::Value;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file that only its owner may open, with its folders.
pub fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Every `{ file: … }`, certificate and CA of a text, made beside a copy of it, so that it can be read.
pub fn beside(folder: &Path, text: &str) {
    for line in text.lines().map(|line| line.trim_start_matches(['#', '|', ' '])) {
        // These are read when the configuration is checked.
        if let Some(path) = line.strip_prefix("certificates: [") {
            let certificate = include_str!("../fixtures/saml/partner.pem");
            put(&folder.join(path.trim_end_matches(']')), certificate);
            continue;
        }
        let named = line
            .split_once("{ file: ")
            .and_then(|(_, rest)| rest.split_once(' '))
            .map(|(path, _)| path)
            .or_else(|| line.strip_prefix("ca: "))
            .or_else(|| line.strip_prefix("certificate: "))
            .or_else(|| line.strip_prefix("jwks_file: "))
            .or_else(|| line.strip_prefix("key_file: "))
            .or_else(|| line.strip_prefix("path: ").filter(|path| path.ends_with(".yaml")));
        if let Some(path) = named.filter(|path| Path::new(path).is_relative()) {
            put(
                &folder.join(path),
                "0123456789abcdef0123456789abcdef0123456789abcdef\n",
            );
        }
    }
}

/// All keys of a schema as paths (`upstreams[].issuer`); references to secrets are leaves.
pub fn schema_keys(schema: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    collect_schema(schema, schema, "", &mut keys);
    keys
}

fn collect_schema(root: &Value, schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
        if to.ends_with("/SecretRef") {
            return;
        }
        let name = to.rsplit('/').next().unwrap();
        collect_schema(root, &root["$defs"][name], path, keys);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        for shape in schema
            .get(several)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            collect_schema(root, shape, path, keys);
        }
    }
    for (name, below) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect_schema(root, below, &path, keys);
        keys.insert(path);
    }
    if let Some(items) = schema.get("items") {
        collect_schema(root, items, &format!("{path}[]"), keys);
    }
    // Names that the operator chooses.
    if let Some(free) = schema
        .get("additionalProperties")
        .filter(|free| free.get("$ref").is_some())
    {
        let path = format!("{path}.*");
        collect_schema(root, free, &path, keys);
        keys.insert(path);
    }
}

/// The keys of a text in block style, with its `#|` alternatives.
fn text_keys(text: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let mut line = line.replacen("#| ", "", 1);
        if line.trim_start().starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let mut item = false;
        let mut indent = line.len() - line.trim_start().len();
        if let Some(rest) = line.trim_start().strip_prefix("- ") {
            item = true;
            line = rest.to_owned();
            indent += 2;
        }
        let line = line.trim();
        let pair = line
            .split_once(": ")
            .or_else(|| line.strip_suffix(':').map(|key| (key, "")));
        let Some((key, value)) = pair.map(|(key, value)| (key.to_owned(), value.trim().to_owned())) else {
            continue;
        };
        if !key
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        {
            continue;
        }
        open.retain(|(own, _)| *own < indent);
        if item {
            let parent = open.last_mut().unwrap();
            if !parent.1.ends_with("[]") {
                parent.1.push_str("[]");
            }
        }
        let path = open.last().map_or_else(
            || key.clone(),
            |(_, parent)| {
                let free = format!("{parent}.*");
                if known.contains(&free) {
                    free
                } else {
                    format!("{parent}.{key}")
                }
            },
        );
        keys.insert(path.clone());
        if let Some(inline) = value.strip_prefix("{ method: ") {
            assert!(inline.ends_with('}'));
            keys.insert(format!("{path}.method"));
        }
        open.push((indent, path));
    }
    keys
}

fn example() -> String {
    fs::read_to_string(root().join("config/fedgate.example.yaml")).unwrap()
}

fn environment() -> Environment {
    Environment::from_pairs([
        ("KEYSTONE_ADMIN_PASSWORD", "adminpw"),
        ("KEYSTONE_PROVISION_PASSWORD", "managerpw"),
        ("LOCAL_ALICE", "x"),
    ])
}

/// The example in a folder with its files.
fn example_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config/fedgate.yaml");
    let text = example();
    put(&path, &text);
    beside(path.parent().unwrap(), &text);
    // The policies it names.
    fs::create_dir(folder.path().join("config/services")).unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    copy(&root().join("policies"), &folder.path().join("policies"));
    (folder, path)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The lines that a text is refused with.
fn refusal(text: &str, environment: &Environment) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fedgate.yaml");
    put(&path, text);
    put(
        &folder.path().join("secret.key"),
        "0123456789abcdef0123456789abcdef",
    );
    let folder = format!("{}/", fs::canonicalize(folder.path()).unwrap().display());
    match Config::load_with(&path, environment) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .iter()
            .map(|problem| problem.to_string().replace(&folder, ""))
            .collect(),
    }
}

const LEAST: &str = "issuer: https://login.example\nname: Test\nlisten: { address: \"127.0.0.1:0\" }\n\
                     secret_key: { file: secret.key }\n";

fn with_least(text: &str) -> Vec<String> {
    refusal(&format!("{LEAST}{text}"), &Environment::default())
}

#[test]
fn the_example_can_be_loaded() {
    let (_folder, path) = example_folder();
    let config = Config::load_with(&path, &environment()).unwrap_or_else(|problems| {
        panic!(
            "{}",
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    assert_eq!(config.issuer, "https://login.cloud-a.example");
    assert_eq!(config.targets.len(), 4);
    assert_eq!(config.clients.len(), 2);
}

#[test]
fn the_example_has_every_key_and_no_other() {
    let wanted = schema_keys(&schema());
    let given = text_keys(&example(), &wanted);
    let missing: Vec<_> = wanted.difference(&given).collect();
    let extra: Vec<_> = given.difference(&wanted).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing {missing:#?}, extra {extra:#?}"
    );
}

#[test]
fn every_key_of_the_example_has_a_comment_at_its_first_place() {
    let text = example();
    let lines: Vec<&str> = text.lines().collect();
    // Sections whose meaning their keys explain.
    let plain = [
        "listen:",
        "store:",
        "session:",
        "keys:",
        "policy:",
        "admin:",
        "log:",
        "outbound:",
    ];
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| plain.contains(line)) {
        assert!(
            lines[index + 1].trim_start().starts_with('#'),
            "{line} is not followed by a comment"
        );
    }
}

#[test]
fn the_least_is_enough() {
    assert_eq!(with_least(""), Vec::<String>::new());
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let text = "issuer: http://login.example/\nname: 7\nlisten: { address: \"0.0.0.0:8443\", tsl: {} }\n\
                secret_key: { file: none.key }\nsession: { lifetime_s: soon }\n\
                tenants:\n- { id: acme, name: ACME }\n- { id: acme, name: Other }\n- { id: Big, name: B }\n\
                targets:\n- { kind: kubernetes, id: a, name: A, audience: x, server: 'no url' }\n\
                - { kind: marvel, id: b, name: B }\nlog: { format: xml }\n";
    let said = refusal(text, &Environment::default());
    let starts = [
        "fedgate.yaml: issuer: found 'http://login.example/', expected an https URL",
        "fedgate.yaml: listen.tls: found nothing, expected certificate and key",
        "fedgate.yaml: listen.tsl: found a key that does not exist, expected one of address, proxies, tls",
        "fedgate.yaml: log.format: found 'xml', expected one of json, text",
        "fedgate.yaml: name: found 7, expected a text",
        "fedgate.yaml: secret_key: found the file 'none.key', which cannot be read (no such file or directory)",
        "fedgate.yaml: session.lifetime_s: found 'soon', expected a whole number from 60 to 86400",
        "fedgate.yaml: targets[0].server: found 'no url', expected a URL",
        "fedgate.yaml: targets[1].kind: found 'marvel', expected one of keystone, keystone_claims, kubernetes, openstack_service",
        "fedgate.yaml: tenants[1].id: found 'acme', which tenants[0] has too, expected an id of its own",
        "fedgate.yaml: tenants[2].id: found 'Big', expected 1 to 64 of a-z",
    ];
    assert_eq!(said.len(), starts.len(), "{said:#?}");
    for (line, start) in said.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n  does not begin with\n{start}");
    }
}

#[test]
fn names_must_lead_somewhere() {
    let said = with_least(
        "tenants: [ { id: acme, name: ACME, domains: [acme] } ]\n\
         targets:\n- { kind: kubernetes, id: k, name: K, audience: 'https://login.example', server: 'https://k' }\n\
         - { kind: kubernetes, id: l, name: L, audience: l, server: 'https://l' }\n\
         - { kind: kubernetes, id: m, name: M, audience: l, server: 'https://m' }\n\
         clients:\n- { id: web, name: W, auth: { method: none }, grants: [authorization_code], tenant: nobody, audiences: [q] }\n\
         access:\n- { rule: a, tenant: acme, group: g, target: nowhere, session: true }\n\
         - { rule: b, tenant: nobody, group: g, target: k, groups: [x] }\n\
         - { rule: c, tenant: acme, group: g, target: gateway, upstream: none, session: true }\n",
    );
    for start in [
        "fedgate.yaml: targets[0].audience: found 'https://login.example', which is the issuer too",
        "fedgate.yaml: targets[2].audience: found 'l', which is the audience of targets[1] too",
        "fedgate.yaml: clients[0].redirect_uris: found nothing",
        "fedgate.yaml: clients[0].tenant: found 'nobody', expected an id under tenants: acme",
        "fedgate.yaml: clients[0].audiences[0]: found 'q'",
        "fedgate.yaml: access[0].target: found there is no target or client 'nowhere'",
        "fedgate.yaml: access[1].tenant: found there is no tenant 'nobody'",
        "fedgate.yaml: access[2].upstream: found 'none', expected an id under upstreams (there is none)",
    ] {
        assert!(
            said.iter().any(|line| line.starts_with(start)),
            "{start}\n  is not in {said:#?}"
        );
    }
}

#[test]
fn a_secret_written_where_its_reference_belongs_is_not_shown() {
    let said = with_least("admin: { token: hunter2 }\n");
    assert_eq!(
        said,
        [
            "fedgate.yaml: admin.token: found a text (not shown), expected a reference to a secret: { file: <path> } or \
          { env: <NAME> }"
        ]
    );
}

#[test]
fn a_key_given_twice_and_a_file_that_is_not_there() {
    let twice = with_least("name: Again\n");
    assert!(twice.len() == 1 && twice[0].contains("duplicate"), "{twice:?}");
    let none = Config::load_with(Path::new("/none.yaml"), &Environment::default()).unwrap_err();
    assert_eq!(
        none[0].to_string(),
        "/none.yaml: found no such file or directory, expected a file in YAML that can be read"
    );
}

#[test]
fn the_environment_overrides_and_is_named_when_it_is_wrong() {
    let (_folder, path) = example_folder();
    let load = |pairs: &[(&str, &str)]| {
        let secret = [
            ("KEYSTONE_ADMIN_PASSWORD", "x"),
            ("KEYSTONE_PROVISION_PASSWORD", "x"),
        ];
        Config::load_with(
            &path,
            &Environment::from_pairs(pairs.iter().chain(&secret).copied()),
        )
    };
    let config = load(&[
        ("FEDGATE__NAME", "12"),
        ("FEDGATE__SESSION__LIFETIME_S", "600"),
        ("FEDGATE__LISTEN__ADDRESS", "127.0.0.1:1"),
        ("FEDGATE__TENANTS__0__NAME", "Other"),
        ("FEDGATE__POLICY__SUSPENDED", "[acme]"),
        ("UNRELATED", "x"),
    ])
    .unwrap();
    assert_eq!((config.name.as_str(), config.session.lifetime_s), ("12", 600));
    assert_eq!(config.tenants[0].name, "Other");
    assert_eq!(config.policy.suspended.len(), 1);
    for (variable, value, expected) in [
        (
            "FEDGATE__SESSION__LIFETIME_S",
            "1",
            "session.lifetime_s: found 1, expected a whole number from 60 to 86400",
        ),
        (
            "FEDGATE__SESSION__LIVETIME_S",
            "1",
            "session.livetime_s: found a key that does not exist",
        ),
        (
            "FEDGATE__TENANTS__9__NAME",
            "x",
            "tenants[9]: found a place that is not in the tree",
        ),
    ] {
        let problems = load(&[(variable, value)]).unwrap_err();
        let said = problems[0].to_string();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(said.starts_with(&format!("{variable}: {expected}")), "{said}");
    }
}

/// docs/log.md is an interface: every event and metric stands there, and no other.
#[test]
fn the_log_is_documented() {
    let text = fs::read_to_string(root().join("docs/log.md")).unwrap();
    let documented = |heading: &str| -> BTreeSet<String> {
        let (_, section) = text
            .split_once(heading)
            .unwrap_or_else(|| panic!("docs/log.md has no '{heading}'"));
        section
            .split("\n## ")
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|line| line.split('`').next())
            .map(str::to_owned)
            .collect()
    };
    let audit = fs::read_to_string(root().join("src/domain/audit.rs")).unwrap();
    let (_, list) = audit.split_once("pub enum What {").unwrap();
    let events: BTreeSet<String> = list
        .lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        .map(str::trim)
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .map(|line| snake(line.split([' ', ',', '{']).next().unwrap()))
        .collect();
    assert!(events.contains("signed_in"), "{events:?}");
    assert_eq!(documented("## Audit events"), events);

    let mut names = BTreeSet::new();
    metric_names(&root().join("src"), &mut names);
    assert!(names.len() > 3);
    assert_eq!(documented("## Metrics"), names);
}

/// The names of metrics: constants that begin with `fedgate_`, wherever they stand.
fn metric_names(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            metric_names(&path, names);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let constants = text
            .lines()
            .filter(|line| line.contains("const ") && line.contains(": &str"));
        let quoted = constants.filter_map(|line| line.split('"').nth(1));
        names.extend(
            quoted
                .filter(|name| name.starts_with("fedgate_"))
                .map(str::to_owned),
        );
    }
}

/// As serde's `rename_all = "snake_case"` writes it.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[test]
fn events_are_written_as_they_are_documented() {
    use fedgate::domain::audit::What;
    let event = serde_json::to_value(What::SignedOut { by: "person".into() }).unwrap();
    assert_eq!(event["event"], snake("SignedOut"));
    let event = serde_json::to_value(What::KeyRotated { kid: "k".into() }).unwrap();
    assert_eq!(event["event"], snake("KeyRotated"));
}

#[test]
fn a_partners_keystone_is_checked_with_its_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = include_str!("../fixtures/saml/partner.pem");
    put(&folder.path().join("partner.pem"), certificate);
    put(&folder.path().join("none.pem"), "no certificate");
    put(&folder.path().join("secret.key"), &"k".repeat(40));
    let partner = |id: &str, more: &str| {
        format!(
            "- {{ kind: keystone, id: {id}, name: P, tenant: acme, entity_id: 'https://ks.example', {more} }}\n"
        )
    };
    let path = folder.path().join("fedgate.yaml");
    let said = |upstreams: &str, target: &str| {
        let tenants = "tenants: [ { id: acme, name: ACME, domains: [acme] } ]\n";
        put(&path, &format!("{LEAST}{tenants}upstreams:\n{upstreams}{target}"));
        let outcome = Config::load_with(&path, &Environment::default());
        let problems = outcome.err().unwrap_or_default();
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let target =
        "targets: [ { kind: keystone, id: o, name: O, audience: o, url: 'http://127.0.0.1:5000' } ]\n";
    let good = "certificates: [partner.pem], sha1_until: 2027-06-30";
    assert_eq!(said(&partner("p", good), target), "");
    for (upstreams, target, expected) in [
        (
            partner("p", "certificates: [none.pem]"),
            target,
            "upstreams[0].certificates[0]: found '",
        ),
        (
            partner("p", "certificates: [gone.pem]"),
            target,
            "upstreams[0].certificates[0]: found '",
        ),
        (
            partner("p", "certificates: []"),
            target,
            "upstreams[0].certificates: found 0 certificates, expected one to eight",
        ),
        (
            partner("p", "certificates: [partner.pem], sha1_until: soon"),
            target,
            "upstreams[0]: found a value that cannot be used, expected a day such as 2027-06-30, and not 'soon'",
        ),
        (
            partner("p", good) + &partner("q", good),
            target,
            "upstreams[1].entity_id: found 'https://ks.example', which is the issuer of upstreams[0] too",
        ),
        (
            partner("p", good),
            "",
            "upstreams[0].kind: found 'keystone', expected another kind, or a target of kind keystone",
        ),
    ] {
        let said = said(&upstreams, target);
        assert!(said.contains(expected), "{said}\n  does not hold\n{expected}");
    }
}
