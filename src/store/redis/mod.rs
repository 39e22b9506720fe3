//! Tickets and limits in Redis. Every operation is one command or one script, so it is atomic, and
//! Redis ends values by itself. The connection URL holds a password and is never shown.

mod limits;
mod tickets;

use std::{fmt, time::Duration};

use ::redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use async_trait::async_trait;

use super::StoreFault;
use crate::{
    domain::secret::Secret,
    port::{
        records::{Reachable, RecordFault},
        tickets::TicketFault,
    },
};

const KEY: &str = "store.tickets.url";
/// An answer that takes longer is a failure: requests wait for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Tickets and limits over one multiplexed connection that reconnects by itself.
pub struct RedisStore {
    connection: ConnectionManager,
    swap: Script,
    hit: Script,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RedisStore(…)")
    }
}

impl RedisStore {
    /// Connects; a server that is not there is an error now, not at the first sign-in.
    pub async fn open(url: &Secret) -> Result<Self, StoreFault> {
        let setting = |found: &str| StoreFault::Setting {
            key: KEY,
            found: found.to_owned(),
            expected: "redis://user:password@host:port/0, or rediss:// for TLS".to_owned(),
        };
        let parsed = url::Url::parse(url.reveal()).map_err(|_| setting("a text that is not a URL"))?;
        if !matches!(parsed.scheme(), "redis" | "rediss") {
            return Err(setting(&format!("a URL with the scheme {}", parsed.scheme())));
        }
        let client = Client::open(url.reveal())
            .map_err(|_| setting(&format!("a {} URL that cannot be used", parsed.scheme())))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(2);
        let connection = ConnectionManager::new_with_config(client, config)
            .await
            .map_err(|why| StoreFault::Unreachable {
                key: KEY,
                what: format!("Redis at {}", parsed.host_str().unwrap_or("an unnamed host")),
                why: match parsed.password() {
                    Some(password) if !password.is_empty() => why.to_string().replace(password, "…"),
                    Some(_) | None => why.to_string(),
                },
                remedy: "Is the server running, and are user and password right?",
            })?;
        Ok(Self {
            connection,
            swap: Script::new(tickets::SWAP),
            hit: Script::new(limits::HIT),
        })
    }
}

// The text of a Redis error may repeat a command's arguments, never a URL; its kind is enough for the log.
fn down(error: RedisError) -> TicketFault {
    TicketFault::Down(format!("{} ({:?})", error.category(), error.kind()))
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, i64::MAX.unsigned_abs() / 2)
}

#[async_trait]
impl Reachable for RedisStore {
    async fn ping(&self) -> Result<(), RecordFault> {
        ::redis::cmd("PING")
            .query_async::<()>(&mut self.connection.clone())
            .await
            .map_err(|error| RecordFault(down(error).to_string()))
    }
}
