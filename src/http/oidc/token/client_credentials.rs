//! `grant_type=client_credentials`

use super::{Call, audience};
use crate::{
    broker::token::{Issued, granted_scope},
    domain::oauth::Refused,
};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let scope = granted_scope(call.client, call.form.get("scope"))?;
    let audience = audience(call.front, call.client, call.form)?;
    call.front
        .tokens
        .client_credentials(call.client, (&scope, &audience), call.caller)
        .await
}
