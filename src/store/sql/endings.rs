//! Tokens at targets that must end before the target would end them.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::{
        ids::{ClientId, TargetId, TenantId, UpstreamId},
        time::Timestamp,
    },
    port::{
        departures::Holder,
        records::{Ending, Endings, RecordFault},
    },
};

/// Whose a token is: tenant, upstream, client and person, from that column on. Rows of earlier versions say nothing.
pub(super) fn holder(row: &AnyRow, first: usize) -> Result<Option<Holder>, RecordFault> {
    let text = |place: usize| row.try_get::<&str, _>(first + place).map_err(down);
    let tenant = text(0)?;
    if tenant.is_empty() {
        return Ok(None);
    }
    let (upstream, client) = (text(1)?, text(2)?);
    Ok(Some(Holder {
        tenant: TenantId::parse(tenant).map_err(damaged)?,
        upstream: (!upstream.is_empty())
            .then(|| UpstreamId::parse(upstream).map_err(damaged))
            .transpose()?,
        client: (!client.is_empty())
            .then(|| ClientId::parse(client).map_err(damaged))
            .transpose()?,
        person: text(3)?.to_owned(),
    }))
}

fn ending(row: &AnyRow) -> Result<Ending, RecordFault> {
    Ok(Ending {
        id: row.try_get(0).map_err(down)?,
        target: TargetId::parse(row.try_get(1).map_err(down)?).map_err(damaged)?,
        sealed: row.try_get(2).map_err(down)?,
        ends: Timestamp(row.try_get(3).map_err(down)?),
        gone: Timestamp(row.try_get(4).map_err(down)?),
        why: row.try_get(5).map_err(down)?,
        holder: holder(row, 6)?,
    })
}

#[async_trait]
impl Endings for Records {
    async fn note(&self, ending: &Ending) -> Result<(), RecordFault> {
        let holder = ending.holder.as_ref();
        let upstream = holder.and_then(|holder| holder.upstream.as_ref());
        let client = holder.and_then(|holder| holder.client.as_ref());
        sqlx::query(
            "INSERT INTO endings (id, target, sealed, ends, gone, why, tenant, upstream, client, person) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        )
        .bind(ending.id.as_str())
        .bind(ending.target.as_str())
        .bind(ending.sealed.as_str())
        .bind(ending.ends.0)
        .bind(ending.gone.0)
        .bind(ending.why.as_str())
        .bind(holder.map_or("", |holder| holder.tenant.as_str()))
        .bind(upstream.map_or("", |id| id.as_str()))
        .bind(client.map_or("", |id| id.as_str()))
        .bind(holder.map_or("", |holder| holder.person.as_str()))
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn known(&self, id: &str) -> Result<Option<Ending>, RecordFault> {
        let row = sqlx::query(
            "SELECT id, target, sealed, ends, gone, why, tenant, upstream, client, person \
             FROM endings WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.reader)
        .await
        .map_err(down)?;
        row.as_ref().map(ending).transpose()
    }

    async fn due(&self, now: Timestamp, most: u32) -> Result<Vec<Ending>, RecordFault> {
        let rows = sqlx::query(
            "SELECT id, target, sealed, ends, gone, why, tenant, upstream, client, person FROM ( \
             SELECT id, target, sealed, ends, gone, why, tenant, upstream, client, person, \
             ROW_NUMBER() OVER (PARTITION BY target ORDER BY ends, id) AS place FROM endings WHERE ends <= $1) AS due \
             WHERE place <= $2 ORDER BY ends, id",
        )
        .bind(now.0)
        .bind(i64::from(most))
        .fetch_all(&self.reader)
        .await
        .map_err(down)?;
        rows.iter().map(ending).collect()
    }

    async fn done(&self, id: &str) -> Result<(), RecordFault> {
        sqlx::query("DELETE FROM endings WHERE id = $1")
            .bind(id)
            .execute(&self.writer)
            .await
            .map(|_| ())
            .map_err(down)
    }
}
