//! What a gateway's SQLite database holds, read from outside while it runs.

use std::{collections::BTreeMap, path::Path};

/// How many rows each table has.
pub async fn of_sqlite(database: &Path) -> BTreeMap<String, i64> {
    use sqlx::{Connection, Row};
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(database)
        .read_only(true);
    let mut database = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let mut rows = BTreeMap::new();
    for table in tables {
        let table: String = table.get(0);
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\"")))
            .fetch_one(&mut database)
            .await
            .unwrap();
        rows.insert(table, count.get(0));
    }
    rows
}
