//! The way out: gzip of a JSON array to the service, in chunks; what is not taken waits and is sent again.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, header};
use tokio::sync::Notify;

use super::{
    buffer::{self, Buffer},
    config::DecisionLogsConfig,
};
use crate::{
    outbound::pauses::{back_off, between},
    policy::services::{Extra, Service},
};

/// How much smaller than their text events are assumed to become.
const USUAL_RATIO: usize = 4;

/// Sends what waits in the buffer.
pub(super) struct Uploader {
    pub(super) service: Service,
    pub(super) buffer: Arc<Buffer>,
    pub(super) config: DecisionLogsConfig,
    /// The gateway stops: send once more, and end.
    pub(super) stop: Arc<Notify>,
}

impl Uploader {
    /// Sends until it is told to stop.
    pub(super) async fn run(self) {
        let (least, most) = (
            Duration::from_secs(self.config.reporting.min_delay_seconds),
            Duration::from_secs(self.config.reporting.max_delay_seconds),
        );
        let mut failures = 0_u32;
        let mut delay = between(least, most);
        loop {
            let stopping = tokio::select! {
                () = tokio::time::sleep(delay) => false,
                () = self.stop.notified() => true,
            };
            match self.send_all().await {
                Ok(sent) => {
                    if failures > 0 {
                        tracing::info!(sent, "the decision log is taken again");
                    }
                    failures = 0;
                    delay = between(least, most);
                }
                Err(why) => {
                    if failures == 0 {
                        tracing::warn!(%why, "the decision log cannot be sent; it waits and is tried again");
                    }
                    delay = back_off(failures, most);
                    failures = failures.saturating_add(1);
                }
            }
            if stopping {
                return;
            }
        }
    }

    async fn send_all(&self) -> Result<usize, String> {
        let mut sent = 0;
        loop {
            let limit = self.config.reporting.upload_size_limit_bytes;
            let events = self.buffer.take(limit.saturating_mul(USUAL_RATIO));
            if events.is_empty() {
                return Ok(sent);
            }
            sent += self.send(events, limit).await?;
        }
    }

    /// Sends events in as many uploads as the size limit needs.
    async fn send(&self, events: Vec<String>, limit: usize) -> Result<usize, String> {
        let mut parts = vec![events];
        let mut sent = 0;
        while let Some(mut part) = parts.pop() {
            let body = match buffer::packed(&part) {
                Ok(body) => body,
                Err(error) => {
                    self.keep(part, parts);
                    return Err(error.to_string());
                }
            };
            if body.len() > limit && part.len() > 1 {
                let later = part.split_off(part.len() / 2);
                parts.push(later);
                parts.push(part);
                continue;
            }
            if body.len() > limit {
                metrics::counter!(super::worker::DROPPED, "reason" => "too_large").increment(1);
                tracing::warn!(
                    bytes = body.len(),
                    limit,
                    "a decision is larger than upload_size_limit_bytes and is not sent"
                );
                continue;
            }
            if let Err(why) = self.post(body).await {
                self.keep(part, parts);
                return Err(why);
            }
            sent += part.len();
        }
        Ok(sent)
    }

    fn keep(&self, first: Vec<String>, later: Vec<Vec<String>>) {
        // The rest stands in reverse: the last of `later` is the next in order.
        let mut all = first;
        all.extend(later.into_iter().rev().flatten());
        self.buffer.put_back(all);
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), String> {
        let extra = Extra {
            headers: vec![
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
            ],
            wait: Duration::ZERO,
        };
        let answer = self
            .service
            .post(&self.config.resource, extra, body.into())
            .await
            .map_err(|fault| fault.to_string())?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(format!(
                "log upload failed, server replied with HTTP {}",
                answer.status
            ))
        }
    }
}
