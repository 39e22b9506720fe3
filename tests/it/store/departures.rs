//! What is left of customers that are gone ends whole, in batches, once, also by two gateways at the same time; what
//! somebody configured holds stays.

use std::{collections::BTreeSet, sync::Arc};

use fedgate::{
    broker::{
        departed::{Departed, Ended},
        directory::{Directory, Source},
        endings::Ender,
    },
    domain::{
        assertion::{UpstreamAssertion, Verified},
        audit::What,
        client::ClientSettings,
        ids::{ClientId, SessionId, TargetId, TenantId, UpstreamId},
        session::{RefreshFamily, Session},
        tenant::Tenant,
        time::Timestamp,
    },
    port::{audit::Audit, departures::Holder, records::Ending},
    store::Opened,
    upstream::{self, Declared},
};
use serde_json::json;

use super::{Engines, NOW, SetClock, assertion, open, sealer};
use crate::parts::wiring::{TestClock, wiring};

/// More than two batches.
const MANY: usize = 450;

/// With the tenants acme and zeta, an upstream `acme`, and the client `portal`; of zeta an upstream, if it is wanted.
fn directory(zeta: bool) -> Arc<Directory> {
    let tenant = |id: &str| -> Tenant { serde_json::from_value(json!({ "id": id, "name": id })).unwrap() };
    let upstream = |id: &str| {
        let declared: Declared = serde_json::from_value(json!({
            "kind": "local", "id": id, "name": id, "tenant": id, "users": []
        }))
        .unwrap();
        Source {
            mapping: declared.mapping().clone(),
            upstream: upstream::open(declared, &wiring(&TestClock::new())).unwrap(),
        }
    };
    let portal: ClientSettings = serde_json::from_value(json!({
        "id": "portal", "name": "Portal", "auth": { "method": "none" }, "grants": ["refresh_token"]
    }))
    .unwrap();
    let mut sources = vec![upstream("acme")];
    if zeta {
        sources.push(upstream("zeta"));
    }
    Arc::new(Directory::new(
        ("https://gateway.test".to_owned(), "Cloud A".to_owned()),
        vec![tenant("acme"), tenant("zeta")],
        sources,
        Vec::new(),
        vec![portal],
    ))
}

fn departed(opened: &Arc<Opened>, clock: &Arc<SetClock>, directory: Arc<Directory>) -> Departed {
    let audit = Arc::clone(&opened.audit) as Arc<dyn Audit>;
    Departed {
        kept: Arc::clone(&opened.departures),
        sessions: Arc::clone(&opened.sessions),
        families: Arc::clone(&opened.families),
        ender: Arc::new(Ender {
            directory: Arc::clone(&directory),
            endings: Arc::clone(&opened.endings),
            sealer: sealer("k"),
            audit: Arc::clone(&audit),
            clock: clock.clone(),
        }),
        tickets: Arc::clone(&opened.tickets),
        audit,
        clock: clock.clone(),
        directory,
    }
}

fn of(upstream: &str, subject: &str) -> UpstreamAssertion {
    UpstreamAssertion::recalled(Verified {
        upstream: UpstreamId::parse(upstream).unwrap(),
        tenant: TenantId::parse(upstream).unwrap(),
        ..assertion(subject).facts().clone()
    })
}

async fn signs_in(opened: &Opened, (upstream, subject): (&str, &str), client: Option<&str>) -> String {
    let id = SessionId(format!("{upstream}-{subject}"));
    let sid = id.sid();
    let session = Session {
        id,
        assertion: of(upstream, subject),
        started: Timestamp(NOW),
        ends: Timestamp(NOW + 1000),
        upstream_hint: None,
    };
    opened.sessions.open(&session).await.unwrap();
    if let Some(client) = client {
        let family = RefreshFamily {
            client: ClientId::parse(client).unwrap(),
            assertion: of(upstream, subject),
            ..super::family(&format!("{client}-{subject}"), &sid)
        };
        opened.families.begin(&family).await.unwrap();
    }
    sid
}

