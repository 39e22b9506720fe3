//! Results of tests as `opa test` shows them; a failure comes with what was expected and what came.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value as Json, json};

use super::{data, report, test::Ran};
use crate::{
    app::stopwatch::go_style,
    rego::{EvalFault, trial::Outcome},
};

const WIDTH: usize = 80;

/// For a person.
pub(super) fn pretty(ran: &[Ran], verbose: bool) -> String {
    let mut out = String::new();
    let mut file = "";
    let line = "-".repeat(WIDTH);
    for each in ran.iter().filter(|each| verbose || !each.passed()) {
        let place = &each.test.place;
        if !file.is_empty() && file != place.file {
            out.push('\n');
        }
        file = &place.file;
        let _ = writeln!(out, "{}:{}:\n{}", place.file, place.row, title(each));
        if !each.prints.is_empty() {
            let _ = writeln!(out, "\n  {}\n", each.prints.join("\n  "));
        }
        if let Outcome::Error(fault) = &each.outcome {
            let _ = writeln!(out, "  {}", fault.to_string().replace('\n', "\n  "));
        }
    }
    let failures: Vec<&Ran> = ran.iter().filter(|each| each.failure.is_some()).collect();
    if !failures.is_empty() {
        let _ = writeln!(out, "{line}\nFAILURES\n{line}");
        for each in failures {
            let detail = each
                .failure
                .as_ref()
                .map(|failure| failure.show(&each.test.place.file));
            let detail = detail.unwrap_or_default().replace('\n', "\n  ");
            let _ = writeln!(out, "{}\n\n  {detail}\n", title(each));
        }
    }
    if !out.is_empty() {
        let _ = writeln!(out, "{line}");
    }
    let count = |wanted: &str| ran.iter().filter(|each| word(&each.outcome) == wanted).count();
    for (name, wanted) in [
        ("PASS", "PASS"),
        ("FAIL", "FAIL"),
        ("SKIPPED", "SKIPPED"),
        ("ERROR", "ERROR"),
    ] {
        let found = count(wanted);
        if found > 0 {
            let _ = writeln!(out, "{name}: {found}/{}", ran.len());
        }
    }
    out
}

fn title(ran: &Ran) -> String {
    let word = word(&ran.outcome);
    if matches!(ran.outcome, Outcome::Skipped) {
        return format!("{}: {word}", ran.test.name);
    }
    format!("{}: {word} ({})", ran.test.name, go_style(ran.took))
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "PASS",
        Outcome::Failed(_) => "FAIL",
        Outcome::Skipped => "SKIPPED",
        Outcome::Error(_) => "ERROR",
    }
}

/// OPA's list; `failure` is ours.
pub(super) fn json(ran: &[Ran]) -> String {
    data::pretty(&Json::Array(ran.iter().map(one).collect()))
}

fn one(ran: &Ran) -> Json {
    let (package, name) = ran.test.name.rsplit_once('.').unwrap_or(("data", &ran.test.name));
    let place = &ran.test.place;
    let mut result = Map::new();
    let mut put = |name: &str, value: Json| result.insert(name.to_owned(), value);
    put(
        "location",
        json!({"file": place.file, "row": place.row, "col": place.col}),
    );
    put("package", json!(package));
    put("name", json!(name));
    put(
        "duration",
        json!(u64::try_from(ran.took.as_nanos()).unwrap_or(u64::MAX)),
    );
    match &ran.outcome {
        Outcome::Passed => None,
        Outcome::Skipped => put("skip", json!(true)),
        Outcome::Failed(_) => put("fail", json!(true)),
        Outcome::Error(fault) => put("error", error(fault)),
    };
    if !ran.prints.is_empty() {
        put("output", json!(STANDARD.encode(ran.prints.join("\n") + "\n")));
    }
    if let Some(failure) = &ran.failure {
        let told = json!({
            "row": failure.row,
            "text": failure.text,
            "expected": failure.expected,
            "got": failure.got,
        });
        put("failure", told);
    }
    Json::Object(result)
}

fn error(fault: &EvalFault) -> Json {
    match fault {
        EvalFault::Failed(issues) | EvalFault::BadQuery(issues) => {
            let mut all = report::errors(issues);
            all.get_mut(0).map(Json::take).unwrap_or_default()
        }
        EvalFault::Timeout => {
            json!({"code": "eval_cancel_error", "message": "caller cancelled query execution"})
        }
        EvalFault::Panicked | EvalFault::TooLarge(_) => {
            json!({"code": "eval_internal_error", "message": fault.to_string()})
        }
    }
}
