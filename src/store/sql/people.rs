//! People by their key, and what was given to them at targets.

use async_trait::async_trait;
use sqlx::{Row, any::AnyRow};

use super::{Records, damaged, down};
use crate::{
    domain::time::Timestamp,
    port::{
        people::{Given, Known, People, Turn},
        records::{RecordFault, Sessions},
    },
};

fn known(row: &AnyRow) -> Result<Known, RecordFault> {
    Ok(Known {
        key: row.try_get(0).map_err(down)?,
        facts: serde_json::from_str(row.try_get(1).map_err(down)?).map_err(damaged)?,
        held: serde_json::from_str(row.try_get(2).map_err(down)?).map_err(damaged)?,
        seen: Timestamp(row.try_get(3).map_err(down)?),
        listed: row.try_get::<i64, _>(4).map_err(down)? != 0,
        gone: row.try_get::<Option<i64>, _>(5).map_err(down)?.map(Timestamp),
    })
}

#[async_trait]
impl People for Records {
    async fn saw(&self, person: &Known) -> Result<(), RecordFault> {
        sqlx::query(
            "INSERT INTO people (key, facts, held, seen, listed) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (key) DO UPDATE SET facts = excluded.facts, held = excluded.held, seen = excluded.seen, \
             listed = excluded.listed",
        )
        .bind(person.key.as_str())
        .bind(serde_json::to_string(&person.facts).map_err(damaged)?)
        .bind(serde_json::to_string(&person.held).map_err(damaged)?)
        .bind(person.seen.0)
        .bind(i64::from(person.listed))
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn person(&self, key: &str) -> Result<Option<Known>, RecordFault> {
        sqlx::query("SELECT key, facts, held, seen, listed, gone FROM people WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.reader)
            .await
            .map_err(down)?
            .map(|row| known(&row))
            .transpose()
    }

    async fn people(&self) -> Result<Vec<Known>, RecordFault> {
        sqlx::query("SELECT key, facts, held, seen, listed, gone FROM people ORDER BY key")
            .fetch_all(&self.reader)
            .await
            .map_err(down)?
            .iter()
            .map(known)
            .collect()
    }

    async fn let_go(&self, key: &str, since: Option<Timestamp>) -> Result<bool, RecordFault> {
        let _ending = self.ending();
        let query = match since {
            // The first time counts: the bound runs from there.
            Some(since) => {
                sqlx::query("UPDATE people SET gone = $2 WHERE key = $1 AND gone IS NULL RETURNING key")
                    .bind(key)
                    .bind(since.0)
            }
            None => {
                sqlx::query("UPDATE people SET gone = NULL WHERE key = $1 AND gone IS NOT NULL RETURNING key")
                    .bind(key)
            }
        };
        Ok(self.change(query).await?.is_some())
    }

    async fn end_sessions(&self, key: &str, but: Option<&str>) -> Result<u64, RecordFault> {
        let _ending = self.ending();
        let rows = sqlx::query("SELECT sid FROM sessions WHERE person = $1 AND sid <> $2")
            .bind(key)
            .bind(but.unwrap_or_default())
            .fetch_all(&self.reader)
            .await
            .map_err(down)?;
        let mut ended = 0;
        for row in rows {
            Sessions::end(self, row.try_get(0).map_err(down)?).await?;
            ended += 1;
        }
        sqlx::query("DELETE FROM families WHERE person = $1 AND sid <> $2")
            .bind(key)
            .bind(but.unwrap_or_default())
            .execute(&self.writer)
            .await
            .map_err(down)?;
        Ok(ended)
    }
}

#[async_trait]
impl Given for Records {
    async fn given(&self, target: &str) -> Result<Vec<String>, RecordFault> {
        sqlx::query("SELECT item FROM given WHERE target = $1 ORDER BY item")
            .bind(target)
            .fetch_all(&self.reader)
            .await
            .map_err(down)?
            .iter()
            .map(|row| row.try_get(0).map_err(down))
            .collect()
    }

    async fn note(&self, target: &str, given: &[String], taken: &[String]) -> Result<(), RecordFault> {
        if given.is_empty() && taken.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await.map_err(down)?;
        let insert = "INSERT INTO given (target, item) VALUES ($1, $2) ON CONFLICT (target, item) DO NOTHING";
        let delete = "DELETE FROM given WHERE target = $1 AND item = $2";
        let rows = given
            .iter()
            .map(|item| (insert, item))
            .chain(taken.iter().map(|item| (delete, item)));
        for (statement, item) in rows {
            sqlx::query(statement)
                .bind(target)
                .bind(item.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(down)?;
        }
        transaction.commit().await.map_err(down)
    }

    async fn state(&self, target: &str) -> Result<Option<String>, RecordFault> {
        sqlx::query("SELECT state FROM provision WHERE target = $1 AND state <> ''")
            .bind(target)
            .fetch_optional(&self.reader)
            .await
            .map_err(down)?
            .map(|row| row.try_get(0).map_err(down))
            .transpose()
    }

    async fn keep_state(&self, target: &str, state: &str) -> Result<(), RecordFault> {
        sqlx::query(
            "INSERT INTO provision (target, state, worker, until) VALUES ($1, $2, '', 0) \
             ON CONFLICT (target) DO UPDATE SET state = excluded.state",
        )
        .bind(target)
        .bind(state)
        .execute(&self.writer)
        .await
        .map(|_| ())
        .map_err(down)
    }

    async fn take_turn(&self, turn: &Turn<'_>) -> Result<bool, RecordFault> {
        let query = sqlx::query(
            "INSERT INTO provision (target, state, worker, until) VALUES ($1, '', $2, $3) \
             ON CONFLICT (target) DO UPDATE SET worker = excluded.worker, until = excluded.until \
             WHERE provision.until <= $4 OR provision.worker = excluded.worker RETURNING target",
        )
        .bind(turn.target)
        .bind(turn.worker)
        .bind(turn.until.0)
        .bind(turn.now.0);
        Ok(self.change(query).await?.is_some())
    }
}
