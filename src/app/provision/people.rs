//! Who is known: by sign-ins, by the list of the configuration, by the local users in it.
//!
//! Of people who are listed the list speaks; leaving the list is being let go. Losing a group ends the sessions that
//! were opened with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::Config,
    domain::{assertion::Verified, identity::Identity, ids::UpstreamId, mapping::Mapping, time::Timestamp},
    port::people::{Known, People},
    upstream::Declared,
};

use super::super::build::StartFault;

/// How long what was said about somebody counts as said: people are compared far more often.
const STANDS: Duration = Duration::from_secs(86_400);
/// Losing more people at once than this, and more than half of the list, is taken for a broken list.
const FEW: usize = 10;

/// One entry of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The upstream that they will come through.
    upstream: UpstreamId,
    /// What it will say, as in an ID token.
    claims: Map<String, Value>,
}

/// What is to be changed in the records.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Everybody, as they are known from now on.
    pub(super) people: Vec<Known>,
    /// Those about whom something else is said than before.
    changed: Vec<Known>,
    /// Keys of people who left the list.
    left: Vec<String>,
    /// Keys of people who are in the list again.
    back: Vec<String>,
    /// Keys of people who lost a group.
    pub(super) lost: Vec<String>,
}

/// Reads the records, the list and the local users. Changes nothing.
pub(super) async fn look(config: &Config, records: &dyn People, now: Timestamp) -> Result<News, StartFault> {
    let mut known: BTreeMap<String, Known> = records
        .people()
        .await
        .map_err(StartFault::of)?
        .into_iter()
        .map(|known| (known.key.clone(), known))
        .collect();
    let mut news = News::default();
    let mut listed = BTreeSet::new();
    for facts in named(config, now)? {
        let key = Identity::key_of(&facts.issuer, &facts.subject);
        if !listed.insert(key.clone()) {
            return Err(StartFault(format!(
                "people: '{}' of {} is there twice; name each person once",
                facts.subject, facts.upstream
            )));
        }
        note(config, &mut news, (key, facts), &mut known, now);
    }
    let before = known.values().filter(|known| known.listed).count();
    let left: Vec<String> = known
        .values()
        .filter(|known| known.listed && !listed.contains(&known.key))
        .map(|known| known.key.clone())
        .collect();
    if left.len() > FEW && left.len() * 2 > before {
        return Err(StartFault(format!(
            "people: {} of {before} people are no longer listed; a list that loses more than half is not believed. If \
             it is right, let them go with `fedgate offboard`, or in steps",
            left.len()
        )));
    }
    for key in left {
        if let Some(known) = known.get_mut(&key) {
            known.listed = false;
            known.gone = known.gone.or(Some(now));
            news.changed.push(known.clone());
        }
        news.left.push(key);
    }
    news.people = known.into_values().collect();
    Ok(news)
}

/// One who is listed.
fn note(
    config: &Config,
    news: &mut News,
    (key, facts): (String, Verified),
    known: &mut BTreeMap<String, Known>,
    now: Timestamp,
) {
    let before = known.get(&key);
    let same = before.is_some_and(|before| {
        before.listed && before.facts.claims == facts.claims && before.facts.upstream == facts.upstream
    });
    if same {
        return;
    }
    let held = groups(config, &facts);
    if let Some(before) = before {
        if !before.listed && before.gone.is_some() {
            news.back.push(key.clone());
        }
        if !groups(config, &before.facts).is_subset(&held) {
            news.lost.push(key.clone());
        }
    }
    let person = Known {
        key: key.clone(),
        held: held.into_iter().collect(),
        facts,
        seen: now,
        listed: true,
        // Who was let go by hand while listed stays so.
        gone: before
            .filter(|before| before.listed)
            .and_then(|before| before.gone),
    };
    news.changed.push(person.clone());
    known.insert(key, person);
}

