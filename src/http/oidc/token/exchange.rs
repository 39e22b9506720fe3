//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`

use super::Call;
use crate::{
    broker::token::{Issued, exchange::Exchange},
    domain::oauth::{OAuthError, Refused},
    http::oidc::parameters::malformed,
};

pub(super) async fn run(call: &Call<'_>) -> Result<Issued, Refused> {
    let form = call.form;
    if form.get("actor_token").is_some() || form.get("actor_token_type").is_some() {
        return Err(malformed("actor tokens are not taken"));
    }
    let sent = Exchange {
        subject_token: form.need("subject_token", "subject_token is missing")?,
        subject_token_type: form.need("subject_token_type", "subject_token_type is missing")?,
        audience: form
            .audience()?
            .ok_or_else(|| Refused::new(OAuthError::InvalidTarget, "audience is missing"))?,
        requested_token_type: form.get("requested_token_type"),
        scope: form.get("scope"),
    };
    call.front.tokens.exchange(call.client, &sent, call.caller).await
}
