//! User name and password, for upstreams whose passwords we take ourselves.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    broker::directory::Source,
    domain::{
        fault::{Code, Fault},
        secret::Secret,
    },
    http::{fault, page::view::SignIn},
};

use super::{Ask, Front, begin::source_of, cookie, with_cookies, with_return};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    form: String,
    #[serde(default, rename = "return")]
    back: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// `GET /login/{upstream}/password`
pub(super) async fn show(
    State(front): State<Arc<Front>>,
    Path(upstream): Path<String>,
    ask: Ask,
) -> Response {
    match source_of(&front, &upstream) {
        Ok((_, source)) if source.upstream.ways().password.is_some() => {
            let sealed = ask.query("return").unwrap_or_default().to_owned();
            page(&front, &ask, source, (sealed, String::new()), None)
        }
        Ok(_) => front.failed(
            &ask,
            &Fault::new(Code::NotFound, "this upstream takes no password here"),
            None,
        ),
        Err(fault) => front.failed(&ask, &fault, None),
    }
}

/// `POST /login/{upstream}/password`
pub(super) async fn check(
    State(front): State<Arc<Front>>,
    Path(upstream): Path<String>,
    ask: Ask,
    form: Result<Form<Typed>, FormRejection>,
) -> Response {
    let (id, source) = match source_of(&front, &upstream) {
        Ok(found) => found,
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    let Ok(Form(typed)) = form else {
        let fault = Fault::new(Code::BadRequest, "the form does not parse");
        return front.failed(&ask, &fault, Some(source));
    };
    let password = Secret::new(typed.password);
    let kept = (typed.back.clone(), typed.username.clone());
    let held = front.form_holds(&ask, ask.uri.path(), &typed.form);
    let back = match held.and_then(|()| front.back_of(Some(&typed.back))) {
        Ok(back) => back,
        // Not an error page: the person gets a fresh form, with what they typed except the password.
        Err(fault) if fault.code == Code::FormExpired => {
            return page(&front, &ask, source, kept, Some(fault.code));
        }
        Err(fault) => return front.failed(&ask, &fault, Some(source)),
    };
    let checked = front
        .logins
        .password(&id, (typed.username.trim(), password.reveal()), &ask.caller)
        .await;
    match checked {
        Ok(live) => {
            let place = front.next(&back);
            let response = front
                .pages
                .onward(&front.frame(&ask), &back.path, place.as_deref());
            with_cookies(response, cookie::set(cookie::SESSION, &live.session.id.0, None))
        }
        Err(fault) if matches!(fault.code, Code::BadCredentials | Code::TooManyAttempts) => {
            tracing::info!(reference = %ask.caller.reference, code = %fault.code, upstream = %id, "a password was refused");
            page(&front, &ask, source, kept, Some(fault.code))
        }
        Err(fault) => front.failed(&ask, &fault, Some(source)),
    }
}

fn page(
    front: &Front,
    ask: &Ask,
    source: &Source,
    (sealed, username): (String, String),
    problem: Option<Code>,
) -> Response {
    let action = ask.uri.path().to_owned();
    let (browser, set) = front.browser(ask);
    let tenant = front.directory().tenant(source.upstream.tenant());
    let several = front.directory().for_people().nth(1).is_some();
    let sealed = Some(sealed).filter(|sealed| !sealed.is_empty());
    let view = SignIn {
        form: front.form(&browser, &action),
        action,
        organisation: tenant.map(|tenant| tenant.name.clone()).unwrap_or_default(),
        source: source.upstream.display_name().to_owned(),
        username: username.chars().take(255).collect(),
        problem,
        next: front
            .back_of(sealed.as_deref())
            .ok()
            .and_then(|back| front.next(&back)),
        other: several.then(|| with_return("/login", sealed.as_deref())),
        return_to: sealed,
    };
    let mut response = front.pages.show(
        &front.frame(ask),
        problem.map_or(StatusCode::OK, fault::status),
        &view,
    );
    if let Some(code) = problem {
        fault::extra_headers(code, response.headers_mut());
    }
    with_cookies(response, set)
}
