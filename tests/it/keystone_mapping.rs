//! Keystone's mapping language: our engine against the engine of a real Keystone, over generated mappings and
//! assertions, and the command that shows what a mapping makes of an assertion.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use fedgate::target::keystone::mapping::{MapFault, Mapping, Version};
use serde_json::{Value, json};

/// Cases of one run. A seed that failed once is kept in `SEEDS`.
const CASES: u64 = 4_000;
const SEEDS: [u64; 2] = [0x5eed, 0x0dd_ba11];

/// xorshift64*: the same cases in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    fn one<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.roll(from.len())]
    }

    fn some<'t>(&mut self, from: &[&'t str]) -> Vec<&'t str> {
        (0..self.roll(4)).map(|_| self.one(from)).collect()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

const ATTRIBUTES: [&str; 4] = ["SUB", "NAME", "GROUPS", "PROJECTS"];
const VALUES: [&str; 30] = [
    "",
    "alice",
    "u-1",
    "devs",
    "ops",
    "devs;ops",
    "ops;devs;devs",
    "username-admins",
    "domain-name-admins",
    "a b",
    "Jürgen Ñ €",
    "O'Neill",
    "say \"hi\"",
    "it's \"both\"",
    "back\\slash",
    "tab\there",
    "zero\u{200b}width",
    "['x']",
    "['x', 'y']",
    "[1, 2.5, True, None]",
    "(1,)",
    "JSON:{\"name\":\"admins\",\"domain\":{\"name\":\"d\"}}",
    "JSON:{\"name\":\"x\"};JSON:{\"name\":\"y\",\"domain\":{\"id\":\"1\"}}",
    "JSON:[\"domain\"]",
    "JSON:name",
    "[{\"name\":\"p\",\"roles\":[{\"name\":\"member\"}]}]",
    "[]",
    "[{\"name\":\"p\"}]",
    "{0}{1.__class__}",
    ";",
];
const LISTED: [&str; 8] = ["devs", "ops", "alice", "u-1", "x", "admins", "a b", ""];
const PATTERNS: [&str; 22] = [
    "devs",
    "^devs$",
    "^(dev|op)s$",
    "[a-z]+",
    "^.*$",
    "\\w+ \\w+",
    "^u-\\d$",
    "(?i)ALICE",
    "a(?=l)",
    "(.)\\1",
    "[",
    "(",
    "\\Zx",
    "s\\Z",
    "x{2}",
    "{",
    "a{,3}b",
    "[[a]",
    "[a&&b]",
    "\\q",
    "^\\S+$",
    "[^\\W\\d_]",
];
const TEXTS: [&str; 22] = [
    "{0}", "{1}", "{2}", "fixed", "{0} {1}", "{}-{}", "{0}{}", "{{{0}}}", "{0!r}", "{0!a}", "{0!s}",
    "{0[0]}", "{0[9]}", "{", "}", "{0", "{name}", "{0:>8}", "{0:.2}", "x{0}name", "{0!q}", "{0[x]}",
];

fn requirement(dice: &mut Dice) -> Value {
    let mut made = json!({"type": dice.one(&ATTRIBUTES)});
    let test = ["any_one_of", "not_any_of", "whitelist", "blacklist"];
    if dice.chance(55) {
        let regex = dice.chance(40);
        let listed = if regex {
            dice.some(&PATTERNS)
        } else {
            dice.some(&LISTED)
        };
        made[dice.one(&test)] = json!(listed);
        if regex || dice.chance(10) {
            made["regex"] = json!(regex);
        }
    }
    broken(dice, made)
}

/// Now and then something that the schema refuses or Python stumbles over.
fn broken(dice: &mut Dice, mut value: Value) -> Value {
    if !dice.chance(3) {
        return value;
    }
    match dice.roll(6) {
        0 => value["surplus"] = json!(1),
        1 => value["type"] = json!(7),
        2 => value["regex"] = json!("yes"),
        3 => value["any_one_of"] = json!([["list"], 1]),
        4 => value["any_one_of"] = json!([1, null, true]),
        _ => value = json!([]),
    }
    value
}

