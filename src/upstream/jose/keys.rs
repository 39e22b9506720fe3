//! An issuer's public keys (RFC 7517), asked for when a token needs them, kept, and never asked for in a flood.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::sync::{Mutex, MutexGuard};

use crate::domain::{
    fault::{Code, Fault},
    time::Timestamp,
};

use super::trouble::{Part, Troubles};

/// At most one key fetch in this span, whatever tokens arrive: unknown key ids must not become a flood there.
const AT_MOST_EVERY: Duration = Duration::from_secs(60);
/// The same until the keys have been read for the first time.
const AT_MOST_EVERY_AT_FIRST: Duration = Duration::from_secs(2);
/// A key that the issuer has withdrawn must not be believed for ever.
const KEPT: Duration = Duration::from_secs(3600);

/// The keys of one issuer.
#[derive(Default)]
pub(in crate::upstream) struct KeySet {
    held: Mutex<Held>,
}

/// The keys while somebody looks at them; parallel sign-ins wait for the same answer.
#[derive(Default)]
pub(in crate::upstream) struct Held {
    set: JwkSet,
    /// When they were last asked for, with or without success.
    asked: Option<Timestamp>,
    /// When they were last read.
    read: Option<Timestamp>,
}

impl KeySet {
    /// Takes the keys.
    pub(in crate::upstream) async fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().await
    }
}

impl Held {
    /// Whether the issuer must, and may, be asked before a signature with this key id can be judged. Noted as asked:
    /// a failed try counts too, else an outage there would be answered by a flood.
    pub(in crate::upstream) fn must_ask(&mut self, kid: Option<&str>, now: Timestamp) -> bool {
        // Without a key id a change of keys cannot be seen: then they are asked for whenever that is allowed.
        let known = kid.is_some() && !self.matching(kid).is_empty();
        let old = self.read.is_none_or(|at| now >= at.plus(KEPT));
        let pause = if self.read.is_some() {
            AT_MOST_EVERY
        } else {
            AT_MOST_EVERY_AT_FIRST
        };
        (!known || old) && self.asked.is_none_or(|at| now >= at.plus(pause))
    }

    /// Takes over what the issuer answered. An outage is borne as long as keys are known that may fit.
    pub(in crate::upstream) fn answered(
        &mut self,
        answer: Result<serde_json::Value, String>,
        (kid, now): (Option<&str>, Timestamp),
        troubles: &Troubles,
    ) -> Result<(), Fault> {
        self.asked = Some(now);
        match answer {
            Ok(document) => {
                self.set = readable(&document);
                self.read = Some(now);
                troubles.worked(Part::Keys);
            }
            Err(reason) => {
                troubles.failed(Part::Keys, now, reason.clone());
                if self.matching(kid).is_empty() {
                    return Err(Fault::new(Code::UpstreamDown, reason));
                }
                tracing::warn!(reason, "an upstream's keys could not be read anew");
            }
        }
        Ok(())
    }

    /// The keys that may have made a signature with this key id.
    pub(in crate::upstream) fn candidates(&self, kid: Option<&str>) -> Result<Vec<Jwk>, Fault> {
        if self.read.is_none() {
            return Err(Fault::new(
                Code::UpstreamDown,
                "the issuer's keys could not be read",
            ));
        }
        Ok(self.matching(kid))
    }

    fn matching(&self, kid: Option<&str>) -> Vec<Jwk> {
        self.set
            .keys
            .iter()
            .filter(|key| kid.is_none() || key.common.key_id.as_deref() == kid)
            .cloned()
            .collect()
    }
}

/// The keys that can be read; one of an unknown kind must not spoil the others.
fn readable(document: &serde_json::Value) -> JwkSet {
    let keys = document
        .get("keys")
        .and_then(serde_json::Value::as_array)
        .cloned()
        .unwrap_or_default();
    JwkSet {
        keys: keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect(),
    }
}
