//! `fedctl token`: the session's token, or a workload's, for one of another audience (RFC 8693).

use std::path::Path;
use std::process::ExitCode;

use super::args::{Output, Token};
use super::cache::{Held, Locked, Record};
use super::clock;
use super::problem::{Cloud, Local, Problem};
use super::session::{Context, endpoint, held};
use crate::wire::oauth::{ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE, TokenResponse};

/// So many renewals before time in [`WINDOW`] seconds, for each audience.
const FORCED: usize = 3;
/// Seconds.
const WINDOW: i64 = 60;
/// Clients of the credential plugin that are known by their process id, for each token.
const REMEMBERED: usize = 32;

/// Prints a token on stdout.
pub async fn run(context: &Context, ask: &Token) -> Result<ExitCode, Problem> {
    let scope = ask.scope.as_deref();
    let held = match &ask.subject_token_file {
        Some(path) => workload(context, path, (&ask.audience, scope)).await?,
        None => token(context, &ask.audience, scope, None).await?,
    };
    let terminal = context.terminal;
    let written = match terminal.output {
        Output::Json => terminal.answer(
            &serde_json::json!({
                "audience": ask.audience, "token": held.token, "expires_at": clock::rfc3339(held.expires),
            })
            .to_string(),
        ),
        Output::Text if ask.raw => terminal.answer_raw(&held.token),
        Output::Text => terminal.answer(&held.token),
    };
    written.map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A token for `audience`: the one that is kept, or a new one.
///
/// `parent` is the process that runs the credential plugin. The plugin protocol has no word for "refused",
/// but a client that asks again while its last token is still good was refused (401). It gets a new one,
/// within a limit, or one cluster with a wrong clock would flood the gateway.
pub async fn token(
    context: &Context,
    audience: &str,
    scope: Option<&str>,
    parent: Option<u32>,
) -> Result<Held, Problem> {
    let locked = context.lock()?;
    let mut record = context.kept(&locked)?;
    let now = clock::now();
    let key = format!("{audience}\n{}", scope.unwrap_or_default());
    record.tokens.retain(|_, held| held.expires > now);
    let kept = record.tokens.get(&key).cloned();
    let mut forced = kept.as_ref().map(|held| held.forced.clone()).unwrap_or_default();
    forced.retain(|when| now - when < WINDOW);
    if let Some(mut held) = kept.filter(|held| now < held.renew) {
        let again = parent.is_some_and(|parent| held.given_to.contains(&parent));
        if !again || forced.len() >= FORCED {
            if let Some(parent) = parent.filter(|_| !again) {
                held.given_to.insert(0, parent);
                held.given_to.truncate(REMEMBERED);
                record.tokens.insert(key, held.clone());
                locked.write(&record)?;
            }
            return Ok(held);
        }
        forced.push(now);
    }
    let tokens = exchanged(context, &locked, &mut record, (audience, scope)).await?;
    let fresh = Held {
        given_to: parent.into_iter().collect(),
        forced,
        ..held(&tokens)
    };
    record.tokens.insert(key, fresh.clone());
    locked.write(&record)?;
    Ok(fresh)
}

async fn exchanged(
    context: &Context,
    locked: &Locked,
    record: &mut Record,
    wanted: (&str, Option<&str>),
) -> Result<TokenResponse, Problem> {
    let access = context.access(locked, record, false).await?;
    match post(context, (&access, ACCESS_TOKEN_TYPE), wanted).await {
        // The access token was revoked, or the gateway has new keys: the refresh token may still be good.
        Err(problem) if matches!(problem.oauth_code(), Some("invalid_token" | "invalid_grant")) => {
            let access = context.access(locked, record, true).await?;
            post(context, (&access, ACCESS_TOKEN_TYPE), wanted).await
        }
        other => other,
    }
}

/// A token for `audience` out of a workload's token of its own issuer. Nothing of it is kept on this machine: a CI
/// runner is shared.
pub async fn workload(context: &Context, path: &Path, wanted: (&str, Option<&str>)) -> Result<Held, Problem> {
    let wrong = |why: String| Cloud::TokenFile {
        path: path.display().to_string(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let subject = text.trim();
    if subject.split('.').count() != 3 || subject.contains(char::is_whitespace) {
        return Err(wrong("found no JWT in it".to_owned()).into());
    }
    Ok(held(&post(context, (subject, JWT_TYPE), wanted).await?))
}

async fn post(
    context: &Context,
    (subject, kind): (&str, &str),
    (audience, scope): (&str, Option<&str>),
) -> Result<TokenResponse, Problem> {
    let endpoint = endpoint(context.discover().await?.token_endpoint, "token_endpoint")?;
    let mut form = vec![
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", kind),
        ("audience", audience),
        ("client_id", context.client_id.as_str()),
    ];
    if let Some(scope) = scope {
        form.push(("scope", scope));
    }
    context.http.post(&endpoint, &form).await
}
