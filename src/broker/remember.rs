//! People as they last proved who they are: kept where something is given to them without them.
//!
//! Somebody who was let go stays out, whatever their organisation still says. Somebody who comes with fewer groups
//! than before loses the sessions that they opened with more.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::domain::{
    fault::{Code, Fault},
    identity::Identity,
    session::Session,
};
use crate::port::people::{Known, People};

/// The reason's code for somebody who was let go.
const LET_GO: &str = "deprovisioned";

/// Remembers people.
#[derive(Clone)]
pub struct Remember {
    /// Where.
    pub people: Arc<dyn People>,
    /// Rung when what is known of somebody has changed.
    pub bell: Arc<Notify>,
}

impl std::fmt::Debug for Remember {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Remember")
    }
}

impl Remember {
    /// What was known of somebody before; refused if they were let go.
    pub(super) async fn before(&self, identity: &Identity) -> Result<Option<Known>, Fault> {
        let before = self.people.person(identity.key()).await?;
        match before {
            Some(Known { gone: Some(_), .. }) => Err(Fault {
                code: Code::NoAccess,
                detail: "they were let go here; `fedgate offboard --back` takes that back".to_owned(),
                reasons: vec![LET_GO.to_owned()],
            }),
            other => Ok(other),
        }
    }

    /// Keeps what a new session says. Returns how many older sessions ended for it.
    pub(super) async fn after(
        &self,
        before: Option<Known>,
        (session, identity): (&Session, &Identity),
    ) -> Result<u64, Fault> {
        // Of people who are listed the list speaks.
        if before.as_ref().is_some_and(|before| before.listed) {
            return Ok(0);
        }
        let held: Vec<String> = identity.groups().iter().map(|group| group.name.clone()).collect();
        let lost = before
            .as_ref()
            .is_some_and(|before| before.held.iter().any(|group| !held.contains(group)));
        let ended = if lost {
            let own = session.id.sid();
            self.people.end_sessions(identity.key(), Some(&own)).await?
        } else {
            0
        };
        let person = Known {
            key: identity.key().to_owned(),
            facts: session.assertion.facts().clone(),
            held,
            seen: session.started,
            listed: false,
            gone: None,
        };
        self.people.saw(&person).await?;
        self.bell.notify_one();
        Ok(ended)
    }
}
