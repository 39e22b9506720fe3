//! Every figure of the README in one run, against real processes: `make bench`.
//!
//! A machine is never idle, so speed is counted per CPU-second of the server's process, and what is compared runs
//! in turns. `cargo bench --bench figures -- [--tolerance 0.1] [--only NAME]`; the exit code is 1 when a limit is
//! missed by more than the tolerance. The summary stands at the end and in `target/bench.json`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::future_not_send,
    missing_debug_implementations,
    unreachable_pub,
    dead_code
)]

mod abandoned;
mod bare;
mod credentials;
mod decision;
mod footprint;
#[path = "../../tests/it/parts/home.rs"]
mod home;
mod opa;
#[path = "../../tests/it/parts/opa.rs"]
mod opa_part;
#[path = "../../tests/it/parts/port.rs"]
mod port;
#[path = "../../tests/it/parts/postgres.rs"]
mod postgres;
mod process;
mod refresh;
mod reload;
mod report;
#[path = "../../tests/it/parts/rows.rs"]
mod rows;
mod saml;
mod scale;
mod settings;
mod walk;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    process::{Command, ExitCode},
};

use home::home;
use report::Report;

/// The gateway's own: what is measured in this process costs what it costs there.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What can be measured, in this order, each by the name that `--only` takes.
type Part = (&'static str, fn(&mut Report));
const PARTS: [Part; 9] = [
    ("footprint", footprint::run),
    ("decision", decision::run),
    ("scale", scale::run),
    ("credentials", credentials::run),
    ("refresh", refresh::run),
    ("reload", reload::run),
    ("saml", saml::run),
    ("opa", opa::run),
    ("abandoned", abandoned::run),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [bare, port, template] = words.as_slice()
        && bare == "bare"
    {
        bare::serve(port.parse().unwrap(), template);
        return ExitCode::SUCCESS;
    }
    if Backtrace::capture().status() == BacktraceStatus::Captured {
        // The policy engine's errors carry backtraces then; a gateway is run without.
        let again = Command::new(std::env::current_exe().unwrap())
            .args(&words)
            .env("RUST_LIB_BACKTRACE", "0")
            .status()
            .unwrap();
        return ExitCode::from(u8::try_from(again.code().unwrap_or(1)).unwrap_or(1));
    }
    let after = |flag: &str| {
        let place = words.iter().position(|word| word == flag)?;
        words.get(place + 1).cloned()
    };
    let tolerance =
        after("--tolerance").map_or(0.0, |text| text.parse().expect("--tolerance takes a number"));
    let only = after("--only");
    let known = |name: &str| PARTS.iter().any(|(part, _)| *part == name);
    assert!(
        only.as_deref().is_none_or(known),
        "--only takes one of {:?}",
        PARTS.map(|(name, _)| name)
    );
    let mut report = Report::new(tolerance);
    for (name, run) in PARTS {
        if only.as_deref().is_none_or(|only| only == name) {
            eprintln!("== {name}");
            run(&mut report);
        }
    }
    ExitCode::from(u8::from(!report.finish()))
}
