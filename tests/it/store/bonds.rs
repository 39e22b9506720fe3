//! What ties sessions to upstreams, and tokens that must end: the same on every engine.

use fedgate::{
    domain::{
        ids::{SessionId, TargetId, UpstreamId},
        time::Timestamp,
    },
    port::{
        bonds::{Bond, Meant, Renewal},
        records::Ending,
    },
    store::Opened,
};

use super::{NOW, assertion, family, session};

fn bond(id: &str, subject: &str, own: Option<&str>, renewal: Option<&str>) -> Bond {
    Bond {
        sid: SessionId(id.to_owned()).sid(),
        upstream: UpstreamId::parse("acme").unwrap(),
        subject: subject.to_owned(),
        session: own.map(str::to_owned),
        renewal: renewal.map(str::to_owned),
        ends: Timestamp(NOW + 100),
    }
}

fn renewal(id: &str, sealed: &str) -> Renewal {
    Renewal {
        id: id.to_owned(),
        sealed: sealed.to_owned(),
        asked: Timestamp(NOW),
        ends: Timestamp(NOW + 100),
    }
}

async fn found(opened: &Opened, meant: Meant<'_>) -> usize {
    opened.bonds.bound(meant).await.unwrap().len()
}

/// Two sessions of one sign-in share what the upstream is asked by; a third person has nothing.
pub async fn bonds_last_as_long_as_their_sessions(opened: &Opened) {
    let (one, two) = (
        bond("b1", "alice", Some("s1"), Some("r")),
        bond("b2", "alice", Some("s1"), Some("r")),
    );
    let other = bond("b3", "bob", None, None);
    for id in ["b1", "b2", "b3"] {
        opened.sessions.open(&session(id, None)).await.unwrap();
    }
    opened.families.begin(&family("fb", &one.sid)).await.unwrap();
    opened
        .bonds
        .bind(&one, Some(&renewal("r", "first")))
        .await
        .unwrap();
    opened.bonds.bind(&two, None).await.unwrap();
    opened.bonds.bind(&other, None).await.unwrap();
    assert_eq!(opened.bonds.bond(&one.sid).await.unwrap(), Some(one.clone()));
    assert_eq!(opened.bonds.bond("unknown").await.unwrap(), None);

    let (acme, beta) = (
        UpstreamId::parse("acme").unwrap(),
        UpstreamId::parse("beta").unwrap(),
    );
    for (meant, count) in [
        (Meant::Subject(&acme, "alice"), 2),
        (Meant::Subject(&beta, "alice"), 0),
        (Meant::Session(&acme, "s1", None), 2),
        (Meant::Session(&acme, "s1", Some("alice")), 2),
        (Meant::Session(&acme, "s1", Some("bob")), 0),
        (Meant::Session(&beta, "s1", None), 0),
        (Meant::Renewal("r"), 2),
    ] {
        assert_eq!(found(opened, meant).await, count, "{meant:?}");
    }

    // What the upstream says now is in every session and family of that sign-in, and in no other.
    let now = Renewal {
        asked: Timestamp(NOW + 5),
        ..renewal("r", "second")
    };
    opened.bonds.renewed(&now, &assertion("alice-now")).await.unwrap();
    assert_eq!(opened.bonds.renewal("r").await.unwrap(), Some(now));
    let at = Timestamp(NOW);
    for (sid, subject) in [
        (&one.sid, "alice-now"),
        (&two.sid, "alice-now"),
        (&other.sid, "alice"),
    ] {
        let live = opened.sessions.by_sid(sid, at).await.unwrap().unwrap();
        assert_eq!(live.assertion.facts().subject, subject);
    }
    let kept = opened.families.find("fb", at).await.unwrap().unwrap();
    assert_eq!(kept.assertion.facts().subject, "alice-now");

    // It goes with the last session that shares it.
    opened.sessions.end(&one.sid).await.unwrap();
    assert!(opened.bonds.renewal("r").await.unwrap().is_some());
    opened.sessions.end(&two.sid).await.unwrap();
    assert_eq!(opened.bonds.renewal("r").await.unwrap(), None);
    assert_eq!(found(opened, Meant::Subject(&acme, "alice")).await, 0);
    opened.sessions.sweep(Timestamp(NOW + 1000)).await.unwrap();
    assert_eq!(opened.bonds.bond(&other.sid).await.unwrap(), None);
}

pub async fn tokens_that_must_end_are_found_in_time(opened: &Opened) {
    let at = |target: &str, id: &str, ends: i64| Ending {
        id: id.to_owned(),
        target: TargetId::parse(target).unwrap(),
        sealed: format!("sealed {id}"),
        ends: Timestamp(NOW + ends),
        gone: Timestamp(NOW + 3600),
        holder: None,
        why: String::new(),
    };
    let ending = |id: &str, ends: i64| at("openstack", id, ends);
    for (id, ends) in [("late", 20), ("soon", 5), ("later", 90)] {
        opened.endings.note(&ending(id, ends)).await.unwrap();
    }
    // Once kept it stays: nobody moves an end.
    opened.endings.note(&ending("soon", 500)).await.unwrap();
    assert_eq!(
        opened.endings.known("soon").await.unwrap(),
        Some(ending("soon", 5))
    );
    assert_eq!(opened.endings.known("unknown").await.unwrap(), None);
    let due = async |at: i64, most: u32| -> Vec<String> {
        let due = opened.endings.due(Timestamp(NOW + at), most).await.unwrap();
        due.into_iter().map(|ending| ending.id).collect()
    };
    assert_eq!(due(4, 10).await, Vec::<String>::new());
    assert_eq!(due(20, 10).await, ["soon", "late"]);
    assert_eq!(due(100, 2).await, ["soon", "late"]);
    // Those of one target do not crowd out another's.
    opened.endings.note(&at("elsewhere", "last", 95)).await.unwrap();
    assert_eq!(due(100, 2).await, ["soon", "late", "last"]);
    opened.endings.done("soon").await.unwrap();
    assert_eq!(due(100, 10).await, ["late", "later", "last"]);
    opened.endings.done("last").await.unwrap();
}
