//! Brings the schema to this program's version: under a lock, in one transaction, or not at all.

use sqlx::{Any, Row, Transaction};

use super::{Engine, Records};
use crate::{domain::time::Timestamp, store::StoreFault};

/// Number, name, text. Numbers are consecutive; a published migration never changes.
const MIGRATIONS: [(i64, &str, &str); 8] = [
    (1, "records", include_str!("../../../migrations/0001_records.sql")),
    (2, "tickets", include_str!("../../../migrations/0002_tickets.sql")),
    (
        3,
        "decisions",
        include_str!("../../../migrations/0003_decisions.sql"),
    ),
    (4, "endings", include_str!("../../../migrations/0004_endings.sql")),
    (5, "rings", include_str!("../../../migrations/0005_rings.sql")),
    (6, "bonds", include_str!("../../../migrations/0006_bonds.sql")),
    (7, "people", include_str!("../../../migrations/0007_people.sql")),
    (
        8,
        "departures",
        include_str!("../../../migrations/0008_departures.sql"),
    ),
];

/// Our name among PostgreSQL's advisory locks ("fedgate").
const LOCK: &str = "SELECT 1 FROM pg_advisory_xact_lock(28821973867721829)";

pub(super) async fn run(records: &Records, now: Timestamp) -> Result<(), StoreFault> {
    let refused = |why: sqlx::Error| StoreFault::Migration {
        what: records.what.to_string(),
        version: 0,
        name: "schema_version",
        why: why.to_string(),
    };
    let mut transaction = match records.engine {
        Engine::Sqlite => records.writer.begin_with("BEGIN EXCLUSIVE").await,
        Engine::Postgres => records.writer.begin().await,
    }
    .map_err(refused)?;
    let found = found(records.engine, &mut transaction).await.map_err(refused)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreFault::Newer {
            what: records.what.to_string(),
            found,
            known,
        });
    }
    for (version, name, text) in MIGRATIONS.into_iter().filter(|(version, ..)| *version > found) {
        apply(&mut transaction, (version, name, text), now)
            .await
            .map_err(|why| StoreFault::Migration {
                what: records.what.to_string(),
                version,
                name,
                why: why.to_string(),
            })?;
    }
    transaction.commit().await.map_err(refused)
}

async fn found(engine: Engine, transaction: &mut Transaction<'static, Any>) -> Result<i64, sqlx::Error> {
    if engine == Engine::Postgres {
        sqlx::query(LOCK).execute(&mut **transaction).await?;
    }
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_version \
         (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL)",
    )
    .execute(&mut **transaction)
    .await?;
    let newest = sqlx::query("SELECT version FROM schema_version ORDER BY version DESC LIMIT 1")
        .fetch_optional(&mut **transaction)
        .await?;
    newest.map_or(Ok(0), |row| row.try_get(0))
}

async fn apply(
    transaction: &mut Transaction<'static, Any>,
    (version, name, text): (i64, &'static str, &'static str),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(text).execute(&mut **transaction).await?;
    sqlx::query("INSERT INTO schema_version (version, name, applied) VALUES ($1, $2, $3)")
        .bind(version)
        .bind(name)
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
