//! `fedgate keystone …`: what an operator does with an OpenStack Keystone behind the gateway.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    Failed, Form, Place, keystone_kolla, keystone_map, load, looked_at, read_at_most, runtime, say, show,
};
use crate::{
    app::{
        operate,
        provision::operate::{Applied, Drift, Hand, Planned, Report, Stand, Then},
    },
    config::secret::SecretSources,
    domain::time::Timestamp,
};

/// Largest plan that is read.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Keystone {
    /// Make its identity provider, mapping, protocol and domains. Nothing is ever deleted.
    Setup {
        #[command(flatten)]
        place: Place,
        /// Which, if there are several.
        #[arg(long)]
        target: Option<String>,
        /// Only show what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write what a stock kolla-ansible or OSISM needs, for a target of kind `keystone_claims`: metadata, mappings,
    /// settings and the Apache snippet.
    Kolla(keystone_kolla::Wanted),
    /// Show what Keystone makes of an assertion by its mapping rules. Asks no Keystone.
    Map(keystone_map::Wanted),
    /// Show every change of people, groups, projects and roles that is needed. Changes nothing. Exit code 3: some are.
    Plan {
        #[command(flatten)]
        which: Which,
        /// Keep the plan in a file, for `apply`.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make what a kept plan says and what is still needed, and nothing else. Exit code 3: not all of it could be made.
    Apply {
        #[command(flatten)]
        which: Which,
        /// The plan, as `plan --out` has kept it.
        #[arg(value_name = "FILE", required_unless_present = "yes")]
        plan: Option<PathBuf>,
        /// Without a plan: make all that is needed now.
        #[arg(long, conflicts_with = "plan")]
        yes: bool,
    },
    /// Name what was changed by hand at Keystone, and what becomes of it. Changes nothing. Exit code 3: something was.
    Drift {
        #[command(flatten)]
        which: Which,
    },
    /// Say how far each Keystone is, as the running gateway has kept it. Exit code 3: one is behind.
    Status {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    #[command(flatten)]
    place: Place,
    /// Which, if there are several.
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
}

#[derive(Debug, Args)]
pub(super) struct Offboard {
    #[command(flatten)]
    place: Place,
    /// Who: what they are called, `upstream/name`, or their key.
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Take them back: they may sign in again, and get what the rules give them.
    #[arg(long, conflicts_with = "report")]
    back: bool,
    /// Only say what went, and when.
    #[arg(long)]
    report: bool,
    /// For people or for programs.
    #[arg(long, value_enum, default_value = "text")]
    output: Form,
}

pub(super) fn run(command: Keystone) -> Result<ExitCode, Failed> {
    match command {
        Keystone::Setup {
            place,
            target,
            dry_run,
        } => {
            let config = load(&place)?;
            let lines = runtime()?.block_on(operate::set_up_keystone(
                &config,
                &SecretSources::default(),
                (target.as_deref(), dry_run),
            ))?;
            say(&lines.join("\n"))?;
        }
        Keystone::Kolla(wanted) => say(&keystone_kolla::run(&wanted)?)?,
        Keystone::Map(wanted) => say(&keystone_map::run(&wanted)?)?,
        Keystone::Plan { which, out } => return plan(&which, out),
        Keystone::Apply { which, plan, .. } => return apply(&which, plan),
        Keystone::Drift { which } => return drift(&which),
        Keystone::Status { which } => return status(&which),
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the stores for one deed, and closes them whatever comes of it.
fn by_hand<T>(
    place: &Place,
    deed: impl AsyncFnOnce(&Hand) -> Result<T, crate::app::build::StartFault>,
) -> Result<T, Failed> {
    let config = load(place)?;
    runtime()?.block_on(async {
        let hand = Hand::open(&config, &SecretSources::default()).await?;
        let done = deed(&hand).await;
        hand.close().await;
        Ok(done?)
    })
}

fn plan(which: &Which, out: Option<PathBuf>) -> Result<ExitCode, Failed> {
    let plans = by_hand(&which.place, async |hand: &Hand| {
        hand.plan(which.target.as_deref()).await
    })?;
    if let Some(out) = out {
        let json = serde_json::to_string_pretty(&plans)?;
        std::fs::write(&out, json).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    show(which.output, plans.as_slice(), planned)?;
    Ok(looked_at(plans.iter().any(|plan| !plan.plan.changes.is_empty())))
}

fn planned(plans: &[Planned]) -> String {
    let mut out = String::new();
    for planned in plans {
        let plan = &planned.plan;
        let _infallible = writeln!(out, "{}: {} changes", planned.target, plan.changes.len());
        for change in &plan.changes {
            let _infallible = writeln!(out, "  {change}");
        }
        for blocked in &plan.blocked {
            let _infallible = writeln!(out, "  ! {blocked}");
        }
        for drift in &plan.drift {
            let _infallible = writeln!(out, "  ? {}", drift.what);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn apply(which: &Which, file: Option<PathBuf>) -> Result<ExitCode, Failed> {
    let plans = file.as_deref().map(read).transpose()?;
    let applied = by_hand(&which.place, async |hand: &Hand| {
        hand.apply(which.target.as_deref(), plans.as_deref()).await
    })?;
    show(which.output, applied.as_slice(), made)?;
    Ok(looked_at(applied.iter().any(|one| !one.failed.is_empty())))
}

fn read(file: &Path) -> Result<Vec<Planned>, Failed> {
    const EXPECTED: &str = "what `keystone plan --out` has written";
    let text = read_at_most(file, LARGEST, EXPECTED)?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{}: {error}; expected {EXPECTED}", file.display()).into())
}

fn made(applied: &[Applied]) -> String {
    let mut out = String::new();
    for one in applied {
        let _infallible = writeln!(out, "{}: {} changes made", one.target, one.done.len());
        for done in &one.done {
            let _infallible = writeln!(out, "  {} {done}", done.at.rfc3339());
        }
        for (change, why) in &one.failed {
            let _infallible = writeln!(out, "  FAILED {change}: {why}");
        }
        for change in &one.needless {
            let _infallible = writeln!(out, "  not needed any more: {change}");
        }
        for change in &one.unplanned {
            let _infallible = writeln!(out, "  not in the plan, so not made: {change}");
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn drift(which: &Which) -> Result<ExitCode, Failed> {
    let plans = by_hand(&which.place, async |hand: &Hand| {
        hand.plan(which.target.as_deref()).await
    })?;
    let drifts: Vec<Drifted<'_>> = plans
        .iter()
        .map(|plan| Drifted {
            target: &plan.target,
            drift: &plan.plan.drift,
        })
        .collect();
    show(which.output, drifts.as_slice(), drifted)?;
    Ok(looked_at(drifts.iter().any(|one| !one.drift.is_empty())))
}

/// What was changed by hand at one target.
#[derive(Serialize)]
struct Drifted<'a> {
    target: &'a str,
    drift: &'a [Drift],
}

fn drifted(drifts: &[Drifted<'_>]) -> String {
    let mut out = String::new();
    for one in drifts {
        let _infallible = writeln!(out, "{}: {} changes by hand", one.target, one.drift.len());
        for drift in one.drift {
            let then = match drift.then {
                Then::Stays => "stays",
                Then::MadeAgain => "is made again",
            };
            let _infallible = writeln!(out, "  {}; {then}", drift.what);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn status(which: &Which) -> Result<ExitCode, Failed> {
    let stands = by_hand(&which.place, async |hand: &Hand| Ok(hand.stand().await))?;
    show(which.output, stands.as_slice(), stand)?;
    Ok(looked_at(
        stands.iter().any(|one| one.state.behind_since.is_some()),
    ))
}

fn stand(stands: &[Stand]) -> String {
    let at = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), Timestamp::rfc3339);
    let mut out = String::new();
    for one in stands {
        let state = &one.state;
        let _infallible = match (state.behind_since, &state.why) {
            (Some(since), why) => writeln!(
                out,
                "{}: behind since {}, {} changes wait: {}",
                one.target,
                since.rfc3339(),
                state.waiting,
                why.as_deref().unwrap_or("unknown")
            ),
            (None, _) => writeln!(out, "{}: in step at {}", one.target, at(state.in_step)),
        };
        if state.drift + state.blocked > 0 {
            let _infallible = writeln!(
                out,
                "  {} changes by hand (`keystone drift`), {} cannot be done from here (`keystone plan`)",
                state.drift, state.blocked
            );
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Lets somebody go, takes them back, or reports.
pub(super) fn offboard(wanted: &Offboard) -> Result<ExitCode, Failed> {
    let report = by_hand(&wanted.place, async |hand: &Hand| {
        if wanted.report {
            hand.report(&wanted.user).await
        } else {
            hand.offboard(&wanted.user, wanted.back).await
        }
    })?;
    show(wanted.output, &report, reported)?;
    Ok(looked_at(!report.waiting.is_empty()))
}

fn reported(report: &Report) -> String {
    let since = report.since.map_or_else(
        || "is not let go".to_owned(),
        |since| format!("let go at {}", since.rfc3339()),
    );
    let mut out = format!("{} ({}): {since}\n", report.called, report.key);
    for (at, what) in &report.taken {
        let _infallible = writeln!(out, "  {} {what}", at.rfc3339());
    }
    for waiting in &report.waiting {
        let _infallible = writeln!(out, "  WAITS, the running gateway goes on with it: {waiting}");
    }
    out.truncate(out.trim_end().len());
    out
}
