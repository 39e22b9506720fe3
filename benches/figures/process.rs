//! Processes that are measured: started, asked for what they cost, ended by their own id.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// A server on loopback.
pub struct Server {
    pub port: u16,
    /// From exec to the first good answer.
    pub ready_after: Duration,
    child: Child,
}

impl Server {
    /// The gateway whose settings stand in `folder`.
    pub fn gateway(folder: &Path, port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedgate"));
        command
            .args(["serve", "--config"])
            .arg(folder.join("fedgate.yaml"))
            .env_clear();
        Self::start(command, (port, "/readyz"), folder.join("log"))
    }

    /// Starts a program and waits until `GET path` is answered by 200.
    pub fn start(mut command: Command, (port, path): (u16, &str), log: PathBuf) -> Self {
        let file = fs::File::create(&log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let began = Instant::now();
        let child = command.spawn().unwrap();
        let mut server = Self {
            port,
            ready_after: Duration::ZERO,
            child,
        };
        while !answers(port, path) {
            let over = server.child.try_wait().unwrap();
            let late = began.elapsed() > Duration::from_secs(60);
            assert!(
                over.is_none() && !late,
                "{command:?} is not ready: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            sleep(Duration::from_millis(2));
        }
        server.ready_after = began.elapsed();
        server
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// What its threads have used so far, user and system (proc(5): fields 14 and 15, in ticks of 10 ms).
    pub fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        let ticks: f64 = after_name
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse::<f64>().unwrap())
            .sum();
        ticks / 100.0
    }

    /// Resident memory in MB (1,000,000 bytes).
    pub fn resident_mb(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024.0 / 1e6
    }

    /// Lets it finish what it does, as an operator would.
    pub fn stop(mut self) {
        let _told = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ended = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// One request by hand: a client library would cost more than what is measured.
fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
