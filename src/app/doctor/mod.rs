//! `fedgate doctor`: looks at a live deployment from outside, and names what is wrong and what mends it.
//!
//! It changes nothing that lasts. What it tries is what an attacker would try; where that succeeds, the token it got
//! is revoked at once. Start at [`examine`]; a new check is one function in the file of its subject.

mod gateway;
mod keystone;
mod settings;
mod upstreams;

use std::{path::PathBuf, time::Duration};

use http::{HeaderMap, Method, header};
use serde::Serialize;
use url::Url;

use super::{build::StartFault, clock::SystemClock};
use crate::{
    config::Config,
    domain::time::Timestamp,
    outbound::{self, Addresses, Answer, Call, Outbound},
    port::{clock::Clock as _, secrets::Secrets},
};

/// Clocks further apart make tokens fail that are good.
const WORST_SKEW_S: i64 = 30;

/// How bad it is. The order is that of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Somebody can do what they must not, or nobody can do what they should.
    Critical,
    /// It works, and will not for long, or not for all.
    Warning,
    /// It could not be found out.
    Unknown,
    /// As it should be.
    Ok,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// The check: stable, for programs.
    pub check: &'static str,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What mends it; empty where nothing is wrong.
    pub fix: String,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self {
            grade: Grade::Ok,
            check,
            what: what.into(),
            why: "",
            fix: String::new(),
        }
    }

    fn bad(
        grade: Grade,
        check: &'static str,
        (what, why): (String, &'static str),
        fix: impl Into<String>,
    ) -> Self {
        Self {
            grade,
            check,
            what,
            why,
            fix: fix.into(),
        }
    }
}

/// What the doctor is told.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// Certificates to believe of the gateway; absent: the system's.
    pub ca: Option<PathBuf>,
    /// Addresses of Keystone that others can reach, beside those of its catalog.
    pub past: Vec<Url>,
    /// What `keystone-manage --version` says there: the Identity API does not tell.
    pub keystone_version: Option<String>,
}

struct Room<'a> {
    config: &'a Config,
    secrets: &'a dyn Secrets,
    visit: &'a Visit,
    now: Timestamp,
    outbound: Outbound,
}

/// Examines everything; the worst first.
pub async fn examine(
    config: &Config,
    secrets: &dyn Secrets,
    visit: &Visit,
) -> Result<Vec<Finding>, StartFault> {
    let outbound = Outbound::open(&outbound::Config {
        ca: visit.ca.clone(),
        addresses: Addresses::Loopback,
        ..outbound::Config::default()
    });
    let room = Room {
        config,
        secrets,
        visit,
        now: SystemClock.now(),
        outbound: outbound.map_err(StartFault::of)?,
    };
    let mut findings = gateway::examine(&room).await;
    findings.extend(upstreams::examine(&room).await);
    findings.extend(keystone::examine(&room).await);
    findings.sort_by_key(|finding| finding.grade);
    Ok(findings)
}

/// One answer, as anybody would get it.
async fn get(outbound: &Outbound, url: &str) -> Result<Answer, String> {
    let call = Call {
        method: Method::GET,
        url: url.parse().map_err(|_| format!("{url} is no address"))?,
        headers: HeaderMap::new(),
        body: None,
        timeout: Duration::from_secs(10),
    };
    outbound.call(call).await.map_err(|fault| fault.to_string())
}

/// Compares the `Date` of an answer with our clock.
fn skew(check: &'static str, who: &str, headers: &HeaderMap, now: Timestamp) -> Option<Finding> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let theirs = chrono::DateTime::parse_from_rfc2822(date).ok()?.timestamp();
    let apart = theirs.saturating_sub(now.0);
    if apart.abs() <= WORST_SKEW_S {
        return Some(Finding::ok(
            check,
            format!("the clocks of {who} and this machine agree"),
        ));
    }
    let what = format!("the clock of {who} is {apart} s away from this machine's");
    let why = "tokens and assertions count as not yet valid, or as expired";
    let fix = "run NTP (chrony, systemd-timesyncd) on both machines";
    Some(Finding::bad(Grade::Critical, check, (what, why), fix))
}
