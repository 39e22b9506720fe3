//! `fedctl kube credential`: the exec credential plugin of client-go (client.authentication.k8s.io).

use std::io::IsTerminal;
use std::process::ExitCode;

use crate::client::args::{Args, Credential, Login};
use crate::client::clock;
use crate::client::exchange::token;
use crate::client::login;
use crate::client::problem::{Local, Problem, SignIn};
use crate::client::session::Context;
use crate::client::terminal::Terminal;
use crate::wire::kube::{EXEC_KIND, EXEC_V1, EXEC_V1BETA1, ExecCredential, ExecSpec, ExecStatus};

/// Writes one `ExecCredential` on stdout and nothing else there.
pub async fn run(args: &Args, ask: &Credential, terminal: &Terminal) -> Result<ExitCode, Problem> {
    let question = question()?;
    let spec = question.spec.unwrap_or_default();
    let (context, audience) = destination(args, ask, &spec, *terminal)?;
    // The parent is the client (kubectl): when it comes again early, its token was refused.
    let parent = Some(std::os::unix::process::parent_id());
    let held = match token(&context, &audience, None, parent).await {
        // A person is asked only where one is sure to be: some clients say "interactive" in a pipe.
        Err(Problem::SignIn(SignIn::Missing { .. } | SignIn::Ended { .. }))
            if spec.interactive && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() =>
        {
            login::sign_in(&context, &Login::default()).await?;
            token(&context, &audience, None, parent).await?
        }
        other => other?,
    };
    let answer = ExecCredential {
        api_version: question.api_version,
        kind: EXEC_KIND.into(),
        spec: None,
        status: Some(ExecStatus {
            token: held.token,
            expiration_timestamp: Some(clock::rfc3339(held.renew)),
        }),
    };
    let text = serde_json::to_string(&answer).map_err(|error| Local::Runtime(error.to_string()))?;
    let written = terminal.answer(&text);
    written.map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What kubectl asks. Run by hand there is no question: then the newer protocol, for a person.
#[expect(
    clippy::disallowed_methods,
    reason = "the plugin protocol asks by the environment"
)]
fn question() -> Result<ExecCredential, Problem> {
    let Ok(text) = std::env::var("KUBERNETES_EXEC_INFO") else {
        return Ok(ExecCredential {
            api_version: EXEC_V1.into(),
            kind: EXEC_KIND.into(),
            spec: Some(ExecSpec {
                interactive: true,
                cluster: None,
            }),
            status: None,
        });
    };
    let question: ExecCredential =
        serde_json::from_str(&text).map_err(|error| Local::ExecInfo(error.to_string()))?;
    match question.api_version.as_str() {
        EXEC_V1 | EXEC_V1BETA1 if question.kind == EXEC_KIND => Ok(question),
        other => Err(Local::ExecInfo(format!("{} {other}", question.kind)).into()),
    }
}

/// Which gateway and which audience: the kubeconfig's word first, so that one user entry serves every
/// cluster, then the command line. A session is kept per gateway, so a kubeconfig that names a foreign
/// gateway never gets another gateway's tokens.
fn destination(
    args: &Args,
    ask: &Credential,
    spec: &ExecSpec,
    terminal: Terminal,
) -> Result<(Context, String), Problem> {
    let settings = spec.cluster.as_ref().and_then(|cluster| cluster.config.clone());
    let Some(settings) = settings else {
        let audience = ask
            .audience
            .clone()
            .ok_or_else(|| Local::ExecInfo("spec.cluster.config is missing, and so is --audience".into()))?;
        return Ok((Context::of(args, &terminal)?, audience));
    };
    let client_id = settings.client_id.unwrap_or_else(|| args.client_id.clone());
    let same = args.issuer.as_deref() == Some(settings.gateway.as_str());
    let ca = settings
        .ca
        .map(Into::into)
        .or_else(|| args.ca.clone().filter(|_| same));
    let audience = ask.audience.clone().unwrap_or(settings.audience);
    Ok((Context::at(settings.gateway, client_id, ca, terminal)?, audience))
}
