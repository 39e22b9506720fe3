//! `fedctl login --device`: a code that is typed in a browser on any machine (RFC 8628).

use std::time::Duration;

use super::login::SCOPE;
use super::problem::{Network, Problem, SignIn};
use super::session::{Context, endpoint};
use crate::wire::oauth::{DEVICE_CODE, DeviceAuthorization, TokenResponse};

/// Shows address and code, then asks the gateway until the person has decided.
pub async fn sign_in(context: &Context) -> Result<TokenResponse, Problem> {
    let found = context.discover().await?;
    let url = endpoint(
        found.device_authorization_endpoint,
        "device_authorization_endpoint",
    )?;
    let token_url = endpoint(found.token_endpoint, "token_endpoint")?;
    let form = [("client_id", context.client_id.as_str()), ("scope", SCOPE)];
    let codes: DeviceAuthorization = context.http.post(&url, &form).await?;
    show(context, &codes);
    // A gateway may not make this program wait for ever.
    let life = Duration::from_secs(codes.expires_in.min(3600));
    tokio::time::timeout(life, poll(context, &token_url, &codes))
        .await
        .unwrap_or_else(|_| Err(SignIn::TimedOut.into()))
}

fn show(context: &Context, codes: &DeviceAuthorization) {
    let terminal = context.terminal;
    let (uri, code) = (&codes.verification_uri, &codes.user_code);
    terminal.say(&terminal.pick(
        format!("Open this address in a browser on any machine:\n\n    {uri}\n\nand type this code:\n\n    {code}\n"),
        format!("Öffnen Sie diese Adresse im Browser eines beliebigen Geräts:\n\n    {uri}\n\nund geben Sie diesen Code ein:\n\n    {code}\n"),
    ));
    if let Some(complete) = &codes.verification_uri_complete {
        terminal.say(&terminal.pick(
            format!("Or with the code in it: {complete}"),
            format!("Oder gleich mit dem Code: {complete}"),
        ));
    }
    terminal.say(&terminal.pick(
        "Waiting. Compare the code in the browser with this one before you confirm.",
        "Warte. Vergleichen Sie den Code im Browser mit diesem, bevor Sie bestätigen.",
    ));
}

async fn poll(context: &Context, url: &str, codes: &DeviceAuthorization) -> Result<TokenResponse, Problem> {
    let mut interval = codes.interval.unwrap_or(5).clamp(1, 60);
    let form = [
        ("grant_type", DEVICE_CODE),
        ("device_code", codes.device_code.as_str()),
        ("client_id", context.client_id.as_str()),
    ];
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        let problem = match context.http.post(url, &form).await {
            Ok(tokens) => return Ok(tokens),
            Err(problem) => problem,
        };
        match (&problem, problem.oauth_code()) {
            (_, Some("authorization_pending")) => {}
            (_, Some("slow_down")) => interval = (interval + 5).min(60),
            (_, Some("expired_token")) => return Err(SignIn::TimedOut.into()),
            // RFC 8628 §3.5: after a lost connection, ask less often, but go on.
            (Problem::Network(Network::Unreachable { .. }), _) => interval = (interval * 2).min(60),
            (_, _) => return Err(problem),
        }
    }
}
