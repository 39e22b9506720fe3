//! `fedgate demo` as a person at a terminal meets it: a taken port, Ctrl-C at any time, a second start.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::parts::port::free_port;

/// One start, on ports of its own.
pub(crate) struct Demo {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) cloud: u16,
    pub(crate) home: u16,
}

impl Ports {
    pub(crate) fn free() -> Self {
        Self {
            cloud: free_port(),
            home: free_port(),
        }
    }

    fn listening(self) -> usize {
        [self.cloud, self.home]
            .into_iter()
            .filter(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
            .count()
    }
}

impl Demo {
    fn start(folder: &Path, ports: Ports) -> Self {
        Self::start_with(folder, ports, &[])
    }

    pub(crate) fn start_with(folder: &Path, ports: Ports, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fedgate"))
            .args(["demo", "--folder"])
            .arg(folder)
            .args(["--cloud-port", &ports.cloud.to_string()])
            .args(["--home-port", &ports.home.to_string()])
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads on to a line that begins so; what was printed up to it.
    pub(crate) fn up_to(&mut self, begin: &str) -> String {
        let mut text = String::new();
        loop {
            let from = text.len();
            if self.lines.read_line(&mut text).unwrap() == 0 {
                panic!("ended before '{begin}': {text} {}", self.complaint());
            }
            if text[from..].starts_with(begin) {
                return text;
            }
        }
    }

    fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }

    /// The exit code, once it has ended by itself.
    fn ended(&mut self) -> Option<i32> {
        let ends = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < ends, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // A soft end takes its gateways along.
            self.signal("-TERM");
            let _ended = self.child.wait();
        }
    }
}

#[test]
fn every_taken_port_is_named_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let (cloud, home) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let ports = Ports {
        cloud: cloud.local_addr().unwrap().port(),
        home: home.local_addr().unwrap().port(),
    };
    let mut demo = Demo::start(folder.path(), ports);
    assert_eq!(demo.ended(), Some(1));
    let complaint = demo.complaint();
    for words in [
        format!("port {} (the cloud's gateway) is taken", ports.cloud),
        format!("port {} (the home organisation) is taken", ports.home),
        format!("ss -ltnp 'sport = :{}'", ports.home),
        "--cloud-port NUMBER".to_owned(),
    ] {
        assert!(complaint.contains(&words), "'{words}' is not in: {complaint}");
    }
}

#[test]
fn ctrl_c_ends_all_of_it_and_a_second_start_finds_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::free();
    let kept = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let mut first = Demo::start(folder.path(), ports);
    first.up_to("4/4  ready");
    let said = first.up_to("Logs: ");
    assert!(
        said.contains(&format!("https://localhost:{}", ports.cloud)),
        "{said}"
    );
    assert!(said.contains(&kept("alice.password")), "{said}");
    assert_eq!(ports.listening(), 2);
    let env = kept("env");
    assert!(
        env.contains(&format!(
            "export FEDGATE_HOME_ISSUER='https://localhost:{}'",
            ports.home
        )),
        "{env}"
    );
    let (ca, log) = (kept("tls/ca.pem"), kept("log/cloud-a.log"));
    assert!(log.contains("listening"), "{log}");
    // A job of the demonstration's CI system has a token for the cloud, and nobody else's.
    let job = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["demo-job", "--ref", "main", "--folder"])
        .arg(folder.path())
        .output()
        .unwrap();
    let token = String::from_utf8(job.stdout).unwrap();
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    first.signal("-INT");
    assert_eq!(first.ended(), Some(0), "Ctrl-C is the planned end");
    assert_eq!(first.complaint(), "");
    assert_eq!(ports.listening(), 0, "a gateway was left behind");
    assert!(kept("log/cloud-a.log").contains("drained"));

    let mut second = Demo::start(folder.path(), ports);
    second.up_to("4/4  ready");
    assert_eq!((kept("tls/ca.pem"), kept("env")), (ca, env));
    // A closed terminal ends it, too.
    second.signal("-HUP");
    assert_eq!(second.ended(), Some(0));
    assert_eq!(ports.listening(), 0);
}

#[test]
fn ctrl_c_while_it_starts_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::free();
    let mut demo = Demo::start(folder.path(), ports);
    demo.up_to("3/4  gateways");
    // The first gateway is being started.
    let log = folder.path().join("log/acme.log");
    while !log.exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    demo.signal("-INT");
    assert_eq!(demo.ended(), Some(0));
    assert_eq!(ports.listening(), 0);
}
