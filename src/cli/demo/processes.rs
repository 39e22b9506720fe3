//! The programs of the demonstration, started as an operator would start them.

use std::{fs::File, path::Path, process::Stdio, time::Duration};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};

use super::files::{Demo, MANAGER};

/// A gateway answers in well under a second; a debug build on a busy machine takes longer.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(60);
/// A gateway gives running requests 20 seconds.
const PATIENCE_AT_END: Duration = Duration::from_secs(25);
/// Keystone imports much Python.
const KEYSTONE_PATIENCE: Duration = Duration::from_secs(120);

/// Where `tests/parts/keystone.sh` has put it.
const STOCK_CLIENT: &str =
    r#"exec "${FEDGATE_PARTS:-$HOME/.cache/fedgate}/keystone/client/bin/openstack" "$@""#;

/// The wish to stop, by Ctrl-C, by SIGTERM, or because the terminal was closed.
#[derive(Debug)]
pub(super) struct Stop([Signal; 3]);

impl Stop {
    /// From now on a signal no longer ends this process by itself.
    pub(super) fn listen() -> Result<Self, String> {
        let on = |kind| signal(kind).map_err(|error| error.to_string());
        Ok(Self([
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ]))
    }

    /// Waits for it.
    pub(super) async fn told(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// What runs.
#[derive(Debug, Default)]
pub(super) struct Running {
    children: Vec<(String, Child)>,
}

impl Running {
    /// Starts one gateway and waits until it listens.
    pub(super) async fn gateway(&mut self, demo: &Demo, name: &str, port: u16) -> Result<(), String> {
        let mut command = this_program()?;
        command
            .arg("serve")
            .arg("--config")
            .arg(demo.path(&format!("{name}/fedgate.yaml")));
        self.start(demo, name, command)?;
        self.listening(demo, name, (port, GATEWAY_PATIENCE)).await
    }

    /// Starts Keystone and waits until it listens.
    pub(super) async fn keystone(&mut self, demo: &Demo, port: u16) -> Result<(), String> {
        let script = Path::new("tests/parts/keystone-run.sh");
        if !script.exists() {
            return Err(
                "run the demonstration with OpenStack from the checkout: make demo-openstack".to_owned(),
            );
        }
        let mut command = Command::new("bash");
        command
            .arg(script)
            .arg(demo.path("keystone"))
            .arg(port.to_string())
            .arg(demo.ported("https://localhost:8443"));
        self.start(demo, "keystone", command)?;
        self.listening(demo, "keystone", (port, KEYSTONE_PATIENCE)).await
    }

    /// Tells Keystone of the gateway, as an operator would.
    pub(super) async fn set_up_keystone(&self, demo: &Demo) -> Result<Vec<String>, String> {
        let mut command = this_program()?;
        command
            .args(["keystone", "setup", "--config"])
            .arg(demo.path("cloud-a/fedgate.yaml"))
            .kill_on_drop(true);
        let output = command.output().await.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Makes the account by which the gateway gives and takes: a manager of acme's domain and nothing more. As
    /// Keystone's administrator, with the stock client.
    pub(super) async fn make_manager(&self, demo: &Demo) -> Result<(), String> {
        let password = demo.read("cloud-a/keystone-manager.password")?;
        let user: &[&str] = &["user", "create", "--or-show", "--domain", "Default", "--password"];
        let role = &[
            "role",
            "add",
            "--user",
            MANAGER,
            "--user-domain",
            "Default",
            "--domain",
            "acme",
            "manager",
        ];
        for arguments in [[user, &[password.trim(), MANAGER]].concat(), role.to_vec()] {
            let mut command = Command::new("bash");
            command
                .args(["-c", STOCK_CLIENT, "openstack"])
                .args(arguments)
                .env(
                    "OS_AUTH_URL",
                    format!("http://127.0.0.1:{}/v3", demo.ports.keystone),
                )
                .env("OS_IDENTITY_API_VERSION", "3")
                // The gateway, which stands before the others, does not run yet.
                .env("OS_INTERFACE", "admin")
                .env("OS_USERNAME", "admin")
                .env(
                    "OS_PASSWORD",
                    demo.read("cloud-a/keystone-admin.password")?.trim(),
                )
                .env("OS_PROJECT_NAME", "admin")
                .env("OS_USER_DOMAIN_NAME", "Default")
                .env("OS_PROJECT_DOMAIN_NAME", "Default")
                .kill_on_drop(true);
            let output = command.output().await;
            let output = output.map_err(|error| format!("openstack: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
        }
        Ok(())
    }

    fn start(&mut self, demo: &Demo, name: &str, mut command: Command) -> Result<(), String> {
        let log = demo.path(&format!("log/{name}.log"));
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = file.try_clone().map_err(|error| error.to_string())?;
        let child = command
            // The policy engine makes errors as it works; a backtrace for each makes it several times slower.
            .env("RUST_LIB_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            // Ctrl-C goes to the whole group at a terminal; we end our children ourselves, in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        self.children.push((name.to_owned(), child));
        Ok(())
    }

    async fn listening(
        &mut self,
        demo: &Demo,
        name: &str,
        (port, patience): (u16, Duration),
    ) -> Result<(), String> {
        let log = demo.path(&format!("log/{name}.log"));
        let wait = async {
            loop {
                if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                    return Ok(());
                }
                if let Some((_, child)) = self.children.last_mut()
                    && let Ok(Some(status)) = child.try_wait()
                {
                    let text = std::fs::read_to_string(&log).unwrap_or_default();
                    let last: Vec<&str> = text.lines().rev().take(5).collect();
                    let last: Vec<&str> = last.into_iter().rev().collect();
                    return Err(format!("{name} ended ({status}):\n{}", last.join("\n")));
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(patience, wait).await.unwrap_or_else(|_| {
            Err(format!(
                "{name} does not listen on port {port}; see {}",
                log.display()
            ))
        })
    }

    /// Waits for Ctrl-C or for one of them to end by itself.
    pub(super) async fn until_ended(&mut self, stop: &mut Stop) -> Result<(), String> {
        loop {
            tokio::select! {
                () = stop.told() => return Ok(()),
                () = sleep(Duration::from_millis(500)) => {}
            }
            for (name, child) in &mut self.children {
                if let Ok(Some(status)) = child.try_wait() {
                    return Err(format!("{name} ended by itself ({status}); see the folder log"));
                }
            }
        }
    }

    /// Ends what we started, by process id, newest first, and waits for each; told again, it waits no longer.
    pub(super) async fn end(&mut self, stop: &mut Stop) {
        while let Some((_, mut child)) = self.children.pop() {
            if let Some(id) = child.id() {
                // A gateway drains on SIGTERM; `Child::kill` would be SIGKILL.
                let _told = Command::new("kill")
                    .arg("-TERM")
                    .arg(id.to_string())
                    .status()
                    .await;
            }
            let ended = tokio::select! {
                ended = timeout(PATIENCE_AT_END, child.wait()) => ended.is_ok(),
                () = stop.told() => false,
            };
            if !ended {
                let _killed = child.kill().await;
            }
        }
    }
}

fn this_program() -> Result<Command, String> {
    std::env::current_exe()
        .map(Command::new)
        .map_err(|error| error.to_string())
}
