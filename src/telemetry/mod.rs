//! What operators see from outside: the log and the metrics. Names nothing of ours, and holds no rule.
//!
//! Start at [`start_log`] and [`Metrics`]. The fields of the log and the names of the metrics are an
//! interface, written down in `docs/log.md`.

pub mod metrics;

pub use metrics::Metrics;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How a line looks.
    pub format: Format,
    /// Which lines are written: a level (`error`, `warn`, `info`, `debug`), or levels by module
    /// (`info,fedgate::upstream=debug`).
    pub filter: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            format: Format::Json,
            filter: "info".into(),
        }
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object for each line, for log collectors.
    Json,
    /// For people at a terminal.
    Text,
}

/// The log cannot be written as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// The filter is not one.
    #[error("'{filter}' is no log filter: {why}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is a log already.
    #[error("the log has been started before")]
    Started,
}

impl Config {
    /// What is wrong with the settings, in the operator's words; empty when nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.parsed_filter()
            .err()
            .map(|fault| format!("'filter' must be a level or levels by module: {fault}"))
            .into_iter()
            .collect()
    }

    fn parsed_filter(&self) -> Result<EnvFilter, LogFault> {
        let refused = |why: String| LogFault::Filter {
            filter: self.filter.clone(),
            why,
        };
        if self.filter.trim().is_empty() {
            return Err(refused("it is empty".into()));
        }
        EnvFilter::builder()
            .parse(&self.filter)
            .map_err(|error| refused(error.to_string()))
    }
}

/// Starts the log of this process, on standard output. A line is written before its request is answered.
pub fn start_log(config: &Config) -> Result<(), LogFault> {
    let builder = tracing_subscriber::fmt().with_env_filter(config.parsed_filter()?);
    let started = match config.format {
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        Format::Text => builder.with_ansi(false).try_init(),
    };
    started.map_err(|_| LogFault::Started)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(filter: &str) -> Vec<String> {
        Config {
            filter: filter.into(),
            ..Config::default()
        }
        .problems()
    }

    #[test]
    fn a_filter_that_would_silently_log_nothing_is_refused() {
        assert!(with("info").is_empty());
        assert!(with("warn,fedgate::http=debug").is_empty());
        assert_eq!(with("").len(), 1);
        assert_eq!(with("info,fedgate=loud").len(), 1);
    }
}
