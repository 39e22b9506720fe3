//! A client that acts for itself (RFC 6749 §4.4).

use std::time::Duration;

use crate::domain::{
    client::{ClientSettings, GrantType},
    oauth::{OAuthError, Refused},
};

use super::{Caller, Issued, Terms, TokenDesk};
use crate::broker::bearer::own_identity;

/// A client's proof is its secret, presented now: what follows from it ends with the token, which is shorter.
const PROOF_LIFETIME: Duration = Duration::from_secs(24 * 3600);

impl TokenDesk {
    /// An access token for the client itself: no refresh token, no ID token.
    pub async fn client_credentials(
        &self,
        client: &ClientSettings,
        (scope, audience): (&str, &str),
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        if client.is_public() || client.tenant.is_none() {
            return Err(Refused::new(
                OAuthError::UnauthorizedClient,
                "the client cannot act for itself: it has no secret or no tenant",
            ));
        }
        let now = self.clock.now();
        let ends = now.plus(PROOF_LIFETIME);
        let identity = own_identity(client, self.directory.issuer(), now, ends)?;
        let goal = self.goal(client, audience, ends)?;
        let permit = self.permit(&identity, &goal, client, caller).await?;
        let terms = Terms {
            client,
            scope,
            sid: None,
            nonce: None,
        };
        let (issued, access) = self.tokens(&permit, &terms)?;
        self.audit_issued(
            (&identity, client),
            GrantType::ClientCredentials,
            (audience, &access.id),
            caller,
        )
        .await?;
        Ok(issued)
    }
}
