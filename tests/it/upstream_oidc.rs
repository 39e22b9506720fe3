//! OpenID providers as upstream: the certified `oidc-provider`, and a hostile one that breaks one check at a time.

mod certified;
pub mod forger;
mod hostile;
mod keys;
mod notices;
mod reach;

use std::sync::Arc;

use fedgate::{
    port::upstream::{LoginAsk, Upstream},
    upstream::{Declared, open},
};
use serde_json::{Value, json};

use crate::parts::wiring::{TestClock, wiring};

const CALLBACK: &str = "https://gateway.test/login/acme/callback";
const SECRET: &str = "a secret: with %/+ signs";
const STATE: &str = "a-state-that-cannot-be-guessed";

/// Opens an upstream with `more` settings.
fn upstream(clock: &Arc<TestClock>, issuer: &str, more: &Value) -> Arc<dyn Upstream> {
    let mut settings = json!({
        "kind": "oidc", "id": "acme", "name": "ACME", "tenant": "acme", "issuer": issuer, "client_id": "gateway",
        "client_secret": { "env": SECRET }, "addresses": "loopback", "userinfo": true,
    });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let declared: Declared = serde_json::from_value(settings).unwrap();
    open(declared, &wiring(clock)).unwrap()
}

fn ask() -> LoginAsk {
    LoginAsk {
        callback: CALLBACK.to_owned(),
        state: STATE.to_owned(),
        ..LoginAsk::default()
    }
}
