//! Takes decisions over, and turns them into events off the path of the answer.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use super::{buffer::Buffer, config::DecisionLogsConfig, event, mask, upload::Uploader};
use crate::{
    domain::time::Timestamp,
    policy::services::{Service, ServiceConfig},
    port::{
        clock::Clock,
        decisions::{Decision, DecisionRecords, Decisions, KeptDecision},
        secrets::Secrets,
    },
    rego::{How, Snapshot},
};

/// Decisions that are not in the log. Label: `reason`.
pub(super) const DROPPED: &str = "fedgate_decision_log_dropped_total";
/// Decisions that are in the log.
const RECORDED: &str = "fedgate_decision_log_events_total";
/// Decisions that wait for the worker. Past this, the newest is dropped.
const QUEUE: usize = 10_000;
/// Most decisions of one turn, and of one transaction.
const BATCH: usize = 256;
/// Longest evaluation of a mask or drop rule.
const LONGEST: Duration = Duration::from_millis(50);
/// How long the first decision waits for others.
const GATHER: Duration = Duration::from_millis(25);
/// How often what is too old is dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// What the log works with.
pub struct Wiring<'a> {
    /// Services by name.
    pub services: &'a BTreeMap<String, ServiceConfig>,
    /// Reads their tokens.
    pub secrets: &'a dyn Secrets,
    /// Where decisions are kept here; none keeps nothing.
    pub records: Option<Arc<dyn DecisionRecords>>,
    /// The policies in force that may hold mask and drop rules.
    pub rules: Vec<Arc<dyn Fn() -> Arc<Snapshot> + Send + Sync>>,
    /// What every event says of this gateway.
    pub labels: BTreeMap<String, String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears every decision beside the log (a candidate that runs in the shadow). Must not wait.
    pub also: Option<Arc<dyn Decisions>>,
}

impl fmt::Debug for Wiring<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Wiring(…)")
    }
}

/// The decision log of this process.
pub struct DecisionLog {
    queue: Mutex<Option<mpsc::Sender<Decision>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    uploader: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<Notify>,
    also: Option<Arc<dyn Decisions>>,
}

impl fmt::Debug for DecisionLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("DecisionLog(…)")
    }
}

impl DecisionLog {
    /// Starts it; needs a tokio runtime. Fails where the configuration names what is not there.
    pub fn start(config: &DecisionLogsConfig, wiring: Wiring<'_>) -> Result<Self, String> {
        let buffer = Arc::new(Buffer::new(config.reporting.buffer_size_limit_events));
        let stop = Arc::new(Notify::new());
        let mut uploads = None;
        let sends = config.service.is_some();
        if let Some(name) = &config.service {
            let found = wiring.services.get(name);
            let found = found.ok_or_else(|| format!("invalid service name {name:?} in decision_logs"))?;
            let uploader = Uploader {
                service: Service::open(found, 1 << 20, wiring.secrets)?,
                buffer: Arc::clone(&buffer),
                config: config.clone(),
                stop: Arc::clone(&stop),
            };
            uploads = Some(tokio::spawn(uploader.run()));
        }
        let records = wiring.records.filter(|_| config.keep.days > 0);
        let listens = sends || config.console || records.is_some();
        let (queue, waiting) = mpsc::channel(QUEUE);
        let worker = Worker {
            config: config.clone(),
            rules: wiring.rules,
            labels: wiring.labels,
            clock: wiring.clock,
            buffer: sends.then_some(buffer),
            records,
        };
        Ok(Self {
            queue: Mutex::new(listens.then_some(queue)),
            worker: Mutex::new(Some(tokio::spawn(worker.run(waiting)))),
            uploader: Mutex::new(uploads),
            stop,
            also: wiring.also,
        })
    }

    /// Takes no more decisions, writes and sends those that wait, and returns when that is done.
    pub async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        // The worker has to end first: it fills what the uploader sends.
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            // An error says that the task panicked; there is nothing left to do for it.
            let _ended = worker.await;
        }
        let uploader = self
            .uploader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(uploader) = uploader {
            self.stop.notify_one();
            let _ended = uploader.await;
        }
    }
}

impl Decisions for DecisionLog {
    fn record(&self, decision: Decision) {
        if let Some(also) = self.also.as_ref().filter(|also| also.listens()) {
            also.record(decision.clone());
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(queue) = queue
            && queue.try_send(decision).is_err()
        {
            metrics::counter!(DROPPED, "reason" => "buffer_full").increment(1);
        }
    }

    fn listens(&self) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.is_some() || self.also.as_ref().is_some_and(|also| also.listens())
    }
}

