//! Node scripts out of `tests/fixtures`, with the npm packages of `tests/parts/node-oidc.sh` at hand.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// A running script; ends when dropped.
pub struct Script {
    child: Child,
    _folder: tempfile::TempDir,
    /// The port it says it listens on.
    pub port: u16,
}

/// Where the packages are; fails with the name of the script that installs them.
fn packages() -> PathBuf {
    let folder = super::keystone::home().join("node-oidc");
    assert!(
        folder.join("ready").exists(),
        "the npm packages are not installed: run tests/parts/node-oidc.sh"
    );
    folder
}

/// Modules are looked for beside the script and above it: so it runs from a folder below the packages.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(packages())
        .expect("a folder below the packages");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for entry in std::fs::read_dir(fixtures).expect("tests/fixtures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "mjs") {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).expect("a copy");
        }
    }
    folder
}

impl Script {
    /// Starts `tests/fixtures/<name>` and waits until it prints `ready <port>`; what else it prints is shown.
    pub fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = copied();
        let mut child = Command::new("node")
            .arg("--no-warnings")
            .arg(folder.path().join(name))
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts (tests/parts/node-oidc.sh installs it)");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (tell, told) = mpsc::channel();
        let owned = name.to_owned();
        // Reads to the end, so that a talkative script never waits for us.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line
                    .strip_prefix("ready ")
                    .and_then(|port| port.trim().parse().ok())
                {
                    Some(port) => drop(tell.send(port)),
                    None => eprintln!("{owned}: {line}"),
                }
            }
        });
        let mut script = Self {
            child,
            _folder: folder,
            port: 0,
        };
        script.port = told
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|_| panic!("{name} ended or hung before it said 'ready <port>'"));
        script
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Child::kill goes to this one process, which we have not waited for yet.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
