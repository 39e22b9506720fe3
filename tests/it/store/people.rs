//! People, what was given to them, and turns at targets: the same on every engine.

use std::sync::Arc;

use fedgate::{
    domain::session::{RefreshFamily, Session},
    domain::{identity::Identity, ids::SessionId, time::Timestamp},
    port::people::{Known, Turn},
    store::Opened,
};

use super::{NOW, assertion, at_once, family, session};

fn known(subject: &str, held: &[&str]) -> Known {
    Known {
        key: Identity::key_of("https://acme.example", subject),
        facts: assertion(subject).facts().clone(),
        held: held.iter().map(|group| (*group).to_owned()).collect(),
        seen: Timestamp(NOW),
        listed: false,
        gone: None,
    }
}

pub async fn people_are_kept_and_let_go_once(opened: &Opened) {
    let people = &opened.people;
    let (alice, odd) = (known("alice", &["ops", "größe; \"x\""]), known("李雷 🌍", &[]));
    assert_eq!(people.person(&alice.key).await.unwrap(), None);
    people.saw(&alice).await.unwrap();
    people.saw(&odd).await.unwrap();
    assert_eq!(people.person(&alice.key).await.unwrap(), Some(alice.clone()));
    assert_eq!(people.person(&odd.key).await.unwrap(), Some(odd.clone()));
    let mut keys: Vec<String> = people
        .people()
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.key)
        .collect();
    let listed = keys.clone();
    keys.sort();
    assert_eq!((keys.len(), listed), (2, keys), "in the order of their keys");

    // Of many at once one lets go, and the first time counts.
    let gone = at_once(12, |index| {
        let (people, key) = (Arc::clone(people), alice.key.clone());
        let since = Timestamp(NOW + i64::try_from(index).unwrap());
        async move { people.let_go(&key, Some(since)).await.unwrap() }
    })
    .await;
    assert_eq!(gone.iter().filter(|changed| **changed).count(), 1);
    let since = people.person(&alice.key).await.unwrap().unwrap().gone;
    assert!(since.is_some());
    // A sign-in or a list that says something new of them does not bring them back.
    let now = Known {
        held: vec!["other".to_owned()],
        seen: Timestamp(NOW + 50),
        listed: true,
        ..alice.clone()
    };
    people.saw(&now).await.unwrap();
    let kept = people.person(&alice.key).await.unwrap().unwrap();
    assert_eq!(
        (kept.gone, kept.held, kept.listed),
        (since, now.held.clone(), true)
    );
    assert!(
        !people
            .let_go(&alice.key, Some(Timestamp(NOW + 99)))
            .await
            .unwrap()
    );
    assert!(people.let_go(&alice.key, None).await.unwrap());
    assert!(!people.let_go(&alice.key, None).await.unwrap());
    assert_eq!(people.person(&alice.key).await.unwrap().unwrap().gone, None);
    assert!(!people.let_go("nobody", Some(Timestamp(NOW))).await.unwrap());
    assert_eq!(people.person(&odd.key).await.unwrap(), Some(odd), "nobody else");
}

/// All sessions of a person but one, with what hangs on them, and nobody else's.
pub async fn sessions_end_with_the_person(opened: &Opened) {
    let (at, key) = (Timestamp(NOW), known("zoe", &[]).key);
    let mut sids = Vec::new();
    for id in ["p1", "p2", "p3"] {
        opened
            .sessions
            .open(&Session {
                assertion: assertion("zoe"),
                ..session(id, None)
            })
            .await
            .unwrap();
        let sid = SessionId(id.to_owned()).sid();
        opened
            .families
            .begin(&RefreshFamily {
                assertion: assertion("zoe"),
                ..family(&format!("f-{id}"), &sid)
            })
            .await
            .unwrap();
        sids.push(sid);
    }
    let other = Identity::key_of("https://acme.example", "bob");
    assert_eq!(opened.people.end_sessions(&other, None).await.unwrap(), 0);
    assert_eq!(opened.people.end_sessions(&key, Some(&sids[1])).await.unwrap(), 2);
    for (sid, id, live) in [
        (&sids[0], "f-p1", false),
        (&sids[1], "f-p2", true),
        (&sids[2], "f-p3", false),
    ] {
        assert_eq!(
            opened.sessions.by_sid(sid, at).await.unwrap().is_some(),
            live,
            "{id}"
        );
        assert_eq!(
            opened.families.find(id, at).await.unwrap().is_some(),
            live,
            "{id}"
        );
    }
    assert_eq!(opened.people.end_sessions(&key, None).await.unwrap(), 1);
    assert_eq!(opened.people.end_sessions(&key, None).await.unwrap(), 0);
}

