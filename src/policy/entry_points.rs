//! Every place where policy is asked, with what it is asked and what it may answer: the source of
//! `docs/decisions.md`, of the schemas, and of the test that no entry lacks anything.

use crate::{
    domain::{access::Answer, mapping::Refinement},
    port::policy::{
        AdminQuestion, ExchangeQuestion, IntrospectionQuestion, LoginQuestion, MappingQuestion,
        OpenStackQuestion, Question, ReviewAnswer, ReviewQuestion, Verdict,
    },
};

/// One place where policy is asked.
#[derive(Debug, Clone)]
pub struct EntryPoint {
    /// Its name.
    pub name: &'static str,
    /// The rule that answers.
    pub path: &'static str,
    /// What is asked, and when.
    pub asked: &'static str,
    /// The schema of `input`: its file in `policies/schema/`, and the schema.
    pub input: (&'static str, schemars::Schema),
    /// The schema of the output.
    pub output: (&'static str, schemars::Schema),
    /// The codes that the default policies answer with.
    pub reasons: Vec<&'static str>,
}

/// Reasons of access: its own, and those of the library's rules that it asks.
const ACCESS: [&str; 20] = [
    "allocation_used_up",
    "approvals_missing",
    "contract_ended",
    "contract_not_begun",
    "deprovisioned",
    "issuer_domain_mismatch",
    "jurisdiction_not_allowed",
    "mfa_required",
    "network_not_allowed",
    "no_matching_rule",
    "nothing_granted",
    "onward_federation_forbidden",
    "partner_suspended",
    "reader_only",
    "reserved_role",
    "role_lowered",
    "separation_of_duties",
    "sign_in_too_old",
    "tenant_suspended",
    "tenant_unknown",
];
/// Reasons of sign-in alone.
const LOGIN: [&str; 9] = [
    "assurance_too_low",
    "chain_assurance_too_low",
    "local_sign_in_forbidden",
    "membership_required",
    "not_invited",
    "participant_credential_invalid",
    "terms_not_accepted",
    "trust_chain_invalid",
    "trust_mark_missing",
];
const MAPPING: [&str; 8] = [
    "condition_failed",
    "entitlement_malformed",
    "entitlement_of_other_authority",
    "entitlement_role_unknown",
    "group_not_accepted",
    "group_not_trusted",
    "tenant_unknown",
    "workload_not_registered",
];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    let mut all = ACCESS.to_vec();
    all.extend_from_slice(more);
    all.sort_unstable();
    all
}

/// All of them.
#[must_use]
pub fn entry_points() -> Vec<EntryPoint> {
    let mut all = of_people();
    all.extend(of_machines());
    all
}

fn of_people() -> Vec<EntryPoint> {
    vec![
        EntryPoint {
            name: "Login admission",
            path: "data.federation.login.decision",
            asked: "May this person, whose proof was checked, have a session? Before one is opened.",
            input: ("login_input.json", schemars::schema_for!(LoginQuestion<'static>)),
            output: ("access_answer.json", schemars::schema_for!(Answer)),
            reasons: with(&LOGIN),
        },
        EntryPoint {
            name: "Mapping",
            path: "data.federation.mapping.decision",
            asked: "Which groups and facts follow from the claims? With every use of a proof; answers are remembered.",
            input: (
                "mapping_input.json",
                schemars::schema_for!(MappingQuestion<'static>),
            ),
            output: ("mapping_answer.json", schemars::schema_for!(Refinement)),
            reasons: MAPPING.to_vec(),
        },
        EntryPoint {
            name: "Access",
            path: "data.federation.access.decision",
            asked: "What may this identity have at this target? With every grant.",
            input: ("access_input.json", schemars::schema_for!(Question<'static>)),
            output: ("access_answer.json", schemars::schema_for!(Answer)),
            reasons: ACCESS.to_vec(),
        },
        EntryPoint {
            name: "Token exchange",
            path: "data.federation.exchange.decision",
            asked: "What may this session's token be exchanged for? Instead of access, which it asks itself.",
            input: (
                "exchange_input.json",
                schemars::schema_for!(ExchangeQuestion<'static>),
            ),
            output: ("access_answer.json", schemars::schema_for!(Answer)),
            reasons: with(&["audience_not_bound"]),
        },
    ]
}

fn of_machines() -> Vec<EntryPoint> {
    vec![
        EntryPoint {
            name: "Introspection audience",
            path: "data.federation.introspection.decision",
            asked: "May this client know what the token says?",
            input: (
                "introspection_input.json",
                schemars::schema_for!(IntrospectionQuestion<'static>),
            ),
            output: ("verdict.json", schemars::schema_for!(Verdict)),
            reasons: vec!["audience_not_bound"],
        },
        EntryPoint {
            name: "Admin API",
            path: "data.federation.admin.decision",
            asked: "May this administrator's request be carried out? After the token was checked.",
            input: ("admin_input.json", schemars::schema_for!(AdminQuestion<'static>)),
            output: ("verdict.json", schemars::schema_for!(Verdict)),
            reasons: vec!["network_not_allowed", "not_an_administrator"],
        },
        EntryPoint {
            name: "Kubernetes review",
            path: "data.kubernetes.authz.decision",
            asked: "A cluster's SubjectAccessReview at `/kubernetes/{cluster}/authorize`.",
            input: (
                "kubernetes_input.json",
                schemars::schema_for!(ReviewQuestion<'static>),
            ),
            output: ("kubernetes_answer.json", schemars::schema_for!(ReviewAnswer)),
            reasons: vec!["no_cluster_rule", "tenant_suspended"],
        },
        EntryPoint {
            name: "OpenStack rules",
            // One package for each rule of a service; the others are named alike.
            path: "data.identity.list_projects.allow",
            asked: "`SERVICE/RULE/allow`, by `oslo.policy.opa`; `reasons` beside it says why not.",
            input: ("openstack_input.json", schemars::schema_for!(OpenStackQuestion)),
            output: ("boolean.json", schemars::schema_for!(bool)),
            reasons: vec!["role_missing", "scope_mismatch"],
        },
    ]
}
