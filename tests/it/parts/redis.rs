//! A real Redis on a free port, with a folder of its own, ended on drop.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use super::{certificates::Pair, port::free_port};

/// Must not show up in an error.
pub const PASSWORD: &str = "s3cret-of-redis";

/// A running server.
pub struct Redis {
    port: u16,
    tls: bool,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Redis {
    /// Starts a server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::run(None)
    }

    /// The same with TLS on its only port. Clients need no certificate.
    pub fn start_tls(pair: &Pair) -> Self {
        Self::run(Some(pair))
    }

    fn run(pair: Option<&Pair>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new("redis-server");
        match pair {
            None => command.args(["--port", &port.to_string()]),
            Some(pair) => {
                let (certificate, key) = pair.write(folder.path(), "server");
                command
                    .args(["--port", "0", "--tls-port", &port.to_string()])
                    .args(["--tls-auth-clients", "no", "--tls-cert-file"])
                    .arg(certificate)
                    .arg("--tls-key-file")
                    .arg(key)
            }
        };
        let child = command
            .args(["--bind", "127.0.0.1", "127.0.0.2"])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--requirepass", PASSWORD, "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Redis is missing: run tests/parts/redis.sh");
        let server = Self {
            port,
            tls: pair.is_some(),
            child,
            _folder: folder,
        };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            sleep(Duration::from_millis(25));
        }
        panic!("Redis did not start within 10 s");
    }

    /// Its connection URL. With TLS by name, as its certificate says.
    pub fn url(&self) -> String {
        let (scheme, host) = if self.tls {
            ("rediss", "localhost")
        } else {
            ("redis", "127.0.0.1")
        };
        format!("{scheme}://:{PASSWORD}@{host}:{}/0", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}