/// The groups that follow from what is said about somebody.
fn groups(config: &Config, facts: &Verified) -> BTreeSet<String> {
    let declared = config.upstreams.iter().find(|one| one.id() == &facts.upstream);
    let identity = declared.and_then(|declared| {
        let mapping = Mapping::compile(declared.mapping().clone());
        mapping.suppose(facts).ok()
    });
    let names = |identity: Identity| identity.groups().iter().map(|group| group.name.clone()).collect();
    identity.map(names).unwrap_or_default()
}

impl News {
    /// Writes it down, and ends the sessions of who was let go or lost a group. Returns whose, and how many.
    pub(super) async fn keep(
        &self,
        records: &dyn People,
        now: Timestamp,
    ) -> Result<Vec<(String, u64)>, StartFault> {
        for key in &self.back {
            records.let_go(key, None).await.map_err(StartFault::of)?;
        }
        // Sessions first: a gateway that stops in between finds the difference again.
        let mut ended = Vec::new();
        for key in self.left.iter().chain(&self.lost) {
            let count = records.end_sessions(key, None).await.map_err(StartFault::of)?;
            ended.push((key.clone(), count));
        }
        for key in &self.left {
            records.let_go(key, Some(now)).await.map_err(StartFault::of)?;
        }
        for person in &self.changed {
            records.saw(person).await.map_err(StartFault::of)?;
        }
        Ok(ended)
    }
}

/// People of the list and of local upstreams, as their upstream would speak of them.
fn named(config: &Config, now: Timestamp) -> Result<Vec<Verified>, StartFault> {
    let mut all = Vec::new();
    if let Some(list) = &config.people {
        for entry in read(&list.path)? {
            all.push(entry_facts(config, entry, now)?);
        }
    }
    for declared in &config.upstreams {
        if let Declared::Local(local) = declared {
            for user in &local.users {
                let mut claims = Map::new();
                claims.insert("preferred_username".into(), json!(user.username));
                claims.insert("groups".into(), json!(user.groups));
                for (name, value) in [("name", &user.name), ("email", &user.email)] {
                    if let Some(value) = value {
                        claims.insert(name.into(), json!(value));
                    }
                }
                let subject = user.subject.as_ref().unwrap_or(&user.username).clone();
                all.push(facts(declared, (config.issuer.clone(), subject), claims, now));
            }
        }
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<Entry>, StartFault> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        StartFault(format!(
            "people.path: {place}: {error}; nobody is let go for that"
        ))
    })?;
    serde_norway::from_str(&text).map_err(|error| {
        StartFault(format!(
            "people.path: {place}: {error}; expected a list of {{ upstream: ID, claims: {{ sub: …, … }} }}"
        ))
    })
}

fn entry_facts(config: &Config, entry: Entry, now: Timestamp) -> Result<Verified, StartFault> {
    let wrong = |what: &str| {
        StartFault(format!(
            "people: an entry of upstream '{}' {what}",
            entry.upstream
        ))
    };
    let declared = config
        .upstreams
        .iter()
        .find(|one| one.id() == &entry.upstream)
        .ok_or_else(|| wrong("names an upstream that does not exist"))?;
    let Declared::Oidc(oidc) = declared else {
        return Err(wrong(
            "is about a local upstream, whose users are in the configuration",
        ));
    };
    let issuer = oidc.issuer.clone();
    let subject = entry
        .claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|subject| !subject.trim().is_empty() && subject.chars().count() <= 255)
        .ok_or_else(|| wrong("has no `sub` among its claims"))?
        .to_owned();
    Ok(facts(declared, (issuer, subject), entry.claims.clone(), now))
}

fn facts(
    declared: &Declared,
    (issuer, subject): (String, String),
    claims: Map<String, Value>,
    now: Timestamp,
) -> Verified {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Verified {
        upstream: declared.id().clone(),
        tenant: declared.tenant().clone(),
        issuer,
        subject,
        authenticated_at: now,
        acr: text("acr"),
        amr: Vec::new(),
        claims,
        not_after: now.plus(STANDS),
        upstream_session: None,
    }
}
