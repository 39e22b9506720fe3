//! What differs: what is to be changed, what somebody changed by hand, and what this account may not change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    super::headers,
    Change, Config, Ledger, Person, Role,
    found::{Found, FoundDomain, FoundGroup, FoundUser},
};
use crate::domain::time::Timestamp;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// What differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is to be changed, in the order in which it is done.
    pub changes: Vec<Change>,
    /// What was changed by hand.
    pub drift: Vec<Drift>,
    /// What is wanted and cannot be done from here, with the reason.
    pub blocked: Vec<String>,
    /// What is wanted and there already.
    #[serde(skip)]
    pub standing: Vec<Change>,
}

/// Something that was changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Drift {
    /// What, in a sentence.
    pub what: String,
    /// What becomes of it.
    pub then: Then,
}

/// What becomes of a change by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It stays: it was not made here.
    Stays,
    /// The plan makes it again.
    MadeAgain,
}

impl Drift {
    fn stays(what: String) -> Self {
        Self {
            what,
            then: Then::Stays,
        }
    }
}

impl Plan {
    /// How many people lose their way in.
    #[must_use]
    pub fn disabled(&self) -> usize {
        let disables =
            |change: &&Change| matches!(change, Change::Disable { .. } | Change::DeleteUser { .. });
        self.changes.iter().filter(disables).count()
    }

    /// The same with those changes only that stand in another plan.
    #[must_use]
    pub fn only(mut self, planned: &BTreeSet<Change>) -> Self {
        self.changes.retain(|change| planned.contains(change));
        self
    }

    /// The same with those changes only that are about these people.
    #[must_use]
    pub fn about(mut self, keys: &BTreeSet<String>) -> Self {
        self.changes
            .retain(|change| change.who().is_some_and(|who| keys.contains(&who.key)));
        self
    }

    /// The same with what gives alone.
    #[must_use]
    pub fn giving(mut self) -> Self {
        self.changes.retain(|change| !change.takes());
        self
    }
}

/// What a plan is made from.
struct Look<'a> {
    found: &'a Found,
    settings: &'a Config,
    ledger: &'a Ledger,
    now: Timestamp,
}

pub(super) fn plan(found: &Found, settings: &Config, ledger: &Ledger, now: Timestamp) -> Plan {
    let look = Look {
        found,
        settings,
        ledger,
        now,
    };
    let mut plan = Plan {
        blocked: found.closed.clone(),
        ..Plan::default()
    };
    look.projects(&mut plan);
    look.groups(&mut plan);
    for person in &found.wanted.people {
        // A closed domain was named before.
        if let Some(domain) = found.domains.get(&person.who.domain) {
            look.person(person, domain, &mut plan);
        }
    }
    look.strangers(&mut plan);
    plan.changes.sort();
    plan.changes.dedup();
    plan.drift.sort();
    plan.blocked.sort();
    plan.blocked.dedup();
    plan
}

