//! `fedgate keystone …`: what an operator does with an OpenStack Keystone behind the gateway.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Failed, Place, keystone_kolla, keystone_map, load, runtime, say};
use crate::{
    app::{
        operate,
        provision::operate::{Applied, Hand, Planned, Report, Stand},
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

pub(super) fn run(command: Keystone) -> Result<(), Failed> {
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
            say(&lines.join("\n"))
        }
        Keystone::Kolla(wanted) => say(&keystone_kolla::run(&wanted)?),
        Keystone::Map(wanted) => say(&keystone_map::run(&wanted)?),
        Keystone::Plan { which, out } => plan(&which, out),
        Keystone::Apply { which, plan, .. } => apply(&which, plan),
        Keystone::Drift { which } => drift(&which),
        Keystone::Status { which } => status(&which),
    }
}

/// Exit code 3: there is something to look at.
fn looked_at(something: bool) -> Result<(), Failed> {
    if something {
        Err(Failed(Vec::new()))
    } else {
        Ok(())
    }
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

fn plan(which: &Which, out: Option<PathBuf>) -> Result<(), Failed> {
    let plans = by_hand(&which.place, async |hand: &Hand| {
        hand.plan(which.target.as_deref()).await
    })?;
    let json = serde_json::to_string_pretty(&plans)?;
    if let Some(out) = out {
        std::fs::write(&out, &json).map_err(|error| format!("{}: {error}", out.display()))?;
    }
    match which.output {
        Form::Json => say(&json)?,
        Form::Text => say(&planned(&plans))?,
    }
    looked_at(plans.iter().any(|plan| !plan.plan.changes.is_empty()))
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

fn apply(which: &Which, file: Option<PathBuf>) -> Result<(), Failed> {
    let plans = file.as_ref().map(read).transpose()?;
    let applied = by_hand(&which.place, async |hand: &Hand| {
        hand.apply(which.target.as_deref(), plans.as_deref()).await
    })?;
    match which.output {
        Form::Json => say(&serde_json::to_string_pretty(&applied)?)?,
        Form::Text => say(&made(&applied))?,
    }
    looked_at(applied.iter().any(|one| !one.failed.is_empty()))
}

fn read(file: &PathBuf) -> Result<Vec<Planned>, Failed> {
    let place = file.display();
    let size = std::fs::metadata(file)
        .map_err(|error| format!("{place}: {error}"))?
        .len();
    if size > LARGEST {
        return Err(format!("{place}: found {size} bytes; expected at most {LARGEST}").into());
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("{place}: {error}"))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{place}: {error}; expected what `keystone plan --out` has written").into())
}

fn made(applied: &[Applied]) -> String {
    let mut out = String::new();
    for one in applied {
        let _infallible = writeln!(out, "{}: {} changes made", one.target, one.done.len());
        for done in &one.done {
            let note = done
                .note
                .as_ref()
                .map(|note| format!(" ({note})"))
                .unwrap_or_default();
            let _infallible = writeln!(out, "  {} {}{note}", done.at.rfc3339(), done.change);
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

fn drift(which: &Which) -> Result<(), Failed> {
    let plans = by_hand(&which.place, async |hand: &Hand| {
        hand.plan(which.target.as_deref()).await
    })?;
    match which.output {
        Form::Json => {
            let drifts: Vec<_> = plans
                .iter()
                .map(|plan| serde_json::json!({ "target": plan.target, "drift": plan.plan.drift }))
                .collect();
            say(&serde_json::to_string_pretty(&drifts)?)?;
        }
        Form::Text => {
            let mut out = String::new();
            for plan in &plans {
                let drifts = &plan.plan.drift;
                let _infallible = writeln!(out, "{}: {} changes by hand", plan.target, drifts.len());
                for one in drifts {
                    let then = match one.then {
                        crate::app::provision::operate::Then::Stays => "stays",
                        crate::app::provision::operate::Then::MadeAgain => "is made again",
                    };
                    let _infallible = writeln!(out, "  {}; {then}", one.what);
                }
            }
            say(out.trim_end())?;
        }
    }
    looked_at(plans.iter().any(|plan| !plan.plan.drift.is_empty()))
}

fn status(which: &Which) -> Result<(), Failed> {
    let stands = by_hand(&which.place, async |hand: &Hand| Ok(hand.stand().await))?;
    match which.output {
        Form::Json => say(&serde_json::to_string_pretty(&stands)?)?,
        Form::Text => say(&stand(&stands))?,
    }
    looked_at(stands.iter().any(|one| one.state.behind_since.is_some()))
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
pub(super) fn offboard(wanted: &Offboard) -> Result<(), Failed> {
    let report = by_hand(&wanted.place, async |hand: &Hand| {
        if wanted.report {
            hand.report(&wanted.user).await
        } else {
            hand.offboard(&wanted.user, wanted.back).await
        }
    })?;
    match wanted.output {
        Form::Json => say(&serde_json::to_string_pretty(&report)?)?,
        Form::Text => say(&reported(&report))?,
    }
    looked_at(!report.waiting.is_empty())
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
