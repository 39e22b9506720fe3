//! Which client it is, and whether it has proved it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_lc_rs::{constant_time, digest};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde::Deserialize;

use crate::domain::{
    client::ClientSettings,
    ids::ClientId,
    oauth::{OAuthError, Refused},
    secret::Secret,
};
use crate::port::{
    clock::Clock,
    tickets::{TicketKind, Tickets},
};

use super::{directory::Directory, unchecked};

/// Longest life of a client assertion, and how long its `jti` is remembered (RFC 7523 §3).
const ASSERTION_LIFETIME: Duration = Duration::from_secs(600);

/// What a request presented as its client's proof.
#[derive(Debug, Clone)]
pub enum Presented {
    /// `client_id` alone.
    Id(String),
    /// A secret, by header or form.
    Secret(String, Secret),
    /// `client_assertion` of type jwt-bearer, with the `client_id` beside it if one was sent.
    Assertion(Option<String>, String),
}

/// Client proofs, prepared at load: a secret is kept as its SHA-256 (it is generated, not chosen: oidc.md §5).
pub struct ClientDesk {
    directory: Arc<Directory>,
    tickets: Arc<dyn Tickets>,
    clock: Arc<dyn Clock>,
    proofs: BTreeMap<ClientId, Proof>,
}

/// What a client's proof is checked against.
#[derive(Debug, Clone)]
pub enum Proof {
    /// Public.
    None,
    /// SHA-256 of the secret.
    Secret([u8; 32]),
    /// The client's public keys.
    Keys(JwkSet),
}

impl std::fmt::Debug for ClientDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ClientDesk")
            .field("clients", &self.proofs.len())
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a secret.
#[must_use]
pub fn hash_secret(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    hash
}

#[derive(Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    exp: i64,
    jti: String,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
}

impl ClientDesk {
    /// Takes over the proofs that `app` has read.
    #[must_use]
    pub fn new(
        directory: Arc<Directory>,
        tickets: Arc<dyn Tickets>,
        clock: Arc<dyn Clock>,
        proofs: BTreeMap<ClientId, Proof>,
    ) -> Self {
        Self {
            directory,
            tickets,
            clock,
            proofs,
        }
    }

    /// The client, if its proof holds. Unknown and wrong look alike, in answer and in time.
    pub async fn authenticate(&self, presented: &Presented) -> Result<&ClientSettings, Refused> {
        match presented {
            Presented::Id(id) => {
                let client = self.known(id)?;
                if client.is_public() {
                    Ok(client)
                } else {
                    Err(unproved())
                }
            }
            Presented::Secret(id, secret) => {
                let hash = hash_secret(secret.reveal());
                let proof = ClientId::parse(id).ok().and_then(|id| self.proofs.get(&id));
                let Some(Proof::Secret(own)) = proof else {
                    return Err(unproved());
                };
                constant_time::verify_slices_are_equal(own, &hash).map_err(|_| unproved())?;
                self.known(id)
            }
            Presented::Assertion(id, jwt) => self.by_assertion(id.as_deref(), jwt).await,
        }
    }

    /// A registered client by its id, without proof: for the authorization endpoint.
    pub fn known(&self, id: &str) -> Result<&ClientSettings, Refused> {
        let id = ClientId::parse(id).map_err(|_| unproved())?;
        self.directory.client(&id).ok_or_else(unproved)
    }

    async fn by_assertion(&self, id: Option<&str>, jwt: &str) -> Result<&ClientSettings, Refused> {
        let header = decode_header(jwt).map_err(|_| unproved())?;
        // An extension that must be understood and is not (RFC 7515 §4.1.11); the library passes over it.
        if header.crit.is_some() {
            return Err(unproved());
        }
        // Who it claims to be decides which keys may prove it; nothing else is read before the signature holds.
        let claimed = unchecked(jwt)
            .as_ref()
            .and_then(|claims| claims.get("sub")?.as_str())
            .map(str::to_owned)
            .ok_or_else(unproved)?;
        if id.is_some_and(|id| id != claimed) {
            return Err(unproved());
        }
        let client = self.known(&claimed)?;
        let Some(Proof::Keys(keys)) = self.proofs.get(&client.id) else {
            return Err(unproved());
        };
        let claims =
            verified(jwt, header.alg, header.kid.as_deref(), keys, &self.audiences()).ok_or_else(unproved)?;
        let now = self.clock.now();
        let in_time = claims.exp > now.0
            && claims.exp <= now.plus(ASSERTION_LIFETIME).0
            && claims
                .iat
                .max(claims.nbf)
                .is_none_or(|begins| begins <= now.0 + 60);
        if claims.iss != claimed || claims.sub != claimed || !in_time || claims.jti.len() > 256 {
            return Err(unproved());
        }
        let seen = format!("{claimed} {}", claims.jti);
        match self
            .tickets
            .put(TicketKind::Seen, &seen, b"1", ASSERTION_LIFETIME)
            .await
        {
            Ok(true) => Ok(client),
            Ok(false) => Err(unproved()),
            Err(fault) => Err(Refused::from(crate::domain::fault::Fault::from(fault))),
        }
    }

    fn audiences(&self) -> [String; 2] {
        let issuer = self.directory.issuer();
        [issuer.to_owned(), format!("{issuer}/oauth2/token")]
    }
}

fn unproved() -> Refused {
    Refused::new(OAuthError::InvalidClient, "unknown client or wrong credentials")
}

fn verified(
    jwt: &str,
    algorithm: Algorithm,
    kid: Option<&str>,
    keys: &JwkSet,
    audiences: &[String],
) -> Option<AssertionClaims> {
    // Symmetric algorithms would take the public key for a secret (RFC 8725 §2.1).
    let asymmetric = matches!(
        algorithm,
        Algorithm::ES256
            | Algorithm::ES384
            | Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
            | Algorithm::EdDSA
    );
    if !asymmetric {
        return None;
    }
    let mut validation = Validation::new(algorithm);
    validation.set_audience(audiences);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // Times are checked against our clock by the caller.
    validation.validate_exp = false;
    keys.keys
        .iter()
        .filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| decode::<AssertionClaims>(jwt, &key, &validation).ok())
        .map(|data| data.claims)
}
