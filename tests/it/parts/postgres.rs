//! A real PostgreSQL on a free port, with a cluster of its own, ended when the last test lets it go.

use std::{
    net::TcpStream,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use super::port::free_port;

/// Not a secret worth keeping, but one that must not show up in an error.
pub const PASSWORD: &str = "s3cret-of-postgres";

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub struct Postgres {
    port: u16,
    child: Child,
    bin: PathBuf,
    _folder: tempfile::TempDir,
}

fn bin() -> PathBuf {
    let found = std::fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| {
            versions
                .flatten()
                .map(|version| version.path().join("bin"))
                .find(|bin| bin.join("initdb").exists())
        });
    found.expect("PostgreSQL is missing: run tests/parts/postgres.sh")
}

/// PostgreSQL refuses to run as root: then it runs as the user `postgres`.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(program);
    command
}

fn is_root() -> bool {
    number("-u", None) == 0
}

fn number(flag: &str, user: Option<&str>) -> u32 {
    let out = Command::new("id").arg(flag).args(user).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
}

impl Postgres {
    /// The server that tests share; started if none runs.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *shared = Arc::downgrade(&started);
        started
    }

    fn start() -> Self {
        let bin = bin();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        if is_root() {
            let (user, group) = (number("-u", Some("postgres")), number("-g", Some("postgres")));
            chown(folder.path(), Some(user), Some(group)).unwrap();
            chown(folder.path().join("password"), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let made = as_postgres(&bin.join("initdb"))
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .args([
                "-U",
                "fedgate",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(folder.path().join("password"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let child = as_postgres(&bin.join("postgres"))
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", "", "-F"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            port,
            child,
            bin,
            _folder: folder,
        };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && server.psql("SELECT 1") {
                return server;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL did not start within 30 s");
    }

    fn psql(&self, sql: &str) -> bool {
        Command::new(self.bin.join("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "fedgate",
                "-d",
                "postgres",
                "-c",
                sql,
            ])
            .env("PGPASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        assert!(
            self.psql(&format!("CREATE DATABASE {name}")),
            "cannot create {name}"
        );
        format!("postgres://fedgate:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }
}

/// The same URL as Python's SQLAlchemy takes it.
pub fn as_sqlalchemy(url: &str) -> String {
    url.replacen("postgres://", "postgresql+psycopg2://", 1)
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it takes its own children along.
        let _asked = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ended = self.child.wait();
    }
}
