//! The policies of a running gateway: apply, roll back, shadow, status; and what a candidate would change.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::super::{Failed, Form, Place, load, looked_at, runtime, say, show};
use crate::{
    app::policy_operations::{self, Deed, Reach},
    config::secret::SecretSources,
    policy,
};

/// What an operator does.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Operate {
    /// Take policies into use in the running gateway, whole or not at all. A restart keeps them.
    Apply {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Return to the policies before. Done twice, it is undone.
    Rollback {
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Say which policies decide, and how the candidate in the shadow compares.
    Status {
        #[command(flatten)]
        gateway: Gateway,
        /// For people or for programs.
        #[arg(long, value_enum, default_value = "text")]
        output: Form,
    },
    /// Run a candidate beside the live policies: its answers are compared and change nothing.
    Shadow {
        /// `off` ends it.
        #[arg(value_parser = ["off"], conflicts_with_all = ["bundle", "folder"], required_unless_present_any = ["bundle", "folder"])]
        off: Option<String>,
        /// A bundle as `opa build` makes it.
        #[arg(long)]
        bundle: Option<PathBuf>,
        /// A folder with Rego files.
        #[arg(long, conflicts_with = "bundle")]
        folder: Option<PathBuf>,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Ask recorded decisions again of a candidate: who would gain and who would lose what, by which rule.
    /// Exit code 0: nobody (another rule for the same counts for nothing); 3: somebody.
    Impact {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        place: Place,
        /// How far back: a number with s, m, h or d.
        #[arg(long, default_value = "7d", value_parser = span)]
        since: Duration,
        /// For people or for programs.
        #[arg(long, value_enum, default_value = "text")]
        output: Form,
    },
}

/// Where the policies are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Source {
    /// A bundle as `opa build` makes it.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// A folder with Rego files.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// How the running gateway is reached.
#[derive(Debug, Args)]
pub(in crate::cli) struct Gateway {
    #[command(flatten)]
    place: Place,
    /// The gateway's base URL. Absent: the issuer of the configuration.
    #[arg(long)]
    url: Option<String>,
    /// Certificates to trust (PEM). Absent: the system's.
    #[arg(long)]
    ca: Option<PathBuf>,
}

pub(super) fn run(operate: Operate) -> Result<ExitCode, Failed> {
    let done = match operate {
        Operate::Apply { source, gateway } => {
            let archive = archive(source.bundle, source.folder)?;
            let said = ask(&gateway, Deed::Apply(archive))?;
            say(&format!(
                "policies of revision {} decide",
                text(&said, "revision")
            ))
        }
        Operate::Rollback { gateway } => {
            let said = ask(&gateway, Deed::RollBack)?;
            say(&format!(
                "policies of revision {} decide again",
                text(&said, "revision")
            ))
        }
        Operate::Status { gateway, output } => {
            let said = ask(&gateway, Deed::State)?;
            show(output, &said, |said| status(said).join("\n"))
        }
        Operate::Shadow {
            off,
            bundle,
            folder,
            gateway,
        } => {
            let wanted = match off {
                Some(_) => None,
                None => Some(archive(bundle, folder)?),
            };
            let said = ask(&gateway, Deed::Shadow(wanted))?;
            match said.get("revision").and_then(Value::as_str) {
                Some(revision) => say(&format!(
                    "a candidate of revision {revision} runs in the shadow; `fedgate policy status` compares"
                )),
                None => say("nothing runs in the shadow"),
            }
        }
        Operate::Impact {
            source,
            place,
            since,
            output,
        } => {
            let archive = archive(source.bundle, source.folder)?;
            return impact(&place, &archive, since, output);
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn impact(place: &Place, archive: &[u8], since: Duration, output: Form) -> Result<ExitCode, Failed> {
    let config = load(place)?;
    let secrets = SecretSources::default();
    let report = runtime()?.block_on(policy_operations::impact(&config, &secrets, archive, since))?;
    show(output, &report, |report| report.lines().join("\n"))?;
    Ok(looked_at(report.counts()))
}

fn archive(bundle: Option<PathBuf>, folder: Option<PathBuf>) -> Result<Vec<u8>, Failed> {
    match (bundle, folder) {
        (Some(path), _) => Ok(std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?),
        (None, Some(path)) => Ok(policy::pack(&path)?),
        (None, None) => Err(Failed(vec!["give --bundle FILE or --folder DIR".to_owned()])),
    }
}

fn ask(gateway: &Gateway, deed: Deed) -> Result<Value, Failed> {
    let config = load(&gateway.place)?;
    let reach = Reach {
        url: gateway.url.clone(),
        ca: gateway.ca.clone(),
    };
    let secrets = SecretSources::default();
    let asked = policy_operations::ask(&config, &secrets, &reach, deed);
    runtime()?
        .block_on(asked)
        .map_err(|fault| Failed(fault.0.lines().map(str::to_owned).collect()))
}

fn text<'a>(said: &'a Value, key: &str) -> &'a str {
    said.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn status(said: &Value) -> Vec<String> {
    let mut lines = vec![
        format!("revision  {}", text(said, "revision")),
        format!("source    {}", text(said, "source")),
        format!("previous  {}", text(said, "previous")),
    ];
    let Some(shadow) = said.get("shadow").filter(|shadow| !shadow.is_null()) else {
        lines.push("shadow    -".to_owned());
        return lines;
    };
    lines.push(format!("shadow    {}", text(shadow, "revision")));
    for (entry, counts) in shadow
        .get("entries")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let count = |key: &str| counts.get(key).and_then(Value::as_u64).unwrap_or(0);
        lines.push(format!(
            "  {entry}: {} same, {} different, {} failed",
            count("same"),
            count("different"),
            count("failed")
        ));
    }
    for one in shadow.get("last").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!(
            "  {} {}: {} -> {}",
            text(one, "decision_id"),
            text(one, "path"),
            one.get("live").unwrap_or(&Value::Null),
            one.get("candidate").unwrap_or(&Value::Null)
        ));
    }
    lines
}

/// `90s`, `15m`, `12h`, `7d`.
pub(in crate::cli) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("found '{text}', expected a number with s, m, h or d, for example 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text
        .strip_suffix(unit)
        .unwrap_or_default()
        .parse()
        .map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span("7d").unwrap(), Duration::from_secs(604_800));
        assert_eq!(span("90s").unwrap(), Duration::from_secs(90));
        for wrong in ["", "7", "d", "-1d", "7w", "99999999999999999999d", "1ä"] {
            assert!(span(wrong).unwrap_err().contains("expected"), "{wrong}");
        }
    }
}
