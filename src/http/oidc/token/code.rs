//! `grant_type=authorization_code`

use super::Call;
use crate::{
    broker::token::{Issued, code::Redeem},
    domain::oauth::Refused,
};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let sent = Redeem {
        code: call.form.need("code", "code is missing")?,
        redirect_uri: call.form.need("redirect_uri", "redirect_uri is missing")?,
        verifier: call.form.get("code_verifier"),
    };
    call.front
        .tokens
        .redeem_code(call.client, sent, call.caller)
        .await
}
