//! Node scripts: the certified OpenID provider and client from npm.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A script that runs until this is dropped.
pub struct Node {
    child: Child,
    /// Where it listens.
    pub port: u16,
}

/// The folder with `node_modules`, made by `tests/parts/node-oidc.sh`.
pub fn modules() -> PathBuf {
    let folder = super::home().join("node-oidc");
    assert!(
        folder.join("ready").exists(),
        "the npm packages are missing: run tests/parts/node-oidc.sh"
    );
    folder
}

fn command(script: &str, environment: &[(&str, &str)], folder: &Path) -> Command {
    // A script finds packages from where it lies; given by text, it lies in the current folder.
    let mut command = Command::new("node");
    command
        .args(["--input-type=module", "--eval", script])
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

impl Node {
    /// Starts a script (text of an ES module). It must listen on a free port of 127.0.0.1, or on `PORT` where the
    /// environment has one, and then print `ready <port>`.
    pub fn start(script: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = command(script, environment, &modules())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node does not start");
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines();
        let port = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.kill();
                panic!("the node script ended before it was ready: {:?}", child.wait());
            };
            if let Some(port) = line.strip_prefix("ready ") {
                break port.trim().parse().unwrap();
            }
        };
        // A full pipe would stop the script.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }

    /// Runs a script to its end.
    pub fn run(script: &str, environment: &[(&str, &str)]) -> Output {
        command(script, environment, &modules())
            .output()
            .expect("node does not start")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
