//! The account that works in one domain: signed in for that domain alone, and turned away if it could do more. And
//! [`Session`], how anybody who is signed in at Keystone calls it and reads its lists.

use std::time::Duration;

use ::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    super::{
        answer::{self, Answer},
        transport::{Told, Transport},
    },
    KeystoneFault, Provisioner,
};
use crate::{
    domain::secret::Secret,
    outbound::pauses::back_off,
    port::relay::Call,
    wire::{
        identity::OwnToken,
        keystone::{AUTH_TOKEN, Resource, SUBJECT_TOKEN},
    },
};

/// Each call by itself. Lists of thousands take Keystone seconds.
pub(super) const WITHIN: Duration = Duration::from_secs(60);
/// A worker of Keystone's that ends takes a call with it, and so does its database when two calls lock each other
/// out: how often a call is made again, and the longest pause before that.
const MORE_TRIES: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Most pages of one list.
const MOST_PAGES: usize = 1_000;
/// Whoever holds it may do everything everywhere.
const ADMIN: &str = "admin";

/// The account, signed in for one domain.
pub(super) struct Manager {
    session: Session,
    pub(super) domain_id: String,
}

impl std::ops::Deref for Manager {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Manager {
    /// Ends it.
    pub(super) async fn end(self) {
        self.session.end().await;
    }
}

/// Somebody who is signed in at Keystone.
pub(super) struct Session {
    transport: Transport,
    token: String,
}

/// Signs in for a domain. None where Keystone knows no such domain, or the account is nobody there.
pub(super) async fn sign_in(by: &Provisioner, domain: &str) -> Result<Manager, KeystoneFault> {
    let settings = &by.settings;
    let password = by.password();
    let mut answer = proved(by, &password, domain).await?;
    if answer.status == 401
        && let Some(password) = by.password_after(&password)
    {
        answer = proved(by, &password, domain).await?;
    }
    let step = format!(
        "signing in as '{}' for the domain '{domain}' (give it the role 'manager' there: openstack role add --user {} \
         --user-domain {} --domain {domain} manager)",
        settings.user, settings.user, settings.user_domain
    );
    let refused = |answer: String| KeystoneFault::Refused {
        step: step.clone(),
        answer,
    };
    let token = match (answer.status, answer.header(SUBJECT_TOKEN)) {
        (201, Some(token)) => token.to_owned(),
        _ => return Err(failed(&step, &answer)),
    };
    let own: OwnToken = serde_json::from_slice(&answer.body)
        .map_err(|problem| refused(format!("the token has another shape: {problem}")))?;
    confined(&own.token.roles, settings.user.as_str(), domain)?;
    let domain_id = own.token.domain.ok_or_else(|| {
        refused("the token is not for a domain: look at Keystone's default_domain settings".to_owned())
    })?;
    Ok(Manager {
        session: Session::new(&by.transport, token),
        domain_id: domain_id.id,
    })
}

async fn proved(by: &Provisioner, password: &Secret, domain: &str) -> Result<Answer, KeystoneFault> {
    let settings = &by.settings;
    let body = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": settings.user, "domain": { "name": settings.user_domain },
            "password": password.reveal() } } },
        "scope": { "domain": { "name": domain } },
    } });
    let call = || answer::with_json(answer::call(Method::POST, "/v3/auth/tokens"), &body);
    patiently(&by.transport, call, &Told::new()).await
}

/// Deny by default: what the account cannot do, a mistake or a thief cannot do with it.
fn confined(roles: &[Resource], user: &str, domain: &str) -> Result<(), KeystoneFault> {
    let holds = |name: &str| roles.iter().any(|role| role.name.eq_ignore_ascii_case(name));
    if holds(ADMIN) {
        return Err(KeystoneFault::Configuration(format!(
            "'provision': the account '{user}' holds the role 'admin' on the domain '{domain}': take it away, and give \
             'manager' instead; nothing was done with it"
        )));
    }
    if holds("manager") {
        Ok(())
    } else {
        Err(KeystoneFault::Configuration(format!(
            "'provision': the account '{user}' is no 'manager' of the domain '{domain}': openstack role add --user \
             {user} --domain {domain} manager"
        )))
    }
}

/// An answer that is not the expected one.
pub(super) fn failed(step: &str, answer: &Answer) -> KeystoneFault {
    if answer.status >= 500 {
        KeystoneFault::Down(format!("{step}: {}", answer.complaint()))
    } else {
        KeystoneFault::Refused {
            step: step.to_owned(),
            answer: answer.complaint(),
        }
    }
}

