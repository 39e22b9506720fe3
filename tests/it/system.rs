//! What `tests/parts/system.sh` says and does on machines other than this one: without Rust, with an old one,
//! without packages, for users who may install them and users who may not. The machine is a PATH of fakes.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    process::{Command, Stdio},
};

/// A machine that lacks nothing and has Rust, until a test takes something away.
struct Machine {
    folder: tempfile::TempDir,
}

/// What the script came to.
struct Outcome {
    code: i32,
    said: String,
    /// What was run as root, or would have been: one line for each call.
    calls: Vec<String>,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(machine.path("bin")).unwrap();
        for tool in ["bash", "env", "dirname", "cut", "sort", "head", "true"] {
            let real = ["/usr/bin", "/bin"].map(|folder| PathBuf::from(folder).join(tool));
            let real = real.iter().find(|real| real.exists()).unwrap();
            symlink(real, machine.path("bin").join(tool)).unwrap();
        }
        for tool in ["cc", "make", "cargo"] {
            machine.fake(tool, "exit 0");
        }
        machine.fake("rustc", "echo 'rustc 1.95.0 (abcdef 2026-04-01)'");
        machine.fake("id", "echo 0");
        machine.fake("apt-get", "echo \"$(id -u): apt-get $*\" >>\"$CALLS\"");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fake(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn without(&self, name: &str) {
        fs::remove_file(self.path("bin").join(name)).unwrap();
    }

    /// A user who is not root.
    fn ordinary_user(&self) {
        self.fake("id", "echo \"${FAKE_UID:-1000}\"");
    }

    /// sudo that asks nothing: what it runs is root.
    fn free_sudo(&self) {
        self.fake("sudo", "[ \"$1\" = -n ] && shift\nFAKE_UID=0 exec \"$@\"");
    }

    fn run(&self, purpose: &str) -> Outcome {
        let out = Command::new(self.path("bin/bash"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parts/system.sh"))
            .arg(purpose)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder.path())
            .env("CALLS", self.path("calls"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        Outcome {
            code: out.status.code().unwrap(),
            said: String::from_utf8(out.stderr).unwrap(),
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }
}

impl Outcome {
    fn stopped_with(&self, words: &[&str]) {
        assert_eq!(self.code, 1, "{}", self.said);
        for word in words {
            assert!(self.said.contains(word), "'{word}' is not in: {}", self.said);
        }
    }
}

const INSTALL: &str = "0: apt-get install -y -q --no-install-recommends gcc";

#[test]
fn nothing_is_said_or_done_where_nothing_is_missing() {
    let machine = Machine::new();
    machine.ordinary_user();
    let done = machine.run("build");
    assert_eq!((done.code, done.said.as_str()), (0, ""));
    assert!(done.calls.is_empty());
    // A newer one, a beta, and one with three digits are new enough.
    for version in ["1.95.1", "1.96.0-beta.2", "1.100.0", "2.0.0-nightly"] {
        machine.fake("rustc", &format!("echo 'rustc {version} (abcdef 2026-04-01)'"));
        assert_eq!(machine.run("build").code, 0, "{version}");
    }
}

#[test]
fn without_rust_it_says_how_to_get_it_and_stops() {
    for program in ["cargo", "rustc"] {
        let machine = Machine::new();
        machine.without(program);
        let stopped = machine.run("build");
        stopped.stopped_with(&[
            "Rust is missing",
            "1.95 or newer",
            "https://rustup.rs",
            "clippy,rustfmt",
        ]);
        assert!(stopped.calls.is_empty(), "Rust is never installed by it");
    }
    // rustup has put it where a shell that was open before does not look.
    let machine = Machine::new();
    fs::create_dir_all(machine.path(".cargo/bin")).unwrap();
    for program in ["cargo", "rustc"] {
        fs::rename(
            machine.path("bin").join(program),
            machine.path(".cargo/bin").join(program),
        )
        .unwrap();
    }
    assert_eq!(machine.run("build").code, 0);
}

#[test]
fn a_rust_that_is_too_old_or_does_not_run_is_named() {
    let machine = Machine::new();
    machine.fake("rustc", "echo 'rustc 1.63.0 (Debian 12)'");
    machine
        .run("build")
        .stopped_with(&["Rust 1.63.0 is too old", "1.95 or newer", "https://rustup.rs"]);
    machine.fake(
        "rustc",
        "echo 'error: no default toolchain is configured' >&2; exit 1",
    );
    machine.run("build").stopped_with(&[
        "no default toolchain",
        "does not run",
        "rustup toolchain install stable",
    ]);
}

#[test]
fn who_may_install_gets_what_is_missing() {
    let root = Machine::new();
    root.without("cc");
    let done = root.run("build");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(done.said.contains("installing with apt: gcc"), "{}", done.said);
    assert_eq!(done.calls, ["0: apt-get update -q", INSTALL]);

    let user = Machine::new();
    user.without("cc");
    user.ordinary_user();
    user.free_sudo();
    let done = user.run("build");
    assert_eq!(done.code, 0, "{}", done.said);
    assert_eq!(done.calls, ["0: apt-get update -q", INSTALL]);
}

#[test]
fn who_may_not_install_is_told_the_command() {
    let machine = Machine::new();
    machine.ordinary_user();
    machine.without("cc");
    machine.without("make");
    let words = [
        "missing: gcc make",
        "may not install",
        "Run as root:",
        "apt-get update && apt-get install --no-install-recommends gcc make",
    ];
    machine.run("build").stopped_with(&words);
    // A sudo that would ask for a password counts as none: nobody may be there to type it.
    machine.fake("sudo", "echo 'sudo: a password is required' >&2; exit 1");
    let stopped = machine.run("build");
    stopped.stopped_with(&words);
    assert!(
        stopped.calls.is_empty() && !stopped.said.contains("password"),
        "{}",
        stopped.said
    );
}

#[test]
fn other_systems_and_failures_of_apt_are_told() {
    let machine = Machine::new();
    machine.without("cc");
    machine.fake("apt-get", "echo 'E: Unable to locate package' >&2; exit 100");
    machine.run("build").stopped_with(&[
        "E: Unable to locate package",
        "could not install gcc",
        "run the same command again",
    ]);
    machine.without("apt-get");
    machine
        .run("build")
        .stopped_with(&["missing: gcc", "This is no Debian", "your package manager"]);
}

#[test]
fn a_part_asks_for_its_packages_and_not_for_rust() {
    let machine = Machine::new();
    machine.without("cargo");
    let done = machine.run("redis");
    assert_eq!(done.code, 0, "{}", done.said);
    assert_eq!(
        done.calls.last().unwrap(),
        "0: apt-get install -y -q --no-install-recommends redis-server"
    );
    let wrong = machine.run("nonsense");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.said.starts_with("usage: system.sh build|test|bench|"),
        "{}",
        wrong.said
    );
}
