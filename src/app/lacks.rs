//! What a Keystone lacks of what policy gives: who looks there for the running gateway, and for `fedgate explain`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use super::{
    build::StartFault,
    clock::SystemClock,
    explain::{Explanation, Supposed},
    provision::named_groups,
};
use crate::{
    config::{Config, secret::SecretSources},
    domain::{
        ids::TargetId,
        lack::{Lack, parts_of},
    },
    policy::reason_texts,
    port::{clock::Clock, secrets::Secrets},
    target::{
        Declared,
        keystone::{
            self,
            provision::{Looker, Provisioner, Role, Wants},
        },
    },
};

/// How long a page waits.
const PAGE: Duration = Duration::from_secs(2);
/// How long an operator waits.
const OPERATOR: Duration = Duration::from_secs(15);

/// What was found at a target's Keystone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AtKeystone {
    /// What is missing, as reasons.
    pub lacks: Vec<String>,
    /// Why nobody knows; absent where it was looked up.
    pub unknown: Option<String>,
}

/// Those that have an account there.
pub(super) fn lookers(
    config: &Config,
    secrets: &dyn Secrets,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<TargetId, Looker>, StartFault> {
    let mut all = BTreeMap::new();
    for keystone in config.targets.iter().filter_map(Declared::as_keystone) {
        if let Some(looker) = manager(config, keystone, secrets, (clock, PAGE))? {
            all.insert(keystone.id.clone(), looker);
        }
    }
    Ok(all)
}

fn manager(
    config: &Config,
    keystone: &keystone::Config,
    secrets: &dyn Secrets,
    (clock, patience): (&Arc<dyn Clock>, Duration),
) -> Result<Option<Looker>, StartFault> {
    let by = Provisioner::open(keystone, &config.issuer, secrets, Arc::clone(clock));
    let by = by.map_err(|fault| StartFault(format!("target '{}': {fault}", keystone.id)))?;
    let by = by.map(|by| by.rereading(Arc::new(SecretSources::default())));
    Ok(by.map(|by| Looker::by_manager(by, &named_groups(config, &keystone.id), patience)))
}

/// Adds what the target's Keystone lacks of what would be given. Nothing where the target is none.
pub async fn look(
    config: &Config,
    secrets: &dyn Secrets,
    supposed: &Supposed,
    explanation: &mut Explanation,
) {
    let mut targets = config.targets.iter();
    let Some(target) = targets.find(|one| one.id().as_str() == supposed.target) else {
        return;
    };
    let wants = wants(config, supposed, explanation);
    if wants.roles.is_empty() {
        return;
    }
    let found = match (target.as_keystone(), target.as_keystone_claims()) {
        (Some(keystone), _) => lacks(config, keystone, secrets, &wants).await,
        (None, Some(_)) => {
            Err("it stands behind its own Apache, and nothing in this configuration leads to it".to_owned())
        }
        (None, None) => return,
    };
    let texts = reason_texts();
    let found = match found {
        Ok(lacks) => AtKeystone {
            lacks: lacks.iter().map(Lack::to_string).collect(),
            unknown: None,
        },
        Err(why) => AtKeystone {
            lacks: Vec::new(),
            unknown: Some(why),
        },
    };
    let codes = found.lacks.iter().map(|lack| parts_of(lack).0);
    let known = codes.filter_map(|code| Some((code.to_owned(), texts.get(code)?.clone())));
    explanation.texts.extend(known);
    explanation.keystone = Some(found);
}

fn wants(config: &Config, supposed: &Supposed, explanation: &Explanation) -> Wants {
    let upstream = config
        .upstreams
        .iter()
        .find(|one| one.id().as_str() == supposed.upstream);
    let tenant = upstream.and_then(|upstream| {
        let mut tenants = config.tenants.iter();
        tenants.find(|tenant| &tenant.id == upstream.tenant())
    });
    let home = tenant.and_then(|tenant| tenant.domains.first());
    let grants = explanation.grants.iter();
    Wants {
        home: home.cloned().unwrap_or_default(),
        roles: grants.filter_map(|grant| Role::of(&grant.entitlement)).collect(),
        groups: explanation.groups.iter().cloned().collect(),
    }
}

/// By the administrator where there is one: who provisions cannot tell a domain that is missing from a closed one.
async fn lacks(
    config: &Config,
    keystone: &keystone::Config,
    secrets: &dyn Secrets,
    wants: &Wants,
) -> Result<BTreeSet<Lack>, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let looker = if keystone.admin.is_some() {
        Looker::by_admin(keystone, &config.issuer, secrets, (clock, OPERATOR)).await?
    } else {
        let found = manager(config, keystone, secrets, (&clock, OPERATOR));
        found
            .map_err(|fault| fault.to_string())?
            .ok_or_else(|| "targets[] has neither 'admin' nor 'provision', so nobody may look".to_owned())?
    };
    looker.lacks(wants).await
}
