//! The texts about clouds and projects, English and German.

use crate::client::args::Language;
use crate::client::problem::{About, Cloud};
use crate::client::terminal::Terminal;
use crate::client::texts::{Explained, Pair, because, explained, pair};
use crate::wire::cloud::{HeldRole, Missing};

/// What a refused workload reads.
pub fn refused(about: &About, terminal: Terminal) -> Explained {
    let code = about.code.as_deref().unwrap_or("refused");
    let next = match code {
        "AUD_MISMATCH" => pair(
            "Let the CI system make a token for the expected audience.",
            "Lassen Sie das CI-System ein Token für den erwarteten Empfänger (expected) ausstellen.",
        ),
        "CONDITION_FAILED" => pair(
            "Run the job where it is allowed, or ask your cloud manager to change the conditions.",
            "Starten Sie den Job dort, wo es erlaubt ist, oder bitten Sie Ihre Cloud-Verwaltung, die Bedingungen zu ändern.",
        ),
        "ISSUER_UNKNOWN" => pair(
            "Ask your cloud manager to register this issuer, spelt exactly so.",
            "Bitten Sie Ihre Cloud-Verwaltung, diesen Aussteller genau in dieser Schreibweise einzutragen.",
        ),
        "UPSTREAM_DOWN" => pair(
            "Try again in a minute.",
            "Versuchen Sie es in einer Minute noch einmal.",
        ),
        _ => pair(
            "If there should be access, give the reference to your help desk.",
            "Wenn Zugriff bestehen sollte, nennen Sie dem Helpdesk die Referenz.",
        ),
    };
    let what = (
        format!("The gateway refused ({code})."),
        format!("Das Gateway hat abgelehnt ({code})."),
    );
    explained(terminal, what, because(&about.reasons.join("; ")), next)
}

/// What a problem with a cloud means.
pub fn explain(cloud: &Cloud, terminal: Terminal) -> Explained {
    let (what, why, next) = match cloud {
        Cloud::NoProject {
            project,
            domain,
            missing,
        } => return no_project((project, domain.as_deref()), missing, terminal),
        Cloud::RoleDenied {
            project,
            held,
            needed,
            missing,
        } => return role_denied((project, needed), held, missing, terminal),
        Cloud::Program { name, why, .. } => (
            (
                format!("{name} cannot be started."),
                format!("{name} lässt sich nicht starten."),
            ),
            because(why),
            pair(
                "Check its name and PATH. Everything after -- is the program with its arguments.",
                "Prüfen Sie Name und PATH. Alles nach -- ist das Programm mit seinen Argumenten.",
            ),
        ),
        Cloud::TokenFile { path, why } => (
            (
                format!("{path} holds no token that can be used."),
                format!("{path} enthält kein brauchbares Token."),
            ),
            because(why),
            pair(
                "Let the job write its ID token there, and nothing else.",
                "Lassen Sie den Job sein ID-Token dorthin schreiben, sonst nichts.",
            ),
        ),
        Cloud::Keystone { status, message } => (
            (
                format!("The cloud refused or failed ({status})."),
                format!("Die Cloud hat abgelehnt oder versagt ({status})."),
            ),
            because(message),
            pair(
                "Try again. If it lasts, give this text to your cloud's help desk.",
                "Versuchen Sie es erneut. Hält es an, geben Sie diesen Text dem Helpdesk Ihrer Cloud.",
            ),
        ),
        Cloud::Unknown { .. } | Cloud::NoDevice(_) | Cloud::Ambiguous { .. } => which(cloud),
    };
    explained(terminal, what, why, next)
}

