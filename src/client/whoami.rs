//! `fedctl whoami`: who the gateway takes the person for.

use std::process::ExitCode;

use super::args::Output;
use super::clock;
use super::problem::{Local, Problem, SignIn};
use super::session::{Context, endpoint};
use crate::wire::oidc::Userinfo;

/// Asks the gateway, so that the answer is true now and not when the person signed in.
pub async fn run(context: &Context) -> Result<ExitCode, Problem> {
    let locked = context.lock()?;
    let mut record = context.kept(&locked)?;
    let access = context.access(&locked, &mut record, false).await?;
    let url = endpoint(context.discover().await?.userinfo_endpoint, "userinfo_endpoint")?;
    let person: Userinfo = match context.http.get(&url, Some(&access)).await {
        Err(problem) if problem.oauth_code() == Some("invalid_token") => {
            let access = context.access(&locked, &mut record, true).await?;
            context.http.get(&url, Some(&access)).await?
        }
        other => other?,
    };
    // OIDC Core §5.3.4: an answer about another person must not be used.
    if person.sub != record.sub {
        return Err(SignIn::Mismatch("sub").into());
    }
    let until = person.session_expires_at.unwrap_or(record.access.expires);
    show(context, &person, until).map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, person: &Userinfo, until: i64) -> std::io::Result<()> {
    let terminal = context.terminal;
    let about = &person.person;
    let groups = about.groups.clone().unwrap_or_default();
    match terminal.output {
        Output::Json => terminal.answer(
            &serde_json::json!({
                "issuer": context.issuer, "sub": person.sub, "name": about.name,
                "preferred_username": about.preferred_username, "email": about.email,
                "tenant": about.tenant, "groups": groups, "until": clock::rfc3339(until),
            })
            .to_string(),
        ),
        Output::Text => {
            let none = terminal.pick("(none)", "(keine)");
            let name = about.preferred_username.as_ref().unwrap_or(&person.sub);
            let who = match &about.name {
                Some(full) => format!("{name} ({full})"),
                None => name.clone(),
            };
            let groups = if groups.is_empty() {
                none.clone()
            } else {
                groups.join(", ")
            };
            let tenant = about.tenant.clone().unwrap_or(none);
            let lines = [
                (terminal.pick("Who:", "Wer:"), who),
                (terminal.pick("Tenant:", "Organisation:"), tenant),
                (terminal.pick("Groups:", "Gruppen:"), groups),
                (terminal.pick("Gateway:", "Gateway:"), context.issuer.clone()),
                (terminal.pick("Until:", "Bis:"), clock::rfc3339(until)),
            ];
            let text: Vec<String> = lines
                .iter()
                .map(|(label, value)| format!("{label:<14}{value}"))
                .collect();
            terminal.answer(&text.join("\n"))
        }
    }
}
