//! `fedctl openstack token`: a token of one project on stdout.

use std::process::ExitCode;

use crate::client::args::{Output, ProjectToken};
use crate::client::clock;
use crate::client::problem::{Local, Problem};
use crate::client::session::Context;

use super::login;

/// Prints it.
pub async fn run(context: &Context, ask: &ProjectToken) -> Result<ExitCode, Problem> {
    let (cloud, scoped) = login::scoped(context, &ask.place).await?;
    let terminal = context.terminal;
    let written = match terminal.output {
        Output::Json => terminal.answer(
            &serde_json::json!({
                "cloud": cloud.id, "auth_url": cloud.auth_url, "token": scoped.token,
                "expires_at": clock::rfc3339(scoped.ends), "project_id": scoped.project.id,
                "project": scoped.project.name, "roles": scoped.roles,
            })
            .to_string(),
        ),
        Output::Text if ask.raw => terminal.answer_raw(&scoped.token),
        Output::Text => terminal.answer(&scoped.token),
    };
    written.map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}
