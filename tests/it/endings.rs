//! Tokens that must end, at two targets of which one does not answer. What is kept, and for how long, is the store's
//! test; that a real Keystone's tokens end stands in `workload` and in `front`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fedgate::{
    broker::{directory::Directory, endings::Ender},
    domain::{
        access::{Ceilings, Permit, TargetKind},
        audit::{Event, What},
        credential::Credential,
        fault::{Code, Fault},
        ids::{TargetId, TenantId},
        secret::Secret,
        time::Timestamp,
    },
    keys::SecretSealer,
    port::{
        audit::Audit,
        clock::Clock as _,
        departures::Holder,
        records::{Ending, Endings, RecordFault},
        target::{Bound, Dashboards, Entry, GroupPrefix, Target, TargetFacts, Ways},
    },
};

use crate::parts::wiring::TestClock;

/// How a cloud answers.
#[derive(Clone, Copy, PartialEq)]
enum Answers {
    Yes,
    /// It refuses one token, and takes others.
    Refuses(&'static str),
    Down,
    /// Never.
    Hangs,
}

struct Cloud {
    facts: TargetFacts,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Target for Cloud {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }
    async fn mint(&self, _: &Permit) -> Result<Credential, Fault> {
        Err(Fault::new(Code::Internal, "not in this test"))
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            dashboards: Some(self),
            ..Ways::default()
        }
    }
}

#[async_trait]
impl Dashboards for Cloud {
    async fn enter(&self, _: &Permit, _: &str) -> Result<Entry, Fault> {
        Err(Fault::new(Code::Internal, "not in this test"))
    }
    async fn revoke(&self, token: &str) -> Result<(), Fault> {
        self.asked.lock().unwrap().push(token.to_owned());
        match self.answers {
            Answers::Yes => Ok(()),
            Answers::Refuses(this) if this == token => Err(Fault::new(Code::TargetRefused, "no")),
            Answers::Refuses(_) => Ok(()),
            Answers::Down => Err(Fault::new(Code::TargetDown, "no answer")),
            Answers::Hangs => std::future::pending().await,
        }
    }
}

#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Ending>>);

#[async_trait]
impl Endings for Kept {
    async fn note(&self, ending: &Ending) -> Result<(), RecordFault> {
        let mut all = self.0.lock().unwrap();
        all.entry(ending.id.clone()).or_insert_with(|| ending.clone());
        Ok(())
    }
    async fn known(&self, id: &str) -> Result<Option<Ending>, RecordFault> {
        Ok(self.0.lock().unwrap().get(id).cloned())
    }
    async fn due(&self, now: Timestamp, _: u32) -> Result<Vec<Ending>, RecordFault> {
        let mut due: Vec<Ending> = self.0.lock().unwrap().values().cloned().collect();
        due.retain(|ending| ending.ends <= now);
        due.sort_by_key(|ending| ending.ends);
        Ok(due)
    }
    async fn done(&self, id: &str) -> Result<(), RecordFault> {
        self.0.lock().unwrap().remove(id);
        Ok(())
    }
}

/// What the trail says.
#[derive(Default)]
struct Trail(Mutex<Vec<Event>>);

#[async_trait]
impl Audit for Trail {
    async fn record(&self, event: Event) -> Result<(), RecordFault> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

struct World {
    ender: Ender,
    trail: Arc<Trail>,
    kept: Arc<Kept>,
    clock: Arc<TestClock>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new(clouds: &[(&str, Answers)]) -> Self {
        let (clock, asked, kept) = (TestClock::new(), Arc::default(), Arc::new(Kept::default()));
        let trail = Arc::new(Trail::default());
        let targets = clouds.iter().map(|(id, answers)| -> Arc<dyn Target> {
            Arc::new(Cloud {
                facts: TargetFacts {
                    id: TargetId::parse(id).unwrap(),
                    name: (*id).to_owned(),
                    kind: TargetKind::Keystone,
                    audience: (*id).to_owned(),
                    ceilings: Ceilings {
                        lifetime: Duration::from_secs(900),
                    },
                    group_prefix: GroupPrefix(String::new()),
                },
                answers: *answers,
                asked: Arc::clone(&asked),
            })
        });
        let names = ("https://gateway.test".to_owned(), "Cloud A".to_owned());
        let directory = Directory::new(names, Vec::new(), Vec::new(), targets.collect(), Vec::new());
        let sealer =
            SecretSealer::new(&Secret::new("a secret of this test, 32 bytes long".to_owned())).unwrap();
        Self {
            ender: Ender {
                directory: Arc::new(directory),
                endings: Arc::clone(&kept) as Arc<dyn Endings>,
                sealer: Arc::new(sealer),
                audit: Arc::clone(&trail) as Arc<dyn Audit>,
                clock: clock.clone(),
            },
            trail,
            kept,
            clock,
            asked,
        }
    }