/// One call; again where the connection broke, as every call of provisioning may be made twice. Each has a connection
/// of its own: a server that closes an idle one (uWSGI does, at once) would break the call that takes it up again.
pub(super) async fn patiently(
    transport: &Transport,
    call: impl Fn() -> Call + Send,
    told: &Told,
) -> Result<Answer, KeystoneFault> {
    let mut failures = 0;
    loop {
        let call = answer::with(call(), "connection", "close");
        match answer::send(transport, call, told).await {
            Ok(answer) => return Ok(answer),
            Err(problem) if failures == MORE_TRIES => return Err(KeystoneFault::Down(problem)),
            Err(_) => {
                // Of different length: calls that locked each other out must not meet again.
                tokio::time::sleep(back_off(failures, LONGEST_PAUSE)).await;
                failures += 1;
            }
        }
    }
}

impl Session {
    /// By a token of Keystone's.
    pub(super) fn new(transport: &Transport, token: String) -> Self {
        Self {
            transport: transport.clone(),
            token,
        }
    }

    /// Ends it. What fails here is no harm: the token ends by itself.
    pub(super) async fn end(self) {
        let call = answer::call(Method::DELETE, "/v3/auth/tokens");
        let call = answer::with(
            answer::with(call, AUTH_TOKEN, &self.token),
            SUBJECT_TOKEN,
            &self.token,
        );
        if let Err(problem) = answer::send(&self.transport, call, &Told::new()).await {
            tracing::warn!(%problem, "a token of provisioning ends by itself");
        }
    }

    /// One call.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, KeystoneFault> {
        let call = || {
            let call = answer::with(answer::call(method.clone(), path), AUTH_TOKEN, &self.token);
            match body {
                Some(body) => answer::with_json(call, body),
                None => call,
            }
        };
        patiently(&self.transport, call, &Told::new()).await
    }

    /// A whole list. One that Keystone cut short is refused: who is missing in it would look like gone.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
    ) -> Result<Vec<T>, KeystoneFault> {
        let step = format!("reading {key}");
        let refused = |answer: String| KeystoneFault::Refused {
            step: step.clone(),
            answer,
        };
        let (mut all, mut next) = (Vec::new(), path.to_owned());
        for _ in 0..MOST_PAGES {
            let answer = self.call(Method::GET, &next, None).await?;
            if answer.status != 200 {
                return Err(failed(&step, &answer));
            }
            let mut page: Value = serde_json::from_slice(&answer.body)
                .map_err(|problem| refused(format!("Keystone answered in an unknown shape: {problem}")))?;
            let items = page.get_mut(key).map(Value::take);
            let Some(Value::Array(items)) = items else {
                return Err(refused(format!("Keystone's answer has no '{key}'")));
            };
            for item in items {
                let item = serde_json::from_value(item)
                    .map_err(|problem| refused(format!("an entry of another shape: {problem}")))?;
                all.push(item);
            }
            match page.pointer("/links/next").and_then(Value::as_str) {
                Some(link) => next = below_v3(link).ok_or_else(|| refused("a strange link".to_owned()))?,
                None if page.get("truncated") == Some(&Value::Bool(true)) => {
                    return Err(refused(
                        "Keystone cut the list short: raise or remove 'list_limit' in keystone.conf"
                            .to_owned(),
                    ));
                }
                None => return Ok(all),
            }
        }
        Err(refused("the list does not end".to_owned()))
    }
}

/// Path and query of a link of Keystone's, from `/v3` on: whatever host it names, we ask our own.
fn below_v3(link: &str) -> Option<String> {
    let at = link.find("/v3/")?;
    link.get(at..).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(names: &[&str]) -> Vec<Resource> {
        let role = |name: &&str| Resource {
            id: format!("id-of-{name}"),
            name: (*name).to_owned(),
        };
        names.iter().map(role).collect()
    }

    #[test]
    fn an_account_that_could_do_more_is_turned_away() {
        assert!(confined(&roles(&["manager", "member", "reader"]), "u", "acme").is_ok());
        for bad in [&["manager", "admin"][..], &["Admin"], &["member"], &[]] {
            assert!(confined(&roles(bad), "u", "acme").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_link_leads_to_our_own_keystone() {
        assert_eq!(
            below_v3("https://elsewhere.example/identity/v3/users?marker=a").as_deref(),
            Some("/v3/users?marker=a")
        );
        assert_eq!(below_v3("https://elsewhere.example/"), None);
    }
}
