//! A real Chromium, driven through visits: each has its own cookies, language, colours and width.

use std::{
    io::Write as _,
    path::PathBuf,
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
    pub(crate) fn axe(self) -> Self {
        self.then(json!({"do": "axe"}))
    }
}

/// Where `tests/parts/chromium.sh` puts things.
fn part() -> PathBuf {
    let parts = std::env::var_os("FEDGATE_PARTS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache/fedgate"),
        PathBuf::from,
    );
    let here = parts.join("browser");
    assert!(
        here.join("installed").exists(),
        "{} is not there: run tests/parts/chromium.sh",
        here.display()
    );
    here
}

/// Sends the browser on its visits. Blocking: call it from `spawn_blocking` where a server runs beside it.
pub(crate) fn send(visits: &[Visit]) -> Vec<Seen> {
    let visits: Vec<Value> = visits
        .iter()
        .map(|visit| {
            json!({"locale": visit.locale, "scheme": visit.scheme, "width": visit.width, "steps": visit.steps})
        })
        .collect();
    let mut child = Command::new("node")
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
