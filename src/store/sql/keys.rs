//! Signing keys. Replicas that add one take turns by a row lock.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::{Any, Row, Transaction, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::{
        key::{Algorithm, Life},
        time::Timestamp,
    },
    port::records::{KeyRecords, RecordFault, StoredKey},
};

fn algorithm(text: &str) -> Result<Algorithm, RecordFault> {
    match text {
        "ES256" => Ok(Algorithm::Es256),
        "RS256" => Ok(Algorithm::Rs256),
        other => Err(damaged(format!("unknown algorithm {other}"))),
    }
}

fn stored(row: &AnyRow) -> Result<StoredKey, RecordFault> {
    let bytes = |index: usize| -> Result<Vec<u8>, RecordFault> {
        STANDARD
            .decode(row.try_get::<&str, _>(index).map_err(down)?)
            .map_err(damaged)
    };
    Ok(StoredKey {
        kid: row.try_get(0).map_err(down)?,
        algorithm: algorithm(row.try_get(1).map_err(down)?)?,
        sealed: bytes(2)?,
        certificate: bytes(3)?,
        life: Life {
            published: Timestamp(row.try_get(4).map_err(down)?),
            signs_from: Timestamp(row.try_get(5).map_err(down)?),
            signs_until: row.try_get::<Option<i64>, _>(6).map_err(down)?.map(Timestamp),
            gone_at: row.try_get::<Option<i64>, _>(7).map_err(down)?.map(Timestamp),
        },
        ring: row.try_get(8).map_err(down)?,
    })
}

#[async_trait]
impl KeyRecords for Records {
    async fn keys(&self, ring: &str, now: Timestamp) -> Result<Vec<StoredKey>, RecordFault> {
        sqlx::query(
            "SELECT kid, algorithm, sealed, certificate, published, signs_from, signs_until, gone_at, ring \
             FROM signing_keys WHERE ring = $2 AND (gone_at IS NULL OR gone_at > $1) ORDER BY published, signs_from, kid",
        )
        .bind(now.0)
        .bind(ring)
        .fetch_all(&self.reader)
        .await
        .map_err(down)?
        .iter()
        .map(stored)
        .collect()
    }

    async fn add(
        &self,
        new: &StoredKey,
        superseded: &[(String, Life)],
        seen: &[String],
    ) -> Result<bool, RecordFault> {
        let mut transaction = self.begin().await.map_err(down)?;
        if !unchanged(&mut transaction, new, seen).await.map_err(down)? {
            return Ok(false);
        }
        insert(&mut transaction, new).await.map_err(down)?;
        for (kid, life) in superseded {
            sqlx::query(
                "UPDATE signing_keys SET published = $2, signs_from = $3, signs_until = $4, gone_at = $5 \
                 WHERE kid = $1",
            )
            .bind(kid.as_str())
            .bind(life.published.0)
            .bind(life.signs_from.0)
            .bind(life.signs_until.map(|at| at.0))
            .bind(life.gone_at.map(|at| at.0))
            .execute(&mut *transaction)
            .await
            .map_err(down)?;
        }
        transaction.commit().await.map_err(down)?;
        Ok(true)
    }
}

async fn unchanged(
    transaction: &mut Transaction<'static, Any>,
    new: &StoredKey,
    seen: &[String],
) -> Result<bool, sqlx::Error> {
    // Whoever holds this row is alone until the end of the transaction.
    sqlx::query("UPDATE turns SET taken = taken + 1 WHERE name = 'keys'")
        .execute(&mut **transaction)
        .await?;
    // Keys that are gone leave no private half behind.
    sqlx::query("DELETE FROM signing_keys WHERE gone_at <= $1")
        .bind(new.life.published.0)
        .execute(&mut **transaction)
        .await?;
    let present = sqlx::query("SELECT kid FROM signing_keys WHERE algorithm = $1 AND ring = $2")
        .bind(new.algorithm.as_str())
        .bind(new.ring.as_str())
        .fetch_all(&mut **transaction)
        .await?;
    for row in present {
        let kid: &str = row.try_get(0)?;
        if !seen.iter().any(|known| known == kid) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn insert(transaction: &mut Transaction<'static, Any>, new: &StoredKey) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO signing_keys \
         (kid, algorithm, sealed, certificate, published, signs_from, signs_until, gone_at, ring) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.kid.as_str())
    .bind(new.algorithm.as_str())
    .bind(STANDARD.encode(&new.sealed))
    .bind(STANDARD.encode(&new.certificate))
    .bind(new.life.published.0)
    .bind(new.life.signs_from.0)
    .bind(new.life.signs_until.map(|at| at.0))
    .bind(new.life.gone_at.map(|at| at.0))
    .bind(new.ring.as_str())
    .execute(&mut **transaction)
    .await
    .map(|_| ())
}
