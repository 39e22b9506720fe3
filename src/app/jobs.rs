//! What runs by itself: keys come of age, what has ended is swept away.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use crate::{
    broker::endings::Ender,
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

/// What the jobs need.
pub(super) struct Jobs {
    pub ring: Arc<Rings>,
    pub sessions: Arc<dyn Sessions>,
    pub tickets: Arc<dyn Tickets>,
    /// Of the gateway that runs now.
    pub ender: Arc<ArcSwap<Ender>>,
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
        let ender = Arc::clone(&self.ender);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(END_EVERY);
            loop {
                every.tick().await;
                ender.load_full().sweep().await;
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
