//! The audit trail: consecutive numbers and a chain of hashes.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

use super::{Engine, Records, damaged, down};
use crate::{
    domain::audit::Event,
    port::records::{AuditTrail, RecordFault},
    store::digest::hex_sha256,
};

/// Most rows in one INSERT: a batch of a busy gateway. Each number of rows has its own text, and every connection
/// keeps it prepared.
const MOST: usize = 32;

/// SQLite looks for the name of each parameter from the first on: there, they have none.
static INSERTS: LazyLock<[Vec<Arc<str>>; 2]> = LazyLock::new(|| {
    let nameless = |_| "?".to_owned();
    let numbered = |place: usize| format!("${place}");
    [inserts(&nameless), inserts(&numbered)]
});

/// The texts for one row, two, and so on.
fn inserts(parameter: &dyn Fn(usize) -> String) -> Vec<Arc<str>> {
    let row = |row: usize| {
        let places: Vec<String> = (row * 5 + 1..=row * 5 + 5).map(parameter).collect();
        format!("({})", places.join(", "))
    };
    (1..=MOST)
        .map(|rows| {
            let rows: Vec<String> = (0..rows).map(row).collect();
            format!(
                "INSERT INTO audit (number, at, reference, event, hash) VALUES {}",
                rows.join(", ")
            )
            .into()
        })
        .collect()
}

/// What a walk over the trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditCheck {
    /// Every number is there once and every hash fits; so many events.
    Sound(i64),
    /// The first number that is missing.
    Missing(i64),
    /// The first number whose event, time or reference is not what was written.
    Changed(i64),
}

struct Line {
    number: i64,
    at: i64,
    reference: String,
    event: String,
    hash: String,
}

fn link(previous: &str, number: i64, event: &str) -> String {
    hex_sha256(format!("{previous}\n{number}\n{event}").as_bytes())
}

#[async_trait]
impl AuditTrail for Records {
    async fn append(&self, events: &[Event]) -> Result<(), RecordFault> {
        if events.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = events
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()
            .map_err(damaged)?;
        let count = i64::try_from(events.len()).map_err(damaged)?;
        let mut transaction = self.begin().await.map_err(down)?;
        // Takes the numbers and holds the row, so that writers of all replicas follow one another.
        let head =
            sqlx::query("UPDATE audit_head SET number = number + $1 WHERE id = 1 RETURNING number, hash")
                .bind(count)
                .fetch_all(&mut *transaction)
                .await
                .map_err(down)?
                .pop()
                .ok_or_else(|| damaged("the head of the audit trail is missing"))?;
        let mut number = head.try_get::<i64, _>(0).map_err(down)? - count;
        let mut hash: String = head.try_get(1).map_err(down)?;
        let mut lines = Vec::with_capacity(events.len());
        for (event, text) in events.iter().zip(texts) {
            number += 1;
            hash = link(&hash, number, &text);
            lines.push(Line {
                number,
                at: event.at.0,
                reference: event.reference.0.clone(),
                event: text,
                hash: hash.clone(),
            });
        }
        write(&mut transaction, self.engine, lines).await.map_err(down)?;
        sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1")
            .bind(hash)
            .execute(&mut *transaction)
            .await
            .map_err(down)?;
        transaction.commit().await.map_err(down)
    }

    async fn recent(&self, reference: Option<&str>, most: u32) -> Result<Vec<(i64, Event)>, RecordFault> {
        let query = match reference {
            Some(reference) => sqlx::query(
                "SELECT number, event FROM audit WHERE reference = $2 ORDER BY number DESC LIMIT $1",
            )
            .bind(i64::from(most))
            .bind(reference.to_owned()),
            None => sqlx::query("SELECT number, event FROM audit ORDER BY number DESC LIMIT $1")
                .bind(i64::from(most)),
        };
        query
            .fetch_all(&self.reader)
            .await
            .map_err(down)?
            .iter()
            .map(|row| {
                let event = serde_json::from_str(row.try_get(1).map_err(down)?).map_err(damaged)?;
                Ok((row.try_get(0).map_err(down)?, event))
            })
            .collect()
    }
}

async fn write(
    transaction: &mut Transaction<'static, Any>,
    engine: Engine,
    mut lines: Vec<Line>,
) -> Result<(), sqlx::Error> {
    let [nameless, numbered] = &*INSERTS;
    let texts = match engine {
        Engine::Sqlite => nameless,
        Engine::Postgres => numbered,
    };
    while let Some(text) = texts.get(lines.len().min(MOST).wrapping_sub(1)) {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(text)));
        for line in lines.drain(..lines.len().min(MOST)) {
            query = query
                .bind(line.number)
                .bind(line.at)
                .bind(line.reference)
                .bind(line.event)
                .bind(line.hash);
        }
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

impl Records {
    /// Walks the whole trail: are all numbers there, and does every hash fit?
    pub async fn check_audit(&self) -> Result<AuditCheck, RecordFault> {
        const PAGE: i64 = 1000;
        let (mut number, mut hash) = (0_i64, String::new());
        let head = sqlx::query("SELECT number FROM audit_head WHERE id = 1")
            .fetch_one(&self.reader)
            .await
            .map_err(down)?;
        let last: i64 = head.try_get(0).map_err(down)?;
        while number < last {
            let page = sqlx::query(
                "SELECT number, at, reference, event, hash FROM audit WHERE number > $1 ORDER BY number LIMIT $2",
            )
            .bind(number)
            .bind(PAGE)
            .fetch_all(&self.reader)
            .await
            .map_err(down)?;
            if page.is_empty() {
                return Ok(AuditCheck::Missing(number + 1));
            }
            for row in page {
                number += 1;
                if row.try_get::<i64, _>(0).map_err(down)? != number {
                    return Ok(AuditCheck::Missing(number));
                }
                let text: &str = row.try_get(3).map_err(down)?;
                hash = link(&hash, number, text);
                let fits = serde_json::from_str::<Event>(text).is_ok_and(|event| {
                    row.try_get::<i64, _>(1).is_ok_and(|at| at == event.at.0)
                        && row
                            .try_get::<&str, _>(2)
                            .is_ok_and(|kept| kept == event.reference.0)
                });
                if !fits || row.try_get::<&str, _>(4).map_err(down)? != hash {
                    return Ok(AuditCheck::Changed(number));
                }
            }
        }
        Ok(AuditCheck::Sound(number))
    }
}
