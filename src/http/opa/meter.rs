//! Figures in OPA's names: those of one request (`?metrics`), and those of the process (`/metrics`).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{Method, StatusCode};

use crate::port::clock::Clock;

/// Upper bounds of the duration buckets, in nanoseconds and as Prometheus writes them.
const BUCKETS: [(u64, &str); 10] = [
    (1_000, "1e-06"),
    (5_000, "5e-06"),
    (10_000, "1e-05"),
    (50_000, "5e-05"),
    (100_000, "0.0001"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (10_000_000, "0.01"),
    (100_000_000, "0.1"),
    (1_000_000_000, "1"),
];

/// The `handler` of a series, by OPA's names; those after `Authz` are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Handler {
    V0Data,
    V1Data,
    V1Query,
    V1Policies,
    V1Compile,
    V1Config,
    V1Status,
    Index,
    Catchall,
    Health,
    Authz,
    ForwardAuth,
}

impl Handler {
    const fn name(self) -> &'static str {
        match self {
            Self::V0Data => "v0/data",
            Self::V1Data => "v1/data",
            Self::V1Query => "v1/query",
            Self::V1Policies => "v1/policies",
            Self::V1Compile => "v1/compile",
            Self::V1Config => "v1/config",
            Self::V1Status => "v1/status",
            Self::Index => "index",
            Self::Catchall => "catchall",
            Self::Health => "health",
            Self::Authz => "authz",
            Self::ForwardAuth => "forward_auth",
        }
    }
}

/// Why a decision was answered with a denial of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fallback {
    /// The engine failed.
    Evaluation,
    /// The request could not be read.
    Request,
    /// Too many requests were under way.
    Overload,
    /// A configured bundle was never in force.
    NotReady,
}

impl Fallback {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "evaluation",
            Self::Request => "request",
            Self::Overload => "overload",
            Self::NotReady => "not_ready",
        }
    }
}

#[derive(Debug, Default)]
struct Series {
    buckets: [AtomicU64; BUCKETS.len()],
    sum_ns: AtomicU64,
    count: AtomicU64,
}

type Key = (Handler, &'static str, u16);

/// The figures of one process.
#[derive(Debug, Default)]
pub struct Meter {
    requests: RwLock<BTreeMap<Key, Arc<Series>>>,
    fallbacks: RwLock<BTreeMap<Fallback, u64>>,
}

impl Meter {
    pub(super) fn answered(&self, handler: Handler, method: &Method, status: StatusCode, took_ns: u64) {
        let key = (handler, method_name(method), status.as_u16());
        let known = self
            .requests
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        let series = known.unwrap_or_else(|| {
            let mut requests = self.requests.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(requests.entry(key).or_default())
        });
        if let Some((bucket, _)) = series
            .buckets
            .iter()
            .zip(BUCKETS)
            .find(|(_, (bound, _))| took_ns <= *bound)
        {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        series.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
        series.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fell_back(&self, why: Fallback) {
        let mut fallbacks = self.fallbacks.write().unwrap_or_else(PoisonError::into_inner);
        let count = fallbacks.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    /// The figures in Prometheus' text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::from(
            "# HELP http_request_duration_seconds A histogram of duration for requests.\n\
             # TYPE http_request_duration_seconds histogram\n",
        );
        let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        for ((handler, method, code), series) in requests.iter() {
            let labels = format!(
                "code=\"{code}\",handler=\"{}\",method=\"{method}\"",
                handler.name()
            );
            series.render(&labels, &mut out);
        }
        out.push_str(
            "# HELP fedgate_policy_fallbacks_total Decisions answered with a denial because there was none.\n\
             # TYPE fedgate_policy_fallbacks_total counter\n",
        );
        let fallbacks = self.fallbacks.read().unwrap_or_else(PoisonError::into_inner);
        for (why, count) in fallbacks.iter() {
            // Writing to a String cannot fail.
            let _written = writeln!(
                out,
                "fedgate_policy_fallbacks_total{{reason=\"{}\"}} {count}",
                why.name()
            );
        }
        out
    }
}

impl Series {
    fn render(&self, labels: &str, out: &mut String) {
        const NAME: &str = "http_request_duration_seconds";
        let mut below = 0_u64;
        for (bucket, (_, bound)) in self.buckets.iter().zip(BUCKETS) {
            below = below.saturating_add(bucket.load(Ordering::Relaxed));
            let _written = writeln!(out, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {below}");
        }
        let count = self.count.load(Ordering::Relaxed);
        let sum_ns = self.sum_ns.load(Ordering::Relaxed);
        let (whole, part) = (sum_ns / 1_000_000_000, sum_ns % 1_000_000_000);
        let _written = write!(
            out,
            "{NAME}_bucket{{{labels},le=\"+Inf\"}} {count}\n\
             {NAME}_sum{{{labels}}} {whole}.{part:09}\n\
             {NAME}_count{{{labels}}} {count}\n"
        );
    }
}

/// Prometheus' client of OPA writes methods in small letters, and knows no others than these.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "get",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        "HEAD" => "head",
        "OPTIONS" => "options",
        "CONNECT" => "connect",
        "TRACE" => "trace",
        _ => "unknown",
    }
}

/// The figures of one request.
pub(super) struct Timers<'a> {
    clock: &'a dyn Clock,
    began_ns: i64,
    figures: BTreeMap<&'static str, u64>,
}

impl<'a> Timers<'a> {
    pub(super) fn start(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            began_ns: clock.now_ns(),
            figures: BTreeMap::new(),
        }
    }

    pub(super) const fn began_ns(&self) -> i64 {
        self.began_ns
    }

    /// Runs `work` and keeps its time under this name.
    pub(super) fn time<R>(&mut self, name: &'static str, work: impl FnOnce() -> R) -> R {
        let began = self.clock.now_ns();
        let result = work();
        self.figures.insert(name, since(self.clock, began));
        result
    }

    pub(super) fn count(&mut self, name: &'static str, value: u64) {
        self.figures.insert(name, value);
    }

    /// Everything, with the time of the whole.
    pub(super) fn finish(&mut self) -> &BTreeMap<&'static str, u64> {
        let whole = since(self.clock, self.began_ns);
        self.figures.entry("timer_server_handler_ns").or_insert(whole);
        &self.figures
    }
}

/// The clock on the wall may be set back: then no time has passed.
pub(super) fn since(clock: &dyn Clock, began_ns: i64) -> u64 {
    u64::try_from(clock.now_ns().saturating_sub(began_ns)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_in_their_buckets() {
        let meter = Meter::default();
        let answered = |took| meter.answered(Handler::V1Data, &Method::POST, StatusCode::OK, took);
        answered(1_000);
        answered(20_000);
        answered(5_000_000_000);
        meter.fell_back(Fallback::Overload);
        let text = meter.render();
        let labels = "code=\"200\",handler=\"v1/data\",method=\"post\"";
        for line in [
            format!("http_request_duration_seconds_bucket{{{labels},le=\"1e-06\"}} 1"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"5e-05\"}} 2"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"1\"}} 2"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("http_request_duration_seconds_sum{{{labels}}} 5.000021000"),
            format!("http_request_duration_seconds_count{{{labels}}} 3"),
            "fedgate_policy_fallbacks_total{reason=\"overload\"} 1".into(),
        ] {
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }
}
