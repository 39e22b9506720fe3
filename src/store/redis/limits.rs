//! Counters: one script counts and, at a window's first event, says when it ends.

use std::time::Duration;

use async_trait::async_trait;

use super::{RedisStore, down, milliseconds};
use crate::{
    port::{
        limits::{Limits, Quota, Verdict},
        tickets::TicketFault,
    },
    store::digest::hex_sha256,
};

/// Answers the count and the window's remaining milliseconds. A counter without an end cannot stay:
/// it gets one whenever it is found without.
pub(super) const HIT: &str = "\
local hits = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {hits, left}";

fn key(name: &str) -> String {
    format!("fedgate:limit:{}", hex_sha256(name.as_bytes()))
}

#[async_trait]
impl Limits for RedisStore {
    async fn hit(&self, name: &str, quota: Quota) -> Result<Verdict, TicketFault> {
        let (hits, left): (i64, u64) = self
            .hit
            .key(key(name))
            .arg(milliseconds(quota.within))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(down)?;
        Ok(if hits <= i64::from(quota.times) {
            Verdict::Free
        } else {
            Verdict::Wait(Duration::from_millis(left))
        })
    }

    async fn clear(&self, name: &str) -> Result<(), TicketFault> {
        redis::cmd("DEL")
            .arg(key(name))
            .query_async::<()>(&mut self.connection.clone())
            .await
            .map_err(down)
    }
}
