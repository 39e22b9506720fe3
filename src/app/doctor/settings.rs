//! What stands in Keystone's own configuration and decides who gets where: scopes, and the dashboards that get tokens.

use url::Url;

use super::{Finding, Grade, Room, get};
use crate::target::keystone::{
    self, claims,
    trial::{NO_DASHBOARD, enforces_scope, trusts},
};

const SCOPE: &str = "enforce_scope";
const DASHBOARD: &str = "trusted_dashboard";

/// A Keystone behind this gateway.
pub(super) async fn examine(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    let mut findings = vec![scope(room, keystone).await];
    findings.extend(dashboards(room, keystone).await);
    if !keystone.dashboards.is_empty() {
        findings.extend(at_the_gateway(room, keystone).await);
    }
    findings
}

/// A Keystone behind its own Apache: nothing in this configuration leads to it.
pub(super) fn unseen(claims: &claims::Config) -> Vec<Finding> {
    let what = |setting: &str| format!("{setting} of '{}' is not known: it was not asked", claims.id);
    vec![
        unknown_scope(what(SCOPE)),
        Finding::bad(
            Grade::Unknown,
            DASHBOARD,
            (what(DASHBOARD), "a dashboard that is not in it gets no sign-in"),
            "compare `trusted_dashboard` in [federation] of keystone.conf with the addresses of Horizon and Skyline",
        ),
    ]
}

fn unknown_scope(what: String) -> Finding {
    let why =
        "without it a token for one scope does what belongs to another: a domain's manager is not confined";
    let fix = "look for `enforce_scope = true` in [oslo_policy] of keystone.conf: `oslopolicy-validator` or \
               `grep -A5 oslo_policy /etc/keystone/keystone.conf`; it is on by default, and always with oslo.policy 6";
    Finding::bad(Grade::Unknown, SCOPE, (what, why), fix)
}

async fn scope(room: &Room<'_>, keystone: &keystone::Config) -> Finding {
    let id = &keystone.id;
    match enforces_scope(keystone, &room.config.issuer, room.secrets).await {
        Ok(true) => Finding::ok(SCOPE, format!("'{id}' refuses tokens of another scope")),
        Ok(false) => Finding::bad(
            // Domain managers are confined by it; the gateway's own account is one.
            if keystone.provision.is_some() {
                Grade::Critical
            } else {
                Grade::Warning
            },
            SCOPE,
            (
                format!("'{id}' took a token for the system where only one for a project is allowed"),
                "a token for one scope does what belongs to another: a domain's manager is not confined",
            ),
            "set `enforce_scope = true` and `enforce_new_defaults = true` in [oslo_policy] of keystone.conf, and restart \
             Keystone",
        ),
        Err(why) => unknown_scope(format!("enforce_scope of '{id}' is not known: {why}")),
    }
}

async fn dashboards(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    let id = &keystone.id;
    let own = keystone.dashboards.iter().map(|own| own.origin.as_str());
    let origins: Vec<&str> = own.chain([NO_DASHBOARD]).collect();
    let mut tenants = room.config.tenants.iter();
    let tenant = tenants.find(|tenant| !tenant.domains.is_empty());
    let of_tenant = tenant.map(|tenant| keystone.of_tenant(&tenant.id, &room.config.issuer));
    let there = of_tenant.as_deref().unwrap_or(keystone);
    let trusted = match trusts(there, &room.config.issuer, &origins).await {
        Ok(trusted) => trusted,
        Err(what) => {
            let what = format!("the dashboards of '{id}' could not be tried: {what}");
            let why = "a dashboard that Keystone does not trust gets no sign-in";
            let fix = "run `fedgate keystone setup`, and try from where the gateway runs";
            return vec![Finding::bad(Grade::Unknown, DASHBOARD, (what, why), fix)];
        }
    };
    let tell = |(origin, trusted): (&str, bool)| match (origin == NO_DASHBOARD, trusted) {
        (false, true) => Finding::ok(DASHBOARD, format!("'{id}' trusts {origin}")),
        (true, false) => Finding::ok(DASHBOARD, format!("'{id}' refuses {origin}")),
        (false, false) => Finding::bad(
            Grade::Critical,
            DASHBOARD,
            (
                format!("'{id}' does not trust {origin}"),
                "whoever signs in there ends on a page of Keystone's that says 401",
            ),
            format!(
                "add `trusted_dashboard = {origin}` to [federation] of keystone.conf, letter for letter, and restart \
                 Keystone"
            ),
        ),
        (true, true) => Finding::bad(
            Grade::Critical,
            DASHBOARD,
            (
                format!("'{id}' takes {origin}, which nobody has named, for a dashboard"),
                "whoever follows a link gives their token to a stranger",
            ),
            "name the dashboards alone in `trusted_dashboard` of keystone.conf, and look at what stands before it",
        ),
    };
    origins.into_iter().zip(trusted).map(tell).collect()
}

/// The gateway compares origins before it signs anybody in.
async fn at_the_gateway(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    let own = keystone.dashboards.iter().map(|own| own.origin.as_str());
    let mut findings = Vec::new();
    for origin in own.chain([NO_DASHBOARD]) {
        let base = format!("{}{}", room.config.issuer, keystone.websso_path());
        let Ok(url) = Url::parse_with_params(&base, [("origin", origin)]) else {
            continue;
        };
        let stranger = origin == NO_DASHBOARD;
        findings.push(match get(&room.outbound, url.as_str()).await {
            Ok(answer) if answer.status.is_server_error() => untold(&answer.status.to_string()),
            Ok(answer) if answer.status.is_client_error() == stranger => {
                let does = if stranger { "refuses" } else { "takes" };
                Finding::ok(DASHBOARD, format!("the gateway {does} {origin}"))
            }
            Ok(answer) if stranger => Finding::bad(
                Grade::Critical,
                DASHBOARD,
                (
                    format!("the gateway answers {} to {origin}", answer.status),
                    "whoever follows a link gives their token to a stranger",
                ),
                "report it: the gateway must compare origins first of all",
            ),
            Ok(answer) => Finding::bad(
                Grade::Critical,
                DASHBOARD,
                (
                    format!("the gateway answers {} to {origin}", answer.status),
                    "nobody can sign in for this dashboard",
                ),
                "restart the gateway with this configuration",
            ),
            Err(fault) => untold(&fault),
        });
    }
    findings
}

fn untold(what: &str) -> Finding {
    let what = format!("the gateway does not say which dashboards it takes: {what}");
    let why = "whether people can sign in for them is not known";
    Finding::bad(
        Grade::Unknown,
        DASHBOARD,
        (what, why),
        "mend what 'gateway' names",
    )
}
