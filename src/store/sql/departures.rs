//! What is kept of customers, in pages.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down, endings::holder, sessions::recalled};
use crate::{
    domain::{assertion::UpstreamAssertion, ids::ClientId, time::Timestamp},
    port::{
        departures::{Departures, Holder},
        records::RecordFault,
    },
};

fn kept(row: &AnyRow) -> Result<(String, UpstreamAssertion), RecordFault> {
    let assertion = recalled(row.try_get(1).map_err(down)?)?;
    Ok((row.try_get(0).map_err(down)?, assertion))
}

#[async_trait]
impl Departures for Records {
    async fn sessions(
        &self,
        after: &str,
        most: u32,
    ) -> Result<Vec<(String, UpstreamAssertion)>, RecordFault> {
        let rows = sqlx::query(
            "SELECT sid, MIN(assertion) FROM (SELECT sid, assertion FROM sessions WHERE sid > $1 \
             UNION ALL SELECT sid, assertion FROM families WHERE sid > $1) AS kept \
             GROUP BY sid ORDER BY sid LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.reader)
        .await
        .map_err(down)?;
        rows.iter().map(kept).collect()
    }

    async fn clients(&self) -> Result<Vec<ClientId>, RecordFault> {
        let rows = sqlx::query("SELECT DISTINCT client FROM families ORDER BY client")
            .fetch_all(&self.reader)
            .await
            .map_err(down)?;
        rows.iter()
            .map(|row| ClientId::parse(row.try_get(0).map_err(down)?).map_err(damaged))
            .collect()
    }

    async fn families(
        &self,
        client: &ClientId,
        most: u32,
    ) -> Result<Vec<(String, UpstreamAssertion)>, RecordFault> {
        let rows = sqlx::query("SELECT id, assertion FROM families WHERE client = $1 ORDER BY id LIMIT $2")
            .bind(client.as_str())
            .bind(i64::from(most))
            .fetch_all(&self.reader)
            .await
            .map_err(down)?;
        rows.iter().map(kept).collect()
    }

    async fn holders(&self, now: Timestamp) -> Result<Vec<Holder>, RecordFault> {
        let rows = sqlx::query(
            "SELECT tenant, upstream, client, MIN(person) FROM endings WHERE tenant <> '' AND ends > $1 \
             GROUP BY tenant, upstream, client",
        )
        .bind(now.0)
        .fetch_all(&self.reader)
        .await
        .map_err(down)?;
        let holders = rows.iter().map(|row| holder(row, 0));
        holders.filter_map(Result::transpose).collect()
    }

    async fn must_end(&self, holder: &Holder, why: &str, now: Timestamp) -> Result<u64, RecordFault> {
        let changed = sqlx::query(
            "UPDATE endings SET ends = $1, why = $2 WHERE tenant = $3 AND upstream = $4 AND client = $5 AND ends > $1",
        )
        .bind(now.0)
        .bind(why)
        .bind(holder.tenant.as_str())
        .bind(holder.upstream.as_ref().map_or("", |id| id.as_str()))
        .bind(holder.client.as_ref().map_or("", |id| id.as_str()))
        .execute(&self.writer)
        .await
        .map_err(down)?;
        Ok(changed.rows_affected())
    }
}