    /// A token that must have ended by now; Keystone would end it in an hour.
    async fn limit(&self, target: &str, token: &str) {
        let now = self.clock.now();
        let bound = Bound {
            target: TargetId::parse(target).unwrap(),
            ends: now,
            gone: now.plus(Duration::from_secs(3600)),
            holder: Some(Holder {
                tenant: TenantId::parse("acme").unwrap(),
                upstream: None,
                client: None,
                person: token.to_owned(),
            }),
        };
        self.ender.limit(token, &bound).await.unwrap();
        self.clock.advance(1);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn left(&self) -> usize {
        self.kept.0.lock().unwrap().len()
    }
}

#[tokio::test]
async fn a_target_that_is_down_is_asked_once_a_round_and_holds_nothing_up() {
    let world = World::new(&[("far", Answers::Down), ("near", Answers::Yes)]);
    for (target, token) in [
        ("far", "far1"),
        ("far", "far2"),
        ("near", "nea1"),
        ("far", "far3"),
        ("near", "nea2"),
    ] {
        world.limit(target, token).await;
    }
    world.ender.sweep().await;
    let mut asked = world.asked();
    asked.sort();
    assert_eq!(asked, ["far1", "nea1", "nea2"]);
    assert_eq!(world.left(), 3);
    world.ender.sweep().await;
    assert_eq!(world.asked(), ["far1"], "it is tried again");
    // Keystone has ended them itself: nobody needs to ask.
    world.clock.advance(3600);
    world.ender.sweep().await;
    assert_eq!((world.asked().len(), world.left()), (0, 0));
}

#[tokio::test]
async fn the_trail_says_which_tokens_were_taken_and_when() {
    let world = World::new(&[("near", Answers::Yes)]);
    for token in ["permit", "taken", "over"] {
        world.limit("near", token).await;
    }
    for ending in world.kept.0.lock().unwrap().values_mut() {
        let person = ending.holder.as_ref().unwrap().person.clone();
        if person != "permit" {
            ending.why = "tenant 'acme' is not configured any more".to_owned();
        }
        if person == "over" {
            // It has ended by itself: nobody takes it.
            ending.gone = ending.ends;
        }
    }
    world.ender.sweep().await;
    assert_eq!((world.asked().len(), world.left()), (2, 0));
    let trail = world.trail.0.lock().unwrap();
    let [event] = trail.as_slice() else {
        panic!("{trail:?}")
    };
    assert_eq!(event.subject.as_ref().unwrap().0, "taken");
    assert!(matches!(&event.what, What::CredentialEnded { why, .. } if why.contains("acme")));
}

#[tokio::test]
async fn a_refusal_of_one_token_says_nothing_about_the_others() {
    let world = World::new(&[("far", Answers::Refuses("far1"))]);
    for token in ["far1", "far2"] {
        world.limit("far", token).await;
    }
    world.ender.sweep().await;
    assert_eq!((world.asked().len(), world.left()), (2, 1));
}

#[tokio::test]
async fn a_target_that_hangs_does_so_beside_the_others() {
    let world = World::new(&[("far", Answers::Hangs), ("near", Answers::Yes)]);
    for (target, token) in [("far", "far1"), ("far", "far2"), ("near", "nea1")] {
        world.limit(target, token).await;
    }
    let round = tokio::time::timeout(Duration::from_millis(200), world.ender.sweep()).await;
    assert!(round.is_err(), "it waits for the one that hangs");
    assert_eq!(world.left(), 2, "the others' have ended");
}
