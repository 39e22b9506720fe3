//! A real Chromium, driven through visits: each has its own cookies, language, colours and width.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::{Value, json};

/// What one visit does, in order.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    locale: &'static str,
    scheme: &'static str,
    width: u32,
    steps: Vec<Value>,
}

/// What one visit saw.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    results: Vec<Value>,
    /// Errors on the browser's console: what the content security policy refused stands here.
    pub(crate) console: Vec<String>,
    /// Every address that the browser asked for.
    pub(crate) requests: Vec<String>,
}

impl Seen {
    /// What the step saw; fails with the page's text if a step failed.
    pub(crate) fn step(&self, number: usize) -> &Value {
        let last = self.results.last().expect("a visit has steps");
        assert!(
            last.get("error").is_none(),
            "step {}: {last:#}",
            self.results.len() - 1
        );
        &self.results[number]["ok"]
    }

    /// What the step saw that was given this name; fails with the page's text if a step failed.
    pub(crate) fn kept(&self, name: &str) -> &Value {
        let number = self.results.iter().position(|result| result["as"] == name);
        self.step(number.unwrap_or(0));
        &self.results[number.unwrap_or_else(|| panic!("no step is named '{name}'"))]["ok"]
    }

    /// The same, as text.
    pub(crate) fn kept_text(&self, name: &str) -> &str {
        self.kept(name).as_str().expect("a step that sees text")
    }

    /// The same, as text.
    pub(crate) fn text(&self, number: usize) -> &str {
        self.step(number).as_str().expect("a step that sees text")
    }
}

impl Visit {
    pub(crate) fn new() -> Self {
        Self {
            locale: "en-GB",
            scheme: "light",
            width: 1280,
            steps: Vec::new(),
        }
    }
    pub(crate) fn looking(mut self, locale: &'static str, scheme: &'static str, width: u32) -> Self {
        (self.locale, self.scheme, self.width) = (locale, scheme, width);
        self
    }
    /// One step; see `browser.cjs` for what there is.
    pub(crate) fn then(mut self, step: Value) -> Self {
        self.steps.push(step);
        self
    }
    pub(crate) fn goto(self, url: &str) -> Self {
        self.then(json!({"do": "goto", "url": url}))
    }
    pub(crate) fn fill(self, selector: &str, value: &str) -> Self {
        self.then(json!({"do": "fill", "selector": selector, "value": value}))
    }
    pub(crate) fn click(self, selector: &str) -> Self {
        self.then(json!({"do": "click", "selector": selector}))
    }
    pub(crate) fn see(self, selector: &str) -> Self {
        self.then(json!({"do": "see", "selector": selector}))
    }
    pub(crate) fn read(self) -> Self {
        self.then(json!({"do": "text"}))
    }
    /// Names the last step; see `Seen::kept`.
    pub(crate) fn keep(mut self, name: &str) -> Self {
        self.steps.last_mut().expect("a step")["as"] = json!(name);
        self
    }
    pub(crate) fn type_(self, text: &str) -> Self {
        self.then(json!({"do": "type", "text": text}))
    }
    pub(crate) fn press(self, key: &str) -> Self {
        self.then(json!({"do": "press", "key": key}))
    }
    pub(crate) fn axe(self) -> Self {
        self.then(json!({"do": "axe"}))
    }
}

/// Where `tests/parts/chromium.sh` puts things.
fn part() -> PathBuf {
    let here = super::home().join("browser");
    assert!(
        here.join("installed").exists(),
        "{} is not there: run tests/parts/chromium.sh",
        here.display()
    );
    here
}

/// Sends the browser on its visits. Blocking: call it from `spawn_blocking` where a server runs beside it.
pub(crate) fn send(visits: &[Visit]) -> Vec<Seen> {
    run(visits, None)
}

/// The same, but the browser believes only `ca` and its own roots: a certificate that does not hold ends the
/// visit, as it would for a person whose machine knows that CA.
pub(crate) fn send_trusting(ca: &Path, visits: &[Visit]) -> Vec<Seen> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let folder = home.path().join(".pki/nssdb");
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = format!("sql:{}", folder.display());
    let certutil = |arguments: &[&str]| {
        let done = Command::new("certutil")
            .args(["-d", &database])
            .args(arguments)
            .output();
        let done = done.expect("certutil runs: run tests/parts/chromium.sh");
        assert!(done.status.success(), "certutil {arguments:?}: {done:?}");
    };
    certutil(&["-N", "--empty-password"]);
    certutil(&[
        "-A",
        "-n",
        "of this test",
        "-t",
        "C,,",
        "-i",
        ca.to_str().expect("text"),
    ]);
    run(visits, Some(home.path()))
}

fn run(visits: &[Visit], trusting: Option<&Path>) -> Vec<Seen> {
    let visits: Vec<Value> = visits
        .iter()
        .map(|visit| {
            json!({"locale": visit.locale, "scheme": visit.scheme, "width": visit.width, "steps": visit.steps})
        })
        .collect();
    let mut command = Command::new("node");
    if let Some(home) = trusting {
        command.env("HOME", home).env("FEDGATE_BROWSER_STRICT", "1");
    }
    let mut child = command
        .args(["-e", include_str!("browser.cjs")])
        .env("FEDGATE_BROWSER_PART", part())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node starts: run tests/parts/chromium.sh");
    let mut input = child.stdin.take().expect("piped");
    input
        .write_all(&serde_json::to_vec(&visits).expect("JSON"))
        .expect("node reads");
    drop(input);
    let output = child.wait_with_output().expect("node ends");
    assert!(
        output.status.success(),
        "the browser failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("node prints JSON")
}
