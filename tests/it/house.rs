//! The walls of the house (README, "Map of the house"): who may import whom, how long a file may be, and
//! which text may stand only in which room. The check reads text; `super::super::` and re-exports escape it,
//! and reviews catch those.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A room and the rooms of ours that it may name. A new room or a new edge is a change to this table.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("wire", &[]),
    ("telemetry", &[]),
    ("port", &["domain"]),
    ("broker", &["domain", "port"]),
    ("rego", &[]),
    ("policy", &["domain", "port", "rego", "outbound"]),
    ("keys", &["domain", "port"]),
    ("store", &["domain", "port"]),
    ("outbound", &["domain", "port"]),
    ("upstream", &["domain", "port", "wire", "outbound"]),
    ("target", &["domain", "port", "wire", "outbound"]),
    ("http", &["domain", "port", "broker", "wire", "rego"]),
    // Of the adapters only their `Config` types, and of port only the traits it implements or reads by.
    (
        "config",
        &[
            "domain",
            "port",
            "upstream",
            "target",
            "store",
            "policy",
            "keys",
            "outbound",
            "telemetry",
        ],
    ),
    ("client", &["wire"]),
    (
        "app",
        &[
            "domain",
            "wire",
            "telemetry",
            "port",
            "broker",
            "rego",
            "policy",
            "keys",
            "store",
            "outbound",
            "upstream",
            "target",
            "http",
            "config",
        ],
    ),
    // A policy author's commands run on the engine alone, without a gateway.
    (
        "cli",
        &["app", "config", "domain", "port", "telemetry", "rego", "policy"],
    ),
];

/// Text that may stand only in some rooms (and in code only: comments do not count).
const NEEDLES: &[(&str, &[&str])] = &[
    ("UpstreamAssertion::verified(", &["upstream", "domain"]),
    ("UpstreamAssertion::recalled(", &["store", "domain"]),
    (".suppose(", &["app", "domain"]),
    ("Utc::now(", &["app"]),
    // `client` is a program of its own, without ports: one file of it holds its clock.
    ("SystemTime::now(", &["app", "client"]),
    ("Instant::now(", &["app", "client"]),
    ("std::env::", &["config", "cli", "client"]),
    ("std::env;", &["config", "cli", "client"]),
    ("env::var", &["config", "cli", "client"]),
    ("reqwest::Client::new(", &["outbound", "client"]),
    ("reqwest::Client::builder(", &["outbound", "client"]),
    ("Client::builder(", &["outbound", "client"]),
    ("ClientBuilder::new(", &["outbound", "client"]),
    ("unsafe ", &[]),
    ("macro_rules!", &[]),
];

/// Most code lines of a file.
const LONGEST: usize = 400;

/// What is wrong in one file of `src/`.
fn violations(path: &str, text: &str) -> Vec<String> {
    let room = path.split('/').next().unwrap_or_default();
    let code = Code::of(text);
    let mut found = Vec::new();
    // lib.rs, main.rs and bin/ only open the doors.
    if path.contains('/') && room != "bin" {
        match ROOMS.iter().find(|(name, _)| *name == room) {
            None => found.push(format!(
                "src/{path}:1: the room '{room}' is not in the table of rooms"
            )),
            Some((_, may)) => found.extend(imports(&code, path, room, may)),
        }
    }
    for (needle, rooms) in NEEDLES {
        if rooms.contains(&room) {
            continue;
        }
        for (number, line) in &code.lines {
            if line.contains(needle) {
                found.push(format!("src/{path}:{number}: '{needle}' may not stand in {room}"));
            }
        }
    }
    if code.lines.len() > LONGEST {
        found.push(format!(
            "src/{path}:1: {} code lines, most is {LONGEST}",
            code.lines.len()
        ));
    }
    found
}

fn imports(code: &Code, path: &str, room: &str, may: &[&str]) -> Vec<String> {
    code.rooms_named()
        .into_iter()
        .filter(|(_, named)| named != room && ROOMS.iter().any(|(name, _)| name == named))
        .filter(|(_, named)| !may.contains(&named.as_str()))
        .map(|(line, named)| format!("src/{path}:{line}: {room} may not use {named}"))
        .collect()
}

/// The code of a file: numbered lines without blank lines, comments and the tests at its end.
struct Code {
    lines: Vec<(usize, String)>,
}

