//! Tickets in the records' database. Values are base64, so that both engines keep them alike.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::Row;

use super::Records;
use crate::{
    domain::time::Timestamp,
    port::{
        clock::Clock,
        records::RecordFault,
        tickets::{TicketFault, TicketKind, Tickets},
    },
    store::digest::hex_sha256,
};

/// Tickets and limits over the SQL store.
#[derive(Clone)]
pub struct SqlTickets {
    pub(super) records: Records,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SqlTickets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SqlTickets({:?})", self.records)
    }
}

// Not `From`: the two faults are both the ports' own.
pub(super) fn unreachable(fault: RecordFault) -> TicketFault {
    TicketFault::Down(fault.0)
}

pub(super) fn down(error: sqlx::Error) -> TicketFault {
    TicketFault::Down(error.to_string())
}

fn key(kind: TicketKind, id: &str) -> String {
    format!("{}:{}", kind.as_str(), hex_sha256(id.as_bytes()))
}

fn value(row: &sqlx::any::AnyRow) -> Result<Vec<u8>, TicketFault> {
    STANDARD
        .decode(row.try_get::<&str, _>(0).map_err(down)?)
        .map_err(|error| TicketFault::Down(format!("a stored value cannot be read: {error}")))
}

impl SqlTickets {
    /// Keeps tickets and limits in `records`.
    #[must_use]
    pub fn new(records: Records, clock: Arc<dyn Clock>) -> Self {
        Self { records, clock }
    }

    /// Now, in the unit of the tables.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// When something ends; whole seconds, rounded up.
    pub(super) fn end(&self, ttl: Duration) -> i64 {
        let part = Duration::from_secs(u64::from(ttl.subsec_nanos() > 0));
        Timestamp(self.now()).plus(ttl).plus(part).0
    }
}

#[async_trait]
impl Tickets for SqlTickets {
    async fn put(
        &self,
        kind: TicketKind,
        id: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, TicketFault> {
        // A value that has ended but was not swept yet is overwritten in the same statement.
        let query = sqlx::query(
            "INSERT INTO tickets (id, value, ends) VALUES ($1, $2, $3) \
             ON CONFLICT (id) DO UPDATE SET value = excluded.value, ends = excluded.ends \
             WHERE tickets.ends <= $4 RETURNING id",
        )
        .bind(key(kind, id))
        .bind(STANDARD.encode(value))
        .bind(self.end(ttl))
        .bind(self.now());
        Ok(self.records.change(query).await.map_err(unreachable)?.is_some())
    }

    async fn take(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        let query = sqlx::query("DELETE FROM tickets WHERE id = $1 AND ends > $2 RETURNING value")
            .bind(key(kind, id))
            .bind(self.now());
        let row = self.records.change(query).await.map_err(unreachable)?;
        row.as_ref().map(value).transpose()
    }

    async fn peek(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        let row = sqlx::query("SELECT value FROM tickets WHERE id = $1 AND ends > $2")
            .bind(key(kind, id))
            .bind(self.now())
            .fetch_optional(&self.records.reader)
            .await
            .map_err(down)?;
        row.as_ref().map(value).transpose()
    }

    async fn swap(&self, kind: TicketKind, id: &str, old: &[u8], new: &[u8]) -> Result<bool, TicketFault> {
        let query = sqlx::query(
            "UPDATE tickets SET value = $3 WHERE id = $1 AND value = $2 AND ends > $4 RETURNING id",
        )
        .bind(key(kind, id))
        .bind(STANDARD.encode(old))
        .bind(STANDARD.encode(new))
        .bind(self.now());
        Ok(self.records.change(query).await.map_err(unreachable)?.is_some())
    }

    async fn sweep(&self) -> Result<u64, TicketFault> {
        let mut dropped = 0;
        for statement in [
            "DELETE FROM tickets WHERE ends <= $1",
            "DELETE FROM limits WHERE ends <= $1",
        ] {
            dropped += sqlx::query(statement)
                .bind(self.now())
                .execute(&self.records.writer)
                .await
                .map_err(down)?
                .rows_affected();
        }
        Ok(dropped)
    }
}