struct Worker {
    config: DecisionLogsConfig,
    rules: Vec<Arc<dyn Fn() -> Arc<Snapshot> + Send + Sync>>,
    labels: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    buffer: Option<Arc<Buffer>>,
    records: Option<Arc<dyn DecisionRecords>>,
}

impl Worker {
    async fn run(self, mut waiting: mpsc::Receiver<Decision>) {
        let worker = Arc::new(self);
        let mut batch = Vec::with_capacity(BATCH);
        let mut sweeps = tokio::time::interval(SWEEP_EVERY);
        loop {
            let got = tokio::select! {
                got = waiting.recv_many(&mut batch, BATCH) => got,
                _ = sweeps.tick() => {
                    worker.sweep().await;
                    continue;
                }
            };
            if got == 0 {
                return;
            }
            // Those of parallel requests share one transaction: it weighs on the store as one decision does.
            tokio::time::sleep(GATHER).await;
            while batch.len() < BATCH {
                let Ok(next) = waiting.try_recv() else { break };
                batch.push(next);
            }
            let decisions = std::mem::take(&mut batch);
            let shaping = Arc::clone(&worker);
            // Rego and JSON: not for a thread that serves requests.
            let shaped = tokio::task::spawn_blocking(move || shaping.shape(&decisions)).await;
            if let Ok(kept) = shaped {
                worker.keep(kept).await;
            }
        }
    }

    fn shape(&self, decisions: &[Decision]) -> Vec<KeptDecision> {
        let mut kept = Vec::with_capacity(decisions.len());
        for decision in decisions {
            match self.event(decision) {
                Ok(Some(event)) => {
                    metrics::counter!(RECORDED).increment(1);
                    let text = event.to_string();
                    if self.config.console {
                        tracing::info!(decision = %text, "Decision Log");
                    }
                    if let Some(buffer) = &self.buffer
                        && !buffer.push(text.clone())
                    {
                        metrics::counter!(DROPPED, "reason" => "upload_buffer_full").increment(1);
                    }
                    kept.push(record(decision, &event, text));
                }
                Ok(None) => metrics::counter!(DROPPED, "reason" => "rule").increment(1),
                Err(why) => {
                    metrics::counter!(DROPPED, "reason" => "error").increment(1);
                    tracing::error!(decision = %decision.id, %why, "a decision is not in the log");
                }
            }
        }
        kept
    }

    /// The event as it may be written; none if a drop rule leaves it out.
    fn event(&self, decision: &Decision) -> Result<Option<Value>, String> {
        let mut event = event::event(decision, &self.labels)?;
        let how = How {
            limit: LONGEST,
            now_ns: Some(self.clock.now_ns()),
            ..How::default()
        };
        let input = event.clone();
        let mut asked: Vec<Arc<Snapshot>> = Vec::with_capacity(self.rules.len());
        for rules in &self.rules {
            let rules = rules();
            if asked.iter().any(|before| Arc::ptr_eq(before, &rules)) {
                continue;
            }
            asked.push(Arc::clone(&rules));
            let drop = mask::ask(&rules, &self.config.drop_decision, &input, &how)
                .map_err(|why| format!("log drop decision failed: {why}"))?;
            if drop == Some(Value::Bool(true)) {
                return Ok(None);
            }
            let answer = mask::ask(&rules, &self.config.mask_decision, &input, &how)
                .map_err(|why| format!("log event masking failed: {why}"))?;
            if let Some(answer) = answer {
                mask::apply(&mut event, &answer).map_err(|why| format!("log event masking failed: {why}"))?;
            }
        }
        Ok(Some(event))
    }

    async fn keep(&self, kept: Vec<KeptDecision>) {
        let Some(records) = &self.records else {
            return;
        };
        if let Err(fault) = records.append(&kept).await {
            metrics::counter!(DROPPED, "reason" => "store").increment(kept.len() as u64);
            tracing::error!(%fault, decisions = kept.len(), "decisions are not kept");
        }
    }

    async fn sweep(&self) {
        let Some(records) = &self.records else {
            return;
        };
        let days = Duration::from_secs(u64::from(self.config.keep.days) * 86_400);
        let before = self.clock.now().minus(days);
        if let Err(fault) = records.sweep(before, self.config.keep.most).await {
            tracing::error!(%fault, "old decisions could not be swept");
        }
    }
}

fn record(decision: &Decision, event: &Value, text: String) -> KeptDecision {
    let asked = event.get("path").or_else(|| event.get("query"));
    KeptDecision {
        id: decision.id.clone(),
        at: Timestamp(decision.at_ns.div_euclid(1_000_000_000)),
        path: asked.and_then(Value::as_str).unwrap_or_default().to_owned(),
        event: text,
    }
}
