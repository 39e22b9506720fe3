//! Tokens at targets that must end before the target would end them.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::{ids::TargetId, time::Timestamp},
    port::records::{Ending, Endings, RecordFault},
};

fn ending(row: &AnyRow) -> Result<Ending, RecordFault> {
    Ok(Ending {
        id: row.try_get(0).map_err(down)?,
        target: TargetId::parse(row.try_get(1).map_err(down)?).map_err(damaged)?,
        sealed: row.try_get(2).map_err(down)?,
        ends: Timestamp(row.try_get(3).map_err(down)?),
        gone: Timestamp(row.try_get(4).map_err(down)?),
    })
}

#[async_trait]
impl Endings for Records {
    async fn note(&self, ending: &Ending) -> Result<(), RecordFault> {
        sqlx::query(
            "INSERT INTO endings (id, target, sealed, ends, gone) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(ending.id.as_str())
        .bind(ending.target.as_str())
        .bind(ending.sealed.as_str())
        .bind(ending.ends.0)
        .bind(ending.gone.0)
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn known(&self, id: &str) -> Result<Option<Ending>, RecordFault> {
        let row = sqlx::query("SELECT id, target, sealed, ends, gone FROM endings WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await
            .map_err(down)?;
        row.as_ref().map(ending).transpose()
    }

    async fn due(&self, now: Timestamp, most: u32) -> Result<Vec<Ending>, RecordFault> {
        let rows = sqlx::query(
            "SELECT id, target, sealed, ends, gone FROM (SELECT id, target, sealed, ends, gone, \
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
