//! What runs by itself: keys come of age, what has ended is swept away.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::{
    broker::departed::{Departed, Ended},
    keys::{REFRESH_EVERY, Rings},
    port::{clock::Clock, records::Sessions, tickets::Tickets},
    telemetry::Metrics,
};

/// How often measurements are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// How often tokens at targets are ended whose time has come.
const END_EVERY: Duration = Duration::from_secs(5);
/// How often what has ended is dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(300);

/// When it is looked again for what is left of customers that are gone: a request that was under way with the
/// configuration before, or another replica that still has it, may have left something.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What is done by the gateway that runs now.
pub(super) struct Upkeep {
    departed: ArcSwap<Departed>,
    taken: Notify,
}

impl Upkeep {
    pub(super) fn new(departed: Departed) -> Arc<Self> {
        Arc::new(Self {
            departed: ArcSwap::from_pointee(departed),
            taken: Notify::new(),
        })
    }

    /// Another configuration was taken into use.
    pub(super) fn take(&self, departed: Departed) {
        self.departed.store(Arc::new(departed));
        self.taken.notify_one();
    }

    /// Ends what is left of customers that are gone, at the start and at each configuration: until nothing was found
    /// twice, a while apart.
    async fn depart(&self) {
        let mut in_vain = 0;
        loop {
            let departed = self.departed.load_full();
            in_vain = match departed.pass().await {
                Ok(ended) if ended == Ended::default() => in_vain + 1,
                Ok(ended) => {
                    tracing::info!(
                        sessions = ended.sessions,
                        families = ended.families,
                        tokens = ended.tokens,
                        "tenants, upstreams or clients are gone: what they held has ended; tokens at targets follow"
                    );
                    0
                }
                Err(fault) => {
                    tracing::error!(detail = %fault.detail, "what is left of customers that are gone could not be ended; it is tried again");
                    0
                }
            };
            let news = self.taken.notified();
            if in_vain >= 2 {
                news.await;
                in_vain = 0;
            } else if tokio::time::timeout(LOOK_AGAIN, news).await.is_ok() {
                in_vain = 0;
            }
        }
    }
}

/// What the jobs need.
pub(super) struct Jobs {
    pub ring: Arc<Rings>,
    pub sessions: Arc<dyn Sessions>,
    pub tickets: Arc<dyn Tickets>,
    pub upkeep: Arc<Upkeep>,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<dyn Clock>,
}

impl Jobs {
    /// Starts them. They end with the runtime.
    pub(super) fn start(self) {
        let ring = Arc::clone(&self.ring);
        let metrics = Arc::clone(&self.metrics);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(REFRESH_EVERY);
            loop {
                every.tick().await;
                if let Err(fault) = ring.refresh().await {
                    tracing::error!(%fault, "the key ring could not be refreshed; the known keys go on");
                }
            }
        });
        tokio::spawn(async move {
            let mut every = tokio::time::interval(FOLD_EVERY);
            loop {
                every.tick().await;
                metrics.upkeep();
            }
        });
        let upkeep = Arc::clone(&self.upkeep);
        tokio::spawn(async move { upkeep.depart().await });
        let upkeep = Arc::clone(&self.upkeep);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(END_EVERY);
            loop {
                every.tick().await;
                let departed = upkeep.departed.load_full();
                departed.ender.sweep().await;
            }
        });
        tokio::spawn(async move {
            let mut every = tokio::time::interval(SWEEP_EVERY);
            loop {
                every.tick().await;
                self.sweep().await;
            }
        });
    }

    async fn sweep(&self) {
        match self.sessions.sweep(self.clock.now()).await {
            Ok(rows) => tracing::debug!(rows, "swept records that had ended"),
            Err(fault) => tracing::error!(%fault, "records that have ended could not be swept"),
        }
        if let Err(fault) = self.tickets.sweep().await {
            tracing::error!(%fault, "tickets that have ended could not be swept");
        }
    }
}
