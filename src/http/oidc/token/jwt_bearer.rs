//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`

use super::Call;
use crate::{
    broker::token::{Issued, foreign::Assertion},
    domain::oauth::{OAuthError, Refused},
};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let form = call.form;
    let sent = Assertion {
        token: form.need("assertion", "assertion is missing")?,
        audience: form
            .audience()?
            .ok_or_else(|| Refused::new(OAuthError::InvalidTarget, "audience is missing"))?,
        scope: form.get("scope"),
    };
    call.front.tokens.assert(call.client, &sent, call.caller).await
}
