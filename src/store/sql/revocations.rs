//! Tokens that were revoked before their time.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::{Records, down};
use crate::{
    domain::time::Timestamp,
    port::records::{RecordFault, Revocations},
};

#[async_trait]
impl Revocations for Records {
    async fn revoke(&self, jti: &str, until: Timestamp) -> Result<(), RecordFault> {
        let _ending = self.ending();
        sqlx::query(
            "INSERT INTO revocations (jti, ends) VALUES ($1, $2) \
             ON CONFLICT (jti) DO UPDATE SET ends = excluded.ends WHERE revocations.ends < excluded.ends",
        )
        .bind(jti)
        .bind(until.0)
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn is_revoked(&self, jti: &str) -> Result<bool, RecordFault> {
        sqlx::query("SELECT 1 FROM revocations WHERE jti = $1")
            .bind(jti)
            .fetch_optional(&self.reader)
            .await
            .map(|row| row.is_some())
            .map_err(down)
    }

    fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }
}
