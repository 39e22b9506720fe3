//! What policy would permit each known person now, at one Keystone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    config::Config,
    domain::{
        access::{self, AccessRequest, Asked, Ceilings, Entitlement, Grant, TargetKind},
        assertion::Verified,
        identity::Identity,
        ids::{TargetId, TenantId, UpstreamId},
        mapping::{Mapping, Refinement, refine},
        tenant::Tenant,
        time::Timestamp,
    },
    port::{
        people::Known,
        policy::{
            self, ClaimFacts, Context, LoginQuestion, MappingQuestion, Policy, Question, Subject, VERSION,
            Wanted as Asks,
        },
    },
    target::keystone::provision::{Person, Role, Wanted, Who},
};

use super::super::{build::StartFault, operate};

/// A sign-in lives at most a day.
const SIGN_IN: Duration = Duration::from_secs(86_400);
/// The gateway itself, as a place to be let into.
const GATEWAY: &str = "gateway";

/// The groups that the access rules of a target name, each with its tenant's domain: those that provisioning makes.
pub(in crate::app) fn named_groups(config: &Config, target: &TargetId) -> BTreeSet<(String, String)> {
    let rules = config.access.iter().filter(|rule| &rule.target == target);
    let rules = rules.filter(|rule| rule.group != "*" && rule.client().is_none());
    rules
        .filter_map(|rule| {
            let tenant = config.tenants.iter().find(|tenant| tenant.id == rule.tenant)?;
            Some((tenant.domains.first()?.clone(), rule.group.clone()))
        })
        .collect()
}

/// What is asked, and of whom.
pub(super) struct View<'a> {
    config: &'a Config,
    policy: &'a dyn Policy,
    mappings: BTreeMap<&'a UpstreamId, (Mapping, &'a TenantId)>,
    tenants: BTreeMap<&'a TenantId, &'a Tenant>,
    now: Timestamp,
}

