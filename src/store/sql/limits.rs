//! Counters in the records' database: one statement counts, and starts a new window when the old one ended.

use async_trait::async_trait;
use sqlx::Row;

use super::tickets::{SqlTickets, down, unreachable};
use crate::{
    domain::time::Timestamp,
    port::{
        limits::{Limits, Quota, Verdict},
        tickets::TicketFault,
    },
    store::digest::hex_sha256,
};

#[async_trait]
impl Limits for SqlTickets {
    async fn hit(&self, key: &str, quota: Quota) -> Result<Verdict, TicketFault> {
        let now = self.now();
        let query = sqlx::query(
            "INSERT INTO limits (id, hits, ends) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET \
             hits = CASE WHEN limits.ends <= $3 THEN 1 ELSE limits.hits + 1 END, \
             ends = CASE WHEN limits.ends <= $3 THEN excluded.ends ELSE limits.ends END \
             RETURNING hits, ends",
        )
        .bind(hex_sha256(key.as_bytes()))
        .bind(self.end(quota.within))
        .bind(now);
        let row = self.records.change(query).await.map_err(unreachable)?;
        let row = row.ok_or_else(|| TicketFault::Down("a counter was not returned".to_owned()))?;
        let (hits, ends): (i64, i64) = (row.try_get(0).map_err(down)?, row.try_get(1).map_err(down)?);
        Ok(if hits <= i64::from(quota.times) {
            Verdict::Free
        } else {
            Verdict::Wait(Timestamp(now).until(Timestamp(ends)))
        })
    }

    async fn clear(&self, key: &str) -> Result<(), TicketFault> {
        sqlx::query("DELETE FROM limits WHERE id = $1")
            .bind(hex_sha256(key.as_bytes()))
            .execute(&self.records.writer)
            .await
            .map(|_| ())
            .map_err(down)
    }
}