fn domain(dice: &mut Dice) -> Value {
    match dice.roll(5) {
        0 => json!({"id": dice.one(&["d1", "{0}"])}),
        1 => json!({}),
        _ => json!({"name": dice.one(&["partner", "{1}", "other"])}),
    }
}

fn local(dice: &mut Dice) -> Value {
    let mut made = json!({});
    if dice.chance(50) {
        made["user"] = json!({});
        for key in ["id", "name", "email"] {
            if dice.chance(50) {
                made["user"][key] = json!(dice.one(&TEXTS));
            }
        }
        if dice.chance(40) {
            made["user"]["domain"] = domain(dice);
        }
        if dice.chance(20) {
            made["user"]["type"] = json!(dice.one(&["local", "ephemeral", "ephemeral", "other"]));
        }
    }
    if dice.chance(30) {
        made["group"] = match dice.roll(4) {
            0 => json!({"id": dice.one(&["g1", "{0}"])}),
            1 => json!({"name": "g"}),
            _ => json!({"name": dice.one(&["g1", "g2", "{0}"]), "domain": domain(dice)}),
        };
    }
    if dice.chance(40) {
        made["groups"] = json!(dice.one(&TEXTS));
    }
    if dice.chance(15) {
        made["group_ids"] = json!(dice.one(&TEXTS));
    }
    if dice.chance(60) {
        made["domain"] = domain(dice);
    }
    if dice.chance(25) {
        let mut project =
            json!({"name": dice.one(&TEXTS), "roles": [{"name": dice.one(&["member", "{0}"])}]});
        if dice.chance(30) {
            project["domain"] = domain(dice);
        }
        made["projects"] = json!([project]);
    }
    if dice.chance(10) {
        made["projects_json"] = json!(dice.one(&["{0}", "{1}", "0", "{3}", "x", "{0}tail"]));
    }
    made
}

fn case(dice: &mut Dice) -> (Value, Value, &'static str) {
    let rules: Vec<Value> = (0..1 + dice.roll(3))
        .map(|_| {
            let remote: Vec<Value> = (0..1 + dice.roll(3)).map(|_| requirement(dice)).collect();
            let locals: Vec<Value> = (0..1 + dice.roll(2)).map(|_| local(dice)).collect();
            let mut rule = json!({"remote": remote, "local": locals});
            if dice.chance(1) {
                rule["extra"] = json!(1);
            }
            if dice.chance(1) {
                rule["remote"] = json!([]);
            }
            rule
        })
        .collect();
    let mut assertion = serde_json::Map::new();
    for name in ATTRIBUTES {
        if dice.chance(85) {
            assertion.insert(name.into(), json!(dice.one(&VALUES)));
        }
    }
    (
        json!(rules),
        Value::Object(assertion),
        dice.one(&["1.0", "2.0", "3.0"]),
    )
}

fn ours(rules: &Value, assertion: &Value, version: &str) -> Result<Value, &'static str> {
    let mapping = Mapping::read(rules, Version::parse(version)).map_err(|_| "schema")?;
    let assertion: BTreeMap<String, String> = serde_json::from_value(assertion.clone()).unwrap();
    match mapping.process(&assertion) {
        Ok(mapped) => Ok(serde_json::to_value(mapped).unwrap()),
        Err(MapFault::Invalid(_)) => Err("validation"),
        Err(MapFault::NoSuchMatch) => Err("direct"),
        Err(MapFault::Crash(_)) => Err("crash"),
        Err(MapFault::Unsupported(_)) => Err("unsupported"),
    }
}

fn python() -> std::path::PathBuf {
    super::parts::home().join("keystone/server/bin/python3")
}

