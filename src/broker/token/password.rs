//! The person's password, taken by the client (RFC 6749 §4.3), for old command lines: `v3oidcpassword`.
//!
//! RFC 9700 §2.4 wants this gone: the client sees the password, and no second factor can be asked for. So it is off
//! unless a confidential client is configured with the grant, it works for the people of that client's tenant and
//! for upstreams whose passwords this gateway takes anyway, with the same limits on guessing, and never hands out a
//! refresh token. An upstream of another kind is never sent a password.

use crate::domain::{
    client::{ClientSettings, GrantType},
    fault::Code,
    oauth::{OAuthError, Refused},
};
use crate::port::upstream::Finished;

use super::{Caller, Issued, Terms, TokenDesk};

impl TokenDesk {
    /// Tokens for a person who has given the client their password.
    pub async fn password(
        &self,
        client: &ClientSettings,
        (username, password): (&str, &str),
        (scope, audience): (&str, &str),
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let unfit = || {
            Refused::new(
                OAuthError::UnauthorizedClient,
                "the client cannot take passwords: it has no secret, or its tenant has no password sign-in",
            )
        };
        let tenant = client
            .tenant
            .as_ref()
            .filter(|_| !client.is_public())
            .ok_or_else(unfit)?;
        let sources = self.directory.sources_of(tenant);
        let way = sources
            .iter()
            .find_map(|source| source.upstream.ways().password)
            .ok_or_else(unfit)?;
        let assertion = way
            .verify(username, password, &caller.address_text())
            .await
            .map_err(|fault| {
                if !matches!(fault.code, Code::BadCredentials | Code::TooManyAttempts) {
                    return fault.into();
                }
                // RFC 6749 §5.2. Which of the two was wrong, and whether guessing was stopped, is not told.
                let description = "user name or password is wrong, or there were too many attempts";
                Refused {
                    fault,
                    ..Refused::new(OAuthError::InvalidGrant, description)
                }
            })?;
        let finished = Finished::once(assertion);
        let live = self.desk.open(finished, caller).await?;
        let goal = self.goal(client, audience, live.session.ends)?;
        let permit = self.permit(&live.identity, &goal, client, caller).await?;
        let terms = Terms {
            client,
            scope,
            sid: Some(&live.sid),
            nonce: None,
        };
        let (issued, access) = self.tokens(&permit, &terms)?;
        self.audit_issued(
            (&live.identity, client),
            GrantType::Password,
            (audience, &access.id),
            caller,
        )
        .await?;
        Ok(issued)
    }
}
