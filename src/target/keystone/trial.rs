//! Settings of a Keystone that its API does not tell, found out by calls that they alone refuse. Nobody is made by it,
//! and no token is left.

use std::time::Duration;

use ::http::Method;

use super::{
    Config, admin,
    answer::{self, Answer},
    encoded,
    headers::name,
    transport::{Told, Transport},
};
use crate::port::secrets::Secrets;
use crate::wire::keystone::{AUTH_TOKEN, SUBJECT_TOKEN};

/// Each call by itself.
const WITHIN: Duration = Duration::from_secs(15);
/// An issuer that no identity provider has: Keystone turns it away before it looks at anybody.
const NO_ISSUER: &str = "https://fedgate-doctor.invalid/keystone";
/// An origin that no Keystone trusts.
pub const NO_DASHBOARD: &str = "https://fedgate-doctor.invalid/auth/websso/";

fn transport(config: &Config, issuer: &str) -> Result<Transport, String> {
    let client = config.client().map_err(|fault| fault.to_string())?;
    Ok(Transport::open(config, issuer, client, 1)?.within(WITHIN))
}

async fn call(transport: &Transport, method: Method, path: &str, token: &str) -> Result<Answer, String> {
    let call = answer::with(answer::call(method, path), AUTH_TOKEN, token);
    answer::send(transport, call, &Told::new()).await
}

/// Whether `[oslo_policy] enforce_scope` is on.
///
/// Keystone gives the list of somebody's OAuth 1 tokens to an administrator of a project, and for the system only where
/// scopes are not enforced: the role is the same. Without the first answer, the second would tell nothing.
pub async fn enforces_scope(config: &Config, issuer: &str, secrets: &dyn Secrets) -> Result<bool, String> {
    let transport = transport(config, issuer)?;
    let project = admin::sign_in(config, &transport, secrets);
    let project = project.await.map_err(|fault| fault.to_string())?;
    let system = admin::for_system(config, &transport, secrets).await;
    let (system, user) =
        system.map_err(|fault| format!("{fault}; the trial needs a role on the system (--system all)"))?;
    let path = format!("/v3/users/{}/OS-OAUTH1/access_tokens", encoded(&user));
    let usual = call(&transport, Method::GET, &path, &project).await;
    let tried = call(&transport, Method::GET, &path, &system).await;
    let end = answer::call(Method::DELETE, "/v3/auth/tokens");
    let end = answer::with(answer::with(end, AUTH_TOKEN, &system), SUBJECT_TOKEN, &system);
    // What cannot be ended ends by itself.
    drop(answer::send(&transport, end, &Told::new()).await);
    let (usual, tried) = (usual?, tried?);
    match (usual.status, tried.status) {
        (200, 403) => Ok(true),
        (200, 200) => Ok(false),
        (200, _) => Err(format!("with a token for the system {}", tried.complaint())),
        _ => Err(format!("with a token for a project {}", usual.complaint())),
    }
}

/// Whether Keystone's `trusted_dashboard` has each of these origins.
///
/// Keystone looks at the origin first, then at who is told: an issuer that it does not know is 403 to a dashboard that
/// it trusts, and never reached from any other (401).
pub async fn trusts(config: &Config, issuer: &str, origins: &[&str]) -> Result<Vec<bool>, String> {
    let transport = transport(config, issuer)?;
    let told: Told = vec![(name::ISS, NO_ISSUER.to_owned())];
    let known = answer::send(&transport, answer::call(Method::POST, &config.auth_path()), &told).await?;
    if known.status != 403 {
        let said = known.complaint();
        return Err(format!(
            "an issuer that it does not know should be 403, but {said}"
        ));
    }
    let mut trusted = Vec::with_capacity(origins.len());
    for origin in origins {
        let path = format!("{}?origin={}", config.websso_path(), encoded(origin));
        let answer = answer::send(&transport, answer::call(Method::GET, &path), &told).await?;
        trusted.push(match answer.status {
            403 => true,
            401 => false,
            _ => return Err(format!("with the origin '{origin}' {}", answer.complaint())),
        });
    }
    Ok(trusted)
}
