//! Keystones behind this gateway: are their objects there, what is known of their release, and do they believe
//! identity headers that anybody sends?

use std::collections::BTreeSet;

use url::Url;

use super::{Finding, Grade, Room, settings};
use crate::{
    app::operate,
    config::Config,
    outbound::{Addresses, Config as Way, Outbound},
    target::{
        self,
        keystone::{
            self,
            doctor::{Forgery, STRANGER, advisories, forge, knows},
            setup::{Change, Step},
        },
    },
};

/// How identity headers begin in every guide; what an attacker tries first.
const GUESSED: &str = "OIDC-";
/// The check that sends identity headers of nobody.
const FORGED: &str = "forged_headers";

pub(super) async fn examine(room: &Room<'_>) -> Vec<Finding> {
    let keystones = room
        .config
        .targets
        .iter()
        .filter_map(target::Declared::as_keystone);
    let mut findings = Vec::new();
    for keystone in keystones {
        findings.extend(release(room, keystone));
        findings.extend(objects(room, keystone).await);
        findings.extend(hygiene(room, keystone).await);
        findings.extend(settings::examine(room, keystone).await);
    }
    let claims = room.config.targets.iter();
    let claims = claims.filter_map(target::Declared::as_keystone_claims);
    findings.extend(claims.flat_map(settings::unseen));
    findings.extend(untried(room.config, &room.visit.past));
    findings
}

/// What could not be tried with forged headers: a report that is silent about it would read as "refused".
fn untried(config: &Config, past: &[Url]) -> Vec<Finding> {
    let claims = config
        .targets
        .iter()
        .filter_map(target::Declared::as_keystone_claims);
    let mut whats: Vec<String> = claims
        .map(|claims| {
            let id = &claims.id;
            format!(
                "'{id}' and the addresses past this gateway were not tried for it: the id of its identity provider in \
                 Keystone stands in no configuration here"
            )
        })
        .collect();
    let mut fronts = config.targets.iter().filter_map(target::Declared::as_keystone);
    if whats.is_empty() && fronts.next().is_none() && !past.is_empty() {
        whats.push("--past was not tried: no target is a Keystone".to_owned());
    }
    let tell = |what| {
        let why = "whoever gets identity headers past Apache can be anybody, in every project";
        let fix = "send `POST /v3/auth/tokens` with `OIDC-…` headers to each of its addresses (docs/openstack.md); the \
                   Apache snippet of `fedgate keystone kolla` refuses it with 403";
        Finding::bad(Grade::Unknown, FORGED, (what, why), fix)
    };
    whats.into_iter().map(tell).collect()
}

fn release(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    const CHECK: &str = "keystone_release";
    let why = "releases have known flaws, and the Identity API does not tell which one this is";
    let known = room.visit.keystone_version.as_deref();
    let Some(flaws) = known.and_then(advisories) else {
        let what = match known {
            Some(other) => format!("'{other}' is no release of Keystone, such as 30.0.0"),
            None => format!("the release of '{}' is not known", keystone.id),
        };
        let fix = "give --keystone-version what `keystone-manage --version` says there";
        return vec![Finding::bad(Grade::Unknown, CHECK, (what, why), fix)];
    };
    let version = known.unwrap_or_default();
    if !knows(version, keystone.mapping_schema) {
        let schema = keystone.mapping_schema.version();
        let what = format!(
            "Keystone {version} does not know mapping schema {schema}, which '{}' uses",
            keystone.id
        );
        let fix = "set `mapping_schema: \"1.0\"` of the target, and run `fedgate keystone setup`";
        let why = "nobody gets a token there";
        return vec![Finding::bad(Grade::Critical, CHECK, (what, why), fix)];
    }
    if flaws.is_empty() {
        let what = format!("Keystone {version} has none of the flaws that matter here");
        return vec![Finding::ok(CHECK, what)];
    }
    let tell = |flaw: &keystone::doctor::Advisory| {
        let what = format!("Keystone {version} has {}", flaw.name);
        Finding::bad(Grade::Warning, CHECK, (what, flaw.effect), flaw.fix)
    };
    flaws.iter().map(tell).collect()
}

