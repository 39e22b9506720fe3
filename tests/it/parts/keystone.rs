//! A real Keystone on loopback, from the template that `tests/parts/keystone.sh` or `keystone-22.sh` prepares.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::port::free_port;

/// A running Keystone; ends when dropped.
pub struct Keystone {
    child: Option<Child>,
    _dir: tempfile::TempDir,
    /// `http://127.0.0.1:<port>`
    pub url: String,
}

/// Which Keystone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Release {
    /// Keystone 30 from PyPI.
    #[default]
    Thirty,
    /// Debian 12's package of Keystone 22.
    Debian22,
}

impl Release {
    fn part(self) -> &'static str {
        match self {
            Self::Thirty => "keystone",
            Self::Debian22 => "keystone-22",
        }
    }

    /// Whether it cannot be had on this system; its script has said so.
    pub fn is_absent(self) -> bool {
        let part = super::home().join(self.part());
        part.join("absent").exists() && !part.join("ready").exists()
    }

    /// The version of Debian's package.
    pub fn version(self) -> String {
        std::fs::read_to_string(super::home().join(self.part()).join("version")).expect("a version")
    }
}

/// What is special about one.
#[derive(Default)]
pub struct Wish<'a> {
    /// Which Keystone.
    pub release: Release,
    /// How identity headers begin.
    pub header_prefix: &'a str,
    /// The Unix socket on which it speaks the uwsgi protocol too.
    pub socket: Option<&'a std::path::Path>,
    /// As kolla-ansible configures it behind Apache, speaking the uwsgi protocol on this port too.
    pub kolla: Option<u16>,
    /// A file whose settings override the others.
    pub conf: Option<&'a std::path::Path>,
    /// With a policy library that obeys `enforce_scope`: the newest one always enforces.
    pub old_policy: bool,
    /// Origins for WebSSO beside the command line's.
    pub dashboards: &'a str,
    /// Where to keep its state; else in a folder of its own.
    pub dir: Option<&'a std::path::Path>,
    /// Where it listens; else on any free port.
    pub port: Option<u16>,
    /// An empty PostgreSQL database, as SQLAlchemy names it; else SQLite.
    pub database: Option<&'a str>,
}

impl Keystone {
    /// Starts one whose catalog names `public` (the gateway's URL), and waits until it answers.
    pub async fn start(public: &str, header_prefix: &str) -> Self {
        let wish = Wish {
            header_prefix,
            ..Wish::default()
        };
        Self::start_as(public, &wish).await
    }

    /// The same, where a gateway's configuration expects it.
    pub async fn start_at(port: u16, public: &str, header_prefix: &str) -> Self {
        let wish = Wish {
            header_prefix,
            port: Some(port),
            ..Wish::default()
        };
        Self::start_as(public, &wish).await
    }

    /// The same as wished.
    pub async fn start_as(public: &str, wish: &Wish<'_>) -> Self {
        let part = wish.release.part();
        assert!(
            super::home().join(part).join("ready").exists(),
            "the real Keystone is not installed: run tests/parts/{part}.sh"
        );
        let dir = tempfile::tempdir().expect("a temporary folder");
        let port = wish.port.unwrap_or_else(free_port);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parts/keystone-run.sh");
        let mut command = Command::new(script);
        if let Some(socket) = wish.socket {
            command.env("KEYSTONE_SOCKET", socket);
        }
        if let Some(port) = wish.kolla {
            command
                .env("KEYSTONE_SOCKET", format!("127.0.0.1:{port}"))
                .env("KEYSTONE_KOLLA", "yes");
        }
        if let Some(conf) = wish.conf {
            command.env("KEYSTONE_CONF", conf);
        }
        if wish.old_policy {
            command.env("KEYSTONE_OLD_POLICY", "yes");
        }
        if let Some(database) = wish.database {
            command.env("KEYSTONE_DATABASE", database);
        }
        let child = command
            .arg(wish.dir.unwrap_or(dir.path()))
            .arg(port.to_string())
            .arg(public)
            .env("KEYSTONE_PART", part)
            .env("KEYSTONE_HEADER_PREFIX", wish.header_prefix)
            .env("KEYSTONE_DASHBOARDS", wish.dashboards)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("keystone-run.sh starts");
        let mut keystone = Self {
            child: Some(child),
            url: format!("http://127.0.0.1:{port}"),
            _dir: dir,
        };
        keystone.wait().await;
        keystone
    }

    async fn wait(&mut self) {
        let client = super::plain_client();
        for _ in 0..480 {
            if let Ok(answer) = client.get(format!("{}/v3", self.url)).send().await
                && answer.status() == 200
            {
                return;
            }
            if let Some(child) = &mut self.child
                && let Ok(Some(status)) = child.try_wait()
            {
                panic!("Keystone ended at once ({status}); see tests/parts/keystone-run.sh");
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        panic!("Keystone did not answer within two minutes");
    }
}

impl Keystone {
    /// Ends it; its state stays where it was wished.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGTERM lets the master end its worker; SIGKILL would leave that to the worker itself.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Keystone {
    fn drop(&mut self) {
        self.stop();
    }
}
