//! One conformance suite for the stores, and the life of the key ring over a real one.

mod bonds;
mod departures;
mod people;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fedgate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        audit::{Event, Personal, What},
        ids::{ClientId, Reference, SessionId, TenantId, UpstreamId},
        key::{Algorithm, Life, PUBLISH_AHEAD, Stage},
        secret::{Secret, SecretRef},
        session::{RefreshFamily, Session},
        time::Timestamp,
    },
    keys::{self, KeyRing, RingFault, SecretSealer},
    port::{
        audit::Audit,
        clock::Clock,
        limits::{Limits, Quota, Verdict},
        records::{AuditTrail, RecordFault, StoredKey},
        secrets::{MissingSecret, Secrets},
        signer::{KeyFault, Sealer, Signer, TokenType},
        tickets::{TicketFault, TicketKind, Tickets},
    },
    store::{
        self, Opened, RecordsConfig, StoreFault, TicketsConfig,
        audit_batch::AuditWriter,
        memory::{MemoryLimits, MemoryTickets},
        sql::AuditCheck,
    },
};
use serde_json::{Map, Value, json};
use sqlx::Connection as _;

use crate::parts::{certificates::Authority, postgres, postgres::Postgres, redis, redis::Redis};

const NOW: i64 = 1_800_000_000;

#[derive(Debug)]
struct SetClock(AtomicI64);

impl SetClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW)))
    }
    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// The text of an `env` reference is the secret itself.
struct Literal;

impl Secrets for Literal {
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret> {
        match from {
            SecretRef::Env(text) => Ok(Secret::new(text.clone())),
            SecretRef::File(path) => Err(MissingSecret(format!("no file {}", path.display()))),
        }
    }
}

fn sqlite(path: &Path) -> store::Config {
    store::Config {
        records: RecordsConfig::Sqlite {
            path: path.to_owned(),
        },
        tickets: TicketsConfig::Records {},
    }
}

fn postgres_config(url: &str) -> store::Config {
    store::Config {
        records: RecordsConfig::Postgres {
            url: SecretRef::Env(url.to_owned()),
            max_connections: 8,
        },
        tickets: TicketsConfig::Records {},
    }
}

async fn open(config: &store::Config, clock: &Arc<SetClock>) -> Result<Opened, StoreFault> {
    store::open(config, &Literal, clock.clone()).await
}

/// A new database of each engine, and what keeps it alive.
struct Engines {
    folder: tempfile::TempDir,
    server: Arc<Postgres>,
}

impl Engines {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            server: Postgres::shared(),
        }
    }
    fn file(&self) -> PathBuf {
        self.folder.path().join("fedgate.db")
    }
    fn configs(&self) -> [store::Config; 2] {
        [sqlite(&self.file()), postgres_config(&self.server.database())]
    }
}

async fn at_once<T, F>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|index| tokio::spawn(make(index))).collect();
    let mut out = Vec::new();
    for task in tasks {
        out.push(task.await.unwrap());
    }
    out
}

// ---- tickets and limits -------------------------------------------------------------------------------

const MINUTE: Duration = Duration::from_secs(60);

async fn tickets_are_taken_once(tickets: Arc<dyn Tickets>) {
    assert!(
        tickets
            .put(TicketKind::Code, "a", b"one\0\xff", MINUTE)
            .await
            .unwrap()
    );
    assert!(!tickets.put(TicketKind::Code, "a", b"two", MINUTE).await.unwrap());
    assert!(
        tickets
            .put(TicketKind::Device, "a", b"other", MINUTE)
            .await
            .unwrap()
    );
    assert_eq!(
        tickets.peek(TicketKind::Code, "a").await.unwrap().unwrap(),
        b"one\0\xff"
    );
    let taken = at_once(20, |_| {
        let tickets = tickets.clone();
        async move { tickets.take(TicketKind::Code, "a").await.unwrap() }
    })
    .await;
    assert_eq!(taken.iter().flatten().collect::<Vec<_>>(), [b"one\0\xff"]);
    assert_eq!(
        tickets.take(TicketKind::Device, "a").await.unwrap().unwrap(),
        b"other"
    );
    assert_eq!(tickets.peek(TicketKind::Code, "never").await.unwrap(), None);

    let put = at_once(20, |_| {
        let tickets = tickets.clone();
        async move { tickets.put(TicketKind::Seen, "jti", b"", MINUTE).await.unwrap() }
    })
    .await;
    assert_eq!(put.iter().filter(|put| **put).count(), 1);
}

async fn tickets_are_swapped_once(tickets: Arc<dyn Tickets>) {
    tickets
        .put(TicketKind::Device, "s", b"old", MINUTE)
        .await
        .unwrap();
    let swapped = at_once(20, |index| {
        let tickets = tickets.clone();
        async move {
            let new = format!("new{index}");
            tickets
                .swap(TicketKind::Device, "s", b"old", new.as_bytes())
                .await
                .unwrap()
        }
    })
    .await;
    let winner = swapped.iter().position(|won| *won).unwrap();
    assert_eq!(swapped.iter().filter(|won| **won).count(), 1);
    let value = tickets.peek(TicketKind::Device, "s").await.unwrap().unwrap();
    assert_eq!(value, format!("new{winner}").as_bytes());
    assert!(!tickets.swap(TicketKind::Device, "none", b"", b"x").await.unwrap());
}

