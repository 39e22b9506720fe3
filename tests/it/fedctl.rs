//! The real `fedctl` against a gateway that is played, so that it can misbehave.

pub mod played;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use played::{Garbage, Played};

impl Played {
    /// `fedctl` in a clean environment: this gateway, a cache of its own, English.
    pub fn fedctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedctl"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("LANG", "en_US.UTF-8")
            .env("FEDGATE_ISSUER", &self.issuer)
            .env("FEDGATE_CA", &self.ca)
            .env("FEDCTL_CACHE", self.cache())
            .stdin(Stdio::null());
        command
    }

    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.fedctl(arguments).output().unwrap()
    }

    pub fn signed_in(&self) {
        let output = self.run(&["login", "--device"]);
        assert!(output.status.success(), "{}", err(&output));
    }

    fn session_file(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.cache())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .find(|path| path.extension().is_some_and(|end| end == "json"))
            .unwrap()
    }

    /// A `BROWSER` that follows the address as a browser would, and keeps the last page.
    fn browser(&self) -> (PathBuf, PathBuf) {
        let (script, page) = (
            self.folder.path().join("browser"),
            self.folder.path().join("page.html"),
        );
        let text = format!(
            "#!/bin/sh\nexec curl -s -L --cacert {} -o {} \"$1\"\n",
            self.ca.display(),
            page.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        (script, page)
    }

    fn browser_login(&self, language: &str) -> (Output, String) {
        let (script, page) = self.browser();
        let output = self
            .fedctl(&["login"])
            .env("BROWSER", script)
            .env("LC_ALL", language)
            .output()
            .unwrap();
        // curl writes its file after fedctl has answered.
        for _ in 0..50 {
            if std::fs::read_to_string(&page).is_ok_and(|text| text.ends_with("</html>")) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        (output, std::fs::read_to_string(page).unwrap_or_default())
    }
}

pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn device_login_waits_slows_down_and_keeps_the_session() {
    let played = Played::start();
    played.desk.lock().unwrap().device_answers = vec!["authorization_pending"];
    let output = played.run(&["login", "--device"]);
    assert!(output.status.success(), "{}", err(&output));
    assert!(err(&output).contains("BCDF-GHJK"), "{}", err(&output));
    assert!(!err(&output).contains("secret-device-code"));
    assert_eq!(out(&output), "");
    let who = out(&played.run(&["whoami"]));
    for part in ["alice", "acme", "developers, ops", "2030-01-01T00:00:00Z"] {
        assert!(who.contains(part), "{who}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&out(&played.run(&["whoami", "--output", "json"]))).unwrap();
    assert_eq!(json["groups"][1], "ops");
}

#[test]
fn device_login_obeys_slow_down() {
    let played = Played::start();
    played.desk.lock().unwrap().device_answers = vec!["slow_down"];
    let begun = Instant::now();
    assert!(played.run(&["login", "--device"]).status.success());
    assert!(begun.elapsed().as_secs() >= 7, "1 s, then 1 + 5 s");
}

#[test]
fn device_login_ends_when_denied_or_expired() {
    let played = Played::start();
    for (code, word) in [("access_denied", "access_denied"), ("expired_token", "too long")] {
        played.desk.lock().unwrap().device_answers = vec![code];
        let output = played.run(&["login", "--device"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(word), "{}", err(&output));
    }
}

#[test]
fn browser_login_works_and_shows_a_page() {
    let played = Played::start();
    let (output, page) = played.browser_login("C");
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        page.contains("You are signed in") && page.contains("alice"),
        "{page}"
    );
    assert!(played.run(&["whoami"]).status.success());
}

#[test]
fn browser_login_refuses_a_foreign_issuer_and_nonce_in_german() {
    let played = Played::start();
    played.desk.lock().unwrap().wrong_iss = true;
    let (output, page) = played.browser_login("de_DE.UTF-8");
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("Prüfung: iss"), "{}", err(&output));
    assert!(page.contains("Die Anmeldung wurde abgebrochen"), "{page}");
    {
        let mut desk = played.desk.lock().unwrap();
        desk.wrong_iss = false;
        desk.wrong_nonce = true;
    }
    let (output, _) = played.browser_login("de_DE.UTF-8");
    assert!(err(&output).contains("Prüfung: nonce"), "{}", err(&output));
    assert_eq!(played.run(&["whoami"]).status.code(), Some(3));
}

#[test]
fn five_at_once_refresh_once() {
    let played = Played::start();
    played.desk.lock().unwrap().access_life = 1;
    played.signed_in();
    played.desk.lock().unwrap().access_life = 3600;
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let children: Vec<_> = (0..5)
        .map(|_| {
            let mut command = played.fedctl(&["token", "--audience", "k8s-a"]);
            command.stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let tokens: Vec<String> = children
        .into_iter()
        .map(|child| out(&child.wait_with_output().unwrap()))
        .collect();
    assert!(tokens.iter().all(|token| token == "k8s-a-1\n"), "{tokens:?}");
    assert_eq!(played.desk.lock().unwrap().refreshes, 1);
    assert_eq!(
        out(&played.run(&["token", "--audience", "other", "--raw"])),
        "other-2"
    );
}

#[test]
fn the_cache_is_for_its_owner_alone() {
    let played = Played::start();
    played.signed_in();
    assert_eq!(played.cache().metadata().unwrap().mode() & 0o777, 0o700);
    for entry in std::fs::read_dir(played.cache()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
    let file = played.session_file();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let output = played.run(&["token", "--audience", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("chmod go-rwx"), "{}", err(&output));
    let moved = played.folder.path().join("moved");
    std::fs::rename(&file, &moved).unwrap();
    std::fs::set_permissions(&moved, PermissionsExt::from_mode(0o600)).unwrap();
    symlink(&moved, &file).unwrap();
    let output = played.run(&["token", "--audience", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("not a plain file"), "{}", err(&output));
    assert_eq!(played.desk.lock().unwrap().exchanges, 0);
}

#[test]
fn an_ended_session_says_how_to_go_on() {
    let played = Played::start();
    played.desk.lock().unwrap().access_life = 1;
    played.signed_in();
    played.desk.lock().unwrap().refuse_refresh = true;
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let output = played.run(&["token", "--audience", "x"]);
    assert_eq!(output.status.code(), Some(3));
    for part in ["fedctl login", "ref-4711"] {
        assert!(err(&output).contains(part), "{}", err(&output));
    }
    assert_eq!(played.run(&["whoami"]).status.code(), Some(3));
}

#[test]
fn a_refusal_is_told_in_german_with_its_reference() {
    let played = Played::start();
    played.signed_in();
    played.desk.lock().unwrap().refuse_exchange = true;
    let output = played
        .fedctl(&["token", "--audience", "x"])
        .env("LC_ALL", "de_DE.UTF-8")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "Das Gateway hat abgelehnt",
        "no rule gives you",
        "Referenz: ref-4711",
    ] {
        assert!(err(&output).contains(part), "{}", err(&output));
    }
    let output = played.run(&["token", "--audience", "x", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&err(&output)).unwrap();
    assert_eq!(
        (json["error"].as_str(), json["reference"].as_str()),
        (Some("access_denied"), Some("ref-4711"))
    );
}

#[test]
fn another_gateway_behind_the_address_is_refused() {
    let played = Played::start();
    played.desk.lock().unwrap().told_issuer = Some("https://evil.example".into());
    let output = played.run(&["login", "--device"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("https://evil.example"), "{}", err(&output));
}

#[test]
fn plain_http_and_a_missing_gateway_are_refused() {
    let played = Played::start();
    let output = played.run(&["login", "--issuer", "http://gw.example"]);
    assert!(err(&output).contains("https"), "{}", err(&output));
    assert_eq!(output.status.code(), Some(1));
    let output = played
        .fedctl(&["whoami"])
        .env_remove("FEDGATE_ISSUER")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn garbage_is_refused_in_time() {
    let played = Played::start();
    played.signed_in();
    for garbage in [Garbage::Html, Garbage::Large, Garbage::Endless] {
        played.desk.lock().unwrap().garbage = Some(garbage);
        let begun = Instant::now();
        let output = played.run(&["token", "--audience", "x"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            err(&output).contains("did not answer as a gateway does"),
            "{}",
            err(&output)
        );
        assert!(begun.elapsed().as_secs() < 14);
    }
    played.desk.lock().unwrap().garbage = None;
    played.desk.lock().unwrap().redirect_token = true;
    assert!(err(&played.run(&["token", "--audience", "x"])).contains("status 307"));
}

#[test]
fn logout_revokes_and_forgets() {
    let played = Played::start();
    played.signed_in();
    assert!(played.run(&["logout"]).status.success());
    assert_eq!(played.desk.lock().unwrap().revoked, ["refresh-0"]);
    assert_eq!(played.run(&["whoami"]).status.code(), Some(3));
}

#[test]
fn logout_forgets_even_without_the_gateway() {
    let played = Played::start();
    played.signed_in();
    played.stop();
    let output = played.run(&["logout"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("tokens on this machine are deleted"),
        "{}",
        err(&output)
    );
    assert_eq!(played.run(&["whoami"]).status.code(), Some(3));
}