impl Code {
    fn of(text: &str) -> Self {
        let all: Vec<&str> = text.lines().collect();
        let tests = all.windows(2).position(|pair| {
            pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        });
        let lines = all[..tests.unwrap_or(all.len())]
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, without_comment(line).trim().to_owned()))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        Self { lines }
    }

    /// Every first name after `crate::`, alone or inside braces over several lines, with its line.
    fn rooms_named(&self) -> Vec<(usize, String)> {
        let mut text = String::new();
        let mut starts = Vec::new();
        for (number, line) in &self.lines {
            starts.push((text.len(), *number));
            text.push_str(line);
            text.push('\n');
        }
        let line_of = |at: usize| starts.iter().rev().find(|(start, _)| *start <= at).unwrap().1;
        let mut named = Vec::new();
        for (at, _) in text.match_indices("crate::") {
            let begin = at + "crate::".len();
            if text[begin..].starts_with('{') {
                named.extend(
                    first_names(&text[begin + 1..])
                        .into_iter()
                        .map(|(offset, name)| (line_of(begin + 1 + offset), name)),
                );
            } else {
                named.push((line_of(at), word(&text[begin..])));
            }
        }
        named
    }
}

/// The names at the first level of `a, b::{C, d}, e}`.
fn first_names(inside: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let (mut depth, mut fresh) = (0_usize, true);
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if letter.is_whitespace() => {}
            _ => {
                if fresh && depth == 0 {
                    names.push((at, word(&inside[at..])));
                }
                fresh = false;
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// The line up to `//`, unless that stands in a text (`"https://…"`).
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && line[at..].starts_with("//") => return &line[..at],
            _ => {}
        }
    }
    line
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_keeps_to_its_room() {
    let source = root().join("src");
    let files = files(&source, ".rs");
    assert!(
        files.len() > 40,
        "only {} files found below {}",
        files.len(),
        source.display()
    );
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let path = file
                .strip_prefix(&source)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            violations(&path, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_room_has_its_plate() {
    for (room, _) in ROOMS {
        let plate = fs::read_to_string(root().join("src").join(room).join("mod.rs")).unwrap();
        let first = plate.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 20,
            "src/{room}/mod.rs does not begin by saying what the room is for"
        );
    }
}

#[test]
fn every_table_names_known_rooms() {
    let known = |name: &&str| ROOMS.iter().any(|(room, _)| room == name);
    assert!(ROOMS.iter().flat_map(|(_, may)| *may).all(known));
    assert!(NEEDLES.iter().flat_map(|(_, rooms)| *rooms).all(known));
}

/// The `package` of a Rego file.
fn package_of(text: &str) -> Option<&str> {
    text.lines()
        .find_map(|line| line.strip_prefix("package "))
        .map(str::trim)
}

#[test]
fn every_policy_package_has_a_test() {
    let policies: Vec<(PathBuf, String)> = files(&root().join("policies"), ".rego")
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    let (tests, rules): (Vec<_>, Vec<_>) = policies
        .iter()
        .partition(|(path, _)| path.to_string_lossy().ends_with("_test.rego"));
    assert!(!rules.is_empty(), "no policy in policies/");
    for (path, text) in rules {
        let package = package_of(text).unwrap_or_else(|| panic!("{} has no package", path.display()));
        let tested = tests.iter().any(|(_, test)| {
            test.contains("\ntest_") && test.contains(&format!("data.{package}"))
                || package_of(test).is_some_and(|own| own == package || own == format!("{package}_test"))
                    && test.contains("\ntest_")
        });
        assert!(
            tested,
            "{}: no *_test.rego imports data.{package}",
            path.display()
        );
    }
}

#[test]
fn every_entry_point_asked_of_the_engine_exists() {
    let packages: Vec<String> = files(&root().join("policies"), ".rego")
        .iter()
        .filter_map(|path| package_of(&fs::read_to_string(path).unwrap()).map(str::to_owned))
        .collect();
    let mut asked = 0;
    for file in files(&root().join("src/policy"), ".rs") {
        for (number, line) in Code::of(&fs::read_to_string(&file).unwrap()).lines {
            for (at, _) in line.match_indices("\"data.") {
                let entry = line[at + "\"data.".len()..].split('"').next().unwrap_or_default();
                asked += 1;
                assert!(
                    packages
                        .iter()
                        .any(|package| entry.starts_with(&format!("{package}."))),
                    "{}:{number}: no policy package holds '{entry}'",
                    file.display()
                );
            }
        }
    }
    assert!(asked > 0, "src/policy asks for no entry point");
}

/// What a laptop gets must stay small: no database, policy engine, XML, OpenSSL or web server.
#[test]
fn the_client_links_nothing_of_the_server() {
    let answer = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-e",
            "normal",
            "--no-default-features",
            "--features",
            "client",
        ])
        .args(["--prefix", "none", "--format", "{lib}", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        answer.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let tree = String::from_utf8(answer.stdout).unwrap();
    assert!(
        tree.lines().any(|line| line == "reqwest"),
        "this is no dependency tree:\n{tree}"
    );
    let unwanted = foreign(&tree);
    assert!(unwanted.is_empty(), "fedctl would link {}", unwanted.join(", "));
}

fn foreign(tree: &str) -> Vec<&str> {
    const SERVER: [&str; 11] = [
        "sqlx",
        "libsqlite3_sys",
        "libxml",
        "openssl",
        "openssl_sys",
        "native_tls",
        "regorus",
        "axum",
        "samael",
        "uppsala",
        "bergshamra_c14n",
    ];
    // A crate that was listed before ends with " (*)".
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| SERVER.contains(name))
        .collect()
}

