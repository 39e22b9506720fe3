//! What operators do beside a running gateway, on the same stores and far sides.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    config::Config,
    domain::key::Algorithm,
    keys::{KeyInfo, KeyRing, SecretSealer, SystemEntropy},
    outbound::{self, Outbound},
    port::{entropy::Entropy as _, secrets::Secrets},
    store, target,
    upstream::local,
};

use super::{build::StartFault, clock::SystemClock};

fn failed(fault: impl std::fmt::Display) -> StartFault {
    StartFault(fault.to_string())
}

/// The signing keys as the stores have them; with `rotate`, after successors have been published.
pub async fn keys(
    config: &Config,
    secrets: &dyn Secrets,
    rotate: Option<Option<Algorithm>>,
) -> Result<(Vec<KeyInfo>, Vec<String>), StartFault> {
    let clock = Arc::new(SystemClock);
    let secret = secrets.read(&config.secret_key).map_err(failed)?;
    let sealer = Arc::new(SecretSealer::new(&secret).map_err(failed)?);
    let opened = store::open(&config.store, secrets, clock.clone())
        .await
        .map_err(failed)?;
    let ring = KeyRing::open(
        Arc::clone(&opened.keys),
        sealer,
        clock,
        config.issuer.clone(),
        config.keys.clone(),
    )
    .await
    .map_err(failed)?;
    let made = match rotate {
        Some(algorithm) => ring.rotate(algorithm).await.map_err(failed)?,
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
    let outbound = outbound::Config {
        ca: keystone.ca.clone(),
        addresses: outbound::Addresses::Loopback,
        ..outbound::Config::default()
    };
    let client = Outbound::streaming(&outbound).map_err(failed)?;
    let domains: Vec<String> = config
        .tenants
        .iter()
        .flat_map(|tenant| tenant.domains.clone())
        .collect();
    let roles: BTreeSet<String> = config
        .access
        .iter()
        .flat_map(|rule| &rule.projects)
        .flat_map(|project| project.roles.clone())
        .collect();
    let ask = target::keystone::setup::Ask {
        config: keystone,
        issuer: &config.issuer,
        domains: &domains,
        roles: &roles,
        dry_run,
    };
    let steps = target::keystone::setup::run(&ask, &client, secrets)
        .await
        .map_err(failed)?;
    Ok(steps.iter().map(ToString::to_string).collect())
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
