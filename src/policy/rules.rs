//! Access rules as an operator writes them, and what is refused about them before they decide anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::fault::Problem;
use crate::domain::{
    access::{TargetKind, is_reserved, is_reserved_role},
    ids::{TargetId, TenantId, UpstreamId},
    mapping::LONGEST_VALUE,
    tenant::Tenant,
    time::Timestamp,
};

/// Everybody of the tenant.
pub(super) const EVERYBODY: &str = "*";
/// The target that is this gateway itself.
pub(super) const GATEWAY: &str = "gateway";

/// One access rule: who (tenant and group) gets what at which target, and on which conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// The rule's name, unique. Shown in My access and in the log as the reason why.
    pub rule: String,
    /// The tenant whose people it is for.
    pub tenant: TenantId,
    /// The group (after mapping) it is for; `*` for everybody of the tenant. `client:<id>` is a client that acts for
    /// itself (`client_credentials`); no person can be in it.
    pub group: String,
    /// Only for people who came through this upstream. Absent: through any of the tenant's.
    #[serde(default)]
    pub upstream: Option<UpstreamId>,
    /// Where: a target's id, a client's id, or `gateway`. As soon as a tenant has one rule for `gateway`,
    /// only people with a matching rule can sign in at all.
    pub target: TargetId,
    /// Keystone projects and the roles given on them.
    #[serde(default)]
    pub projects: Vec<ProjectGrant>,
    /// Groups given at a Kubernetes cluster or at a client, without the tenant prefix of the target.
    #[serde(default)]
    pub groups: Vec<String>,
    /// A sign-in and nothing more, at a client or at `gateway`.
    #[serde(default)]
    pub session: bool,
    /// The end of the agreement: a date (that day included, in UTC), an RFC 3339 time, or seconds since 1970.
    #[serde(default)]
    pub until: Option<ContractEnd>,
    /// Only after a sign-in with more than one factor (`mfa` among the upstream's `amr`, RFC 8176).
    #[serde(default)]
    pub mfa: bool,
    /// Only if the person proved who they are at most so many seconds ago.
    #[serde(default)]
    pub max_age_s: Option<u64>,
    /// What is minted by this rule lives at most so many seconds. Never longer than the target's own limit.
    #[serde(default)]
    pub lifetime_s: Option<u64>,
}

/// Roles on one Keystone project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectGrant {
    /// The project's Keystone domain: one of the tenant's `domains`.
    pub domain: String,
    /// The project's name.
    pub project: String,
    /// Role names. Never `admin` or a system role.
    pub roles: Vec<String>,
}

/// The first moment at which an agreement no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractEnd(pub Timestamp);

impl ContractEnd {
    /// Reads a date (`2026-12-31`: that day still counts) or an RFC 3339 time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(day) = text.parse::<chrono::NaiveDate>() {
            let next = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
            return Some(Self(Timestamp(next.and_utc().timestamp())));
        }
        let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(Timestamp(at.timestamp())))
    }
}

impl Serialize for ContractEnd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.rfc3339())
    }
}