/// What `keystone setup` would do, without doing it.
async fn objects(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    const CHECK: &str = "keystone_objects";
    let why = "people sign in here and get no token there";
    let looked = operate::look_at_keystone(room.config, room.secrets, keystone).await;
    let steps = match looked {
        Ok(steps) => steps,
        Err(fault) => {
            let what = format!("'{}' could not be looked at: {fault}", keystone.id);
            let fix = "set targets[].admin, and try `fedgate keystone setup --dry-run`";
            return vec![Finding::bad(Grade::Unknown, CHECK, (what, why), fix)];
        }
    };
    let tell = |step: &Step| {
        let (state, fix) = match step.change {
            Change::None => return Finding::ok(CHECK, format!("{} is as it should be", step.what)),
            Change::Made => ("is missing", "run `fedgate keystone setup`"),
            Change::Updated => (
                "differs from what this gateway needs",
                "run `fedgate keystone setup`",
            ),
            Change::Missing => (
                "is missing",
                "make it in Keystone (`openstack role create`), or name another in `access`",
            ),
        };
        Finding::bad(
            Grade::Critical,
            CHECK,
            (format!("{} {state}", step.what), why),
            fix,
        )
    };
    steps.iter().map(tell).collect()
}

/// Sends forged identity headers to the gateway and past it.
async fn hygiene(room: &Room<'_>, keystone: &keystone::Config) -> Vec<Finding> {
    let way = Way {
        ca: room.visit.ca.clone(),
        addresses: Addresses::Loopback,
        ..Way::default()
    };
    let (Ok(client), Ok(gateway)) = (Outbound::streaming(&way), room.config.issuer.parse::<Url>()) else {
        let what = format!("forged headers for '{}' could not be sent", keystone.id);
        let why = "whether it believes them is not known";
        let fix = "give --ca a PEM file that can be read, and `issuer` a URL";
        return vec![Finding::bad(Grade::Unknown, FORGED, (what, why), fix)];
    };
    let tenant = room
        .config
        .tenants
        .iter()
        .find(|tenant| !tenant.domains.is_empty());
    let domain = tenant.and_then(|tenant| tenant.domains.first());
    let domain = domain.map_or("default", String::as_str);
    let own = tenant.map(|tenant| keystone.of_tenant(&tenant.id, &room.config.issuer));
    let keystone = own.as_deref().unwrap_or(keystone);
    let mut findings = Vec::new();
    let mut tried = BTreeSet::new();
    for base in std::iter::once(&gateway).chain(&room.visit.past) {
        if !tried.insert(base.as_str()) {
            continue;
        }
        let own = base == &gateway;
        for prefix in BTreeSet::from([GUESSED, keystone.header_prefix()]) {
            let forged = forge(&client, base, (keystone, prefix), (&room.config.issuer, domain)).await;
            findings.push(told(FORGED, (base, own), prefix, forged));
        }
    }
    findings
}

fn told(check: &'static str, (base, own): (&Url, bool), prefix: &str, forged: Forgery) -> Finding {
    let why = "whoever reaches this address can be anybody, in every project";
    match forged {
        Forgery::Refused(status) if status >= 500 => {
            let what = format!("{base} answered {status} to forged {prefix}… headers");
            let why = "whether it believes them is not known";
            Finding::bad(
                Grade::Unknown,
                check,
                (what, why),
                "try again when Keystone answers",
            )
        }
        Forgery::Refused(status) => {
            let what = format!("{base} refuses forged {prefix}… headers ({status})");
            Finding::ok(check, what)
        }
        Forgery::Silent(fault) => {
            let what = format!("{base} does not answer: {fault}");
            let why = "whether it believes forged headers is not known";
            Finding::bad(
                Grade::Unknown,
                check,
                (what, why),
                "try from where it can be reached",
            )
        }
        Forgery::Believed => {
            let what = format!(
                "{base} gave a token for forged {prefix}… headers on POST /v3/auth/tokens; it was revoked, the shadow user '{STRANGER}' is left"
            );
            let fix = if own {
                "report it: the gateway must strip them on every path"
            } else {
                "let only the gateway reach Keystone: `url: uwsgi:///socket`, or a firewall and `RequestHeader unset … early` for each name at the proxy"
            };
            Finding::bad(Grade::Critical, check, (what, why), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(targets: &Value) -> Config {
        serde_json::from_value(json!({
            "issuer": "https://gw.example", "name": "Cloud", "listen": { "address": "127.0.0.1:0" },
            "secret_key": { "file": "secret.key" }, "targets": targets,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_not_tried_is_said() {
        let past = [Url::parse("https://keystone.example:5000").unwrap()];
        let place = |kind: &str| json!({ "kind": kind, "id": "north", "name": "North", "audience": "north" });
        let claims = untried(&config(&json!([place("keystone_claims")])), &past);
        assert_eq!(claims.len(), 1);
        assert_eq!((claims[0].check, claims[0].grade), (FORGED, Grade::Unknown));
        assert!(claims[0].what.contains("'north'"), "{claims:?}");
        assert_eq!(untried(&config(&json!([])), &past).len(), 1);
        let mut front = place("keystone");
        front["url"] = json!("https://keystone.example:5000");
        assert_eq!(untried(&config(&json!([front])), &past), []);
        assert_eq!(untried(&config(&json!([])), &[]), []);
    }
}
