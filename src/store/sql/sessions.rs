//! Sign-ins, by the SHA-256 of their id.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::{
        assertion::UpstreamAssertion, identity::Identity, ids::SessionId, session::Session, time::Timestamp,
    },
    port::records::{RecordFault, Sessions},
    store::digest::hex_sha256,
};

pub(super) fn kept(assertion: &UpstreamAssertion) -> Result<String, RecordFault> {
    serde_json::to_string(assertion.facts()).map_err(damaged)
}

/// Whose an assertion is, by which all that hangs on it is ended.
pub(super) fn person(assertion: &UpstreamAssertion) -> String {
    let facts = assertion.facts();
    Identity::key_of(&facts.issuer, &facts.subject)
}

pub(super) fn recalled(text: &str) -> Result<UpstreamAssertion, RecordFault> {
    serde_json::from_str(text)
        .map(UpstreamAssertion::recalled)
        .map_err(damaged)
}

fn session(row: &AnyRow, id: SessionId) -> Result<Session, RecordFault> {
    Ok(Session {
        id,
        assertion: recalled(row.try_get(0).map_err(down)?)?,
        started: Timestamp(row.try_get(1).map_err(down)?),
        ends: Timestamp(row.try_get(2).map_err(down)?),
        upstream_hint: row.try_get(3).map_err(down)?,
    })
}

#[async_trait]
impl Sessions for Records {
    async fn open(&self, session: &Session) -> Result<(), RecordFault> {
        sqlx::query(
            "INSERT INTO sessions (id_hash, sid, assertion, started, ends, upstream_hint, person) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(hex_sha256(session.id.0.as_bytes()))
        .bind(session.id.sid())
        .bind(kept(&session.assertion)?)
        .bind(session.started.0)
        .bind(session.ends.0)
        .bind(session.upstream_hint.as_deref())
        .bind(person(&session.assertion))
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn find(&self, id: &SessionId, now: Timestamp) -> Result<Option<Session>, RecordFault> {
        let row = sqlx::query(
            "SELECT assertion, started, ends, upstream_hint FROM sessions WHERE id_hash = $1 AND ends > $2",
        )
        .bind(hex_sha256(id.0.as_bytes()))
        .bind(now.0)
        .fetch_optional(&self.reader)
        .await
        .map_err(down)?;
        row.map(|row| session(&row, id.clone())).transpose()
    }

    async fn by_sid(&self, sid: &str, now: Timestamp) -> Result<Option<Session>, RecordFault> {
        let row = sqlx::query(
            "SELECT assertion, started, ends, upstream_hint FROM sessions WHERE sid = $1 AND ends > $2",
        )
        .bind(sid)
        .bind(now.0)
        .fetch_optional(&self.reader)
        .await
        .map_err(down)?;
        row.map(|row| session(&row, SessionId(String::new()))).transpose()
    }

    async fn end(&self, sid: &str) -> Result<(), RecordFault> {
        let _ending = self.ending();
        let mut transaction = self.begin().await.map_err(down)?;
        for statement in [
            "DELETE FROM sessions WHERE sid = $1",
            "DELETE FROM families WHERE sid = $1",
            // What the upstream is asked by goes with the last session that shares it.
            "DELETE FROM renewals WHERE id IN (SELECT renewal FROM bonds WHERE sid = $1) AND NOT EXISTS \
             (SELECT 1 FROM bonds WHERE renewal = renewals.id AND sid <> $1)",
            "DELETE FROM bonds WHERE sid = $1",
        ] {
            sqlx::query(statement)
                .bind(sid)
                .execute(&mut *transaction)
                .await
                .map_err(down)?;
        }
        transaction.commit().await.map_err(down)
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, RecordFault> {
        let mut dropped = 0;
        for statement in [
            "DELETE FROM sessions WHERE ends <= $1",
            "DELETE FROM families WHERE ends <= $1",
            "DELETE FROM revocations WHERE ends <= $1",
            "DELETE FROM bonds WHERE ends <= $1",
            "DELETE FROM renewals WHERE ends <= $1",
            "DELETE FROM endings WHERE gone <= $1",
        ] {
            dropped += sqlx::query(statement)
                .bind(now.0)
                .execute(&self.writer)
                .await
                .map_err(down)?
                .rows_affected();
        }
        Ok(dropped)
    }
}