impl<'de> Deserialize<'de> for ContractEnd {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = ContractEnd;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a date (2026-12-31), an RFC 3339 time or seconds since 1970")
            }
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<ContractEnd, E> {
                Ok(ContractEnd(Timestamp(seconds)))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<ContractEnd, E> {
                i64::try_from(seconds)
                    .map(|seconds| ContractEnd(Timestamp(seconds)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(seconds), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ContractEnd, E> {
                ContractEnd::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for ContractEnd {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ContractEnd".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A date (that day included, in UTC), an RFC 3339 time, or seconds since 1970.",
            "type": ["string", "integer"]
        })
    }
}

/// Everything that is wrong with the rules as such and against the tenants.
pub(super) fn problems(rules: &[AccessRule], tenants: &[Tenant]) -> Vec<Problem> {
    let tenants: BTreeMap<&TenantId, &Tenant> = tenants.iter().map(|tenant| (&tenant.id, tenant)).collect();
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for rule in rules {
        if !names.insert(rule.rule.as_str()) {
            found.push(rule.problem(
                "rule",
                "another rule has this name",
                "give each rule its own name",
            ));
        }
        rule.problems(&tenants, &mut found);
    }
    found
}

/// Rules that name a target which does not exist, or give what that kind of target does not take.
/// `targets` holds every target and every client (as [`TargetKind::RelyingParty`]); `gateway` is implied.
#[must_use]
pub fn check_targets(rules: &[AccessRule], targets: &BTreeMap<TargetId, TargetKind>) -> Vec<Problem> {
    let mut found = Vec::new();
    for rule in rules {
        let kind = if rule.target.as_str() == GATEWAY {
            TargetKind::Gateway
        } else if let Some(kind) = targets.get(&rule.target) {
            *kind
        } else {
            found.push(rule.problem(
                "target",
                format!("there is no target or client '{}'", rule.target),
                "name an id under targets or clients, or 'gateway'",
            ));
            continue;
        };
        rule.misplaced(kind, &mut found);
    }
    found
}

impl AccessRule {
    /// The client it is for, where it is for one that acts for itself.
    pub(crate) fn client(&self) -> Option<&str> {
        self.group.strip_prefix("client:")
    }

    fn problem(&self, key: &str, what: impl Into<String>, instead: impl Into<String>) -> Problem {
        Problem::rule(&self.rule, key, what, instead)
    }

    fn problems(&self, tenants: &BTreeMap<&TenantId, &Tenant>, found: &mut Vec<Problem>) {
        for (key, text) in [("rule", &self.rule), ("group", &self.group)] {
            if !named(text) {
                found.push(self.problem(key, "it is not a name", "write 1 to 255 characters on one line"));
            }
        }
        if self.projects.is_empty() && self.groups.is_empty() && !self.session {
            found.push(self.problem(
                "projects",
                "the rule gives nothing",
                "write projects, groups or session: true",
            ));
        }
        for (key, seconds) in [("max_age_s", self.max_age_s), ("lifetime_s", self.lifetime_s)] {
            if seconds.is_some_and(|seconds| seconds == 0 || i64::try_from(seconds).is_err()) {
                found.push(self.problem(key, "no span of time", "write a number of seconds from 1 up"));
            }
        }
        for group in &self.groups {
            self.name_given("groups", group, is_reserved(group), found);
        }
        let tenant = tenants.get(&self.tenant);
        if tenant.is_none() {
            found.push(self.problem(
                "tenant",
                format!("there is no tenant '{}'", self.tenant),
                "name an id under tenants",
            ));
        }
        for given in &self.projects {
            self.project_problems(given, tenant.copied(), found);
        }
        if self.target.as_str() == GATEWAY {
            self.misplaced(TargetKind::Gateway, found);
        }
    }

    fn project_problems(&self, given: &ProjectGrant, tenant: Option<&Tenant>, found: &mut Vec<Problem>) {
        if let Some(tenant) = tenant
            && !tenant.domains.contains(&given.domain)
        {
            found.push(self.problem(
                "projects.domain",
                format!("'{}' is not a domain of tenant '{}'", given.domain, tenant.id),
                format!("write one of [{}]", tenant.domains.join(", ")),
            ));
        }
        if !named(&given.project) {
            found.push(self.problem("projects.project", "it is not a name", "write the project's name"));
        }
        if given.roles.is_empty() {
            found.push(self.problem("projects.roles", "no role is given", "write at least one role"));
        }
        for role in &given.roles {
            self.name_given("projects.roles", role, is_reserved_role(role), found);
        }
    }

    fn name_given(&self, key: &str, name: &str, reserved: bool, found: &mut Vec<Problem>) {
        if reserved {
            found.push(self.problem(
                key,
                format!("'{name}' is reserved: nobody from outside ever gets it"),
                "write another name, or leave it out",
            ));
        } else if !named(name) {
            found.push(self.problem(key, "it is not a name", "write 1 to 255 characters on one line"));
        }
    }

    fn misplaced(&self, kind: TargetKind, found: &mut Vec<Problem>) {
        let (projects, groups, session, instead) = match kind {
            TargetKind::Gateway => (false, true, true, "session: true or groups"),
            TargetKind::RelyingParty => (false, true, true, "session: true or groups"),
            TargetKind::Keystone => (true, false, false, "projects"),
            TargetKind::Kubernetes => (false, true, false, "groups"),
        };
        let given = [
            ("projects", projects, !self.projects.is_empty()),
            ("groups", groups, !self.groups.is_empty()),
            ("session", session, self.session),
        ];
        for (key, has_place, is_given) in given {
            if is_given && !has_place {
                found.push(self.problem(
                    key,
                    format!("it has no place at the target '{}'", self.target),
                    format!("write {instead}"),
                ));
            }
        }
    }
}

fn named(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_VALUE && !text.chars().any(char::is_control)
}
