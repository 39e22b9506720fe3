//! Introspection (RFC 7662) and revocation (RFC 7009).

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{Front, client_auth, parameters::Posted, respond};
use crate::{
    broker::{bearer::Claims, token::Known},
    domain::{
        client::ClientSettings,
        oauth::{OAuthError, Refused},
    },
    port::target::{AtService, Place},
    wire::oauth::{Introspection, Named, Project},
};

/// `POST /oauth2/introspect`
pub(super) async fn introspect(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    respond::answer(look(&front, &posted).await, &posted.ask.caller.reference)
}

async fn look(front: &Front, posted: &Posted) -> Result<Introspection, Refused> {
    let (client, token) = asked(front, posted).await?;
    if client.is_public() {
        return Err(Refused::new(
            OAuthError::InvalidClient,
            "introspection is for clients that prove themselves",
        ));
    }
    let known = front.tokens.introspect(client, token, &posted.ask.caller).await?;
    Ok(match known {
        None => Introspection::default(),
        Some(Known::Access(claims)) => access(*claims),
        Some(Known::AtService(claims, told)) => at_service(*claims, *told),
        Some(Known::Refresh(family, subject)) => Introspection {
            active: true,
            scope: Some(family.scope),
            client_id: Some(family.client.to_string()),
            token_type: Some("refresh_token".to_owned()),
            exp: Some(family.ends.0),
            iat: Some(family.rotated.0),
            sub: Some(subject),
            iss: Some(front.directory.issuer().to_owned()),
            sid: Some(family.sid),
            ..Introspection::default()
        },
    })
}

fn access(claims: Claims) -> Introspection {
    Introspection {
        active: true,
        scope: Some(claims.scope),
        client_id: Some(claims.client_id.to_string()),
        username: claims.preferred_username.clone(),
        token_type: Some("Bearer".to_owned()),
        exp: Some(claims.exp),
        iat: Some(claims.iat),
        nbf: Some(claims.iat),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti),
        sid: claims.sid,
        tenant: claims.tenant,
        preferred_username: claims.preferred_username,
        groups: claims.groups,
        ..Introspection::default()
    }
}

/// What keystonemiddleware's `external_oauth2_token` reads: one project, and roles as one text.
fn at_service(claims: Claims, told: AtService) -> Introspection {
    let place = |place: Place| Named {
        id: place.id,
        name: place.name,
    };
    Introspection {
        username: Some(told.username),
        roles: Some(told.roles.join(",")),
        user_domain: Some(place(told.user_domain)),
        project: Some(Project {
            domain: place(told.project_domain),
            id: told.project.id,
            name: told.project.name,
        }),
        ..access(claims)
    }
}

/// `POST /oauth2/revoke`
pub(super) async fn revoke(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    let outcome = end(&front, &posted).await;
    respond::answer(
        outcome.map(|()| serde_json::json!({})),
        &posted.ask.caller.reference,
    )
}

async fn end(front: &Front, posted: &Posted) -> Result<(), Refused> {
    let (client, token) = asked(front, posted).await?;
    Ok(front.tokens.revoke(client, token, &posted.ask.caller).await?)
}

async fn asked<'a>(front: &'a Front, posted: &'a Posted) -> Result<(&'a ClientSettings, &'a str), Refused> {
    let form = posted.strict()?;
    let presented = client_auth::presented(&posted.ask.headers, form)?;
    let client = front.clients.authenticate(&presented).await?;
    Ok((client, form.need("token", "token is missing")?))
}
