//! The section `store` of the configuration.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::secret::SecretRef;

/// Where things are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What must survive a restart: sessions, refresh tokens, signing keys, the audit trail.
    pub records: RecordsConfig,
    /// What is used once and lives for minutes: codes, device codes; and the counters against guessing.
    pub tickets: TicketsConfig,
}

/// What keeps the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RecordsConfig {
    /// An embedded database in one file. For one gateway.
    Sqlite {
        /// The file. It is created with mode 0600 if it is missing; its folder must exist.
        path: PathBuf,
    },
    /// A PostgreSQL database. For one gateway or several replicas.
    Postgres {
        /// Where `postgres://user:password@host:port/database?sslmode=verify-full` is to be read.
        url: SecretRef,
        /// Most connections that this gateway opens.
        #[serde(default = "max_connections")]
        #[schemars(range(min = 1, max = 1000))]
        max_connections: u32,
    },
}

fn max_connections() -> u32 {
    10
}

impl Default for RecordsConfig {
    fn default() -> Self {
        Self::Sqlite {
            path: PathBuf::from("fedgate.db"),
        }
    }
}

/// What keeps tickets and counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TicketsConfig {
    /// This process. For one gateway; a restart ends flows that are under way.
    Memory {
        /// Most tickets, and most counters, at a time. When it is reached, new flows are asked to wait.
        #[serde(default = "most")]
        #[schemars(range(min = 1))]
        most: usize,
    },
    /// The database of the records. For replicas without Redis.
    Records {},
    /// A Redis server (7 or newer). For several replicas under load.
    Redis {
        /// Where `redis://…` or, with TLS, `rediss://user:password@host:port/0` is to be read.
        url: SecretRef,
        /// With `rediss://`: the certificates (PEM) that are believed, and no others. Without it, those of
        /// the system.
        #[serde(default)]
        ca: Option<PathBuf>,
    },
}

fn most() -> usize {
    100_000
}

impl Default for TicketsConfig {
    fn default() -> Self {
        Self::Memory { most: most() }
    }
}
