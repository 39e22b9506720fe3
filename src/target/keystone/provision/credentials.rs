//! Application credentials: only their owner or an administrator may delete them, and the account here is neither.
//!
//! In front mode this gateway says who somebody is. So it signs in at Keystone as the person once more, tells
//! Keystone the roles that they keep and no other, deletes the credentials, and ends the token. It can only take
//! away by that: the roles told are those that the person has already. The token leaves this file for nobody.
//! Where Keystone is not behind this gateway the sign-in fails; Keystone then refuses the credentials all the same,
//! for the role behind them is gone or the user disabled, and they are deleted with the user.

use std::collections::BTreeSet;

use ::http::Method;

use super::{
    super::{answer, headers},
    KeystoneFault, Provisioner, Role, Who, encoded,
    found::Found,
    manager::{Session, failed, patiently},
};
use crate::wire::{identity::ApplicationCredential, keystone::SUBJECT_TOKEN};

/// Deletes a person's application credentials on every project that they do not keep. Says what was done.
pub(super) async fn take(
    by: &Provisioner,
    found: &Found,
    (who, keep, all): (&Who, &BTreeSet<Role>, bool),
) -> Result<String, KeystoneFault> {
    let user = found
        .domains
        .get(&who.domain)
        .and_then(|domain| domain.people.get(&who.key))
        .ok_or_else(|| KeystoneFault::Configuration(format!("{who} has no user")))?;
    let roles = keep
        .iter()
        .map(|role| (role.domain.as_str(), role.project.as_str(), role.role.as_str()));
    let told = headers::of_person((&who.key, &who.username, &who.domain), &by.remote_id, roles)
        .map_err(|fault| KeystoneFault::Configuration(fault.detail))?;
    let path = by.keystone.auth_path();
    let answer = patiently(&by.transport, || answer::call(Method::POST, &path), &told).await?;
    let token = match (answer.status, answer.header(SUBJECT_TOKEN)) {
        (201, Some(token)) => token.to_owned(),
        _ => return Err(failed("signing in to delete application credentials", &answer)),
    };
    let kept: BTreeSet<&str> = keep
        .iter()
        .filter(|_| !all)
        .filter_map(|role| {
            let project = found.domains.get(&role.domain)?.projects.get(&role.project)?;
            Some(project.id.as_str())
        })
        .collect();
    let own = Session::new(&by.transport, token);
    let taken = delete(&own, &user.id, &kept).await;
    own.end().await;
    Ok(format!("{} deleted", taken?))
}

/// All of them, whatever number Keystone shows at once: one on a later page would go on working.
async fn delete(own: &Session, user: &str, kept: &BTreeSet<&str>) -> Result<usize, KeystoneFault> {
    let path = format!("/v3/users/{}/application_credentials", encoded(user));
    let all: Vec<ApplicationCredential> = own.list(&path, "application_credentials").await?;
    let mut taken = 0;
    for credential in all {
        if kept.contains(credential.project_id.as_str()) {
            continue;
        }
        let path = format!("{path}/{}", encoded(&credential.id));
        let answer = own.call(Method::DELETE, &path, None).await?;
        match answer.status {
            204 => taken += 1,
            404 => {}
            _ => return Err(failed("deleting an application credential", &answer)),
        }
    }
    Ok(taken)
}
