//! `fedctl logout`: ends the session at the gateway (RFC 7009) and forgets its tokens here.

use std::process::ExitCode;

use super::problem::Problem;
use super::session::{Context, endpoint};

/// Forgets in any case. If the gateway could not be told, that is said, and the exit code is 1.
pub async fn run(context: &Context) -> Result<ExitCode, Problem> {
    let terminal = context.terminal;
    let locked = context.lock()?;
    let Some(record) = locked.read()? else {
        terminal.say(&terminal.pick(
            format!("Nobody is signed in at {}.", context.issuer),
            format!("Bei {} ist niemand angemeldet.", context.issuer),
        ));
        return Ok(ExitCode::SUCCESS);
    };
    let (token, hint) = match &record.refresh_token {
        Some(token) => (token.as_str(), "refresh_token"),
        None => (record.access.token.as_str(), "access_token"),
    };
    let told = revoke(context, token, hint).await;
    locked.remove()?;
    match told {
        Ok(()) => {
            terminal.say(&terminal.pick("You are signed out.", "Sie sind abgemeldet."));
            Ok(ExitCode::SUCCESS)
        }
        Err(problem) => {
            terminal.say(&terminal.pick(
                "The tokens on this machine are deleted, but the session at the gateway may go on until it expires.",
                "Die Tokens auf diesem Rechner sind gelöscht, aber die Sitzung am Gateway läuft womöglich bis zu ihrem Ende weiter.",
            ));
            Err(problem)
        }
    }
}

async fn revoke(context: &Context, token: &str, hint: &str) -> Result<(), Problem> {
    let url = endpoint(
        context.discover().await?.revocation_endpoint,
        "revocation_endpoint",
    )?;
    let form = [
        ("token", token),
        ("token_type_hint", hint),
        ("client_id", context.client_id.as_str()),
    ];
    context.http.tell(&url, &form).await
}
