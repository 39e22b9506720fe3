//! Userinfo (OIDC Core §5.3): the bearer's own facts, as far as the token's scopes go.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{Front, respond};
use crate::{
    domain::fault::{Code, Fault},
    http::{browser::Ask, fault},
    wire::oidc::{Person, Userinfo},
};

/// `GET` and `POST /oauth2/userinfo`. The token comes in the header alone: a URL stands in logs.
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let Some(token) = bearer(&ask) else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"fedgate\""),
        );
        return response;
    };
    match facts(&front, token).await {
        Ok(facts) => respond::fresh(&facts),
        Err(fault) => fault::bearer(&fault, &ask.caller.reference),
    }
}

fn bearer(ask: &Ask) -> Option<&str> {
    let mut sent = ask.headers.get_all(header::AUTHORIZATION).iter();
    let value = sent.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (sent.next().is_none() && scheme.eq_ignore_ascii_case("Bearer")).then_some(token.trim())
}

async fn facts(front: &Front, token: &str) -> Result<Userinfo, Fault> {
    let (live, claims) = front.bearer.verify(token, front.directory.issuer()).await?;
    if !claims.has_scope("openid") {
        return Err(Fault::new(Code::NoAccess, "the token lacks the scope openid"));
    }
    let identity = &live.identity;
    let (profile, email) = (claims.has_scope("profile"), claims.has_scope("email"));
    // The gateway's own command line shows people all that they are here; a tool gets what policy releases to it.
    let own = front
        .directory
        .client(&claims.client_id)
        .is_some_and(|client| !client.exchange.is_empty());
    let groups = if own {
        identity.groups().iter().map(|group| group.name.clone()).collect()
    } else {
        claims.groups.clone()
    };
    let address = identity.email().filter(|_| email).map(str::to_owned);
    Ok(Userinfo {
        sub: claims.sub.clone(),
        person: Person {
            name: identity.name().filter(|_| profile).map(str::to_owned),
            preferred_username: profile.then(|| identity.username().to_owned()),
            email_verified: address.as_ref().map(|_| identity.email_verified()),
            email: address,
            tenant: Some(identity.tenant().to_string()),
            groups: claims.has_scope("groups").then_some(groups),
        },
        session_expires_at: Some(live.session.ends.0),
    })
}
