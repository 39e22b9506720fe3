//! What ties sessions to their upstreams.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down, sessions::kept};
use crate::{
    domain::{assertion::UpstreamAssertion, ids::UpstreamId, time::Timestamp},
    port::{
        bonds::{Bond, Bonds, Meant, Renewal},
        records::RecordFault,
    },
};

fn bond(row: &AnyRow) -> Result<Bond, RecordFault> {
    Ok(Bond {
        sid: row.try_get(0).map_err(down)?,
        upstream: UpstreamId::parse(row.try_get(1).map_err(down)?).map_err(damaged)?,
        subject: row.try_get(2).map_err(down)?,
        session: row.try_get(3).map_err(down)?,
        renewal: row.try_get(4).map_err(down)?,
        ends: Timestamp(row.try_get(5).map_err(down)?),
    })
}

fn renewal(row: &AnyRow) -> Result<Renewal, RecordFault> {
    Ok(Renewal {
        id: row.try_get(0).map_err(down)?,
        sealed: row.try_get(1).map_err(down)?,
        asked: Timestamp(row.try_get(2).map_err(down)?),
        ends: Timestamp(row.try_get(3).map_err(down)?),
    })
}

#[async_trait]
impl Bonds for Records {
    async fn bind(&self, bond: &Bond, renewal: Option<&Renewal>) -> Result<(), RecordFault> {
        let mut transaction = self.begin().await.map_err(down)?;
        if let Some(renewal) = renewal {
            sqlx::query("INSERT INTO renewals (id, sealed, asked, ends) VALUES ($1, $2, $3, $4)")
                .bind(renewal.id.as_str())
                .bind(renewal.sealed.as_str())
                .bind(renewal.asked.0)
                .bind(renewal.ends.0)
                .execute(&mut *transaction)
                .await
                .map_err(down)?;
        }
        sqlx::query(
            "INSERT INTO bonds (sid, upstream, subject, session, renewal, ends) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(bond.sid.as_str())
        .bind(bond.upstream.as_str())
        .bind(bond.subject.as_str())
        .bind(bond.session.as_deref())
        .bind(bond.renewal.as_deref())
        .bind(bond.ends.0)
        .execute(&mut *transaction)
        .await
        .map_err(down)?;
        transaction.commit().await.map_err(down)
    }

    async fn bond(&self, sid: &str) -> Result<Option<Bond>, RecordFault> {
        let row =
            sqlx::query("SELECT sid, upstream, subject, session, renewal, ends FROM bonds WHERE sid = $1")
                .bind(sid)
                .fetch_optional(&self.reader)
                .await
                .map_err(down)?;
        row.as_ref().map(bond).transpose()
    }

    async fn bound(&self, meant: Meant<'_>) -> Result<Vec<String>, RecordFault> {
        let query = match meant {
            Meant::Subject(upstream, subject) => {
                sqlx::query("SELECT sid FROM bonds WHERE upstream = $1 AND subject = $2")
                    .bind(upstream.as_str())
                    .bind(subject)
            }
            Meant::Session(upstream, session, None) => {
                sqlx::query("SELECT sid FROM bonds WHERE upstream = $1 AND session = $2")
                    .bind(upstream.as_str())
                    .bind(session)
            }
            Meant::Session(upstream, session, Some(subject)) => {
                sqlx::query("SELECT sid FROM bonds WHERE upstream = $1 AND session = $2 AND subject = $3")
                    .bind(upstream.as_str())
                    .bind(session)
                    .bind(subject)
            }
            Meant::Renewal(id) => sqlx::query("SELECT sid FROM bonds WHERE renewal = $1").bind(id),
        };
        let rows = query.fetch_all(&self.reader).await.map_err(down)?;
        rows.iter().map(|row| row.try_get(0).map_err(down)).collect()
    }

    async fn renewal(&self, id: &str) -> Result<Option<Renewal>, RecordFault> {
        let row = sqlx::query("SELECT id, sealed, asked, ends FROM renewals WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.reader)
            .await
            .map_err(down)?;
        row.as_ref().map(renewal).transpose()
    }

    async fn renewed(&self, renewal: &Renewal, says: &UpstreamAssertion) -> Result<(), RecordFault> {
        let _ending = self.ending();
        let says = kept(says)?;
        let mut transaction = self.begin().await.map_err(down)?;
        sqlx::query("UPDATE renewals SET sealed = $2, asked = $3 WHERE id = $1")
            .bind(renewal.id.as_str())
            .bind(renewal.sealed.as_str())
            .bind(renewal.asked.0)
            .execute(&mut *transaction)
            .await
            .map_err(down)?;
        for statement in [
            "UPDATE sessions SET assertion = $2 WHERE sid IN (SELECT sid FROM bonds WHERE renewal = $1)",
            "UPDATE families SET assertion = $2 WHERE sid IN (SELECT sid FROM bonds WHERE renewal = $1)",
        ] {
            sqlx::query(statement)
                .bind(renewal.id.as_str())
                .bind(says.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(down)?;
        }
        transaction.commit().await.map_err(down)
    }
}
