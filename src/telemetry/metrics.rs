//! Counters and durations, in the text format of Prometheus.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
    time::Duration,
};

use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// HTTP requests answered. Labels: `method`, `route` (the pattern, never the path), `status`.
pub const HTTP_REQUESTS: &str = "fedgate_http_requests_total";
/// Time from the request's head to the answer's head, in seconds. Labels: `route`.
pub const HTTP_SECONDS: &str = "fedgate_http_request_duration_seconds";
/// Audit events. Label: `event`, as in `docs/log.md`.
pub const AUDIT_EVENTS: &str = "fedgate_audit_events_total";
/// Whether a thing that the gateway depends on can be used: 1 or 0. Labels: `part`, `name`.
pub const READY: &str = "fedgate_ready";

/// Bounds of the durations: what is served from memory, from a database, and from another machine.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Methods that are told apart.
const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// All metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Metrics")
    }
}

/// The metrics cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be kept: {0}")]
pub struct MetricsFault(String);

impl Metrics {
    /// Starts to keep the metrics of this process. The first call of a process wins; it has no listener.
    pub fn install() -> Result<Self, MetricsFault> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(HTTP_SECONDS.into()), &SECONDS)
            .map_err(|error| MetricsFault(error.to_string()))?
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| MetricsFault(error.to_string()))?;
        metrics::describe_counter!(HTTP_REQUESTS, "HTTP requests answered");
        metrics::describe_histogram!(HTTP_SECONDS, "Time to the head of the answer");
        metrics::describe_counter!(AUDIT_EVENTS, "Audit events");
        metrics::describe_gauge!(READY, "Whether a part can be used");
        Ok(Self { handle })
    }

    /// The document of `/metrics`.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what was measured since the last call; the memory of histograms grows without it.
    /// Call it every few seconds.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// Counts an answered request. `route` is the router's pattern: a path would make a series for each caller.
/// So would a method that the caller has invented.
pub fn request_answered(method: &str, route: &str, status: u16, took: Duration) {
    let method = METHODS
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other");
    let seconds = took.as_secs_f64();
    // Poisoned by a panic elsewhere, the handles are still good.
    let known = ANSWERS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = known.get(route).and_then(|route| route.get(&(method, status))) {
        answer.count(seconds);
        return;
    }
    drop(known);
    let label: Arc<str> = route.into();
    let answer = Answer {
        requests: metrics::counter!(
            HTTP_REQUESTS,
            "method" => method, "route" => Arc::clone(&label), "status" => status.to_string()
        ),
        seconds: metrics::histogram!(HTTP_SECONDS, "route" => Arc::clone(&label)),
    };
    answer.count(seconds);
    let mut known = ANSWERS.write().unwrap_or_else(PoisonError::into_inner);
    known.entry(label).or_default().insert((method, status), answer);
}

/// The series of one kind of answer. To look them up in the registry anew for each request would cost more
/// than to count.
struct Answer {
    requests: Counter,
    seconds: Histogram,
}

impl Answer {
    fn count(&self, seconds: f64) {
        self.requests.increment(1);
        self.seconds.record(seconds);
    }
}

/// By route, then by method and status: as many as there are series.
static ANSWERS: LazyLock<RwLock<HashMap<Arc<str>, OfRoute>>> = LazyLock::new(RwLock::default);

type OfRoute = HashMap<(&'static str, u16), Answer>;

/// Counts an audit event.
pub fn event_recorded(event: &'static str) {
    metrics::counter!(AUDIT_EVENTS, "event" => event).increment(1);
}

/// Says whether a part can be used.
pub fn part_ready(part: &'static str, name: &str, ready: bool) {
    metrics::gauge!(READY, "part" => part, "name" => name.to_owned()).set(f64::from(u8::from(ready)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::install().unwrap();
        request_answered("GET", "/healthz", 200, Duration::from_millis(3));
        request_answered("INVENTED", "/healthz", 405, Duration::from_millis(3));
        event_recorded("signed_in");
        part_ready("store", "records", true);
        metrics.upkeep();
        let text = metrics.render();
        for line in [
            "fedgate_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
            "fedgate_http_requests_total{method=\"other\",route=\"/healthz\",status=\"405\"} 1",
            "fedgate_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"0.005\"} 2",
            "fedgate_audit_events_total{event=\"signed_in\"} 1",
            "fedgate_ready{part=\"store\",name=\"records\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
