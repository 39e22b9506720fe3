//! `fedgate explain`: claims in, mapping rules hit, every rule that fired or failed, and the result. Changes nothing.

use std::{fmt::Write as _, fs, path::PathBuf};

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{
    app::explain::{Explanation, Supposed, explain, now},
    domain::access::Entitlement,
    policy::Did,
};

use super::{Failed, Place, load, say};

/// What is to be explained.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    place: Place,
    /// A file with the claims, a JSON object as in an ID token: `sub`, `preferred_username`, groups, `amr`, ….
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,
    /// The upstream that is supposed to have said them.
    #[arg(long, value_name = "ID")]
    upstream: String,
    /// Instead of the user name in the claims.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Where they want to go: a target's id, a client's id, or `gateway`.
    #[arg(long, value_name = "ID")]
    target: String,
    /// How to say it.
    #[arg(long, default_value = "text")]
    output: Form,
    /// The language of reasons.
    #[arg(long, default_value = "en")]
    language: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    En,
    De,
}

/// Explains, on standard output.
pub(super) fn run(wanted: &Wanted) -> Result<(), Failed> {
    let config = load(&wanted.place)?;
    let text = fs::read_to_string(&wanted.claims)
        .map_err(|error| format!("{}: {error}", wanted.claims.display()))?;
    let mut claims: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
        format!(
            "{}: found no JSON object with claims ({error})",
            wanted.claims.display()
        )
    })?;
    if let Some(user) = &wanted.user {
        claims.insert("preferred_username".to_owned(), user.clone().into());
    }
    let explanation = explain(
        &config,
        &Supposed {
            upstream: wanted.upstream.clone(),
            claims,
            target: wanted.target.clone(),
            now: now(),
        },
    )?;
    match wanted.output {
        Form::Json => say(&serde_json::to_string_pretty(&explanation)?),
        Form::Text => say(&written(&explanation, &wanted.target, wanted.language)),
    }
}

fn written(explanation: &Explanation, target: &str, language: Tongue) -> String {
    let mut out = format!("policies {}\n\nmapping\n", explanation.revision);
    for hit in &explanation.mapping_rules {
        let _infallible = writeln!(
            out,
            "  rule {}: {} = {} gives the group {}",
            hit.rule, hit.claim, hit.value, hit.group
        );
    }
    if explanation.mapping_rules.is_empty() {
        out.push_str("  no mapping rule accepts any of the claims\n");
    }
    for group in &explanation.dropped_groups {
        let _infallible = writeln!(out, "  dropped {}: {}", group.name, group.reason);
    }
    let _infallible = writeln!(out, "  groups: {}\n\nrules", explanation.groups.join(", "));
    for rule in explanation.rules.iter().filter(|rule| rule.did != Did::NotAsked) {
        let did = if rule.did == Did::Fired {
            "fired "
        } else {
            "failed"
        };
        let adds = rule
            .adds
            .as_ref()
            .map(|adds| format!(" {adds}"))
            .unwrap_or_default();
        let _infallible = writeln!(out, "  {did} {}:{} {}{adds}", rule.file, rule.line, rule.rule);
    }
    let _infallible = writeln!(out, "\nresult at {target}");
    for grant in &explanation.grants {
        let _infallible = writeln!(out, "  given by {}: {}", grant.rule, named(&grant.entitlement));
    }
    for dropped in &explanation.dropped {
        let _infallible = writeln!(
            out,
            "  taken away ({}): {}",
            dropped.reason,
            named(&dropped.grant.entitlement)
        );
    }
    for reason in &explanation.reasons {
        let text = explanation.texts.get(reason).map(|text| match language {
            Tongue::En => text.en.as_str(),
            Tongue::De => text.de.as_str(),
        });
        let _infallible = writeln!(out, "  refused, {reason}: {}", text.unwrap_or_default());
    }
    out.truncate(out.trim_end().len());
    out
}

fn named(entitlement: &Entitlement) -> String {
    match entitlement {
        Entitlement::Project {
            domain,
            project,
            role,
        } => format!("role {role} on project {project} of domain {domain}"),
        Entitlement::Group { group } => format!("group {group}"),
        Entitlement::Session => "a sign-in".to_owned(),
    }
}
