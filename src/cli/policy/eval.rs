//! `fedgate policy eval`: `opa eval` on the engine that decides.

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{
    super::{Failed, say},
    author::End,
    check::complain,
    data,
    query::{Answer, Asked, Ready},
    report,
    sources::Loaded,
    table,
};
use crate::rego::{EvalFault, Issue, Value};

/// Longest value of a cell.
const WIDEST: usize = 80;

/// The command line.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    #[command(flatten)]
    asked: Asked,
    /// How the answer is shown.
    #[arg(long, short, default_value = "json")]
    format: Format,
    /// Exit code 1 if there is no answer.
    #[arg(long, conflicts_with = "fail_defined")]
    fail: bool,
    /// Exit code 1 if there is an answer.
    #[arg(long)]
    fail_defined: bool,
}

/// OPA's document, its members in OPA's order.
#[derive(Debug, Serialize)]
struct Document<'a> {
    result: Vec<Shown<'a>>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    expressions: Vec<ShownExpression<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    bindings: Map<String, Json>,
}

#[derive(Debug, Serialize)]
struct ShownExpression<'a> {
    value: Json,
    text: &'a str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    row: u32,
    col: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Values,
    Bindings,
    Pretty,
    Raw,
    Discard,
}

pub(super) fn run(wanted: &Wanted) -> Result<ExitCode, Failed> {
    let ready = match wanted.asked.prepare() {
        Ok(ready) => ready,
        Err((End::Issues(issues), loaded)) => return wrong(wanted.format, &issues, loaded.as_ref()),
        Err((End::Lines(lines), _)) => {
            complain(&lines.join("\n"))?;
            return Ok(ExitCode::from(2));
        }
    };
    let answers = match ready.ask() {
        Ok(answers) => answers,
        Err(EvalFault::Failed(issues) | EvalFault::BadQuery(issues)) => {
            return wrong(wanted.format, &issues, Some(&ready.loaded));
        }
        Err(fault) => {
            complain(&fault.to_string())?;
            return Ok(ExitCode::from(2));
        }
    };
    let text = shown(wanted.format, &ready, &answers);
    if !text.is_empty() {
        say(&text)?;
    }
    let defined = !answers.is_empty();
    Ok(if (wanted.fail && !defined) || (wanted.fail_defined && defined) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn wrong(format: Format, issues: &[Issue], loaded: Option<&Loaded>) -> Result<ExitCode, Failed> {
    if matches!(format, Format::Json | Format::Discard) {
        say(&data::pretty(&json!({"errors": report::errors(issues)})))?;
    } else {
        let texts = loaded.map(Loaded::texts).unwrap_or_default();
        complain(&report::pretty(issues, &texts))?;
    }
    Ok(ExitCode::from(2))
}

fn shown(format: Format, ready: &Ready, answers: &[Answer]) -> String {
    let each = |show: &dyn Fn(&Answer) -> String| -> String {
        answers.iter().map(show).collect::<Vec<String>>().join("\n")
    };
    match format {
        Format::Json if answers.is_empty() => "{}".to_owned(),
        Format::Json => data::pretty(&Document {
            result: results(ready, answers),
        }),
        Format::Discard if answers.is_empty() => "{}".to_owned(),
        Format::Discard => data::pretty(&json!({"result": "discarded"})),
        Format::Values => {
            each(&|answer| data::pretty(&Json::Array(answer.values.iter().map(data::json).collect())))
        }
        Format::Bindings => each(&|answer| data::pretty(&Json::Object(bindings(answer)))),
        Format::Raw => each(&|answer| {
            let values: Vec<String> = answer.values.iter().map(raw).collect();
            values.join(" ")
        }),
        Format::Pretty => pretty(ready, answers),
    }
}

fn raw(value: &Value) -> String {
    if let Json::String(text) = data::json(value) {
        return text;
    }
    data::compact(&data::json(value))
}

fn bindings(answer: &Answer) -> Map<String, Json> {
    let bindings = answer.bindings.iter();
    bindings
        .map(|(name, value)| (name.clone(), data::json(value)))
        .collect()
}

fn results<'a>(ready: &'a Ready, answers: &[Answer]) -> Vec<Shown<'a>> {
    let results = answers.iter().map(|answer| {
        let expressions = ready.expressions.iter().zip(&answer.values);
        let expressions = expressions.map(|(expression, value)| ShownExpression {
            value: data::json(value),
            text: &expression.text,
            location: Location {
                row: expression.row,
                col: expression.col,
            },
        });
        Shown {
            expressions: expressions.collect(),
            bindings: bindings(answer),
        }
    });
    results.collect()
}

fn pretty(ready: &Ready, answers: &[Answer]) -> String {
    let Some(first) = answers.first() else {
        return "undefined".to_owned();
    };
    let boolean = |value: &Value| matches!(value, Value::Bool(_));
    if answers.len() == 1
        && first.bindings.is_empty()
        && (first.values.len() == 1 || first.values.iter().all(boolean))
    {
        return first
            .values
            .first()
            .map(|value| data::pretty(&data::json(value)))
            .unwrap_or_default();
    }
    let mut header: Vec<String> = first.bindings.keys().cloned().collect();
    let shown = ready.expressions.iter().zip(&first.values);
    let columns: Vec<bool> = first.values.iter().map(|value| !boolean(value)).collect();
    header.extend(
        shown
            .filter(|(_, value)| !boolean(value))
            .map(|(expression, _)| expression.text.clone()),
    );
    let rows: Vec<Vec<String>> = answers
        .iter()
        .map(|answer| {
            let values = answer.values.iter().zip(&columns);
            let values = values.filter(|(_, shown)| **shown).map(|(value, _)| value);
            answer.bindings.values().chain(values).map(cell).collect()
        })
        .collect();
    table::draw(Some(&header), &rows)
}

fn cell(value: &Value) -> String {
    let text = data::compact(&data::json(value));
    if text.chars().count() > WIDEST {
        let start: String = text.chars().take(WIDEST).collect();
        return format!("{start}...");
    }
    text
}
