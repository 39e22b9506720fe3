//! `grant_type=refresh_token`

use super::Call;
use crate::{broker::token::Issued, domain::oauth::Refused};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let token = call.form.need("refresh_token", "refresh_token is missing")?;
    call.front
        .tokens
        .refresh(call.client, token, call.form.get("scope"), call.caller)
        .await
}
