//! The turn at a target: a pass of this gateway, one of a replica, an operator by hand. Whoever has it works alone. Two
//! at once would each compare with what the other is about to change, and a role could stand that is written down
//! nowhere, so that nobody ever takes it away.

use std::time::Duration;

use crate::{domain::time::Timestamp, port::people::Turn};

use super::{super::build::StartFault, pass::Tools};

/// How long a turn lasts that is not taken again: a worker that died keeps the others waiting no longer. Clocks of
/// replicas may differ by less than what is left of it (30 s: `fedgate doctor`).
const LASTS: Duration = Duration::from_secs(45);
/// How often it is taken again while its work goes on.
const AGAIN: Duration = Duration::from_secs(10);
/// Between two looks whether another's turn has ended.
const PAUSE: Duration = Duration::from_millis(500);

/// Does the work in the turn at a target. None, and nothing done, if another has it all the while that one would wait.
pub(super) async fn held<T: Send>(
    tools: &Tools,
    target: &str,
    patience: Duration,
    work: impl Future<Output = T> + Send,
) -> Result<Option<T>, StartFault> {
    let mut waited = Duration::ZERO;
    while !take(tools, target, LASTS).await? {
        if waited >= patience {
            return Ok(None);
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    let mut work = Box::pin(work);
    loop {
        if let Ok(done) = tokio::time::timeout(AGAIN, &mut work).await {
            // What cannot be given back ends by itself.
            if let Err(fault) = take(tools, target, Duration::ZERO).await {
                tracing::error!(target, %fault, "the turn at a target could not be given back");
            }
            return Ok(Some(done));
        }
        match take(tools, target, LASTS).await {
            Ok(true) => {}
            // Work that was cut off is finished by the next pass, as if this process had died.
            Ok(false) => return Err(StartFault(format!("another took the turn at '{target}'"))),
            Err(fault) => tracing::error!(target, %fault, "the turn at a target could not be taken again"),
        }
    }
}

async fn take(tools: &Tools, target: &str, lasts: Duration) -> Result<bool, StartFault> {
    let now: Timestamp = tools.clock.now();
    let turn = Turn {
        target,
        worker: &tools.worker,
        now,
        until: now.plus(lasts),
    };
    let taken = tools.given.take_turn(&turn).await;
    taken.map_err(StartFault::of)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        app::clock::SystemClock,
        config::secret::SecretSources,
        policy::PolicyEngine,
        port::clock::Clock,
        store::{self, RecordsConfig},
    };

    async fn opened(folder: &tempfile::TempDir) -> store::Opened {
        let config = store::Config {
            records: RecordsConfig::Sqlite {
                path: folder.path().join("records.db"),
            },
            ..store::Config::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        store::open(&config, &SecretSources::default(), clock)
            .await
            .unwrap()
    }

    fn tools(opened: &store::Opened) -> Tools {
        let engine = PolicyEngine::load(&crate::policy::Config::default(), &[], &[]).unwrap();
        Tools::new(opened, Arc::new(engine), Arc::new(SystemClock))
    }

    #[tokio::test]
    async fn one_works_and_the_other_waits_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let opened = opened(&folder).await;
        let (one, other) = (tools(&opened), tools(&opened));
        let inner = async {
            let refused = held(&other, "openstack", Duration::ZERO, async {}).await;
            let elsewhere = held(&other, "another", Duration::ZERO, async {}).await;
            (refused, elsewhere)
        };
        let (refused, elsewhere) = held(&one, "openstack", Duration::ZERO, inner)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((refused, elsewhere), (Ok(None), Ok(Some(()))));
        // Given back, so that nobody waits for its end.
        assert_eq!(
            held(&other, "openstack", Duration::ZERO, async {}).await,
            Ok(Some(()))
        );
        // One that died.
        assert_eq!(take(&one, "openstack", Duration::from_secs(1)).await, Ok(true));
        let patience = Duration::from_secs(30);
        assert_eq!(
            held(&other, "openstack", patience, async { 7 }).await,
            Ok(Some(7))
        );
        opened.close().await;
    }
}
