//! A real Horizon with TLS on loopback, as `tests/parts/horizon.sh` installs it.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{gateway::client, home};

/// A running Horizon; ends when dropped.
pub struct Horizon {
    child: Child,
    dir: tempfile::TempDir,
    /// By which name browsers know it: another site than the gateway, so that cookies do as they would in the world.
    pub url: String,
}

impl Horizon {
    /// Starts one on `port` before the gateway at `gateway`, with the certificates in `tls`; "Sign out" leads to `logout`.
    pub async fn start(port: u16, gateway: &str, tls: &Path, logout: &str) -> Self {
        assert!(
            home().join("horizon/ready").exists(),
            "the real Horizon is not installed: run tests/parts/horizon.sh"
        );
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parts/horizon-run.sh"))
            .arg(dir.path())
            .arg(port.to_string())
            .arg(gateway)
            .args([
                tls.join("localhost.pem"),
                tls.join("localhost.key"),
                tls.join("ca.pem"),
            ])
            .env("HORIZON_LOGOUT", logout)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut horizon = Self {
            child,
            dir,
            url: Self::url(port),
        };
        let client = client(&tls.join("ca.pem"));
        for _ in 0..240 {
            let page = client.get(format!("https://localhost:{port}/auth/login/"));
            if let Ok(answer) = page.send().await
                && answer.status().as_u16() < 500
            {
                return horizon;
            }
            if let Ok(Some(status)) = horizon.child.try_wait() {
                panic!("Horizon ended at once ({status}): {}", horizon.log());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("Horizon did not answer within a minute: {}", horizon.log());
    }

    /// Its URL on a port.
    pub fn url(port: u16) -> String {
        format!("https://horizon.localhost:{port}")
    }

    /// What it logged.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.dir.path().join("horizon.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Horizon {
    fn drop(&mut self) {
        // SIGTERM lets the master end its worker.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
