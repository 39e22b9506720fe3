//! `fedctl login`: authorization code with PKCE over a loopback redirect (RFC 8252), or a device code.

use std::process::ExitCode;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use url::Url;

use super::args::Login;
use super::device;
use super::http::secure;
use super::loopback::{Callback, Loopback};
use super::problem::{About, Network, Problem, SignIn};
use super::session::{Context, endpoint, random};
use crate::wire::oauth::{AUTHORIZATION_CODE, TokenResponse};
use crate::wire::oidc::{Discovery, IdTokenClaims};

/// What a session needs: who, which groups, and a refresh token.
pub const SCOPE: &str = "openid profile email groups offline_access";
/// For the person in the browser.
const PATIENCE: Duration = Duration::from_secs(300);

/// Signs in and keeps the session.
pub async fn run(context: &Context, ask: &Login) -> Result<ExitCode, Problem> {
    let claims = sign_in(context, ask).await?;
    let name = claims.person.preferred_username.as_ref().unwrap_or(&claims.sub);
    context.terminal.say(&context.terminal.pick(
        format!("You are signed in at {} as {name}.", context.issuer),
        format!("Sie sind bei {} angemeldet als {name}.", context.issuer),
    ));
    Ok(ExitCode::SUCCESS)
}

/// The same for the credential plugin, which has its own answer to give.
pub async fn sign_in(context: &Context, ask: &Login) -> Result<IdTokenClaims, Problem> {
    // Before the person does anything: can the session be kept at all?
    context.lock()?.read()?;
    if ask.device {
        return context.begin(&device::sign_in(context).await?, None);
    }
    let found = context.discover().await?;
    let loopback = Loopback::open().await?;
    let flow = Flow {
        state: random()?,
        nonce: random()?,
        verifier: random()?,
        redirect: loopback.address(),
    };
    invite(context, &flow.address(context, &found)?, ask.no_browser);
    let waiting = loopback.callback(&flow.state);
    let callback = tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| Err(SignIn::TimedOut.into()))?;
    let outcome = flow.finish(context, &found, &callback).await;
    callback.page(context.terminal, &outcome).await;
    outcome
}

struct Flow {
    state: String,
    nonce: String,
    verifier: String,
    redirect: String,
}

impl Flow {
    fn address(&self, context: &Context, found: &Discovery) -> Result<Url, Problem> {
        let mut url = secure(&endpoint(
            found.authorization_endpoint.clone(),
            "authorization_endpoint",
        )?)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &context.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", SCOPE)
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    async fn finish(
        &self,
        context: &Context,
        found: &Discovery,
        callback: &Callback,
    ) -> Result<IdTokenClaims, Problem> {
        // RFC 9207: the answer says which gateway it is from (mix-up).
        match callback.one("iss") {
            Some(iss) if iss == context.issuer => {}
            None if !found.authorization_response_iss_parameter_supported => {}
            Some(_) | None => return Err(SignIn::Mismatch("iss").into()),
        }
        if let Some(code) = callback.one("error") {
            let description = callback.one("error_description").unwrap_or(code).to_owned();
            let reference = callback.one("reference").map(str::to_owned);
            return Err(Network::Refused {
                code: code.to_owned(),
                description,
                about: About::default(),
                reference,
            }
            .into());
        }
        let code = callback.one("code").ok_or(SignIn::Mismatch("code"))?;
        let url = endpoint(found.token_endpoint.clone(), "token_endpoint")?;
        let form = [
            ("grant_type", AUTHORIZATION_CODE),
            ("code", code),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", self.verifier.as_str()),
            ("client_id", context.client_id.as_str()),
        ];
        let tokens: TokenResponse = context.http.post(&url, &form).await?;
        context.begin(&tokens, Some(&self.nonce))
    }
}

fn invite(context: &Context, url: &Url, no_browser: bool) {
    let terminal = context.terminal;
    terminal.say(&terminal.pick(
        format!("Sign in in your browser:\n\n    {url}\n"),
        format!("Melden Sie sich im Browser an:\n\n    {url}\n"),
    ));
    if no_browser {
        return;
    }
    let url = url.to_string();
    // A browser that runs in the terminal would hold us up; a thread may be left behind.
    std::thread::spawn(move || {
        if webbrowser::open(&url).is_err() {
            terminal.say(&terminal.pick(
                "No browser could be opened. Open the address yourself, or use: fedctl login --device",
                "Es ließ sich kein Browser öffnen. Öffnen Sie die Adresse selbst oder nutzen Sie: fedctl login --device",
            ));
        }
    });
}
