//! Tickets: `SET NX PX`, `GETDEL`, and a script for compare-and-swap.

use std::time::Duration;

use async_trait::async_trait;

use super::{RedisStore, down, milliseconds};
use crate::{
    port::tickets::{TicketFault, TicketKind, Tickets},
    store::digest::hex_sha256,
};

/// Replaces a value if it is the one expected, keeping its time to live.
pub(super) const SWAP: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  return 1
end
return 0";

fn key(kind: TicketKind, id: &str) -> String {
    format!("fedgate:ticket:{}:{}", kind.as_str(), hex_sha256(id.as_bytes()))
}

#[async_trait]
impl Tickets for RedisStore {
    async fn put(
        &self,
        kind: TicketKind,
        id: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, TicketFault> {
        let put: Option<String> = redis::cmd("SET")
            .arg(key(kind, id))
            .arg(value)
            .arg("NX")
            .arg("PX")
            .arg(milliseconds(ttl))
            .query_async(&mut self.connection.clone())
            .await
            .map_err(down)?;
        Ok(put.is_some())
    }

    async fn take(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        redis::cmd("GETDEL")
            .arg(key(kind, id))
            .query_async(&mut self.connection.clone())
            .await
            .map_err(down)
    }

    async fn peek(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        redis::cmd("GET")
            .arg(key(kind, id))
            .query_async(&mut self.connection.clone())
            .await
            .map_err(down)
    }

    async fn swap(&self, kind: TicketKind, id: &str, old: &[u8], new: &[u8]) -> Result<bool, TicketFault> {
        let swapped: i64 = self
            .swap
            .key(key(kind, id))
            .arg(old)
            .arg(new)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(down)?;
        Ok(swapped == 1)
    }

    /// Redis drops what has ended by itself.
    async fn sweep(&self) -> Result<u64, TicketFault> {
        Ok(0)
    }
}
