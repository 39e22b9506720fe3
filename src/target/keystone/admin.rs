//! The administrator of a Keystone, signed in: for `fedgate keystone setup`, and for who only looks. The running gateway
//! is never one.

use ::http::Method;
use serde_json::{Value, json};

use super::{
    AdminConfig, Config,
    answer::{self, Answer},
    fault::KeystoneFault,
    transport::{Told, Transport},
};
use crate::port::secrets::Secrets;
use crate::wire::{identity::AnyToken, keystone::SUBJECT_TOKEN};

/// Signs in as configured. A token of the configuration is taken as it is.
pub(super) async fn sign_in(
    config: &Config,
    transport: &Transport,
    secrets: &dyn Secrets,
) -> Result<String, KeystoneFault> {
    let admin = declared(config)?;
    let (project, project_domain) = match admin {
        AdminConfig::Token { token } => return Ok(read(secrets, token)?.reveal().to_owned()),
        AdminConfig::Password {
            project,
            project_domain,
            ..
        } => (project, project_domain),
    };
    let scope = json!({ "project": { "name": project, "domain": { "name": project_domain } } });
    let (token, _) = signed_in(transport, identity(admin, secrets)?, &scope).await?;
    Ok(token)
}

/// Signs in for the whole system, where the administrator has a role on it: the token, and the user's id.
pub(super) async fn for_system(
    config: &Config,
    transport: &Transport,
    secrets: &dyn Secrets,
) -> Result<(String, String), KeystoneFault> {
    let identity = identity(declared(config)?, secrets)?;
    let (token, answer) = signed_in(transport, identity, &json!({ "system": { "all": true } })).await?;
    let own: AnyToken = serde_json::from_slice(&answer.body).map_err(|problem| KeystoneFault::Refused {
        step: "signing in for the system".to_owned(),
        answer: format!("the token has another shape: {problem}"),
    })?;
    Ok((token, own.token.user.id))
}

fn declared(config: &Config) -> Result<&AdminConfig, KeystoneFault> {
    config.admin.as_ref().ok_or_else(|| {
        KeystoneFault::Configuration(format!(
            "target '{}' has no 'admin': Keystone's administrator is needed once, for setting up",
            config.id
        ))
    })
}

fn read(
    secrets: &dyn Secrets,
    from: &crate::domain::secret::SecretRef,
) -> Result<crate::domain::secret::Secret, KeystoneFault> {
    secrets
        .read(from)
        .map_err(|missing| KeystoneFault::Configuration(missing.to_string()))
}

fn identity(admin: &AdminConfig, secrets: &dyn Secrets) -> Result<Value, KeystoneFault> {
    Ok(match admin {
        AdminConfig::Token { token } => {
            json!({ "methods": ["token"], "token": { "id": read(secrets, token)?.reveal() } })
        }
        AdminConfig::Password {
            user,
            user_domain,
            password,
            ..
        } => json!({ "methods": ["password"], "password": { "user": {
            "name": user, "domain": { "name": user_domain }, "password": read(secrets, password)?.reveal() } } }),
    })
}

async fn signed_in(
    transport: &Transport,
    identity: Value,
    scope: &Value,
) -> Result<(String, Answer), KeystoneFault> {
    let body = json!({ "auth": { "identity": identity, "scope": scope } });
    let call = answer::with_json(answer::call(Method::POST, "/v3/auth/tokens"), &body);
    let answer = answer::send(transport, call, &Told::new())
        .await
        .map_err(KeystoneFault::Down)?;
    match (answer.status, answer.header(SUBJECT_TOKEN)) {
        (201, Some(token)) => Ok((token.to_owned(), answer)),
        _ => Err(KeystoneFault::Refused {
            step: "signing in as the administrator".to_owned(),
            answer: answer.complaint(),
        }),
    }
}
