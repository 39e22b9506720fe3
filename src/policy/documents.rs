//! `docs/decisions.md`: generated, so that it says what is. A test compares.

use std::fmt::Write as _;

use super::entry_points::{EntryPoint, entry_points};

/// One rule of the library (users.md, cross-cloud rules), for the table.
#[derive(Debug, Clone, Copy)]
pub struct RuleFacts {
    /// Its number in the list of cross-cloud rules.
    pub number: u8,
    /// Its name under `policy.rules`.
    pub name: &'static str,
    /// The file in `policies/rules/`.
    pub file: &'static str,
    /// The decisions that ask it.
    pub asked_by: &'static str,
    /// What it gives where it is not met: reasons, or obligations.
    pub codes: &'static [&'static str],
    /// The facts that it needs beside its parameters.
    pub needs: &'static str,
}

const fn rule(
    (number, name): (u8, &'static str),
    (file, asked_by): (&'static str, &'static str),
    codes: &'static [&'static str],
    needs: &'static str,
) -> RuleFacts {
    RuleFacts {
        number,
        name,
        file,
        asked_by,
        codes,
        needs,
    }
}

/// All 32.
pub const RULES: [RuleFacts; 32] = [
    rule(
        (1, "own_domains"),
        ("confinement", "access"),
        &["issuer_domain_mismatch"],
        "the tenant's `domains`; built in as well",
    ),
    rule(
        (2, "reserved_roles"),
        ("confinement", "access"),
        &["reserved_role"],
        "nothing; built in as well",
    ),
    rule(
        (3, "accepted_groups"),
        ("groups", "mapping"),
        &["group_not_accepted"],
        "groups",
    ),
    rule(
        (4, "membership"),
        ("door", "login"),
        &["membership_required"],
        "the claims that it names",
    ),
    rule(
        (5, "untrusted_groups"),
        ("groups", "mapping"),
        &["group_not_trusted"],
        "nothing; local groups as data",
    ),
    rule(
        (6, "invitation"),
        ("door", "login"),
        &["not_invited"],
        "invitations as data; `email_verified` for those by address",
    ),
    rule((7, "role_map"), ("roles", "access"), &["role_lowered"], "nothing"),
    rule(
        (8, "reader_unless"),
        ("roles", "access"),
        &["reader_only"],
        "groups",
    ),
    rule(
        (9, "entitlements"),
        ("entitlements", "mapping"),
        &["entitlement_malformed", "entitlement_of_other_authority"],
        "the claim `eduperson_entitlement`",
    ),
    rule(
        (10, "entitlement_roles"),
        ("entitlements", "mapping"),
        &["entitlement_role_unknown"],
        "as 9, with which it is used",
    ),
    rule(
        (11, "assurance"),
        ("assurance", "login"),
        &["assurance_too_low"],
        "the claim `eduperson_assurance`",
    ),
    rule(
        (12, "mfa_for"),
        ("assurance", "access"),
        &["mfa_required"],
        "`amr` of the sign-in",
    ),
    rule(
        (13, "sign_in_age"),
        ("assurance", "access"),
        &["sign_in_too_old"],
        "the time of the sign-in",
    ),
    rule(
        (14, "chain_assurance"),
        ("assurance", "login"),
        &["chain_assurance_too_low"],
        "a claim with each proxy's level, as a list",
    ),
    rule(
        (15, "trust_mark"),
        ("partner", "login"),
        &["trust_mark_missing"],
        "the organisation's marks as data",
    ),
    rule(
        (16, "trust_chain"),
        ("partner", "login"),
        &["trust_chain_invalid"],
        "the chain as data, until the gateway resolves it itself",
    ),
    rule(
        (17, "participant_credential"),
        ("partner", "login"),
        &["participant_credential_invalid"],
        "the credential's state as data",
    ),
    rule(
        (18, "jurisdiction"),
        ("partner", "access"),
        &["jurisdiction_not_allowed"],
        "tags of projects and targets as data",
    ),
    rule(
        (19, "contract"),
        ("partner", "access"),
        &["contract_ended", "contract_not_begun", "partner_suspended"],
        "the contract as data",
    ),
    rule(
        (20, "allocation"),
        ("roles", "access"),
        &["allocation_used_up"],
        "allocations as data",
    ),
    rule(
        (21, "onward"),
        ("partner", "access"),
        &["onward_federation_forbidden"],
        "a claim with the gateways passed: a list, or nested `act`",
    ),
    rule(
        (22, "service_accounts"),
        ("workload", "mapping"),
        &["workload_not_registered"],
        "the subject `system:serviceaccount:…`",
    ),
    rule(
        (23, "ci"),
        ("workload", "mapping"),
        &["condition_failed"],
        "the job's claims (`ref`, `environment`, …)",
    ),
    rule(
        (24, "audience_binding"),
        ("confinement", "exchange, introspection"),
        &["audience_not_bound"],
        "nothing; audiences are bound in any case",
    ),
    rule(
        (25, "attribute_release"),
        ("release", "access"),
        &["attributes_withheld"],
        "nothing; what is kept back stands in `withhold`",
    ),
    rule(
        (26, "terms"),
        ("door", "login"),
        &["terms_not_accepted"],
        "acceptances as data, or the claim `terms_accepted`",
    ),
    rule(
        (27, "no_local_users"),
        ("door", "login"),
        &["alert_break_glass", "local_sign_in_forbidden"],
        "nothing",
    ),
    rule(
        (28, "separation"),
        ("roles", "access"),
        &["separation_of_duties"],
        "nothing",
    ),
    rule(
        (29, "name_prefix"),
        ("groups", "mapping"),
        &["name_prefixed"],
        "nothing; the user name gets the prefix",
    ),
    rule(
        (30, "network"),
        ("standing", "access"),
        &["network_not_allowed"],
        "the caller's address",
    ),
    rule(
        (31, "deprovisioned"),
        ("standing", "access"),
        &["deprovisioned"],
        "who it is, as data",
    ),
    rule(
        (32, "emergency"),
        ("emergency", "access"),
        &["approvals_missing", "emergency_access"],
        "approvals as data",
    ),
];