/// What of several is meant.
fn which(cloud: &Cloud) -> (Pair, Pair, Pair) {
    match cloud {
        Cloud::Ambiguous { project, domains } => (
            (
                format!("Several domains have a project {project}."),
                format!("Mehrere Domänen haben ein Projekt {project}."),
            ),
            (
                format!("They are: {}", domains.join(", ")),
                format!("Es sind: {}", domains.join(", ")),
            ),
            pair("Name one: --domain D", "Nennen Sie eine: --domain D"),
        ),
        Cloud::NoDevice(id) => (
            (
                format!("Cloud {id} cannot be used by the stock clients alone."),
                format!("Cloud {id} ist für die üblichen Clients allein nicht eingerichtet."),
            ),
            pair(
                "The gateway has no public client with the device grant for it.",
                "Das Gateway hat dafür keinen öffentlichen Client mit dem Gerätecode-Verfahren.",
            ),
            pair(
                "Use fedctl openstack exec, or ask your cloud's operator for such a client.",
                "Nutzen Sie fedctl openstack exec, oder bitten Sie den Betreiber um einen solchen Client.",
            ),
        ),
        Cloud::Unknown { known, .. } => (
            pair(
                "Which cloud is not clear.",
                "Welche Cloud gemeint ist, ist nicht klar.",
            ),
            (
                format!("This gateway has: {}", listed(known, "none")),
                format!("Dieses Gateway hat: {}", listed(known, "keine")),
            ),
            pair("Name one: --cloud ID", "Nennen Sie eine: --cloud ID"),
        ),
        Cloud::NoProject { .. }
        | Cloud::RoleDenied { .. }
        | Cloud::Program { .. }
        | Cloud::TokenFile { .. }
        | Cloud::Keystone { .. } => (because(""), because(""), because("")),
    }
}

fn listed(known: &[String], none: &str) -> String {
    if known.is_empty() {
        none.to_owned()
    } else {
        known.join(", ")
    }
}

fn no_project((project, domain): (&str, Option<&str>), missing: &[Missing], terminal: Terminal) -> Explained {
    let place = domain.map_or_else(|| project.to_owned(), |domain| format!("{project} ({domain})"));
    let what = (
        format!("You have no access to project {place}."),
        format!("Sie haben keinen Zugang zum Projekt {place}."),
    );
    let (why, next) = reasons(missing);
    explained(terminal, what, why, next)
}

/// `project p: you hold reader, this needs member; granted by rule r`.
fn role_denied(
    (project, needed): (&str, &str),
    held: &[HeldRole],
    missing: &[Missing],
    terminal: Terminal,
) -> Explained {
    let roles: Vec<&str> = held.iter().map(|held| held.role.as_str()).collect();
    let mut rules: Vec<&str> = held.iter().map(|held| held.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let (roles, rules) = (roles.join(", "), rules.join(", "));
    let what = if held.is_empty() {
        (
            format!("project {project}: this needs {needed}, which you do not hold (ROLE_DENIED)."),
            format!("Projekt {project}: nötig ist {needed}, das Sie nicht haben (ROLE_DENIED)."),
        )
    } else {
        (
            format!(
                "project {project}: you hold {roles}, this needs {needed}; granted by rule {rules} (ROLE_DENIED)."
            ),
            format!(
                "Projekt {project}: Sie haben {roles}, nötig ist {needed}; vergeben durch Regel {rules} (ROLE_DENIED)."
            ),
        )
    };
    let (why, next) = reasons(missing);
    explained(terminal, what, why, next)
}

/// The sentences of the gateway name the next step themselves.
fn reasons(missing: &[Missing]) -> (Pair, Pair) {
    let codes: Vec<&str> = missing.iter().map(|missing| missing.code.as_str()).collect();
    let told = |language: Language| {
        let texts: Vec<&str> = missing
            .iter()
            .map(|missing| match language {
                Language::En => missing.en.as_str(),
                Language::De => missing.de.as_str(),
            })
            .collect();
        texts.join(" ")
    };
    if missing.is_empty() {
        return (
            pair("No rule gives it to you.", "Keine Regel gibt es Ihnen."),
            pair(
                "Ask whoever manages your organisation's cloud access. fedctl whoami shows your groups.",
                "Fragen Sie, wer den Cloud-Zugang Ihrer Organisation verwaltet. fedctl whoami zeigt Ihre Gruppen.",
            ),
        );
    }
    (
        because(&codes.join(", ")),
        (told(Language::En), told(Language::De)),
    )
}
