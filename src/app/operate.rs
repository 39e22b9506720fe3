//! What operators do beside a running gateway, on the same stores and far sides.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    config::Config,
    domain::{ids::TenantId, key::Algorithm},
    keys::{KeyInfo, SecretSealer, SystemEntropy},
    port::{clock::Clock as _, entropy::Entropy as _, keyring::KeyCare as _, secrets::Secrets},
    store,
    target::{
        self,
        keystone::{
            mapping::{Mapping, Version},
            setup::Customer,
        },
    },
    upstream::{Declared, local},
};

use super::{build::StartFault, clock::SystemClock, rings};

/// The signing keys as the stores have them; with `rotate`, after successors have been published.
pub async fn keys(
    config: &Config,
    secrets: &dyn Secrets,
    rotate: Option<Option<Algorithm>>,
) -> Result<(Vec<KeyInfo>, Vec<String>), StartFault> {
    let clock = Arc::new(SystemClock);
    let secret = secrets.read(&config.secret_key).map_err(StartFault::of)?;
    let sealer = Arc::new(SecretSealer::new(&secret).map_err(StartFault::of)?);
    let opened = store::open(&config.store, secrets, clock.clone())
        .await
        .map_err(StartFault::of)?;
    let ring = rings::open(config, Arc::clone(&opened.keys), sealer, clock);
    let ring = ring.await.map_err(StartFault::of)?;
    let made = match rotate {
        Some(algorithm) => ring.rotate(algorithm).await.map_err(StartFault::of)?,
        None => Vec::new(),
    };
    let all = ring.list();
    opened.close().await;
    Ok((all, made))
}

/// Makes what a Keystone needs to know of this gateway; returns the plan as lines.
pub async fn set_up_keystone(
    config: &Config,
    secrets: &dyn Secrets,
    (name, dry_run): (Option<&str>, bool),
) -> Result<Vec<String>, StartFault> {
    let keystone = config
        .targets
        .iter()
        .filter_map(target::Declared::as_keystone)
        .find(|keystone| name.is_none_or(|name| keystone.id.as_str() == name))
        .ok_or_else(|| {
            StartFault("targets: found no such Keystone, expected one with kind: keystone".to_owned())
        })?;
    let steps = keystone_steps(config, secrets, (keystone, dry_run)).await?;
    let mut lines: Vec<String> = steps.iter().map(ToString::to_string).collect();
    lines.extend(target::keystone::wiring::lines(keystone));
    Ok(lines)
}

/// What setting up would do at a Keystone, without doing it.
pub(super) async fn look_at_keystone(
    config: &Config,
    secrets: &dyn Secrets,
    keystone: &target::keystone::Config,
) -> Result<Vec<target::keystone::setup::Step>, StartFault> {
    keystone_steps(config, secrets, (keystone, true)).await
}

/// The Keystone domains of all tenants, in the order of the configuration.
pub(super) fn domains(config: &Config) -> Vec<String> {
    let tenants = config.tenants.iter();
    tenants
        .flat_map(|tenant| tenant.domains.iter().cloned())
        .collect()
}

async fn keystone_steps(
    config: &Config,
    secrets: &dyn Secrets,
    (keystone, dry_run): (&target::keystone::Config, bool),
) -> Result<Vec<target::keystone::setup::Step>, StartFault> {
    let client = keystone.client().map_err(StartFault::of)?;
    let given = |tenant: &TenantId| -> BTreeSet<(String, String, String)> {
        let rules = config
            .access
            .iter()
            .filter(|rule| &rule.tenant == tenant && rule.target == keystone.id);
        let projects = rules.flat_map(|rule| &rule.projects);
        projects
            .flat_map(|on| {
                let given = |role: &String| (on.domain.clone(), on.project.clone(), role.clone());
                on.roles.iter().map(given)
            })
            .collect()
    };
    let customers: Vec<Customer> = config
        .tenants
        .iter()
        .map(|tenant| Customer {
            tenant: tenant.id.clone(),
            domains: tenant.domains.clone(),
            roles: given(&tenant.id),
        })
        .collect();
    let ask = target::keystone::setup::Ask {
        config: keystone,
        issuer: &config.issuer,
        customers: &customers,
        dry_run,
    };
    target::keystone::setup::run(&ask, client, secrets)
        .await
        .map_err(StartFault::of)
}

/// What works now and should be looked at, or what one customer has let end: a line each.
#[must_use]
pub fn warnings(config: &Config) -> Vec<String> {
    let now = SystemClock.now();
    let mut lines = Vec::new();
    for declared in &config.upstreams {
        if let Declared::Keystone(partner) = declared {
            let own = partner.warnings(now).into_iter();
            lines.extend(own.map(|line| format!("upstream '{}': {line}", partner.id)));
        }
    }
    lines
}

/// The argon2id hash of a password, for the configuration.
pub fn hash_password(password: &str) -> Result<String, StartFault> {
    local::hash_password(password).map_err(StartFault)
}

/// A secret of 256 random bits in base64url.
#[must_use]
pub fn random_secret() -> String {
    SystemEntropy.token()
}

/// How an assertion is mapped.
#[derive(Debug, Clone, Copy)]
pub struct MapSettings<'a> {
    /// `1.0`, `2.0` or `3.0`; absent: as the mapping says.
    pub version: Option<&'a str>,
    /// Only attributes whose names begin so.
    pub prefix: Option<&'a str>,
}

/// What Keystone makes of an assertion, as JSON; or everything that is wrong, a line each.
pub fn keystone_map(rules: &str, assertion: &str, how: &MapSettings<'_>) -> Result<String, Vec<String>> {
    let version = match how.version {
        None => None,
        Some(text) => Some(Version::parse(text).ok_or_else(|| {
            vec![format!(
                "schema version: found '{text}'; expected 1.0, 2.0 or 3.0"
            )]
        })?),
    };
    let rules =
        serde_json::from_str(rules).map_err(|error| vec![format!("Error while parsing rules: {error}")])?;
    let mapping = Mapping::read(&rules, version)
        .map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let mut attributes = attributes(assertion).map_err(|why| vec![why])?;
    attributes.retain(|name, _| how.prefix.is_none_or(|prefix| name.starts_with(prefix)));
    let mapped = mapping
        .process(&attributes)
        .map_err(|fault| vec![fault.to_string()])?;
    serde_json::to_string_pretty(&mapped).map_err(|error| vec![error.to_string()])
}

/// A JSON object (what is no text is left out, as Keystone does), or lines `NAME: value`.
fn attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.trim_start().starts_with('{') {
        let members: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
            .map_err(|error| format!("assertion: {error}; expected a JSON object"))?;
        let texts = members
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        return Ok(texts.collect());
    }
    let lines = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    lines
        .map(|(number, line)| {
            let (name, value) = line.split_once(':').ok_or_else(|| {
                format!(
                    "assertion: line {}: expected 'name: value' but found '{line}'",
                    number + 1
                )
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}
