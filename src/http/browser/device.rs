//! A device wants to be signed in as this person. A link alone never lets it: the person sees who asks,
//! from where and for what, and answers by a form.

use std::sync::Arc;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    broker::{device::LIFETIME, session::Live},
    domain::fault::{Code, Fault},
    http::{
        fault,
        page::view::{DeviceCode, DeviceConfirm, DeviceDone},
    },
};

use super::{Ask, Front, somebody, with_cookies, with_return};

const PATH: &str = "/device";

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    form: String,
    #[serde(default)]
    user_code: String,
    #[serde(default)]
    answer: String,
}

/// `GET /device`: type the code, or, with `user_code`, see what it is for.
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let live = match front.live(&ask).await {
        Ok(Some(live)) => live,
        Ok(None) => return sign_in_first(&front, &ask),
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    let Some(typed) = ask.query("user_code").filter(|typed| !typed.is_empty()) else {
        return front
            .pages
            .show(&front.frame(&ask), StatusCode::OK, &DeviceCode::default());
    };
    match front.devices.look(typed, &ask.caller).await {
        Ok(device) => {
            let (browser, set) = front.browser(&ask);
            let address = ask.caller.address.map(|address| address.to_string());
            let view = DeviceConfirm {
                client: device.client_name,
                client_id: device.client.to_string(),
                scopes: device.scope,
                same_address: device.address.is_some() && device.address == address,
                address: device.address,
                asked: device.started,
                ends: device.started.plus(LIFETIME),
                person: somebody(&live),
                form: front.form(&browser, &form_of(&device.user_code)),
                user_code: device.user_code,
            };
            with_cookies(front.pages.show(&front.frame(&ask), StatusCode::OK, &view), set)
        }
        Err(fault) => again(&front, &ask, typed, &fault),
    }
}

/// `POST /device`
pub(super) async fn answer(
    State(front): State<Arc<Front>>,
    ask: Ask,
    form: Result<Form<Sent>, FormRejection>,
) -> Response {
    let Ok(Form(sent)) = form else {
        let fault = Fault::new(Code::BadRequest, "the form does not parse");
        return front.failed(&ask, &fault, None);
    };
    let live: Live = match front.live(&ask).await {
        Ok(Some(live)) => live,
        Ok(None) => {
            let fault = Fault::new(Code::SessionEnded, "nobody is signed in");
            return front.failed(&ask, &fault, None);
        }
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    // The proof is bound to the code that was shown: it answers for no other device.
    if let Err(fault) = front.form_holds(&ask, &form_of(&sent.user_code), &sent.form) {
        return front.failed(&ask, &fault, None);
    }
    let allowed = match sent.answer.as_str() {
        "allow" => true,
        "refuse" => false,
        _ => {
            let fault = Fault::new(Code::BadRequest, "neither allowed nor refused");
            return front.failed(&ask, &fault, None);
        }
    };
    match front
        .devices
        .answer(&sent.user_code, &live, allowed, &ask.caller)
        .await
    {
        Ok(client) => {
            let view = DeviceDone { client, allowed };
            front.pages.show(&front.frame(&ask), StatusCode::OK, &view)
        }
        Err(fault) => again(&front, &ask, &sent.user_code, &fault),
    }
}

fn form_of(user_code: &str) -> String {
    format!("{PATH}\n{user_code}")
}

/// The code page again, with what was wrong; any other failure is an error page.
fn again(front: &Front, ask: &Ask, typed: &str, fault: &Fault) -> Response {
    if !matches!(fault.code, Code::DeviceCodeUnknown | Code::TooManyAttempts) {
        return front.failed(ask, fault, None);
    }
    let view = DeviceCode {
        typed: typed.chars().take(32).collect(),
        problem: Some(fault.code),
    };
    let mut response = front
        .pages
        .show(&front.frame(ask), fault::status(fault.code), &view);
    fault::extra_headers(fault.code, response.headers_mut());
    response
}

/// No redirect: the code may have come by our form, and the way leads to another origin.
fn sign_in_first(front: &Front, ask: &Ask) -> Response {
    let back = front.logins.return_to(&ask.here());
    match front.logins.seal_return(&back) {
        Ok(sealed) => front
            .pages
            .onward(&front.frame(ask), &with_return("/login", Some(&sealed)), None),
        Err(fault) => front.failed(ask, &fault, None),
    }
}
