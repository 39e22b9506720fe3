//! An issuer's public keys (RFC 7517), asked for when a token needs them, kept, and never asked for in a flood.

use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
};

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

/// What an issuer answers to the question for its keys.
type Answer = Result<serde_json::Value, String>;

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
    /// When what was read last was asked for.
    read: Option<Timestamp>,
    /// The question that is under way. Whoever asked may have gone away: the next one waits for the same answer.
    underway: Option<JoinHandle<Answer>>,
}

impl KeySet {
    /// Takes the keys.
    pub(in crate::upstream) async fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().await
    }
}

impl Held {
    /// Whether the issuer must, and may, be asked before a signature with this key id can be judged.
    pub(in crate::upstream) fn must_ask(&self, kid: Option<&str>, now: Timestamp) -> bool {
        // Without a key id a change of keys cannot be seen: then they are asked for whenever that is allowed.
        let known = kid.is_some() && self.fitting(kid).next().is_some();
        let old = self.read.is_none_or(|at| now >= at.plus(KEPT));
        let pause = if self.read.is_some() {
            AT_MOST_EVERY
        } else {
            AT_MOST_EVERY_AT_FIRST
        };
        self.underway.is_none() && (!known || old) && self.asked.is_none_or(|at| now >= at.plus(pause))
    }

    /// Asks the issuer. Noted before it answers: a try that fails counts too, else an outage there would be met by a
    /// flood, and so does one whose caller goes away, else everybody could cause as many as they like.
    pub(in crate::upstream) fn ask(
        &mut self,
        now: Timestamp,
        question: impl Future<Output = Answer> + Send + 'static,
    ) {
        self.asked = Some(now);
        self.underway = Some(tokio::spawn(question));
    }

    /// Takes over what the issuer answers, if it was asked. An outage is borne as long as keys are known that may fit.
    pub(in crate::upstream) async fn answered(
        &mut self,
        kid: Option<&str>,
        troubles: &Troubles,
    ) -> Result<(), Fault> {
        let (Some(underway), Some(asked)) = (&mut self.underway, self.asked) else {
            return Ok(());
        };
        let answer = underway
            .await
            .unwrap_or_else(|broken| Err(format!("the question broke off: {broken}")));
        self.underway = None;
        match answer {
            Ok(document) => {
                self.set = readable(&document);
                self.read = Some(asked);
                troubles.worked(Part::Keys);
            }
            Err(reason) => {
                troubles.failed(Part::Keys, asked, reason.clone());
                if self.fitting(kid).next().is_none() {
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
        Ok(self.fitting(kid).cloned().collect())
    }

    fn fitting<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a Jwk> {
        self.set
            .keys
            .iter()
            .filter(move |key| kid.is_none() || key.common.key_id.as_deref() == kid)
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn whoever_asks_may_go_away_and_the_next_one_hears_the_answer() {
        let (keys, troubles) = (KeySet::default(), Troubles::default());
        let (tell, told) = oneshot::channel::<serde_json::Value>();
        let kid = Some("a");
        {
            let mut held = keys.hold().await;
            assert!(held.must_ask(kid, Timestamp(0)));
            held.ask(Timestamp(0), async {
                told.await.map_err(|gone| gone.to_string())
            });
            let waiting = Duration::from_millis(1);
            let gone = tokio::time::timeout(waiting, held.answered(kid, &troubles)).await;
            assert!(gone.is_err());
        }
        let mut held = keys.hold().await;
        assert!(!held.must_ask(kid, Timestamp(100)), "it is asked already");
        assert!(held.candidates(kid).is_err());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        tell.send(json!({ "keys": [key] })).unwrap();
        held.answered(kid, &troubles).await.unwrap();
        assert_eq!(held.candidates(kid).unwrap().len(), 1);
        assert!(!held.must_ask(kid, Timestamp(100)));
        assert!(
            held.must_ask(kid, Timestamp(3600)),
            "counted from the question on"
        );
        assert!(held.must_ask(Some("b"), Timestamp(60)));
    }
}
