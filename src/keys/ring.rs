//! The ring: the keys in use, parsed, swapped as a whole when they change.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Config, RingFault, jwks, material::Key, verify};
use crate::{
    domain::{
        key::{Algorithm, Stage},
        time::Timestamp,
    },
    port::{
        clock::Clock,
        keyring::KeyLine,
        records::KeyRecords,
        signer::{KeyFault, Sealer, Signer, TokenType},
    },
};

/// The keys of one moment, and their document.
pub(super) struct State {
    pub(super) keys: Vec<Arc<Key>>,
    pub(super) document: Arc<Bytes>,
}

impl State {
    pub(super) fn new(keys: Vec<Arc<Key>>) -> Self {
        let document = jwks::render(&keys);
        Self { keys, document }
    }

    /// The newest key that signs now. The first key of a ring also signs on a replica whose clock is a
    /// little behind that of its maker: nobody can have cached a JWKS without it.
    fn signing(&self, algorithm: Algorithm, now: Timestamp) -> Option<&Key> {
        let of_kind = || self.keys.iter().filter(|key| key.algorithm == algorithm);
        of_kind()
            .filter(|key| key.life.stage(now) == Stage::Active)
            .max_by_key(|key| key.life.signs_from)
            .or_else(|| {
                of_kind().find(|key| {
                    key.life.published == key.life.signs_from && key.life.stage(now) == Stage::Pending
                })
            })
            .map(Arc::as_ref)
    }
}

/// Signs, verifies and publishes. Keys are read again from the records now and then (`refresh`), so that
/// replicas agree.
pub struct KeyRing {
    /// Its name in the records; empty for the gateway's own.
    pub(super) name: String,
    pub(super) records: Arc<dyn KeyRecords>,
    pub(super) sealer: Arc<dyn Sealer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) issuer: String,
    pub(super) settings: Config,
    pub(super) state: ArcSwap<State>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyRing({} keys)", self.state.load().keys.len())
    }
}

impl KeyRing {
    /// Reads the keys, and makes the first ones where there are none. Keys that the current secret does
    /// not open are an error: a new ring in their place would end every session without a word.
    pub async fn open(
        records: Arc<dyn KeyRecords>,
        sealer: Arc<dyn Sealer>,
        clock: Arc<dyn Clock>,
        issuer: String,
        settings: Config,
    ) -> Result<Self, RingFault> {
        Self::named((String::new(), issuer), records, sealer, clock, settings).await
    }

    /// The same for an issuer beside the gateway's own, by its name in the records.
    pub(super) async fn named(
        (name, issuer): (String, String),
        records: Arc<dyn KeyRecords>,
        sealer: Arc<dyn Sealer>,
        clock: Arc<dyn Clock>,
        settings: Config,
    ) -> Result<Self, RingFault> {
        let ring = Self {
            name,
            records,
            sealer,
            clock,
            issuer,
            settings,
            state: ArcSwap::from_pointee(State::new(Vec::new())),
        };
        ring.reload().await?;
        ring.ensure().await?;
        Ok(ring)
    }

    /// All keys that are not gone, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<KeyLine> {
        let now = self.clock.now();
        self.state
            .load()
            .keys
            .iter()
            .map(|key| KeyLine {
                kid: key.kid.clone(),
                issuer: (!self.name.is_empty()).then(|| self.issuer.clone()),
                algorithm: key.algorithm,
                stage: key.life.stage(now),
                life: key.life,
            })
            .filter(|info| info.stage != Stage::Gone)
            .collect()
    }

    fn claims(
        &self,
        typ: TokenType,
        token: &str,
        usable: impl Fn(&Key) -> bool,
    ) -> Result<Map<String, Value>, KeyFault> {
        let state = self.state.load();
        verify::claims(token, typ, &self.issuer, |kid| {
            state
                .keys
                .iter()
                .map(Arc::as_ref)
                .find(|key| key.kid == kid && usable(key))
        })
    }
}

impl Signer for KeyRing {
    fn sign(&self, algorithm: Algorithm, typ: TokenType, claims: &[u8]) -> Result<String, KeyFault> {
        self.state
            .load()
            .signing(algorithm, self.clock.now())
            .ok_or(KeyFault::NoKey(algorithm.as_str()))?
            .sign(typ, claims)
    }

    fn verify(&self, typ: TokenType, token: &str, now: Timestamp) -> Result<Map<String, Value>, KeyFault> {
        let claims = self.claims(typ, token, |key| key.life.stage(now) != Stage::Gone)?;
        verify::at(&claims, now)?;
        Ok(claims)
    }

    fn verify_hint(&self, token: &str) -> Result<Map<String, Value>, KeyFault> {
        self.claims(TokenType::Id, token, |_| true)
    }

    fn jwks(&self) -> Arc<Bytes> {
        Arc::clone(&self.state.load().document)
    }
}