impl<'a> View<'a> {
    pub(super) fn new(config: &'a Config, policy: &'a dyn Policy, now: Timestamp) -> Self {
        let mapping = |declared: &'a crate::upstream::Declared| {
            let compiled = Mapping::compile(declared.mapping().clone());
            (declared.id(), (compiled, declared.tenant()))
        };
        Self {
            config,
            policy,
            mappings: config.upstreams.iter().map(mapping).collect(),
            tenants: config.tenants.iter().map(|tenant| (&tenant.id, tenant)).collect(),
            now,
        }
    }

    /// Who should have what at a Keystone. A failure of the policy engine is a failure, never an empty answer.
    /// After each person the runtime has its turn: thousands are evaluated where people sign in.
    pub(super) async fn wanted(
        &self,
        target: &crate::target::keystone::Config,
        people: &[Known],
    ) -> Result<Wanted, StartFault> {
        let mut wanted = self.named(&target.id);
        for known in people {
            if let Some(person) = self.person(target, known)? {
                let roles = person.roles.iter();
                wanted
                    .projects
                    .extend(roles.map(|role| (role.domain.clone(), role.project.clone())));
                wanted.people.push(person);
            }
            tokio::task::yield_now().await;
        }
        Ok(wanted)
    }

    /// What the access rules name, whoever is there.
    fn named(&self, target: &TargetId) -> Wanted {
        let mut wanted = Wanted {
            domains: operate::domains(self.config).into_iter().collect(),
            groups: named_groups(self.config, target),
            ..Wanted::default()
        };
        for rule in self.config.access.iter().filter(|rule| &rule.target == target) {
            let projects = rule.projects.iter();
            wanted
                .projects
                .extend(projects.map(|given| (given.domain.clone(), given.project.clone())));
        }
        wanted
    }

    /// One person; none where their tenant has no place at any Keystone.
    fn person(
        &self,
        target: &crate::target::keystone::Config,
        known: &Known,
    ) -> Result<Option<Person>, StartFault> {
        let facts = Verified {
            not_after: self.now.plus(SIGN_IN),
            ..known.facts.clone()
        };
        let Some(tenant) = self.tenants.get(&facts.tenant) else {
            return Ok(None);
        };
        let Some(home) = tenant.domains.first() else {
            return Ok(None);
        };
        let nothing = |username: &str| Person {
            who: Who {
                domain: home.clone(),
                key: known.key.clone(),
                username: username.to_owned(),
            },
            email: None,
            roles: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        let Some(identity) = self.identity(&facts)? else {
            return Ok(Some(nothing(&facts.subject)));
        };
        let mut person = nothing(identity.username());
        if known.gone.is_some() || !self.may_sign_in((&identity, tenant), &facts)? {
            return Ok(Some(person));
        }
        let grants = self.grants((&identity, tenant), target)?;
        person.roles = grants
            .iter()
            .filter_map(|grant| Role::of(&grant.entitlement))
            .collect();
        person.email = identity.email().map(str::to_owned);
        if !person.roles.is_empty() {
            person.groups = identity.groups().iter().map(|group| group.name.clone()).collect();
        }
        Ok(Some(person))
    }

    /// Who the facts are by mapping and policy; none where they are nobody any more.
    fn identity(&self, facts: &Verified) -> Result<Option<Identity>, StartFault> {
        let mapping = match self.mappings.get(&facts.upstream) {
            Some((mapping, tenant)) if **tenant == facts.tenant => mapping,
            Some(_) | None => return Ok(None),
        };
        let Ok(mapped) = mapping.suppose(facts) else {
            return Ok(None);
        };
        let question = MappingQuestion {
            v: VERSION,
            subject: Subject::of(&mapped),
            login: ClaimFacts::of(&mapped, facts),
        };
        let refinement: Refinement = policy::answer(self.policy, &question).map_err(StartFault::of)?;
        Ok(refine(mapped, &refinement).ok())
    }

    /// Who may not sign in any more keeps no standing access either.
    fn may_sign_in(
        &self,
        (identity, tenant): (&Identity, &Tenant),
        facts: &Verified,
    ) -> Result<bool, StartFault> {
        let question = LoginQuestion {
            access: self.question(identity, (GATEWAY, TargetKind::Gateway)),
            login: ClaimFacts::of(identity, facts),
        };
        let answer = policy::answer(self.policy, &question).map_err(StartFault::of)?;
        let request = self.request((identity, tenant), (GATEWAY, TargetKind::Gateway), SIGN_IN)?;
        Ok(access::decide(&request, answer).is_ok())
    }

    fn grants(
        &self,
        (identity, tenant): (&Identity, &Tenant),
        target: &crate::target::keystone::Config,
    ) -> Result<Vec<Grant>, StartFault> {
        let place = (target.id.as_str(), TargetKind::Keystone);
        let answer = self
            .policy
            .ask(&self.question(identity, place))
            .map_err(StartFault::of)?;
        let lifetime = Duration::from_secs(target.lifetime_s);
        let request = self.request((identity, tenant), place, lifetime)?;
        Ok(access::decide(&request, answer).map_or_else(
            |_denied| Vec::new(),
            |permit| {
                let projects = permit.grants().iter();
                projects
                    .filter(|grant| matches!(grant.entitlement, Entitlement::Project { .. }))
                    .cloned()
                    .collect()
            },
        ))
    }

    fn question<'q>(&self, identity: &'q Identity, (target, kind): (&'q str, TargetKind)) -> Question<'q> {
        Question {
            v: VERSION,
            subject: Subject::of(identity),
            context: Context {
                time_s: self.now.0,
                client_ip: None,
                reference: "provision",
            },
            request: Asks {
                target,
                kind,
                client: None,
                only: None,
            },
        }
    }

    fn request<'q>(
        &self,
        (identity, tenant): (&'q Identity, &'q Tenant),
        (target, kind): (&str, TargetKind),
        lifetime: Duration,
    ) -> Result<AccessRequest<'q>, StartFault> {
        Ok(AccessRequest {
            identity,
            tenant,
            target: TargetId::parse(target).map_err(StartFault::of)?,
            kind,
            audience: target.to_owned(),
            asked: Asked::Everything,
            ceilings: Ceilings { lifetime },
            now: self.now,
        })
    }
}
