//! Opens what the configuration names.

use std::{fmt, sync::Arc};

use super::{
    Config, RecordsConfig, StoreFault, TicketsConfig,
    audit_batch::AuditWriter,
    memory::{MemoryLimits, MemoryTickets},
    redis::RedisStore,
    sql::{Records, SqlTickets},
};
use crate::{
    domain::secret::{Secret, SecretRef},
    port::{
        bonds::Bonds,
        clock::Clock,
        decisions::DecisionRecords,
        departures::Departures,
        limits::Limits,
        people::{Given, People},
        records::{AuditTrail, Endings, KeyRecords, Reachable, RefreshFamilies, Revocations, Sessions},
        secrets::Secrets,
        tickets::Tickets,
    },
};

/// The opened stores, one field for each port.
pub struct Opened {
    /// Sign-ins.
    pub sessions: Arc<dyn Sessions>,
    /// Refresh-token families.
    pub families: Arc<dyn RefreshFamilies>,
    /// Revoked tokens.
    pub revocations: Arc<dyn Revocations>,
    /// What ties sessions to upstreams.
    pub bonds: Arc<dyn Bonds>,
    /// Tokens at targets that must end.
    pub endings: Arc<dyn Endings>,
    /// What is kept of customers that go.
    pub departures: Arc<dyn Departures>,
    /// Signing keys.
    pub keys: Arc<dyn KeyRecords>,
    /// The audit trail, for reading.
    pub trail: Arc<dyn AuditTrail>,
    /// The way into the audit trail: events of parallel requests share one write.
    pub audit: Arc<AuditWriter>,
    /// Decisions of the policy engine.
    pub decisions: Arc<dyn DecisionRecords>,
    /// People as they were last seen.
    pub people: Arc<dyn People>,
    /// What was given to them at targets.
    pub given: Arc<dyn Given>,
    /// Short-lived values.
    pub tickets: Arc<dyn Tickets>,
    /// Counters.
    pub limits: Arc<dyn Limits>,
    /// What readiness asks, each by the name operators know it by.
    pub reachable: Vec<(&'static str, Arc<dyn Reachable>)>,
    records: Records,
}

impl fmt::Debug for Opened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Opened")
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// The SQL store itself, for what operators ask of it (`check_audit`).
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Writes what is pending and closes the connections. Nothing can be kept afterwards.
    pub async fn close(&self) {
        self.audit.close().await;
        self.records.close().await;
    }
}

/// Opens the stores: connects, migrates under a lock, and starts the writer of the audit trail.
/// Must run inside a tokio runtime.
pub async fn open(
    config: &Config,
    secrets: &dyn Secrets,
    clock: Arc<dyn Clock>,
) -> Result<Opened, StoreFault> {
    let records = match &config.records {
        RecordsConfig::Sqlite { path } => Records::sqlite(path, clock.now()).await?,
        RecordsConfig::Postgres { url, max_connections } => {
            let url = read("store.records.url", url, secrets)?;
            Records::postgres(&url, *max_connections, clock.now()).await?
        }
    };
    let shared = Arc::new(records.clone());
    let mut reachable: Vec<(&'static str, Arc<dyn Reachable>)> = vec![("records", shared.clone())];
    let (tickets, limits): (Arc<dyn Tickets>, Arc<dyn Limits>) = match &config.tickets {
        TicketsConfig::Memory { most } => (
            Arc::new(MemoryTickets::new(*most, Arc::clone(&clock))),
            Arc::new(MemoryLimits::new(*most, clock)),
        ),
        TicketsConfig::Records {} => {
            let both = Arc::new(SqlTickets::new(records.clone(), clock));
            (both.clone(), both)
        }
        TicketsConfig::Redis { url, ca } => {
            let url = read("store.tickets.url", url, secrets)?;
            let both = Arc::new(RedisStore::open(&url, ca.as_deref()).await?);
            reachable.push(("tickets", both.clone()));
            (both.clone(), both)
        }
    };
    Ok(Opened {
        sessions: shared.clone(),
        families: shared.clone(),
        revocations: shared.clone(),
        endings: shared.clone(),
        departures: shared.clone(),
        bonds: shared.clone(),
        keys: shared.clone(),
        trail: shared.clone(),
        decisions: shared.clone(),
        people: shared.clone(),
        given: shared.clone(),
        audit: Arc::new(AuditWriter::start(shared)),
        tickets,
        limits,
        reachable,
        records,
    })
}

fn read(key: &'static str, from: &SecretRef, secrets: &dyn Secrets) -> Result<Secret, StoreFault> {
    secrets.read(from).map_err(|missing| StoreFault::Setting {
        key,
        found: missing.to_string(),
        expected: "a reference to a connection URL: { env: NAME } or { file: path }".to_owned(),
    })
}
