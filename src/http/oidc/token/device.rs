//! `grant_type=urn:ietf:params:oauth:grant-type:device_code`

use super::Call;
use crate::{broker::token::Issued, domain::oauth::Refused};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let code = call.form.need("device_code", "device_code is missing")?;
    call.front
        .tokens
        .poll(call.client, code, call.form.get("code_verifier"), call.caller)
        .await
}
