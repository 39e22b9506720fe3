//! The ring as operators look after it.

use async_trait::async_trait;

use super::{RingFault, ring::KeyRing};
use crate::{
    domain::key::Algorithm,
    port::keyring::{KeyCare, KeyCareFault, KeyLine},
};

impl From<RingFault> for KeyCareFault {
    fn from(fault: RingFault) -> Self {
        match fault {
            RingFault::Records(fault) => Self::Records(fault),
            RingFault::Sealed { .. } | RingFault::Broken(_) => Self::Ring(fault.to_string()),
        }
    }
}

// The methods of the same names are the ring's own.
#[async_trait]
impl KeyCare for KeyRing {
    fn list(&self) -> Vec<KeyLine> {
        Self::list(self)
    }

    async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<Vec<String>, KeyCareFault> {
        Ok(Self::rotate(self, algorithm).await?)
    }
}
