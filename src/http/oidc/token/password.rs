//! `grant_type=password`

use super::{Call, audience};
use crate::{
    broker::token::{Issued, granted_scope},
    domain::{oauth::Refused, secret::Secret},
};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let scope = granted_scope(call.client, call.form.get("scope"))?;
    let audience = audience(call.front, call.client, call.form)?;
    let username = call.form.need("username", "username is missing")?;
    // Wiped when dropped.
    let password = Secret::new(call.form.need("password", "password is missing")?.to_owned());
    call.front
        .tokens
        .password(
            call.client,
            (username, password.reveal()),
            (&scope, &audience),
            call.caller,
        )
        .await
}
