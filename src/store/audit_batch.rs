//! Group commit for the audit trail: events of parallel requests share one transaction.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    domain::audit::Event,
    port::{
        audit::Audit,
        records::{AuditTrail, RecordFault},
    },
};

/// Events that wait for the writer. Past this, callers wait before they can hand one over.
const QUEUE: usize = 1024;
/// Most events in one transaction.
const BATCH: usize = 256;
/// How often the writer steps back for requests that are about to hand over an event. A commit costs many times
/// what one more row in it costs; on an idle gateway the first turn finds nothing, and nothing is waited for.
const TURNS: usize = 8;

type Waiting = (Event, oneshot::Sender<Result<(), RecordFault>>);

/// Hands events to one task that writes all pending ones together, and wakes their callers afterwards.
pub struct AuditWriter {
    queue: Mutex<Option<mpsc::Sender<Waiting>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for AuditWriter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AuditWriter(…)")
    }
}

impl AuditWriter {
    /// Starts the writing task; needs a tokio runtime.
    #[must_use]
    pub fn start(trail: Arc<dyn AuditTrail>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            queue: Mutex::new(Some(queue)),
            task: Mutex::new(Some(tokio::spawn(write(trail, waiting)))),
        }
    }

    /// Takes no more events, writes those that wait, and returns when they are written.
    pub async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // An error here means that the task panicked; its callers have been told by their channels.
            let _ended = task.await;
        }
    }
}

#[async_trait]
impl Audit for AuditWriter {
    async fn record(&self, event: Event) -> Result<(), RecordFault> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let closed = || RecordFault("the audit trail is closed".to_owned());
        let (written, answer) = oneshot::channel();
        queue
            .ok_or_else(closed)?
            .send((event, written))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// Takes along what arrives while others run, as long as something does.
async fn gather(waiting: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>) {
    for _ in 0..TURNS {
        let held = batch.len();
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(event) = waiting.try_recv()
        {
            batch.push(event);
        }
        if batch.len() == held {
            return;
        }
    }
}

async fn write(trail: Arc<dyn AuditTrail>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        gather(&mut waiting, &mut batch).await;
        let (events, callers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let written = trail.append(&events).await;
        for caller in callers {
            // A caller that has gone away (its request was cancelled) needs no answer.
            let _gone = caller.send(written.clone());
        }
    }
}