const BEGINNING: &str = "# Decisions

Generated from the types and tables in `src/policy` (`FEDGATE_BLESS=1 cargo test --test it policies::`); a test
compares. Every decision refuses
what it does not know. A failure of the engine is a failure of the request (5xx), never an allow. Whatever policy
allows, the gateway takes away reserved roles, foreign domains and life beyond the proof; only
`domain::access::decide` makes a permit. Reason codes have texts in English and German in `policies/texts.json`.

";

/// The page.
#[must_use]
pub fn decisions_page() -> String {
    let mut page = BEGINNING.to_owned();
    page.push_str(
        "| decision | rule that answers | input | output | reason codes |\n|---|---|---|---|---|\n",
    );
    let points = entry_points();
    for point in &points {
        page.push_str(&row(point));
    }
    page.push_str("\n## What is asked\n\n");
    for point in &points {
        let _infallible = writeln!(page, "* **{}**: {}", point.name, point.asked);
    }
    page.push_str(
        "\nThe sign-in and the token exchange ask for access inside their own evaluation: a request costs one. \
         What mapping\nanswers is remembered by the hash of its question, which holds no time.\n\n\
         ## The library of rules\n\nEach is switched on and parameterised under `policy.rules` \
         (`config/fedgate.example.yaml`), for all tenants or some.\n\n\
         | # | rule | file | asked by | codes | what it needs |\n|---|---|---|---|---|---|\n",
    );
    for rule in RULES {
        let codes: Vec<String> = rule.codes.iter().map(|code| format!("`{code}`")).collect();
        let _infallible = writeln!(
            page,
            "| {} | `{}` | `rules/{}.rego` | {} | {} | {} |",
            rule.number,
            rule.name,
            rule.file,
            rule.asked_by,
            codes.join(", "),
            rule.needs
        );
    }
    page
}

fn row(point: &EntryPoint) -> String {
    let codes: Vec<String> = point.reasons.iter().map(|code| format!("`{code}`")).collect();
    let schema = |file: &str| format!("[{file}](../policies/schema/{file})");
    format!(
        "| {} | `{}` | {} | {} | {} |\n",
        point.name,
        point.path.replacen("identity.list_projects", "SERVICE.RULE", 1),
        schema(point.input.0),
        schema(point.output.0),
        codes.join(", ")
    )
}