mod planted {
    //! The checker finds what it is there to find.

    use super::{Code, LONGEST, first_names, foreign, violations};

    #[test]
    fn an_import_that_a_room_may_not_have() {
        let text = "use std::fmt;\nuse crate::broker::admit;\n";
        assert_eq!(
            violations("target/keystone/mod.rs", text),
            ["src/target/keystone/mod.rs:2: target may not use broker"]
        );
    }

    #[test]
    fn an_import_inside_braces_over_several_lines() {
        let text = "use crate::{\n    domain::ids::{Name, broker},\n    http::fault,\n};\n";
        assert_eq!(
            violations("keys/ring.rs", text),
            ["src/keys/ring.rs:3: keys may not use http"]
        );
    }

    #[test]
    fn a_path_in_the_middle_of_code() {
        let text = "fn f() {\n    let x = crate::store::open();\n}\n";
        assert_eq!(
            violations("http/mod.rs", text),
            ["src/http/mod.rs:2: http may not use store"]
        );
    }

    #[test]
    fn a_room_that_nobody_has_announced() {
        assert_eq!(
            violations("helpers/mod.rs", "//! Things.\n"),
            ["src/helpers/mod.rs:1: the room 'helpers' is not in the table of rooms"]
        );
    }

    #[test]
    fn allowed_imports_comments_and_tests_do_not_count() {
        let text = "//! As crate::http does.\nuse crate::{domain::ids::Name, port};\n// crate::app\n\
                    const A: &str = \"https://x\"; // crate::cli\n#[cfg(test)]\nmod tests {\n    use crate::app;\n}\n";
        assert_eq!(violations("store/mod.rs", text), Vec::<String>::new());
    }

    #[test]
    fn text_in_the_wrong_room() {
        for (path, line) in [
            (
                "http/oidc/token/exchange.rs",
                "let a = UpstreamAssertion::verified(facts)?;",
            ),
            ("broker/login.rs", "let a = UpstreamAssertion::recalled(facts);"),
            ("broker/admit.rs", "let now = Utc::now();"),
            ("keys/ring.rs", "let now = std::time::SystemTime::now();"),
            ("http/request.rs", "let begun = Instant::now();"),
            ("store/mod.rs", "let url = std::env::var(\"DATABASE_URL\");"),
            ("upstream/oidc/mod.rs", "let http = reqwest::Client::new();"),
            ("app/build.rs", "unsafe { work() }"),
        ] {
            assert!(!violations(path, line).is_empty(), "{path}: {line}");
        }
        assert!(violations("upstream/local.rs", "UpstreamAssertion::verified(facts)?;").is_empty());
        assert!(violations("app/clock.rs", "let now = SystemTime::now();").is_empty());
    }

    #[test]
    fn a_file_that_has_grown_too_long() {
        let long = "const A: u8 = 1;\n".repeat(LONGEST + 1);
        assert_eq!(violations("domain/a.rs", &long).len(), 1);
        let tests = format!(
            "{}#[cfg(test)]\nmod tests {{\n{long}}}\n",
            "// comment\n\n".repeat(LONGEST)
        );
        assert!(violations("domain/a.rs", &tests).is_empty());
        assert!(Code::of(&tests).lines.is_empty());
    }

    #[test]
    fn only_the_first_level_of_a_list_names_rooms() {
        let names: Vec<String> = first_names("a, b::{c, d::{e}}, f as g, h}; use {i}")
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(names, ["a", "b", "f", "h"]);
    }

    #[test]
    fn a_server_library_in_the_clients_tree() {
        assert_eq!(
            foreign("reqwest\nsqlx (*)\nsqlx_macros_free\nopenssl_sys\n"),
            ["sqlx", "openssl_sys"]
        );
    }
}
