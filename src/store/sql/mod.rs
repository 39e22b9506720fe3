//! Records in SQL: one text for SQLite and PostgreSQL, by sqlx's `Any` driver.
//!
//! SQLite has one connection for writing, so that writers of this process queue in order instead of
//! polling the file lock, and a few for reading. PostgreSQL has one pool for both.
//! SQLite runs in WAL with `synchronous=NORMAL`: a commit survives the end of the process, however it
//! ends; a loss of power may take the last commits along, never a part of one.

mod audit;
mod bonds;
mod decisions;
mod departures;
mod endings;
mod families;
mod keys;
mod limits;
mod migrate;
mod people;
mod revocations;
mod sessions;
mod tickets;

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, FutureExt as _};
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Transaction,
    any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow},
    query::Query,
};

pub use audit::AuditCheck;
pub use tickets::SqlTickets;

use super::StoreFault;
use crate::{
    domain::{secret::Secret, time::Timestamp},
    port::records::{Reachable, RecordFault},
};

/// Connections that only read, beside SQLite's single writer.
const SQLITE_READERS: u32 = 4;
/// A connection idle for longer is asked for a sign of life before it is used.
const IDLE: Duration = Duration::from_secs(5);
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// The SQL store. A clone shares its connections.
#[derive(Clone)]
pub struct Records {
    engine: Engine,
    what: Arc<str>,
    writer: AnyPool,
    reader: AnyPool,
    /// See [`crate::port::records::Revocations::ended`].
    ended: Arc<AtomicU64>,
}

/// Counts what was ended, when it has been: also where the request that did it is gone before it hears of it.
struct Ending<'a>(&'a AtomicU64);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Records({})", self.what)
    }
}

pub(super) fn down(error: sqlx::Error) -> RecordFault {
    RecordFault(error.to_string())
}

fn damaged(error: impl fmt::Display) -> RecordFault {
    RecordFault(format!("a stored value cannot be read: {error}"))
}

impl Records {
    /// Opens the file, creating it with mode 0600, and migrates it.
    pub async fn sqlite(path: &Path, now: Timestamp) -> Result<Self, StoreFault> {
        const KEY: &str = "store.records.path";
        let what = format!("SQLite file {}", path.display());
        let unreachable = |why: String, remedy: &'static str| StoreFault::Unreachable {
            key: KEY,
            what: what.clone(),
            why,
            remedy,
        };
        create(path).map_err(|why| {
            unreachable(
                why.to_string(),
                "Create the folder, and let this user write in it; the file itself is made at start",
            )
        })?;
        let absolute =
            std::path::absolute(path).map_err(|why| unreachable(why.to_string(), "Name another path"))?;
        let text = absolute
            .to_str()
            .ok_or_else(|| unreachable("the path is not UTF-8".to_owned(), "Name another path"))?;
        let mut url = url::Url::parse("sqlite:///").map_err(|why| unreachable(why.to_string(), ""))?;
        url.set_path(text);
        let refused = |why: sqlx::Error| {
            unreachable(
                why.to_string(),
                "Is it a fedgate database, on a local disk, with free space, and not locked by another program?",
            )
        };
        let writer = sqlite_pool(&url, 1).await.map_err(&refused)?;
        let reader = sqlite_pool(&url, SQLITE_READERS).await.map_err(&refused)?;
        let records = Self {
            engine: Engine::Sqlite,
            what: what.clone().into(),
            writer,
            reader,
            ended: Arc::default(),
        };
        migrate::run(&records, now).await?;
        Ok(records)
    }

    /// Connects to the server and migrates the database.
    pub async fn postgres(url: &Secret, most: u32, now: Timestamp) -> Result<Self, StoreFault> {
        const KEY: &str = "store.records.url";
        // The parser's own errors may quote what they read, so they are not shown.
        let setting = |found: &str| StoreFault::Setting {
            key: KEY,
            found: found.to_owned(),
            expected: "postgres://user:password@host:port/database".to_owned(),
        };
        let parsed = url::Url::parse(url.reveal()).map_err(|_| setting("a text that is not a URL"))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(setting(&format!("a URL with the scheme {}", parsed.scheme())));
        }
        let what = format!(
            "PostgreSQL database {} at {}",
            parsed.path().trim_start_matches('/'),
            parsed.host_str().unwrap_or("the local socket")
        );
        let pool = postgres_pool(&parsed, most)
            .await
            .map_err(|why| StoreFault::Unreachable {
                key: KEY,
                what: what.clone(),
                why: without_password(&why.to_string(), &parsed),
                remedy: "Is the server running, and do user, password and database exist?",
            })?;
        let records = Self {
            engine: Engine::Postgres,
            what: what.into(),
            writer: pool.clone(),
            reader: pool,
            ended: Arc::default(),
        };
        migrate::run(&records, now).await?;
        Ok(records)
    }

    /// Closes the connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// To be held by what ends something, until that is done.
    fn ending(&self) -> Ending<'_> {
        Ending(&self.ended)
    }

    async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.engine {
            // A transaction that reads first and writes later could not get the lock any more.
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await,
            Engine::Postgres => self.writer.begin().await,
        }
    }

    /// Runs a statement that changes at most one row and returns it. It is run to its end: SQLite would
    /// otherwise report a failed commit to nobody.
    async fn change(&self, query: Query<'_, Any, AnyArguments>) -> Result<Option<AnyRow>, RecordFault> {
        Ok(query.fetch_all(&self.writer).await.map_err(down)?.pop())
    }
}

#[async_trait]
impl Reachable for Records {
    async fn ping(&self) -> Result<(), RecordFault> {
        sqlx::query("SELECT version FROM schema_version ORDER BY version DESC LIMIT 1")
            .fetch_one(&self.reader)
            .await
            .map(|_| ())
            .map_err(down)
    }
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}

async fn sqlite_pool(url: &url::Url, most: u32) -> Result<AnyPool, sqlx::Error> {
    let options = first(url, |connection| Box::pin(pragmas(connection))).await?;
    AnyPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE.saturating_mul(4))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(pragmas(connection)))
        .connect_with(options)
        .await
}

async fn pragmas(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    // The timeout first: switching to WAL needs the file for itself for a moment.
    for pragma in [
        "PRAGMA busy_timeout = 10000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
    ] {
        connection.execute(pragma).await?;
    }
    Ok(())
}

async fn postgres_pool(url: &url::Url, most: u32) -> Result<AnyPool, sqlx::Error> {
    let options = first(url, |connection| connection.ping().boxed()).await?;
    AnyPoolOptions::new()
        .max_connections(most.max(1))
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
}

/// Connects once outside any pool: a pool would try again until its time is up and then say only that.
async fn first(
    url: &url::Url,
    ask: impl for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<(), sqlx::Error>>,
) -> Result<AnyConnectOptions, sqlx::Error> {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_url(url)?.disable_statement_logging();
    let mut connection = tokio::time::timeout(ACQUIRE, options.connect())
        .await
        .map_err(|_| sqlx::Error::PoolTimedOut)??;
    ask(&mut connection).await?;
    connection.close().await?;
    Ok(options)
}

/// No error text is known to hold the password; this makes sure.
fn without_password(text: &str, url: &url::Url) -> String {
    match url.password() {
        Some(password) if !password.is_empty() => text.replace(password, "…"),
        Some(_) | None => text.to_owned(),
    }
}
