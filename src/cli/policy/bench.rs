//! `fedgate policy bench`: how long the engine takes for a query.

use std::{process::ExitCode, time::Duration};

use clap::ValueEnum;
use serde_json::json;

use super::{
    super::{Failed, say},
    author::End,
    check::complain,
    data,
    query::{Asked, Ready},
    report,
    sources::Loaded,
    table,
};
use crate::{
    app::stopwatch::measured,
    rego::{EvalFault, Issue},
};

/// Most samples that are kept for the distribution.
const MOST: usize = 1_000_000;

/// The command line.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    #[command(flatten)]
    asked: Asked,
    /// How figures are shown.
    #[arg(long, short, default_value = "pretty")]
    format: Format,
    /// How often to measure.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// How long each measurement takes, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    time_ms: u64,
    /// Exit code 1 if there is no answer.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    fail: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
    Gobench,
}

pub(super) fn run(wanted: &Wanted) -> Result<ExitCode, Failed> {
    let ready = match wanted.asked.prepare() {
        Ok(ready) => ready,
        Err((End::Issues(issues), loaded)) => return wrong(&issues, loaded.as_ref()),
        Err((End::Lines(lines), _)) => return Err(Failed(lines)),
    };
    match ready.ask() {
        Ok(answers) if answers.is_empty() && wanted.fail => {
            complain("undefined result")?;
            return Ok(ExitCode::FAILURE);
        }
        Ok(_) => {}
        Err(EvalFault::Failed(issues) | EvalFault::BadQuery(issues)) => {
            return wrong(&issues, Some(&ready.loaded));
        }
        Err(fault) => return Err(fault.into()),
    }
    for _ in 0..wanted.count {
        let samples = measure(&ready, Duration::from_millis(wanted.time_ms))?;
        say(&shown(wanted.format, samples, &ready.text))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn wrong(issues: &[Issue], loaded: Option<&Loaded>) -> Result<ExitCode, Failed> {
    let texts = loaded.map(Loaded::texts).unwrap_or_default();
    complain(&report::pretty(issues, &texts))?;
    Ok(ExitCode::FAILURE)
}

fn measure(ready: &Ready, span: Duration) -> Result<Vec<u64>, Failed> {
    let mut samples = Vec::new();
    let mut spent = Duration::ZERO;
    // A first round, so that caches are as in a gateway that runs.
    ready.once()?;
    while spent < span && samples.len() < MOST {
        let (asked, took) = measured(|| ready.once());
        asked?;
        spent += took;
        samples.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
    samples.sort_unstable();
    Ok(samples)
}

fn shown(format: Format, samples: Vec<u64>, query: &str) -> String {
    let count = u64::try_from(samples.len()).unwrap_or(u64::MAX).max(1);
    let total: u64 = samples.iter().sum();
    let mean = total / count;
    let at = |permille: u64| {
        let index = (count - 1) * permille / 10_000;
        let index = usize::try_from(index).unwrap_or_default();
        samples.get(index).copied().unwrap_or_default()
    };
    let variance: u128 = samples
        .iter()
        .map(|sample| u128::from(sample.abs_diff(mean)).pow(2))
        .sum::<u128>()
        / u128::from(count);
    let name = "histogram_timer_rego_query_eval_ns";
    let figures: [(&str, u64); 11] = [
        ("75%", at(7_500)),
        ("90%", at(9_000)),
        ("95%", at(9_500)),
        ("99%", at(9_900)),
        ("99.9%", at(9_990)),
        ("99.99%", at(9_999)),
        ("max", at(10_000)),
        ("mean", mean),
        ("median", at(5_000)),
        ("min", at(0)),
        ("stddev", u64::try_from(variance.isqrt()).unwrap_or(u64::MAX)),
    ];
    match format {
        Format::Pretty => {
            let mut rows = vec![
                vec!["samples".to_owned(), count.to_string()],
                vec!["ns/op".to_owned(), mean.to_string()],
            ];
            rows.extend(
                figures
                    .iter()
                    .map(|(part, value)| vec![format!("{name}_{part}"), value.to_string()]),
            );
            table::draw(None, &rows)
        }
        Format::Json => {
            let extra: serde_json::Map<String, serde_json::Value> = figures
                .iter()
                .map(|(part, value)| (format!("{name}_{part}"), json!(value)))
                .collect();
            data::pretty(&json!({"N": count, "T": total, "Extra": extra}))
        }
        Format::Gobench => {
            let letters = query.chars().filter(char::is_ascii_alphanumeric);
            format!("Benchmark{} {count} {mean} ns/op", letters.collect::<String>())
        }
    }
}