pub async fn what_was_given_is_noted_and_struck_out(opened: &Opened) {
    let given = &opened.given;
    let texts = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
    assert_eq!(given.given("a").await.unwrap(), Vec::<String>::new());
    given
        .note("a", &texts(&["two", "one", "größe\n\"x\""]), &[])
        .await
        .unwrap();
    given.note("b", &texts(&["one"]), &[]).await.unwrap();
    // Again is no second one, and what is struck out in the same breath is gone.
    given
        .note("a", &texts(&["one", "three"]), &texts(&["two", "never"]))
        .await
        .unwrap();
    let mut held = given.given("a").await.unwrap();
    held.sort();
    assert_eq!(held, ["größe\n\"x\"", "one", "three"]);
    assert_eq!(given.given("b").await.unwrap(), ["one"], "of the other target");
    // Many writers at once lose nothing of each other.
    at_once(12, |index| {
        let given = Arc::clone(given);
        async move { given.note("c", &[format!("item {index:02}")], &[]).await.unwrap() }
    })
    .await;
    assert_eq!(given.given("c").await.unwrap().len(), 12);

    assert_eq!(given.state("a").await.unwrap(), None);
    given.keep_state("a", "{\"at\": 1}").await.unwrap();
    given.keep_state("a", "{\"at\": 2}").await.unwrap();
    assert_eq!(given.state("a").await.unwrap().as_deref(), Some("{\"at\": 2}"));
    assert_eq!(given.state("b").await.unwrap(), None);
}

pub async fn one_has_the_turn(opened: &Opened) {
    let given = &opened.given;
    let take = async |target: &str, worker: &str, now: i64, until: i64| {
        let turn = Turn {
            target,
            worker,
            now: Timestamp(NOW + now),
            until: Timestamp(NOW + until),
        };
        given.take_turn(&turn).await.unwrap()
    };
    let taken = at_once(12, |index| {
        let given = Arc::clone(given);
        async move {
            let worker = format!("worker {index}");
            let turn = Turn {
                target: "turns",
                worker: &worker,
                now: Timestamp(NOW),
                until: Timestamp(NOW + 45),
            };
            given.take_turn(&turn).await.unwrap()
        }
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    let winner = format!("worker {}", taken.iter().position(|taken| *taken).unwrap());
    assert!(!take("turns", "another", 44, 90).await);
    assert!(take("turns", &winner, 40, 85).await, "its own again");
    assert!(!take("turns", "another", 84, 130).await);
    assert!(take("elsewhere", "another", 84, 130).await, "another target");
    // Given back, it is free at once; a worker that died loses it at its end.
    assert!(take("turns", &winner, 84, 84).await);
    assert!(take("turns", "another", 84, 130).await);
    assert!(!take("turns", &winner, 129, 200).await);
    assert!(take("turns", &winner, 130, 200).await);
    // The turn leaves what is known of the target alone, and the other way round.
    given.keep_state("turns", "{}").await.unwrap();
    assert!(!take("turns", "another", 131, 300).await);
    assert_eq!(given.state("turns").await.unwrap().as_deref(), Some("{}"));
    assert_eq!(given.state("elsewhere").await.unwrap(), None);
}