async fn tickets_end(tickets: Arc<dyn Tickets>, clock: Option<&SetClock>) {
    let ttl = clock.map_or(Duration::from_millis(400), |_| Duration::from_secs(10));
    tickets.put(TicketKind::Code, "e", b"old", ttl).await.unwrap();
    assert!(tickets.swap(TicketKind::Code, "e", b"old", b"new").await.unwrap());
    match clock {
        Some(clock) => {
            clock.forward(9);
            assert!(tickets.peek(TicketKind::Code, "e").await.unwrap().is_some());
            clock.forward(1);
        }
        None => tokio::time::sleep(Duration::from_millis(600)).await,
    }
    // The swap has not made it live longer.
    assert_eq!(tickets.peek(TicketKind::Code, "e").await.unwrap(), None);
    assert!(!tickets.swap(TicketKind::Code, "e", b"new", b"x").await.unwrap());
    assert_eq!(tickets.take(TicketKind::Code, "e").await.unwrap(), None);
    assert!(tickets.put(TicketKind::Code, "e", b"again", ttl).await.unwrap());
    tickets.take(TicketKind::Code, "e").await.unwrap();
}

async fn limits_count(limits: Arc<dyn Limits>, clock: Option<&SetClock>) {
    let within = clock.map_or(Duration::from_millis(500), |_| Duration::from_secs(10));
    let quota = Quota { times: 3, within };
    let verdicts = at_once(8, |_| {
        let limits = limits.clone();
        async move { limits.hit("k", quota).await.unwrap() }
    })
    .await;
    assert_eq!(
        verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Free)
            .count(),
        3
    );
    for verdict in verdicts {
        if let Verdict::Wait(span) = verdict {
            assert!(span <= within, "{span:?}");
        }
    }
    assert_eq!(limits.hit("another", quota).await.unwrap(), Verdict::Free);
    limits.clear("k").await.unwrap();
    assert_eq!(limits.hit("k", quota).await.unwrap(), Verdict::Free);
    for _ in 0..3 {
        limits.hit("k", quota).await.unwrap();
    }
    assert!(matches!(limits.hit("k", quota).await.unwrap(), Verdict::Wait(_)));
    match clock {
        Some(clock) => clock.forward(10),
        None => tokio::time::sleep(Duration::from_millis(700)).await,
    }
    assert_eq!(limits.hit("k", quota).await.unwrap(), Verdict::Free);
}

