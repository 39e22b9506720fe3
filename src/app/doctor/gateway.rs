//! The gateway itself: does it answer, is it ready, is its certificate good for a while, is its clock right?

use serde_json::Value;

use super::{Finding, Grade, Room, get, skew};
use crate::{app::serve::certificates, outbound::Answer};

/// Days before the end of a certificate from which on it is a warning.
const SOON_DAYS: i64 = 21;

pub(super) async fn examine(room: &Room<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(certificate(room));
    match get(&room.outbound, &format!("{}/readyz", room.config.issuer)).await {
        Ok(answer) => {
            findings.push(ready(room, &answer));
            findings.extend(skew("gateway_clock", "the gateway", &answer.headers, room.now));
        }
        Err(what) => {
            let why = "nobody can sign in";
            let fix = "start the gateway, or name its authority with --ca";
            findings.push(Finding::bad(Grade::Critical, "gateway", (what, why), fix));
        }
    }
    findings
}

fn ready(room: &Room<'_>, answer: &Answer) -> Finding {
    if answer.status.is_success() {
        return Finding::ok("gateway", format!("{} is ready", room.config.issuer));
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let what = format!("{} is not ready: {said}", room.config.issuer);
    let why = "sign-ins fail for some or all";
    Finding::bad(Grade::Critical, "gateway", (what, why), "mend what /readyz names")
}

/// How long the certificate of the listener is good.
fn certificate(room: &Room<'_>) -> Option<Finding> {
    const CHECK: &str = "gateway_certificate";
    let tls = room.config.listen.tls.as_ref()?;
    let path = tls.certificate.display();
    let why = "browsers and clients refuse the gateway";
    let chain = match certificates(&tls.certificate) {
        Ok(chain) => chain,
        Err(fault) => {
            let fix = "put the PEM chain there";
            return Some(Finding::bad(
                Grade::Critical,
                CHECK,
                (fault.to_string(), why),
                fix,
            ));
        }
    };
    let ends = chain
        .iter()
        .filter_map(|der| x509_parser::parse_x509_certificate(der).ok())
        .map(|(_, certificate)| certificate.validity().not_after.timestamp())
        .min()?;
    let days = ends.saturating_sub(room.now.0).div_euclid(86_400);
    let fix = "renew it and restart the gateway";
    Some(if days < 0 {
        let what = format!("{path} ended {} days ago", days.abs());
        Finding::bad(Grade::Critical, CHECK, (what, why), fix)
    } else if days < SOON_DAYS {
        let what = format!("{path} ends in {days} days");
        Finding::bad(Grade::Warning, CHECK, (what, why), fix)
    } else {
        Finding::ok(CHECK, format!("{path} is good for {days} days"))
    })
}
