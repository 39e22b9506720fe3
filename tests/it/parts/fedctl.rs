//! The real `fedctl`, of a person with a home folder of their own in a landscape.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::gateway::Landscape;

/// The command with its arguments, not yet started.
pub fn fedctl(landscape: &Landscape, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedctl"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", landscape.folder.path())
        .env("LANG", "en_US.UTF-8")
        .env("FEDGATE_ISSUER", &landscape.cloud.issuer)
        .env("FEDGATE_CA", &landscape.ca)
        .env("FEDCTL_CACHE", landscape.folder.path().join("cache"))
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end: its status, and what it said.
pub async fn said(landscape: &Landscape, arguments: &[&str]) -> (Option<i32>, String) {
    let output = fedctl(landscape, arguments).output().await.unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    (output.status.code(), format!("{out}{err}"))
}

/// `fedctl login --device`, waiting, and the link with the code that it has printed.
pub async fn device_login(landscape: &Landscape) -> (Child, String) {
    let mut login = fedctl(landscape, &["login", "--device"]).spawn().unwrap();
    let mut lines = BufReader::new(login.stderr.take().unwrap()).lines();
    let link = loop {
        let line = lines.next_line().await.unwrap().expect("a link with the code");
        let found = line.split_whitespace().find(|word| word.contains("user_code="));
        if let Some(link) = found {
            break link.to_owned();
        }
    };
    assert!(link.starts_with(&landscape.cloud.at("/device?")), "{link}");
    // It goes on talking; a closed pipe would end it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (login, link)
}
