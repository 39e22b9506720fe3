//! The gateway's own ring, and those of targets that are issuers of their own.
//!
//! A relying party that checks no more of a token than its signature and issuer takes every token that its issuer's
//! keys have signed. So what is meant for it alone is signed by keys that sign nothing else.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Config, RingFault, ring::KeyRing};
use crate::{
    domain::{key::Algorithm, time::Timestamp},
    port::{
        clock::Clock,
        keyring::{KeyCare, KeyCareFault, KeyLine},
        records::KeyRecords,
        signer::{KeyFault, Sealer, Signer, TokenType},
    },
};

/// All rings of a gateway. As a [`Signer`] it is the gateway's own ring.
pub struct Rings {
    own: Arc<KeyRing>,
    /// By issuer.
    others: BTreeMap<String, Arc<KeyRing>>,
}

impl fmt::Debug for Rings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Rings({:?}, {} others)", self.own, self.others.len())
    }
}

/// What rings are opened with.
#[derive(Clone)]
pub struct RingParts {
    /// Where keys are kept.
    pub records: Arc<dyn KeyRecords>,
    /// Seals private halves.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How keys live.
    pub settings: Config,
}

impl fmt::Debug for RingParts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RingParts")
    }
}

impl Rings {
    /// Opens the ring of `issuer`, and one for each of `others`: a name in the records with its issuer.
    pub async fn open(
        parts: &RingParts,
        issuer: &str,
        others: Vec<(String, String)>,
    ) -> Result<Self, RingFault> {
        let open = |name: String, issuer: String| {
            let parts = parts.clone();
            KeyRing::named(
                (name, issuer),
                parts.records,
                parts.sealer,
                parts.clock,
                parts.settings,
            )
        };
        let own = Arc::new(open(String::new(), issuer.to_owned()).await?);
        let mut rings = BTreeMap::new();
        for (name, issuer) in others {
            rings.insert(issuer.clone(), Arc::new(open(name, issuer).await?));
        }
        Ok(Self { own, others: rings })
    }

    /// Reads what other replicas did, and rotates keys that have reached their age; one ring's failure does not stop
    /// the others.
    pub async fn refresh(&self) -> Result<(), RingFault> {
        let mut outcome = Ok(());
        for ring in self.all() {
            if let Err(fault) = ring.refresh().await {
                outcome = Err(fault);
            }
        }
        outcome
    }

    fn all(&self) -> impl Iterator<Item = &Arc<KeyRing>> {
        std::iter::once(&self.own).chain(self.others.values())
    }
}

#[async_trait]
impl KeyCare for Rings {
    fn list(&self) -> Vec<KeyLine> {
        self.all().flat_map(|ring| ring.list()).collect()
    }

    async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<Vec<String>, KeyCareFault> {
        let mut made = Vec::new();
        for ring in self.all() {
            made.extend(ring.rotate(algorithm).await?);
        }
        Ok(made)
    }
}

impl Signer for Rings {
    fn sign(&self, algorithm: Algorithm, typ: TokenType, claims: &[u8]) -> Result<String, KeyFault> {
        self.own.sign(algorithm, typ, claims)
    }

    fn verify(&self, typ: TokenType, token: &str, now: Timestamp) -> Result<Map<String, Value>, KeyFault> {
        self.own.verify(typ, token, now)
    }

    // Whoever signs out brings the ID token that they have, whichever of our issuers made it.
    fn verify_hint(&self, token: &str) -> Result<Map<String, Value>, KeyFault> {
        let mut others = self.others.values();
        self.own
            .verify_hint(token)
            .or_else(|fault| others.find_map(|ring| ring.verify_hint(token).ok()).ok_or(fault))
    }

    fn jwks(&self) -> Arc<Bytes> {
        self.own.jwks()
    }

    fn of_issuer(&self, issuer: &str) -> Option<Arc<dyn Signer>> {
        let ring = self.others.get(issuer)?;
        Some(Arc::clone(ring) as Arc<dyn Signer>)
    }
}