async fn short_lived(tickets: Arc<dyn Tickets>, limits: Arc<dyn Limits>, clock: Option<&SetClock>) {
    tickets_are_taken_once(tickets.clone()).await;
    tickets_are_swapped_once(tickets.clone()).await;
    tickets_end(tickets, clock).await;
    limits_count(limits, clock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_tickets_and_limits() {
    let clock = SetClock::new();
    let tickets = Arc::new(MemoryTickets::new(100, clock.clone()));
    let limits = Arc::new(MemoryLimits::new(100, clock.clone()));
    short_lived(tickets, limits, Some(&clock)).await;
}

#[tokio::test]
async fn memory_is_bounded_and_its_time_never_runs_backwards() {
    let clock = SetClock::new();
    let tickets = MemoryTickets::new(2, clock.clone());
    let put = async |id: &str, seconds| {
        tickets
            .put(TicketKind::Code, id, b"v", Duration::from_secs(seconds))
            .await
    };
    assert!(put("a", 5).await.unwrap());
    assert!(put("b", 50).await.unwrap());
    assert_eq!(put("c", 5).await, Err(TicketFault::Full));
    // Running flows go on, and one that is there already is still "seen".
    assert!(!put("a", 5).await.unwrap());
    assert!(tickets.peek(TicketKind::Code, "b").await.unwrap().is_some());
    clock.forward(5);
    assert!(put("c", 5).await.unwrap());
    clock.forward(-5);
    assert_eq!(tickets.peek(TicketKind::Code, "a").await.unwrap(), None);
    clock.forward(100);
    assert_eq!(tickets.sweep().await.unwrap(), 2);

    let limits = MemoryLimits::new(1, clock.clone());
    let quota = Quota {
        times: 1,
        within: MINUTE,
    };
    assert_eq!(limits.hit("a", quota).await.unwrap(), Verdict::Free);
    assert_eq!(limits.hit("b", quota).await, Err(TicketFault::Full));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sql_keeps_tickets_and_limits() {
    let engines = Engines::new();
    for config in engines.configs() {
        let clock = SetClock::new();
        let opened = open(&config, &clock).await.unwrap();
        short_lived(opened.tickets.clone(), opened.limits.clone(), Some(&clock)).await;
        clock.forward(1000);
        assert!(opened.tickets.sweep().await.unwrap() >= 4);
        assert_eq!(opened.tickets.sweep().await.unwrap(), 0);
        opened.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_over_tls_is_believed_by_its_own_ca_alone() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("of this Redis");
    let (own, server) = (
        authority.write(folder.path()),
        Redis::start_tls(&authority.server()),
    );
    let foreign = folder.path().join("foreign.pem");
    std::fs::write(&foreign, Authority::new("of somebody else").pem()).unwrap();
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&garbage, "no certificate").unwrap();
    let config = |url: &str, ca: Option<&Path>| store::Config {
        tickets: TicketsConfig::Redis {
            url: SecretRef::Env(url.to_owned()),
            ca: ca.map(Path::to_owned),
        },
        ..sqlite(&folder.path().join("a.db"))
    };
    let opened = open(&config(&server.url(), Some(&own)), &SetClock::new())
        .await
        .unwrap();
    short_lived(opened.tickets.clone(), opened.limits.clone(), None).await;
    for (name, part) in &opened.reachable {
        part.ping()
            .await
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }

    // The same certificate is not for every name, and no other CA's and no system's trust reaches it.
    let other_name = server.url().replace("@localhost:", "@127.0.0.2:");
    let plain = server.url().replace("rediss://", "redis://");
    let insecure = format!("{}#insecure", server.url());
    for (url, ca, key) in [
        (server.url(), Some(foreign.as_path()), "store.tickets.url"),
        (server.url(), None, "store.tickets.url"),
        (other_name, Some(&own), "store.tickets.url"),
        (plain.clone(), None, "store.tickets.url"),
        (insecure, None, "store.tickets.url"),
        (plain, Some(&own), "store.tickets.ca"),
        (server.url(), Some(&garbage), "store.tickets.ca"),
        (server.url(), Some(Path::new("/none")), "store.tickets.ca"),
    ] {
        let refused = open(&config(&url, ca), &SetClock::new()).await;
        let text = refused.map(drop).expect_err(&url).to_string();
        assert!(
            text.starts_with(key) && !text.contains(redis::PASSWORD),
            "{url} {ca:?}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_keeps_tickets_and_limits() {
    let (server, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    let config = |url: &str| store::Config {
        tickets: TicketsConfig::Redis {
            url: SecretRef::Env(url.to_owned()),
            ca: None,
        },
        ..sqlite(&folder.path().join("a.db"))
    };
    let opened = open(&config(&server.url()), &SetClock::new()).await.unwrap();
    short_lived(opened.tickets.clone(), opened.limits.clone(), None).await;
    assert_eq!(opened.tickets.sweep().await.unwrap(), 0);
    for (name, part) in &opened.reachable {
        part.ping()
            .await
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    let wrong = server.url().replace(redis::PASSWORD, "wr0ng-s3cret");
    let fault = open(&config(&wrong), &SetClock::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("store.tickets.url") && !fault.contains("wr0ng"),
        "{fault}"
    );
    drop(server);
    let down = opened.tickets.peek(TicketKind::Code, "a").await.unwrap_err();
    assert!(
        matches!(&down, TicketFault::Down(why) if !why.contains(redis::PASSWORD)),
        "{down}"
    );
}

// ---- records ------------------------------------------------------------------------------------------

fn assertion(subject: &str) -> UpstreamAssertion {
    let claims: Map<String, Value> = [("groups".to_owned(), json!(["ä", "b\"c", 1, null]))]
        .into_iter()
        .collect();
    UpstreamAssertion::recalled(Verified {
        upstream: UpstreamId::parse("acme").unwrap(),
        tenant: TenantId::parse("acme").unwrap(),
        issuer: "https://acme.example".to_owned(),
        subject: subject.to_owned(),
        claims,
        authenticated_at: Timestamp(NOW - 10),
        acr: Some("gold".to_owned()),
        amr: vec!["pwd".to_owned()],
        not_after: Timestamp(NOW + 10_000),
        upstream_session: None,
    })
}

fn session(id: &str, hint: Option<&str>) -> Session {
    Session {
        id: SessionId(id.to_owned()),
        assertion: assertion("alice"),
        started: Timestamp(NOW),
        ends: Timestamp(NOW + 100),
        upstream_hint: hint.map(str::to_owned),
    }
}

fn family(id: &str, sid: &str) -> RefreshFamily {
    RefreshFamily {
        id: id.to_owned(),
        client: client(),
        sid: sid.to_owned(),
        assertion: assertion("alice"),
        scope: "openid groups".to_owned(),
        audience: "https://gate.example".to_owned(),
        generation: 0,
        rotated: Timestamp(NOW),
        ends: Timestamp(NOW + 1000),
    }
}

fn client() -> ClientId {
    ClientId::parse("portal").unwrap()
}

/// SHA-256("one") in hex, its first half.
const SID_OF_ONE: &str = "7692c3ad3540bb803c020b3aee66cd88";

async fn sessions_are_kept(opened: &Opened) {
    let (now, later) = (Timestamp(NOW), Timestamp(NOW + 100));
    let (one, two) = (session("one", Some("sealed")), session("two", None));
    opened.sessions.open(&one).await.unwrap();
    opened.sessions.open(&two).await.unwrap();
    assert_eq!(
        opened.sessions.find(&one.id, now).await.unwrap(),
        Some(one.clone())
    );
    assert_eq!(
        opened.sessions.find(&two.id, now).await.unwrap(),
        Some(two.clone())
    );
    let named = opened.sessions.by_sid(SID_OF_ONE, now).await.unwrap().unwrap();
    assert_eq!(
        named,
        Session {
            id: SessionId(String::new()),
            ..one.clone()
        }
    );
    assert_eq!(opened.sessions.find(&one.id, later).await.unwrap(), None);
    assert_eq!(opened.sessions.by_sid(SID_OF_ONE, later).await.unwrap(), None);

    for (id, sid) in [("f1", SID_OF_ONE), ("f2", SID_OF_ONE), ("f3", "another")] {
        opened.families.begin(&family(id, sid)).await.unwrap();
    }
    opened.sessions.end(SID_OF_ONE).await.unwrap();
    opened.sessions.end("unknown").await.unwrap();
    assert_eq!(opened.sessions.find(&one.id, now).await.unwrap(), None);
    for (id, there) in [("f1", false), ("f2", false), ("f3", true)] {
        assert_eq!(
            opened.families.find(id, now).await.unwrap().is_some(),
            there,
            "{id}"
        );
    }
    assert!(opened.sessions.find(&two.id, now).await.unwrap().is_some());

    opened
        .revocations
        .revoke("jti", Timestamp(NOW + 50))
        .await
        .unwrap();
    opened
        .revocations
        .revoke("jti", Timestamp(NOW + 20))
        .await
        .unwrap();
    assert!(opened.revocations.is_revoked("jti").await.unwrap());
    assert!(!opened.revocations.is_revoked("other").await.unwrap());
    assert_eq!(opened.sessions.sweep(Timestamp(NOW + 49)).await.unwrap(), 0);
    assert!(opened.revocations.is_revoked("jti").await.unwrap());
    // The session "two", the revocation and the family "f3".
    assert_eq!(opened.sessions.sweep(Timestamp(NOW + 1000)).await.unwrap(), 3);
    assert!(!opened.revocations.is_revoked("jti").await.unwrap());
}

async fn families_rotate_once(opened: &Opened) {
    let now = Timestamp(NOW + 1);
    opened.families.begin(&family("r", "sid")).await.unwrap();
    for generation in 0..3 {
        let moved = at_once(20, |_| {
            let families = opened.families.clone();
            async move { families.rotate("r", &client(), generation, now).await.unwrap() }
        })
        .await;
        let moved: Vec<_> = moved.into_iter().flatten().collect();
        let expected = RefreshFamily {
            generation: generation + 1,
            rotated: now,
            ..family("r", "sid")
        };
        assert_eq!(moved, [expected]);
    }
    let other = ClientId::parse("other").unwrap();
    assert_eq!(opened.families.rotate("r", &other, 3, now).await.unwrap(), None);
    assert_eq!(
        opened.families.rotate("none", &client(), 3, now).await.unwrap(),
        None
    );
    let ended = Timestamp(NOW + 1000);
    assert_eq!(
        opened.families.rotate("r", &client(), 3, ended).await.unwrap(),
        None
    );
    assert_eq!(
        opened.families.find("r", now).await.unwrap().unwrap().generation,
        3
    );
    opened.families.revoke("r").await.unwrap();
    assert_eq!(
        opened.families.rotate("r", &client(), 3, now).await.unwrap(),
        None
    );
    assert_eq!(opened.families.find("r", now).await.unwrap(), None);
}

fn event(reference: &str, jti: usize) -> Event {
    Event {
        at: Timestamp(NOW),
        reference: Reference(reference.to_owned()),
        address: Some(Personal("127.0.0.1".to_owned())),
        subject: None,
        tenant: Some(TenantId::parse("acme").unwrap()),
        what: What::TokenIssued {
            client: client(),
            grant: "refresh_token".to_owned(),
            audience: "a".to_owned(),
            jti: jti.to_string(),
        },
    }
}

async fn audit_is_numbered(opened: &Opened) {
    assert_eq!(
        opened.records().check_audit().await.unwrap(),
        AuditCheck::Sound(0)
    );
    let written = at_once(100, |index| {
        let audit = opened.audit.clone();
        async move {
            audit
                .record(event(if index < 90 { "many" } else { "few" }, index))
                .await
        }
    })
    .await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    opened
        .trail
        .append(&[event("last", 1), event("last", 2)])
        .await
        .unwrap();
    let all = opened.trail.recent(None, 1000).await.unwrap();
    let numbers: Vec<i64> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=102).rev().collect::<Vec<_>>());
    assert_eq!(all[0].1, event("last", 2));
    assert_eq!(opened.trail.recent(Some("few"), 1000).await.unwrap().len(), 10);
    assert_eq!(opened.trail.recent(Some("many"), 5).await.unwrap().len(), 5);
    assert_eq!(
        opened.records().check_audit().await.unwrap(),
        AuditCheck::Sound(102)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sql_keeps_records() {
    let engines = Engines::new();
    for config in engines.configs() {
        let opened = open(&config, &SetClock::new()).await.unwrap();
        sessions_are_kept(&opened).await;
        families_rotate_once(&opened).await;
        audit_is_numbered(&opened).await;
        keys_are_added_by_one(&opened).await;
        bonds::bonds_last_as_long_as_their_sessions(&opened).await;
        bonds::tokens_that_must_end_are_found_in_time(&opened).await;
        people::people_are_kept_and_let_go_once(&opened).await;
        people::sessions_end_with_the_person(&opened).await;
        people::what_was_given_is_noted_and_struck_out(&opened).await;
        people::one_has_the_turn(&opened).await;
        opened.close().await;
    }
}

#[tokio::test]
async fn an_audit_trail_that_was_tampered_with_shows() {
    let engines = Engines::new();
    for (config, url) in engines.configs().into_iter().zip(["sqlite", "postgres"]) {
        let clock = SetClock::new();
        let opened = open(&config, &clock).await.unwrap();
        let events: Vec<Event> = (0..10).map(|index| event("r", index)).collect();
        opened.trail.append(&events).await.unwrap();
        let records = opened.records();
        let url = match &config.records {
            RecordsConfig::Sqlite { path } => format!("{url}://{}", path.display()),
            RecordsConfig::Postgres {
                url: SecretRef::Env(url),
                ..
            } => url.clone(),
            RecordsConfig::Postgres { .. } => unreachable!(),
        };
        let mut raw = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query("UPDATE audit SET event = replace(event, '127.0.0.1', '127.0.0.2') WHERE number = 4")
            .execute(&mut raw)
            .await
            .unwrap();
        assert_eq!(records.check_audit().await.unwrap(), AuditCheck::Changed(4));
        sqlx::query("DELETE FROM audit WHERE number IN (3, 10)")
            .execute(&mut raw)
            .await
            .unwrap();
        assert_eq!(records.check_audit().await.unwrap(), AuditCheck::Missing(3));
        raw.close().await.unwrap();
        opened.close().await;
    }
}

struct Failing;

#[async_trait::async_trait]
impl AuditTrail for Failing {
    async fn append(&self, _: &[Event]) -> Result<(), RecordFault> {
        Err(RecordFault("disk full".to_owned()))
    }
    async fn recent(&self, _: Option<&str>, _: u32) -> Result<Vec<(i64, Event)>, RecordFault> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_failed_audit_write_reaches_every_caller_and_closing_writes_what_waits() {
    let writer = Arc::new(AuditWriter::start(Arc::new(Failing)));
    let answers = at_once(10, |index| {
        let writer = writer.clone();
        async move { writer.record(event("r", index)).await }
    })
    .await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Err(RecordFault("disk full".to_owned())))
    );

    let folder = tempfile::tempdir().unwrap();
    let config = sqlite(&folder.path().join("a.db"));
    let opened = open(&config, &SetClock::new()).await.unwrap();
    let (audit, trail) = (opened.audit.clone(), opened.trail.clone());
    let waiting = tokio::spawn(async move { audit.record(event("r", 1)).await });
    tokio::task::yield_now().await;
    opened.audit.close().await;
    waiting.await.unwrap().unwrap();
    assert_eq!(trail.recent(None, 10).await.unwrap().len(), 1);
    assert!(opened.audit.record(event("r", 2)).await.is_err());
}

// ---- opening and migrating ----------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_start_at_once_migrate_once_and_a_restart_keeps_data() {
    let engines = Engines::new();
    for config in engines.configs() {
        let opened = at_once(4, |_| {
            let config = config.clone();
            async move { open(&config, &SetClock::new()).await.unwrap() }
        })
        .await;
        opened[0].sessions.open(&session("kept", None)).await.unwrap();
        let found = opened[3]
            .sessions
            .find(&SessionId("kept".to_owned()), Timestamp(NOW))
            .await;
        assert!(found.unwrap().is_some());
        for each in opened {
            each.close().await;
        }
        let again = open(&config, &SetClock::new()).await.unwrap();
        let found = again
            .sessions
            .find(&SessionId("kept".to_owned()), Timestamp(NOW))
            .await;
        assert!(found.unwrap().is_some());
        again.close().await;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(engines.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = std::fs::read(engines.file()).unwrap();
    assert!(
        !bytes.windows(4).any(|window| window == b"kept"),
        "the session's id is in the file"
    );
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let engines = Engines::new();
    for config in engines.configs() {
        open(&config, &SetClock::new()).await.unwrap().close().await;
        let url = match &config.records {
            RecordsConfig::Sqlite { path } => format!("sqlite://{}", path.display()),
            RecordsConfig::Postgres {
                url: SecretRef::Env(url),
                ..
            } => url.clone(),
            RecordsConfig::Postgres { .. } => unreachable!(),
        };
        let mut raw = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query("INSERT INTO schema_version (version, name, applied) VALUES (99, 'future', 0)")
            .execute(&mut raw)
            .await
            .unwrap();
        raw.close().await.unwrap();
        let fault = open(&config, &SetClock::new()).await.unwrap_err();
        let newest = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
            .unwrap()
            .count();
        let StoreFault::Newer { found: 99, known, .. } = &fault else {
            panic!("{fault}");
        };
        assert_eq!(usize::try_from(*known).unwrap(), newest, "{fault}");
        let text = fault.to_string();
        assert!(
            text.contains("99")
                && text.contains(&format!("up to {newest}"))
                && !text.contains(postgres::PASSWORD),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let engines = Engines::new();
    for config in engines.configs() {
        let url = match &config.records {
            RecordsConfig::Sqlite { path } => format!("sqlite://{}?mode=rwc", path.display()),
            RecordsConfig::Postgres {
                url: SecretRef::Env(url),
                ..
            } => url.clone(),
            RecordsConfig::Postgres { .. } => unreachable!(),
        };
        sqlx::any::install_default_drivers();
        let mut raw = sqlx::AnyConnection::connect(&url).await.unwrap();
        // Somebody else's table is in the way of the second migration.
        sqlx::query("CREATE TABLE limits (x BIGINT)")
            .execute(&mut raw)
            .await
            .unwrap();
        let fault = open(&config, &SetClock::new()).await.unwrap_err();
        assert!(
            matches!(fault, StoreFault::Migration { version: 2, .. }),
            "{fault}"
        );
        for table in ["SELECT 1 FROM sessions", "SELECT 1 FROM schema_version"] {
            assert!(sqlx::query(table).fetch_all(&mut raw).await.is_err(), "{table}");
        }
        sqlx::query("DROP TABLE limits").execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        open(&config, &SetClock::new()).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do_and_no_password() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), SetClock::new());
    let missing = folder.path().join("none").join("fedgate.db");
    let text = open(&sqlite(&missing), &clock).await.unwrap_err().to_string();
    assert!(
        text.contains("store.records.path") && text.contains("none/fedgate.db"),
        "{text}"
    );
    assert!(text.contains("Create the folder"), "{text}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is a text, not a database. ".repeat(100)).unwrap();
    let text = open(&sqlite(&garbage), &clock).await.unwrap_err().to_string();
    assert!(text.contains("file is not a database"), "{text}");
    assert!(
        text.contains("garbage.db") && text.contains("Is it a fedgate database"),
        "{text}"
    );

    let server = Postgres::shared();
    let wrong = server.database().replace(postgres::PASSWORD, "wr0ng%20s3cret");
    for (url, expected) in [
        (wrong.as_str(), "password"),
        ("postgres://u:wr0ng@127.0.0.1:1/d", "Connection refused"),
        ("mysql://u:wr0ng@127.0.0.1/d", "mysql"),
        ("wr0ng", "not a URL"),
    ] {
        let text = open(&postgres_config(url), &clock).await.unwrap_err().to_string();
        assert!(
            text.contains("store.records.url") && text.contains(expected),
            "{text}"
        );
        assert!(!text.contains("wr0ng"), "{text}");
    }
}

#[test]
fn a_setting_that_does_nothing_is_refused() {
    for text in [
        json!({"tickets": {"kind": "records", "most": 1}}),
        json!({"tickets": {"kind": "memory", "url": "x"}}),
        json!({"records": {"kind": "sqlite", "path": "a", "url": "x"}}),
        json!({"records": {"kind": "mysql"}}),
        json!({"cache": {}}),
    ] {
        assert!(
            serde_json::from_value::<store::Config>(text.clone()).is_err(),
            "{text}"
        );
    }
    let read: store::Config = serde_json::from_value(json!({"tickets": {"kind": "records"}})).unwrap();
    assert_eq!(read.tickets, TicketsConfig::Records {});
}

// ---- keys ---------------------------------------------------------------------------------------------

const ISSUER: &str = "https://gate.example";

async fn keys_are_added_by_one(opened: &Opened) {
    let key = |index: usize| StoredKey {
        kid: format!("k{index}"),
        ring: String::new(),
        algorithm: Algorithm::Es256,
        sealed: vec![0, 1, 255],
        certificate: vec![2],
        life: Life::first(Timestamp(NOW)),
    };
    let added = at_once(8, |index| {
        let (keys, new) = (opened.keys.clone(), key(index));
        async move { keys.add(&new, &[], &[]).await.unwrap() }
    })
    .await;
    let winner = added.iter().position(|added| *added).unwrap();
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    assert_eq!(opened.keys.keys("", Timestamp(NOW)).await.unwrap(), [key(winner)]);

    let old = key(winner);
    let gone = old.life.superseded(Timestamp(NOW + 10), Duration::from_secs(5));
    let next = StoredKey {
        kid: "next".to_owned(),
        life: Life::successor(Timestamp(NOW)),
        ..key(0)
    };
    let seen = [old.kid.clone()];
    assert!(
        opened
            .keys
            .add(&next, &[(old.kid.clone(), gone)], &seen)
            .await
            .unwrap()
    );
    assert!(
        !opened
            .keys
            .add(
                &StoredKey {
                    kid: "late".to_owned(),
                    ..next.clone()
                },
                &[],
                &seen
            )
            .await
            .unwrap()
    );
    let kept = opened.keys.keys("", Timestamp(NOW)).await.unwrap();
    assert_eq!(kept, [StoredKey { life: gone, ..old }, next.clone()]);
    assert_eq!(opened.keys.keys("", gone.gone_at.unwrap()).await.unwrap(), [next]);
    // Another ring is another drawer: it has no part in who was first here.
    let other = StoredKey {
        kid: "other".to_owned(),
        ring: "keystone".to_owned(),
        ..key(0)
    };
    assert!(opened.keys.add(&other, &[], &[]).await.unwrap());
    assert_eq!(
        opened.keys.keys("keystone", Timestamp(NOW)).await.unwrap(),
        std::slice::from_ref(&other)
    );
    let own = opened.keys.keys("", Timestamp(NOW)).await.unwrap();
    assert!(!own.contains(&other));
}

fn sealer(letter: &str) -> Arc<dyn Sealer> {
    Arc::new(SecretSealer::new(&Secret::new(letter.repeat(32))).unwrap())
}

async fn ring(opened: &Opened, clock: &Arc<SetClock>, letter: &str) -> Result<KeyRing, RingFault> {
    let settings = keys::Config {
        rotate_after_days: 90,
        longest_token_s: 3600,
    };
    KeyRing::open(
        opened.keys.clone(),
        sealer(letter),
        clock.clone(),
        ISSUER.to_owned(),
        settings,
    )
    .await
}

fn claims(exp: i64) -> Vec<u8> {
    json!({"iss": ISSUER, "sub": "s", "aud": "a", "exp": exp})
        .to_string()
        .into_bytes()
}

fn stages(ring: &KeyRing, algorithm: Algorithm) -> Vec<Stage> {
    let of_kind = ring.list().into_iter().filter(|key| key.algorithm == algorithm);
    of_kind.map(|key| key.stage).collect()
}

fn document(ring: &KeyRing) -> jsonwebtoken::jwk::JwkSet {
    serde_json::from_slice(&ring.jwks()).unwrap()
}

fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_start_at_once_share_one_ring_and_a_wrong_secret_is_refused() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), SetClock::new());
    let config = sqlite(&folder.path().join("a.db"));
    let opened = Arc::new(open(&config, &clock).await.unwrap());
    let rings = at_once(3, |_| {
        let (opened, clock) = (opened.clone(), clock.clone());
        async move { ring(&opened, &clock, "a").await.unwrap() }
    })
    .await;
    assert_eq!(rings[0].list().len(), 2);
    for other in &rings {
        assert_eq!(other.list(), rings[0].list());
    }
    let token = rings[0]
        .sign(Algorithm::Rs256, TokenType::Access, &claims(NOW + 5))
        .unwrap();
    rings[2].verify(TokenType::Access, &token, clock.now()).unwrap();
    assert!(matches!(
        ring(&opened, &clock, "b").await,
        Err(RingFault::Sealed { .. })
    ));
    assert_eq!(opened.keys.keys("", clock.now()).await.unwrap().len(), 2);
    opened.close().await;
    // The file reopened: the same ring.
    let again = open(&config, &clock).await.unwrap();
    let reopened = ring(&again, &clock, "a").await.unwrap();
    assert_eq!(reopened.list(), rings[0].list());
    reopened.verify(TokenType::Access, &token, clock.now()).unwrap();
}

#[tokio::test]
async fn a_key_is_pending_then_active_then_retiring_then_gone() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), SetClock::new());
    let opened = open(&sqlite(&folder.path().join("a.db")), &clock).await.unwrap();
    let ring = ring(&opened, &clock, "a").await.unwrap();
    let sign = || {
        ring.sign(Algorithm::Es256, TokenType::Access, &claims(i64::MAX))
            .unwrap()
    };
    let before = sign();
    assert!(ring.refresh().await.unwrap().is_empty());
    let made = ring.rotate(Some(Algorithm::Es256)).await.unwrap();
    assert_eq!(stages(&ring, Algorithm::Es256), [Stage::Active, Stage::Pending]);
    assert_eq!(stages(&ring, Algorithm::Rs256), [Stage::Active]);
    assert_eq!(document(&ring).keys.len(), 3);
    clock.forward(i64::try_from(PUBLISH_AHEAD.as_secs()).unwrap() - 1);
    assert_eq!(kid_of(&sign()), kid_of(&before));
    clock.forward(1);
    assert_eq!(stages(&ring, Algorithm::Es256), [Stage::Retiring, Stage::Active]);
    assert_eq!([kid_of(&sign())].as_slice(), made);
    ring.verify(TokenType::Access, &before, clock.now()).unwrap();
    // The longest token and the JWKS's max-age after its last signature.
    clock.forward(3600 + 300 - 1);
    ring.verify(TokenType::Access, &before, clock.now()).unwrap();
    clock.forward(1);
    assert_eq!(stages(&ring, Algorithm::Es256), [Stage::Active]);
    assert!(matches!(
        ring.verify(TokenType::Access, &before, clock.now()),
        Err(KeyFault::Invalid(_))
    ));
    ring.refresh().await.unwrap();
    assert_eq!(document(&ring).keys.len(), 2);
    // By itself after the configured age.
    clock.forward(90 * 86_400);
    assert_eq!(ring.refresh().await.unwrap().len(), 2);
    assert!(ring.refresh().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_jwks_verifies_elsewhere_and_shows_nothing_private() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), SetClock::new());
    let opened = open(&sqlite(&folder.path().join("a.db")), &clock).await.unwrap();
    let ring = ring(&opened, &clock, "a").await.unwrap();
    let raw: Value = serde_json::from_slice(&ring.jwks()).unwrap();
    for member in raw["keys"].as_array().unwrap() {
        let names: Vec<&str> = member.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match member["kty"].as_str().unwrap() {
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "x5c", "y"],
            _ => &["alg", "e", "kid", "kty", "n", "use", "x5c"],
        };
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
    }
    for (algorithm, theirs) in [
        (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
        (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
    ] {
        let token = ring
            .sign(algorithm, TokenType::Id, &claims(i64::from(u32::MAX)))
            .unwrap();
        let set = document(&ring);
        let jwk = set.find(&kid_of(&token)).unwrap();
        let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(jwk.common.key_id.as_deref(), Some(thumbprint.as_str()));
        let mut validation = jsonwebtoken::Validation::new(theirs);
        validation.set_audience(&["a"]);
        let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
        assert_eq!(read.claims["sub"], "s");

        use base64::{Engine as _, engine::general_purpose as base64s};
        let chain = jwk.common.x509_chain.as_ref().unwrap();
        let der = rustls::pki_types::CertificateDer::from(base64s::STANDARD.decode(&chain[0]).unwrap());
        let parsed = rustls::server::ParsedCertificate::try_from(&der).unwrap();
        let spki = parsed.subject_public_key_info();
        let member = raw["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["kid"] == thumbprint)
            .unwrap();
        let public = member["x"].as_str().or(member["n"].as_str()).unwrap();
        let public = base64s::URL_SAFE_NO_PAD.decode(public).unwrap();
        assert!(
            spki.windows(public.len()).any(|window| window == public),
            "the certificate has another key"
        );
    }
}

#[tokio::test]
async fn only_our_own_valid_tokens_pass() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (folder, clock) = (tempfile::tempdir().unwrap(), SetClock::new());
    let opened = open(&sqlite(&folder.path().join("a.db")), &clock).await.unwrap();
    let ring = ring(&opened, &clock, "a").await.unwrap();
    let sign = |typ, claims: Value| {
        ring.sign(Algorithm::Es256, typ, claims.to_string().as_bytes())
            .unwrap()
    };
    let verify = |token: &str| ring.verify(TokenType::Access, token, Timestamp(NOW));
    let good = sign(
        TokenType::Access,
        json!({"iss": ISSUER, "exp": NOW + 1, "nbf": NOW}),
    );
    assert_eq!(verify(&good).unwrap()["exp"], NOW + 1);
    for (claims, why) in [
        (json!({"iss": ISSUER, "exp": NOW}), "expired"),
        (json!({"iss": ISSUER}), "no exp"),
        (json!({"iss": ISSUER, "exp": "soon"}), "a time is no number"),
        (
            json!({"iss": ISSUER, "exp": NOW + 9, "nbf": NOW + 1}),
            "not valid yet",
        ),
        (
            json!({"iss": "https://evil.example", "exp": NOW + 9}),
            "another issuer",
        ),
        (json!({"exp": NOW + 9}), "another issuer"),
        (json!(["no", "object"]), "the claims are no JSON object"),
    ] {
        assert_eq!(
            verify(&sign(TokenType::Access, claims)),
            Err(KeyFault::Invalid(why))
        );
    }
    let id = sign(TokenType::Id, json!({"iss": ISSUER, "exp": NOW + 9}));
    assert_eq!(verify(&id), Err(KeyFault::Invalid("another type of token")));
    let old = sign(TokenType::Id, json!({"iss": ISSUER, "exp": 1, "sub": "s"}));
    assert_eq!(ring.verify_hint(&old).unwrap()["sub"], "s");
    assert!(ring.verify_hint(&good).is_err());

    let parts: Vec<&str> = good.split('.').collect();
    let kid = kid_of(&good);
    let header = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let rsa = kid_of(&ring.sign(Algorithm::Rs256, TokenType::Access, b"{}").unwrap());
    for head in [
        json!({"alg": "none", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "HS256", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "RS256", "typ": "at+jwt", "kid": rsa}),
        json!({"alg": "ES256", "typ": "at+jwt"}),
        json!({"alg": "ES256", "typ": "AT+JWT", "kid": kid}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["b64"]}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": {}}),
    ] {
        assert!(
            verify(&format!("{}.{}.{}", header(head.clone()), parts[1], parts[2])).is_err(),
            "{head}"
        );
    }
    let other = URL_SAFE_NO_PAD.encode(claims(NOW + 1000));
    for token in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.x"),
        format!("{good}="),
        String::new(),
        "..".to_owned(),
        "é.é.é".to_owned(),
        "a".repeat(100_000),
    ] {
        assert!(matches!(verify(&token), Err(KeyFault::Invalid(_))), "{token}");
    }
}