impl Look<'_> {
    fn projects(&self, plan: &mut Plan) {
        for (domain, project) in &self.found.wanted.projects {
            let Some(read) = self.found.domains.get(domain) else {
                continue;
            };
            match read.projects.get(project) {
                None => plan.changes.push(Change::MakeProject {
                    domain: domain.clone(),
                    project: project.clone(),
                }),
                Some(found) if !found.enabled => plan.drift.push(Drift::stays(format!(
                    "project {domain}/{project} was disabled by hand"
                ))),
                Some(_) => {}
            }
        }
        for (domain, read) in &self.found.domains {
            for (name, project) in &read.projects {
                let named = self
                    .found
                    .wanted
                    .projects
                    .contains(&(domain.clone(), name.clone()));
                if !named && project.tags.iter().any(|tag| tag == super::apply::TAG) {
                    plan.drift.push(Drift::stays(format!(
                        "project {domain}/{name} was made here and no rule names it any more; it is never deleted"
                    )));
                }
            }
        }
    }

    fn groups(&self, plan: &mut Plan) {
        for (domain, group) in &self.found.wanted.groups {
            let Some(read) = self.found.domains.get(domain) else {
                continue;
            };
            match read.groups.get(&self.settings.group_name(group)) {
                None => plan.changes.push(Change::MakeGroup {
                    domain: domain.clone(),
                    group: group.clone(),
                }),
                Some(found) if !found.ours => plan.blocked.push(format!(
                    "group {} in domain {domain} is there and was not made here: rename it, or set 'group_prefix'",
                    self.settings.group_name(group)
                )),
                Some(_) => {}
            }
        }
        for (domain, read) in &self.found.domains {
            let people: BTreeSet<&str> = read.people.values().map(|user| user.id.as_str()).collect();
            for (name, found) in read.groups.iter().filter(|(_, group)| group.ours) {
                self.own_group((domain, name), found, (read, &people), plan);
            }
        }
    }

    /// A group that was made here, in a domain with these ids of people.
    fn own_group(
        &self,
        (domain, name): (&str, &str),
        found: &FoundGroup,
        (read, people): (&FoundDomain, &BTreeSet<&str>),
        plan: &mut Plan,
    ) {
        let Some(group) = name.strip_prefix(&self.settings.group_prefix) else {
            return;
        };
        let wanted = (domain.to_owned(), group.to_owned());
        if !self.found.wanted.groups.contains(&wanted) && found.members.is_empty() {
            plan.changes.push(Change::DeleteGroup {
                domain: domain.to_owned(),
                group: group.to_owned(),
            });
        }
        for member in found.members.iter().filter(|id| !people.contains(id.as_str())) {
            let name_of = read.others.get(member).map_or(member.as_str(), String::as_str);
            plan.drift.push(Drift::stays(format!(
                "user {name_of} was added to group {name} of domain {domain} by hand"
            )));
        }
    }

    fn person(&self, person: &Person, domain: &FoundDomain, plan: &mut Plan) {
        if domain.twice.contains(&person.who.key) {
            plan.blocked.push(format!(
                "two users of domain {} carry our mark for {}: take the key 'fedgate' off the one that is not theirs",
                person.who.domain, person.who
            ));
            return;
        }
        if domain.doubles.contains_key(&person.who.key) {
            plan.changes.push(Change::DropDouble {
                who: person.who.clone(),
            });
        }
        match domain.people.get(&person.who.key) {
            None if person.roles.is_empty() => {}
            // Whom no sign-in could ever name gets no user either.
            None if let Err(problem) = headers::checked(&person.who.username) => {
                plan.blocked
                    .push(format!("user for {}: the user name {problem}", person.who));
            }
            None => {
                plan.changes.push(Change::MakeUser {
                    who: person.who.clone(),
                    email: person.email.clone(),
                });
                self.given(person, (&BTreeSet::new(), &BTreeSet::new()), plan);
            }
            Some(user) if person.roles.is_empty() => self.let_go(person, user, domain, plan),
            Some(user) => self.kept(person, user, domain, plan),
        }
    }

    /// Somebody who is to have something, and whose user is there.
    fn kept(&self, person: &Person, user: &FoundUser, domain: &FoundDomain, plan: &mut Plan) {
        let who = person.who.clone();
        match &user.mark {
            None => plan.changes.push(Change::Adopt { who: who.clone() }),
            Some(_) if user.unlinked => plan.changes.push(Change::Link { who: who.clone() }),
            Some(_) => {}
        }
        if !user.enabled {
            let ours = user.mark.as_ref().is_some_and(|mark| mark.disabled.is_some());
            if !ours {
                // Whoever did it had a reason; only they take it back.
                plan.drift
                    .push(Drift::stays(format!("the user of {who} was disabled by hand")));
                return;
            }
            plan.changes.push(Change::Enable { who });
        }
        let memberships = self.memberships(user, domain);
        self.given(person, (&user.roles, &memberships), plan);
        let keep = self.taken(person, (user, &memberships), plan);
        let project = |role: &Role| (role.domain.clone(), role.project.clone());
        let before: BTreeSet<_> = user.roles.iter().map(project).collect();
        let after: BTreeSet<_> = keep.iter().map(project).collect();
        if before != after && user.enabled {
            plan.changes.push(Change::TakeCredentials {
                who: person.who.clone(),
                keep,
                all: false,
            });
        }
    }

    /// Groups of ours that a user is in.
    fn memberships(&self, user: &FoundUser, domain: &FoundDomain) -> BTreeSet<String> {
        let own = domain.groups.iter().filter(|(_, group)| group.ours);
        own.filter(|(_, group)| group.members.contains(&user.id))
            .filter_map(|(name, _)| name.strip_prefix(&self.settings.group_prefix))
            .map(str::to_owned)
            .collect()
    }

    /// What is missing, and what stands.
    fn given(&self, person: &Person, (roles, groups): (&BTreeSet<Role>, &BTreeSet<String>), plan: &mut Plan) {
        let who = &person.who;
        for role in &person.roles {
            if let Some(reason) = self.barred(person, role) {
                plan.blocked.push(format!("role {role} for {who}: {reason}"));
                continue;
            }
            let change = Change::Grant {
                who: who.clone(),
                role: role.clone(),
            };
            let there = roles.iter().any(|held| same(held, role));
            self.wanted(change, there, plan);
        }
        for group in &person.groups {
            let wanted = (who.domain.clone(), group.clone());
            let foreign = self.found.domains.get(&who.domain).is_some_and(|domain| {
                let found = domain.groups.get(&self.settings.group_name(group));
                found.is_some_and(|found| !found.ours)
            });
            if foreign || !self.found.wanted.groups.contains(&wanted) {
                continue;
            }
            let change = Change::AddMember {
                who: who.clone(),
                group: group.clone(),
            };
            self.wanted(change, groups.contains(group), plan);
        }
    }

    /// One thing that is wanted.
    fn wanted(&self, change: Change, there: bool, plan: &mut Plan) {
        if there {
            plan.standing.push(change);
            return;
        }
        if self.ledger.holds(&change.entry()) {
            plan.drift.push(Drift {
                what: format!(
                    "taken away by hand: {}",
                    change.to_string().trim_start_matches("+ ")
                ),
                then: Then::MadeAgain,
            });
        }
        plan.changes.push(change);
    }

    /// Why a role cannot be given from here.
    fn barred(&self, person: &Person, role: &Role) -> Option<String> {
        if !self.found.domains.contains_key(&role.domain) {
            return Some(format!("the domain {} cannot be worked in", role.domain));
        }
        if role.domain != person.who.domain {
            return Some(
                "Keystone lets a manager give roles inside one domain only; it is given at the sign-in"
                    .to_owned(),
            );
        }
        if !self.found.roles.contains_key(&role.role.to_lowercase()) {
            return Some("Keystone has no such role; an administrator makes it".to_owned());
        }
        None
    }

    /// Takes away what a person has and is to have no more, if it was given here. Returns the roles that stay.
    fn taken(
        &self,
        person: &Person,
        (user, memberships): (&FoundUser, &BTreeSet<String>),
        plan: &mut Plan,
    ) -> BTreeSet<Role> {
        let who = &person.who;
        let mut keep = user.roles.clone();
        for role in &user.roles {
            if person.roles.iter().any(|wanted| same(wanted, role)) {
                continue;
            }
            let change = Change::Revoke {
                who: who.clone(),
                role: role.clone(),
            };
            if !self.ledger.holds(&change.entry()) {
                plan.drift
                    .push(Drift::stays(format!("given by hand: role {role} for {who}")));
            } else if role.domain == who.domain {
                keep.remove(role);
                plan.changes.push(change);
            } else {
                plan.blocked.push(format!(
                    "role {role} of {who} is to go: Keystone lets a manager take roles inside one domain only; it \
                     goes at the next sign-in"
                ));
            }
        }
        for group in memberships.difference(&person.groups) {
            let change = Change::RemoveMember {
                who: who.clone(),
                group: group.clone(),
            };
            if self.ledger.holds(&change.entry()) {
                plan.changes.push(change);
            } else {
                plan.drift.push(Drift::stays(format!(
                    "{who} was added to group {} by hand",
                    self.settings.group_name(group)
                )));
            }
        }
        keep
    }

    /// Somebody who is to have nothing, and whose user is there.
    fn let_go(&self, person: &Person, user: &FoundUser, domain: &FoundDomain, plan: &mut Plan) {
        let who = person.who.clone();
        let memberships = self.memberships(user, domain);
        let nothing = Person {
            roles: BTreeSet::new(),
            groups: BTreeSet::new(),
            ..person.clone()
        };
        let keep = self.taken(&nothing, (user, &memberships), plan);
        if user.enabled {
            // All of them, whatever stays of roles that others gave: nobody is there any more to use them.
            plan.changes.push(Change::TakeCredentials {
                who: who.clone(),
                keep,
                all: true,
            });
            plan.changes.push(Change::Disable { who });
            return;
        }
        let since = user
            .mark
            .as_ref()
            .filter(|mark| mark.made)
            .and_then(|mark| mark.disabled);
        if let (Some(days), Some(since)) = (self.settings.delete_after_days, since)
            && self.now.0 >= since.saturating_add(i64::from(days).saturating_mul(DAY_S))
        {
            plan.changes.push(Change::DeleteUser { who });
        }
    }

    /// Users with our mark whom nobody knows here: a restored backup, or a mark that somebody else wrote.
    fn strangers(&self, plan: &mut Plan) {
        let known: BTreeSet<&str> = self
            .found
            .wanted
            .people
            .iter()
            .map(|person| person.who.key.as_str())
            .collect();
        for (domain, read) in &self.found.domains {
            for (key, user) in read
                .people
                .iter()
                .filter(|(key, _)| !known.contains(key.as_str()))
            {
                let digits: String = key.chars().take(12).collect();
                plan.drift.push(Drift::stays(format!(
                    "user {} of domain {domain} carries our mark for {digits}, whom nobody knows here",
                    user.id
                )));
            }
        }
    }
}

/// Keystone's role names do not tell upper case from lower.
fn same(one: &Role, other: &Role) -> bool {
    one.domain == other.domain && one.project == other.project && one.role.eq_ignore_ascii_case(&other.role)
}
