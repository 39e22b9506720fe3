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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        domain::{
            key::{Life, Stage},
            secret::Secret,
            time::Timestamp,
        },
        keys::{Config, SecretSealer},
        port::{
            clock::Clock,
            records::{KeyRecords, RecordFault, StoredKey},
        },
    };

    struct Fixed;
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp(1_790_000_000)
        }
    }

    #[derive(Default)]
    struct Drawer {
        keys: Mutex<Vec<StoredKey>>,
        shut: Mutex<bool>,
    }
    #[async_trait]
    impl KeyRecords for Drawer {
        async fn keys(&self, _: &str, _: Timestamp) -> Result<Vec<StoredKey>, RecordFault> {
            if *self.shut.lock().unwrap() {
                return Err(RecordFault("shut".to_owned()));
            }
            Ok(self.keys.lock().unwrap().clone())
        }
        async fn add(
            &self,
            new: &StoredKey,
            superseded: &[(String, Life)],
            _: &[String],
        ) -> Result<bool, RecordFault> {
            let mut keys = self.keys.lock().unwrap();
            for key in keys.iter_mut() {
                if let Some((_, life)) = superseded.iter().find(|(kid, _)| *kid == key.kid) {
                    key.life = *life;
                }
            }
            keys.push(new.clone());
            Ok(true)
        }
    }

    #[tokio::test]
    async fn the_port_reaches_the_ring() {
        let drawer = Arc::new(Drawer::default());
        let ring = KeyRing::open(
            Arc::clone(&drawer) as Arc<dyn KeyRecords>,
            Arc::new(SecretSealer::new(&Secret::new("x".repeat(40))).unwrap()),
            Arc::new(Fixed),
            "https://gate.example".to_owned(),
            Config::default(),
        )
        .await
        .unwrap();
        let care: &dyn KeyCare = &ring;
        assert!(care.list().iter().all(|line| line.stage == Stage::Active));
        assert_eq!(care.list().len(), 2);
        let made = care.rotate(Some(Algorithm::Es256)).await.unwrap();
        let lines = care.list();
        let new = lines.iter().find(|line| line.kid == made[0]).unwrap();
        assert_eq!((made.len(), lines.len()), (1, 3));
        assert_eq!((new.algorithm, new.stage), (Algorithm::Es256, Stage::Pending));
        *drawer.shut.lock().unwrap() = true;
        assert_eq!(
            care.rotate(None).await,
            Err(KeyCareFault::Records(RecordFault("shut".to_owned())))
        );
    }
}
