//! Where things are kept: records that survive a restart, and tickets that are used once.
//!
//! It implements `port::records`, `port::tickets`, `port::limits` and `port::audit`. It may import `domain`
//! and `port` only, and it never logs a connection URL, a ticket's id or a session's id.
//!
//! Start at [`open()`]; then `sql/mod.rs` (one SQL text for SQLite and PostgreSQL), `memory.rs`, `redis/`.

pub mod audit_batch;
pub mod config;
mod digest;
pub mod memory;
mod open;
pub mod redis;
pub mod sql;

pub use config::{Config, RecordsConfig, TicketsConfig};
pub use open::{Opened, open};

/// Why a store cannot be opened, in words that say what to do. Holds no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// A setting is wrong.
    #[error("{key}: found {found}; expected {expected}")]
    Setting {
        /// The setting's path in the configuration.
        key: &'static str,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The store is not there, or turns us away.
    #[error("{key}: cannot open {what}: {why}. {remedy}")]
    Unreachable {
        /// The setting's path in the configuration.
        key: &'static str,
        /// Which store, without its password.
        what: String,
        /// The store's own words.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A newer program has been here.
    #[error(
        "the records in {what} have schema version {found}, but this program knows versions up to {known}: \
         start the newer program that migrated them, or restore the backup made before that"
    )]
    Newer {
        /// Which store, without its password.
        what: String,
        /// The version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// A migration failed; nothing of it was kept.
    #[error("migration {version} ({name}) of {what} failed and was rolled back: {why}")]
    Migration {
        /// Which store, without its password.
        what: String,
        /// The migration's number.
        version: i64,
        /// The migration's name.
        name: &'static str,
        /// The database's own words.
        why: String,
    },
}