async fn is_given(opened: &Opened, id: &str, (upstream, client): (&str, Option<&str>)) {
    let ending = Ending {
        id: id.to_owned(),
        target: TargetId::parse("openstack").unwrap(),
        sealed: "sealed".to_owned(),
        ends: Timestamp(NOW + 3600),
        gone: Timestamp(NOW + 3600),
        holder: Some(Holder {
            tenant: TenantId::parse(upstream).unwrap(),
            upstream: Some(UpstreamId::parse(upstream).unwrap()),
            client: client.map(|client| ClientId::parse(client).unwrap()),
            person: id.to_owned(),
        }),
        why: String::new(),
    };
    opened.endings.note(&ending).await.unwrap();
    assert_eq!(opened.endings.known(id).await.unwrap(), Some(ending));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_ends_in_batches_and_once() {
    let engines = Engines::new();
    for config in engines.configs() {
        let clock = SetClock::new();
        let opened = Arc::new(open(&config, &clock).await.unwrap());
        let stays = signs_in(&opened, ("acme", "alice"), Some("portal")).await;
        for number in 0..MANY {
            signs_in(&opened, ("zeta", &format!("z{number}")), None).await;
        }
        signs_in(&opened, ("acme", "bob"), Some("gone-tool")).await;
        // Of these the session has ended, and the client's tokens live on.
        let left = signs_in(&opened, ("zeta", "left"), Some("portal")).await;
        for (id, holder) in [
            ("t-acme", ("acme", None)),
            ("t-zeta", ("zeta", Some("portal"))),
            ("t-tool", ("acme", Some("gone-tool"))),
        ] {
            is_given(&opened, id, holder).await;
        }

        // Nothing is gone but a tool that nobody knows: people keep their sessions.
        let known = departed(&opened, &clock, directory(true));
        let ended = known.pass().await.unwrap();
        assert_eq!((ended.sessions, ended.families, ended.tokens), (0, 1, 1));
        assert_eq!(known.pass().await.unwrap(), Ended::default());

        // Two gateways at once.
        let one = departed(&opened, &clock, directory(false));
        let other = departed(&opened, &clock, directory(false));
        let (one, other) = tokio::join!(one.pass(), other.pass());
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.sessions + other.sessions, MANY as u64 + 1);
        assert_eq!(one.tokens + other.tokens, 1);

        let now = Timestamp(NOW);
        assert!(opened.sessions.by_sid(&stays, now).await.unwrap().is_some());
        assert!(opened.families.find("portal-alice", now).await.unwrap().is_some());
        assert_eq!(opened.sessions.by_sid(&left, now).await.unwrap(), None);
        assert_eq!(opened.families.find("portal-left", now).await.unwrap(), None);
        let due = opened.endings.due(now, 10).await.unwrap();
        let due: BTreeSet<(&str, &str)> = due
            .iter()
            .map(|one| (one.id.as_str(), one.why.as_str()))
            .collect();
        assert_eq!(
            due,
            BTreeSet::from([
                ("t-tool", "client 'gone-tool' is not configured any more"),
                ("t-zeta", "upstream 'zeta' is not configured any more"),
            ])
        );
        on_the_trail_once(&opened).await;
        opened.close().await;
    }
}

async fn on_the_trail_once(opened: &Opened) {
    let trail = opened.trail.recent(None, 2 * MANY as u32).await.unwrap();
    let mut people = BTreeSet::new();
    for (_, event) in &trail {
        match &event.what {
            What::SignedOut { by } => {
                assert_eq!(by, "upstream 'zeta' is not configured any more");
                assert_eq!(event.tenant.as_ref().unwrap().as_str(), "zeta");
                assert!(
                    people.insert(event.subject.clone().unwrap().0),
                    "twice: {event:?}"
                );
            }
            What::TokenRevoked { client, .. } => assert_eq!(client.as_str(), "gone-tool"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((people.len(), trail.len()), (MANY + 1, MANY + 2));
}
