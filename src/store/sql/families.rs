//! Refresh-token families. Rotation is one statement, so of parallel callers exactly one moves it.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{
    Records, damaged, down,
    sessions::{kept, person, recalled},
};
use crate::{
    domain::{ids::ClientId, session::RefreshFamily, time::Timestamp},
    port::records::{RecordFault, RefreshFamilies},
};

fn family(row: &AnyRow) -> Result<RefreshFamily, RecordFault> {
    Ok(RefreshFamily {
        id: row.try_get(0).map_err(down)?,
        client: ClientId::parse(row.try_get(1).map_err(down)?).map_err(damaged)?,
        sid: row.try_get(2).map_err(down)?,
        assertion: recalled(row.try_get(3).map_err(down)?)?,
        scope: row.try_get(4).map_err(down)?,
        audience: row.try_get(5).map_err(down)?,
        generation: row.try_get(6).map_err(down)?,
        rotated: Timestamp(row.try_get(7).map_err(down)?),
        ends: Timestamp(row.try_get(8).map_err(down)?),
    })
}

#[async_trait]
impl RefreshFamilies for Records {
    async fn begin(&self, family: &RefreshFamily) -> Result<(), RecordFault> {
        sqlx::query(
            "INSERT INTO families (id, client, sid, assertion, scope, audience, generation, rotated, ends, person) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(family.id.as_str())
        .bind(family.client.as_str())
        .bind(family.sid.as_str())
        .bind(kept(&family.assertion)?)
        .bind(family.scope.as_str())
        .bind(family.audience.as_str())
        .bind(family.generation)
        .bind(family.rotated.0)
        .bind(family.ends.0)
        .bind(person(&family.assertion))
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn rotate(
        &self,
        id: &str,
        client: &ClientId,
        generation: i64,
        now: Timestamp,
    ) -> Result<Option<RefreshFamily>, RecordFault> {
        let moved = self
            .change(
                sqlx::query(
                    "UPDATE families SET generation = generation + 1, rotated = $4 \
                     WHERE id = $1 AND client = $2 AND generation = $3 AND ends > $4 \
                     RETURNING id, client, sid, assertion, scope, audience, generation, rotated, ends",
                )
                .bind(id)
                .bind(client.as_str())
                .bind(generation)
                .bind(now.0),
            )
            .await?;
        moved.as_ref().map(family).transpose()
    }

    async fn find(&self, id: &str, now: Timestamp) -> Result<Option<RefreshFamily>, RecordFault> {
        let row = sqlx::query(
            "SELECT id, client, sid, assertion, scope, audience, generation, rotated, ends \
             FROM families WHERE id = $1 AND ends > $2",
        )
        .bind(id)
        .bind(now.0)
        .fetch_optional(&self.reader)
        .await
        .map_err(down)?;
        row.as_ref().map(family).transpose()
    }

    async fn revoke(&self, id: &str) -> Result<(), RecordFault> {
        let _ending = self.ending();
        sqlx::query("DELETE FROM families WHERE id = $1")
            .bind(id)
            .execute(&self.writer)
            .await
            .map(|_| ())
            .map_err(down)
    }
}
