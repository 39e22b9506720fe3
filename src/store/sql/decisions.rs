//! Decisions that were kept: appended in batches, read in order, swept from the old end.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use sqlx::{Any, AssertSqlSafe, Row, Transaction, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::time::Timestamp,
    port::{
        decisions::{DecisionRecords, KeptDecision},
        records::RecordFault,
    },
};

/// Rows in one INSERT: few texts, so that every connection keeps them prepared.
const SIZES: [usize; 4] = [64, 16, 4, 1];

static INSERTS: LazyLock<[Arc<str>; 4]> = LazyLock::new(|| {
    SIZES.map(|rows| {
        let values: Vec<String> = (0..rows)
            .map(|row| {
                let names: Vec<String> = (1..=5).map(|column| format!("${}", row * 5 + column)).collect();
                format!("({})", names.join(", "))
            })
            .collect();
        format!(
            "INSERT INTO decisions (number, id, at, path, event) VALUES {}",
            values.join(", ")
        )
        .into()
    })
});

#[async_trait]
impl DecisionRecords for Records {
    async fn append(&self, decisions: &[KeptDecision]) -> Result<(), RecordFault> {
        if decisions.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(decisions.len()).map_err(damaged)?;
        let mut transaction = self.begin().await.map_err(down)?;
        let head =
            sqlx::query("UPDATE decisions_head SET number = number + $1 WHERE id = 1 RETURNING number")
                .bind(count)
                .fetch_all(&mut *transaction)
                .await
                .map_err(down)?
                .pop()
                .ok_or_else(|| damaged("the head of the decisions is missing"))?;
        let first = head.try_get::<i64, _>(0).map_err(down)? - count + 1;
        write(&mut transaction, first, decisions).await.map_err(down)?;
        transaction.commit().await.map_err(down)
    }

    async fn since(
        &self,
        since: Timestamp,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, KeptDecision)>, RecordFault> {
        sqlx::query(
            "SELECT number, id, at, path, event FROM decisions WHERE number > $1 AND at >= $2 \
             ORDER BY number LIMIT $3",
        )
        .bind(after)
        .bind(since.0)
        .bind(i64::from(most))
        .fetch_all(&self.reader)
        .await
        .map_err(down)?
        .iter()
        .map(|row| Ok((row.try_get(0).map_err(down)?, kept(row).map_err(down)?)))
        .collect()
    }

    async fn of(&self, id: &str) -> Result<Vec<KeptDecision>, RecordFault> {
        let rows = sqlx::query(
            "SELECT number, id, at, path, event FROM decisions WHERE id = $1 ORDER BY number LIMIT 100",
        )
        .bind(id.to_owned())
        .fetch_all(&self.reader)
        .await
        .map_err(down)?;
        rows.iter().map(|row| kept(row).map_err(down)).collect()
    }

    async fn sweep(&self, before: Timestamp, most: u64) -> Result<u64, RecordFault> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = 0;
        for (text, bound) in [
            ("DELETE FROM decisions WHERE at < $1", before.0),
            (
                "DELETE FROM decisions WHERE number <= (SELECT number FROM decisions_head WHERE id = 1) - $1",
                most,
            ),
        ] {
            let done = sqlx::query(text).bind(bound).execute(&self.writer).await;
            rows += done.map_err(down)?.rows_affected();
        }
        Ok(rows)
    }
}

fn kept(row: &AnyRow) -> Result<KeptDecision, sqlx::Error> {
    Ok(KeptDecision {
        id: row.try_get(1)?,
        at: Timestamp(row.try_get(2)?),
        path: row.try_get(3)?,
        event: row.try_get(4)?,
    })
}

async fn write(
    transaction: &mut Transaction<'static, Any>,
    first: i64,
    decisions: &[KeptDecision],
) -> Result<(), sqlx::Error> {
    let (mut number, mut rest) = (first, decisions);
    for (size, text) in SIZES.iter().zip(INSERTS.iter()) {
        while let Some((chunk, after)) = rest.split_at_checked(*size) {
            let mut query = sqlx::query(AssertSqlSafe(Arc::clone(text)));
            for decision in chunk {
                query = query
                    .bind(number)
                    .bind(decision.id.clone())
                    .bind(decision.at.0)
                    .bind(decision.path.clone())
                    .bind(decision.event.clone());
                number += 1;
            }
            query.execute(&mut **transaction).await?;
            rest = after;
        }
    }
    Ok(())
}
