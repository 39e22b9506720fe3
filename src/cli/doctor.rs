//! `fedgate doctor`: what is wrong with a live deployment, why it matters, and what mends it.

use std::{fmt::Write as _, path::PathBuf};

use url::Url;

use crate::{
    app::doctor::{Finding, Grade, Visit, examine},
    config::secret::SecretSources,
};

use super::{Failed, Form, Place, load, runtime, show};

/// What to examine.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    place: Place,
    /// Certificates to believe of the gateway (PEM); absent: the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// An address of Keystone that others can reach: forged identity headers are tried there, too. Give it for a
    /// stock chain with mod_auth_openidc, and for each of Keystone's own listeners. For targets of kind
    /// `keystone_claims` nothing can be tried; that is said.
    #[arg(long, value_name = "URL")]
    past: Vec<Url>,
    /// What `keystone-manage --version` says there.
    #[arg(long, value_name = "VERSION")]
    keystone_version: Option<String>,
    /// How to say it.
    #[arg(long, default_value = "text")]
    output: Form,
}

/// Examines, on standard output. Fails if anything is critical.
pub(super) fn run(wanted: Wanted) -> Result<(), Failed> {
    let config = load(&wanted.place)?;
    let visit = Visit {
        ca: wanted.ca,
        past: wanted.past,
        keystone_version: wanted.keystone_version,
    };
    let findings = runtime()?.block_on(examine(&config, &SecretSources::default(), &visit))?;
    show(wanted.output, findings.as_slice(), written)?;
    let critical = findings
        .iter()
        .filter(|finding| finding.grade == Grade::Critical)
        .count();
    if critical == 0 {
        return Ok(());
    }
    Err(Failed(vec![format!("{critical} critical findings")]))
}

fn written(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let grade = match finding.grade {
            Grade::Critical => "CRITICAL",
            Grade::Warning => "warning ",
            Grade::Unknown => "unknown ",
            Grade::Ok => "ok      ",
        };
        let _infallible = writeln!(out, "{grade} {}: {}", finding.check, finding.what);
        if finding.grade != Grade::Ok {
            let _infallible = writeln!(
                out,
                "         why: {}\n         fix: {}",
                finding.why, finding.fix
            );
        }
    }
    out.truncate(out.trim_end().len());
    out
}
