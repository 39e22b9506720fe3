//! One gateway with nothing around it, by the configuration `fedgate.yaml` of a folder. It logs into `log` there.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::plain_client;

/// A command of an operator's by that configuration, not yet started.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate"));
    command
        .args(arguments)
        .arg("--config")
        .arg(folder.join("fedgate.yaml"))
        .env_clear()
        .stdin(Stdio::null());
    command
}

/// What the gateway has logged since it was started last.
pub fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The running gateway; ends when dropped.
pub struct Serving(Child);

impl Serving {
    /// Starts it.
    pub fn start(folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = command(folder, &["serve"]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap())
    }

    /// Starts it, and waits until it answers.
    pub async fn answering(folder: &Path, issuer: &str) -> Self {
        let serving = Self::start(folder);
        let ends = Instant::now() + Duration::from_secs(30);
        let health = format!("{issuer}/healthz");
        while plain_client().get(&health).send().await.is_err() {
            assert!(Instant::now() < ends, "{}", log(folder));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        serving
    }

    /// Sends SIGHUP: it reads its configuration again.
    pub fn hang_up(&self) {
        let id = self.0.id().to_string();
        let done = Command::new("kill").args(["-HUP", &id]).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
