//! The mapping rules of one upstream, indexed by what a claim may hold: each value is looked up, once as it is
//! and once for each length of a prefix that some rule accepts. The cost does not grow with the number of rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{GroupRule, MOST_GROUPS, MappingFault, MappingSettings, text_at, usable, values_at};
use crate::domain::{
    assertion::{UpstreamAssertion, Verified},
    identity::{Assurance, HeldGroup, Identity},
};

/// Compiled mapping rules.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    settings: MappingSettings,
    claims: Vec<ByClaim>,
}

/// The patterns of all rules that read one claim.
#[derive(Debug, Clone, Default)]
struct ByClaim {
    claim: String,
    exact: HashMap<String, Vec<Place>>,
    starts: HashMap<String, Vec<Place>>,
    /// Lengths of the keys of `starts`, in bytes.
    lengths: BTreeSet<usize>,
}

/// A pattern: which rule, and the how-many-eth of it. Both orders decide: the first rule that gives a group is
/// named for it, and the first pattern of a rule that fits says what `*` stood for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rule: usize,
    pattern: usize,
}

/// A rule that a claim's value hit, for "why".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The rule's name.
    pub rule: String,
    /// The claim it reads.
    pub claim: String,
    /// The value it accepted.
    pub value: String,
    /// The group it gives.
    pub group: String,
}

impl Mapping {
    /// Compiles what an operator wrote.
    #[must_use]
    pub fn compile(settings: MappingSettings) -> Self {
        let mut claims: Vec<ByClaim> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (index, rule) in settings.groups.iter().enumerate() {
            let at = *places.entry(rule.claim.as_str()).or_insert_with(|| {
                claims.push(ByClaim {
                    claim: rule.claim.clone(),
                    ..ByClaim::default()
                });
                claims.len() - 1
            });
            if let Some(by_claim) = claims.get_mut(at) {
                by_claim.add(index, rule);
            }
        }
        Self { settings, claims }
    }

    /// Who these claims are.
    pub fn identify(&self, assertion: &UpstreamAssertion) -> Result<Identity, MappingFault> {
        self.suppose(assertion.facts())
    }

    /// As [`Mapping::identify`], of facts that nobody has proved now: for explanations, and for what is prepared
    /// before somebody comes. The house test allows the call only where nothing can be minted from the answer.
    pub fn suppose(&self, facts: &Verified) -> Result<Identity, MappingFault> {
        let settings = &self.settings;
        let username = text_at(&facts.claims, &settings.username)
            .filter(|name| usable(name))
            .ok_or_else(|| MappingFault::Username(settings.username.clone()))?;
        let email = text_at(&facts.claims, &settings.email).filter(|mail| usable(mail));
        Ok(Identity {
            key: Identity::key_of(&facts.issuer, &facts.subject),
            upstream: Some(facts.upstream.clone()),
            tenant: facts.tenant.clone(),
            issuer: facts.issuer.clone(),
            subject: facts.subject.clone(),
            username: username.to_owned(),
            name: text_at(&facts.claims, &settings.name)
                .filter(|name| usable(name))
                .map(str::to_owned),
            email_verified: email.is_some() && facts.claims.get("email_verified") == Some(&Value::Bool(true)),
            email: email.map(str::to_owned),
            groups: self.groups_of(&facts.claims)?,
            extras: BTreeMap::new(),
            assurance: Assurance {
                acr: facts.acr.clone(),
                amr: facts.amr.clone(),
                authenticated_at: facts.authenticated_at,
            },
            not_after: facts.not_after,
        })
    }

    /// Every rule that the claims hit, in the order of the rules: for explanations.
    pub fn hits(&self, facts: &Verified) -> Result<Vec<Hit>, MappingFault> {
        let mut hits = Vec::new();
        for (place, claim, value) in self.found(&facts.claims)? {
            if let Some((rule, group)) = self.given(place, &value) {
                hits.push(Hit {
                    rule: rule.rule.clone(),
                    claim: claim.to_owned(),
                    value,
                    group,
                });
            }
        }
        Ok(hits)
    }

    fn groups_of(&self, claims: &Map<String, Value>) -> Result<Vec<HeldGroup>, MappingFault> {
        // The first rule that gives a group is the one that is named for it.
        let mut groups = BTreeMap::new();
        for (place, _, value) in self.found(claims)? {
            if let Some((rule, group)) = self.given(place, &value) {
                groups.entry(group).or_insert_with(|| rule.rule.clone());
            }
            if groups.len() > MOST_GROUPS {
                return Err(MappingFault::TooManyGroups);
            }
        }
        Ok(groups
            .into_iter()
            .map(|(name, rule)| HeldGroup { name, rule })
            .collect())
    }

    /// The patterns that fit, with the claim and value that they fit, in the order of the rules.
    fn found(&self, claims: &Map<String, Value>) -> Result<Vec<(Place, &str, String)>, MappingFault> {
        let mut found = Vec::new();
        for by_claim in &self.claims {
            for value in values_at(claims, &by_claim.claim)? {
                for place in by_claim.fitting(&value) {
                    found.push((place, by_claim.claim.as_str(), value.clone()));
                }
            }
        }
        found.sort_by_key(|(place, _, _)| *place);
        Ok(found)
    }

    fn given(&self, place: Place, value: &str) -> Option<(&GroupRule, String)> {
        let rule = self.settings.groups.get(place.rule)?;
        let pattern = rule.accept.get(place.pattern)?;
        let rest = match pattern.strip_suffix('*') {
            Some(start) => value.strip_prefix(start)?,
            None => "",
        };
        Some((rule, rule.group_of(value, rest)?))
    }
}

impl ByClaim {
    fn add(&mut self, index: usize, rule: &GroupRule) {
        for (pattern, text) in rule.accept.iter().enumerate() {
            let place = Place { rule: index, pattern };
            match text.strip_suffix('*') {
                Some(start) => {
                    self.lengths.insert(start.len());
                    self.starts.entry(start.to_owned()).or_default().push(place);
                }
                None => self.exact.entry(text.clone()).or_default().push(place),
            }
        }
    }

    /// The first pattern that fits of each rule.
    fn fitting(&self, value: &str) -> Vec<Place> {
        let mut fitting: Vec<Place> = self.exact.get(value).into_iter().flatten().copied().collect();
        for length in self.lengths.iter().take_while(|length| **length <= value.len()) {
            let start = value.get(..*length).and_then(|start| self.starts.get(start));
            fitting.extend(start.into_iter().flatten());
        }
        fitting.sort_unstable();
        fitting.dedup_by_key(|place| place.rule);
        fitting
    }
}