#[test]
fn the_engine_of_a_real_keystone_gives_the_same() {
    let mut cases = Vec::new();
    for seed in SEEDS {
        let mut dice = Dice(seed);
        cases.extend((0..CASES / SEEDS.len() as u64).map(|_| case(&mut dice)));
    }
    let mut lines = String::new();
    for (rules, assertion, version) in &cases {
        let line = json!({"rules": rules, "assertion": assertion, "version": version});
        lines.push_str(&format!("{line}\n"));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keystone_mapping.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Keystone's Python (tests/parts/keystone.sh)");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), cases.len());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut different = Vec::new();
    for ((rules, assertion, version), theirs) in cases.iter().zip(&answers) {
        let our = ours(rules, assertion, version);
        let same = match (&our, theirs.get("ok")) {
            (Ok(our), Some(theirs)) => our == theirs,
            (Err(kind), None) => theirs["fault"] == *kind,
            _ => false,
        };
        *seen
            .entry(our.as_ref().map_or_else(|kind| *kind, |_| "mapped"))
            .or_default() += 1;
        if !same {
            different.push(format!(
                "{version} {rules} {assertion}\n  ours   {our:?}\n  theirs {theirs}"
            ));
        }
    }
    println!("compared with Keystone's engine: {seen:?}");
    assert!(
        different.is_empty(),
        "{} of {}:\n{}",
        different.len(),
        cases.len(),
        different.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
    // The comparison means something only if every kind of outcome was met.
    for kind in ["mapped", "schema", "validation", "direct", "crash"] {
        assert!(
            seen.get(kind).is_some_and(|count| *count > 50),
            "{kind}: {seen:?}"
        );
    }
}

/// `fedgate keystone map`, with its files; exit code, standard output and error.
fn map(rules: &str, input: &str, more: &[&str]) -> (bool, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let (rules_file, input_file) = (folder.path().join("R.json"), folder.path().join("assertion"));
    std::fs::write(&rules_file, rules).unwrap();
    std::fs::write(&input_file, input).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["keystone", "map", "--rules"])
        .arg(&rules_file)
        .arg("--input")
        .arg(&input_file)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

const RULES: &str = r#"[{"remote": [{"type": "SUB"}, {"type": "GROUPS", "whitelist": ["devs", "ops"]}],
    "local": [{"user": {"id": "{0}", "name": "n-{0}"}, "groups": "{1}", "domain": {"name": "partner"}}]}]"#;

#[test]
fn the_command_prints_what_keystone_would_take_somebody_for() {
    let json = r#"{"SUB": "u-1", "GROUPS": "devs;guests", "AGE": 7}"#;
    let lines = "SUB: u-1\nGROUPS: devs;guests\n\n";
    for input in [json, lines] {
        let (good, out, err) = map(RULES, input, &["--schema-version", "2.0"]);
        assert!(good, "{err}");
        let mapped: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            mapped,
            json!({
                "user": {"id": "u-1", "name": "n-u-1", "type": "ephemeral", "domain": {"name": "partner"}},
                "group_ids": [],
                "group_names": [{"name": "devs", "domain": {"name": "partner"}}],
                "projects": [],
            })
        );
    }
}

#[test]
fn the_command_says_what_is_wrong_and_where() {
    let (good, out, err) = map(RULES, "SUB: u-1", &[]);
    assert!(!good && out.is_empty());
    assert!(
        err.contains("Could not map any federated user properties"),
        "{err}"
    );
    let (good, _, err) = map(RULES, "SUB u-1", &[]);
    assert!(!good && err.contains("line 1: expected 'name: value'"), "{err}");
    let (good, _, err) = map(
        r#"[{"remote": [{"type": 1}], "local": [{"usr": {}}]}]"#,
        "{}",
        &[],
    );
    assert!(!good, "{err}");
    assert!(
        err.contains("rules[0].local[0].usr") && err.contains("rules[0].remote[0].type"),
        "{err}"
    );
    let (good, _, err) = map(RULES, "{}", &["--schema-version", "4.0"]);
    assert!(!good && err.contains("expected 1.0, 2.0 or 3.0"), "{err}");
    let beyond = RULES.replace("{1}", "{2}");
    let (good, _, err) = map(&beyond, "SUB: u\nGROUPS: devs", &[]);
    assert!(!good && err.contains("DirectMappingError"), "{err}");
}
