//! `fedgate explain`: claims in, mapping rules hit, every rule that fired or failed, and the result. Changes nothing.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{
    app::{
        build::StartFault,
        explain::{Explanation, Supposed, explain, now},
        lacks::look,
        policies::in_force,
        recorded::{Seen, of_decision, of_user},
    },
    config::secret::SecretSources,
    domain::{
        access::Entitlement,
        lack::{parts_of, worded},
    },
    policy::{Did, RuleSeen},
};

use super::{Failed, Form, Place, load, policy::operate::span, runtime, show};

/// What is to be explained: claims from a file, what somebody's organisation said at their last sign-in, or a
/// decision that was made.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    place: Place,
    /// A file with the claims, a JSON object as in an ID token: `sub`, `preferred_username`, groups, `amr`, ….
    #[arg(long, value_name = "FILE", requires = "upstream", requires = "target")]
    claims: Option<PathBuf>,
    /// The upstream that is supposed to have said them.
    #[arg(long, value_name = "ID", requires = "claims")]
    upstream: Option<String>,
    /// With `--claims`: instead of the user name there. Without: the claims of this person's last sign-in, from the
    /// decisions that the gateway keeps.
    #[arg(long, value_name = "NAME", requires = "target")]
    user: Option<String>,
    /// Where they want to go: a target's id, a client's id, or `gateway`.
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// How far back `--user` looks: 15m, 12h, 7d.
    #[arg(long, default_value = "7d", value_parser = span)]
    since: Duration,
    /// A reference that somebody was shown, or a `decision_id`: what was decided then, and would be now.
    #[arg(long, value_name = "REFERENCE", conflicts_with_all = ["claims", "user", "target"], required_unless_present_any = ["claims", "user"])]
    decision: Option<String>,
    /// Do not look into the target's Keystone for what it lacks of what would be given.
    #[arg(long)]
    offline: bool,
    /// How to say it.
    #[arg(long, default_value = "text")]
    output: Form,
    /// The language of reasons.
    #[arg(long, default_value = "en")]
    language: Tongue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    En,
    De,
}

/// Explains, on standard output.
pub(super) fn run(wanted: &Wanted) -> Result<(), Failed> {
    let config = load(&wanted.place)?;
    let secrets = SecretSources::default();
    let engine = in_force(&config, &secrets)?;
    if let Some(id) = &wanted.decision {
        let seen = runtime()?.block_on(of_decision(&config, &secrets, &engine, id))?;
        return show(wanted.output, seen.as_slice(), all);
    }
    let target = wanted.target.as_deref().unwrap_or_default();
    let supposed = match (&wanted.claims, &wanted.user) {
        (None, Some(user)) => {
            let found = of_user(&config, &secrets, (user, target), wanted.since);
            runtime()?.block_on(found)?
        }
        (claims, user) => from_file(wanted, claims.as_ref(), user.as_deref(), target)?,
    };
    let mut explanation = explain(&config, &engine, &supposed)?;
    if !wanted.offline {
        runtime()?.block_on(look(&config, &secrets, &supposed, &mut explanation));
    }
    show(wanted.output, &explanation, |explanation| {
        written(explanation, &supposed.target, wanted.language)
    })
}

fn from_file(
    wanted: &Wanted,
    claims: Option<&PathBuf>,
    user: Option<&str>,
    target: &str,
) -> Result<Supposed, Failed> {
    let path = claims.ok_or_else(|| StartFault("name --claims, --user or --decision".to_owned()))?;
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut claims: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| format!("{}: found no JSON object with claims ({error})", path.display()))?;
    if let Some(user) = user {
        claims.insert("preferred_username".to_owned(), user.into());
    }
    Ok(Supposed {
        upstream: wanted.upstream.clone().unwrap_or_default(),
        claims,
        target: target.to_owned(),
        now: now(),
    })
}

/// Decisions that were made, with what today's policies say to the same questions.
fn all(decisions: &[Seen]) -> String {
    let mut out = String::new();
    let shown = |value: Option<&Value>| value.map_or_else(|| "undefined".to_owned(), Value::to_string);
    for seen in decisions {
        let revision = seen.revision.as_deref().unwrap_or("of unknown revision");
        let _infallible = writeln!(
            out,
            "{} at {}, policies {revision}\n  input: {}\n  answer: {}",
            seen.path,
            seen.time,
            seen.input,
            shown(seen.result.as_ref())
        );
        if seen.today != seen.result {
            let _infallible = writeln!(out, "  today it would be: {}", shown(seen.today.as_ref()));
        }
        rules(&mut out, &seen.rules);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// A line for each rule that was asked.
fn rules(out: &mut String, seen: &[RuleSeen]) {
    for rule in seen.iter().filter(|rule| rule.did != Did::NotAsked) {
        let did = if rule.did == Did::Fired {
            "fired "
        } else {
            "failed"
        };
        let adds = rule.adds.as_ref().map(|adds| format!(" {adds}"));
        let adds = adds.unwrap_or_default();
        let _infallible = writeln!(out, "  {did} {}:{} {}{adds}", rule.file, rule.line, rule.rule);
    }
}

fn written(explanation: &Explanation, target: &str, language: Tongue) -> String {
    let mut out = format!("policies {}\n\nclaims\n", explanation.revision);
    for (claim, value) in &explanation.claims {
        let _infallible = writeln!(out, "  {claim} = {value}");
    }
    out.push_str("\nmapping\n");
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
    rules(&mut out, &explanation.rules);
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
    keystone(&mut out, explanation, language);
    out.truncate(out.trim_end().len());
    out
}

/// What Keystone lacks, and who mends it.
fn keystone(out: &mut String, explanation: &Explanation, language: Tongue) {
    let Some(found) = &explanation.keystone else {
        return;
    };
    out.push_str("\nat Keystone\n");
    for lack in &found.lacks {
        let (code, name) = parts_of(lack);
        let text = explanation.texts.get(code).map(|text| match language {
            Tongue::En => text.en.as_str(),
            Tongue::De => text.de.as_str(),
        });
        let text = worded(text.unwrap_or_default(), name);
        let _infallible = writeln!(out, "  {code}: {text}");
    }
    match &found.unknown {
        Some(why) => {
            let _infallible = writeln!(out, "  it was not looked into: {why}");
        }
        None if found.lacks.is_empty() => out.push_str("  nothing is missing\n"),
        None => {}
    }
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
