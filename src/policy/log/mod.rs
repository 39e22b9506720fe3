//! The decision log: each decision in OPA's event format, masked, kept here and sent where the operator wants.
//!
//! A decision is handed over without waiting. When the buffer is full the newest decision is dropped and
//! counted (`fedgate_decision_log_dropped_total`), so the log never slows an answer and what is in it is in
//! order. No token or secret is in it: see `secrets.rs` for what is erased whatever the policies say.
//!
//! Start at [`DecisionLog::start`]; then `event.rs` (the format), `mask.rs` (the operator's rules),
//! `upload.rs` (the way out).

mod buffer;
mod config;
mod event;
mod mask;
mod secrets;
mod upload;
mod worker;

pub use config::{DecisionLogsConfig, KeepConfig, ReportingConfig};
pub use event::version;
pub use secrets::erase;
pub use worker::{DecisionLog, Wiring};
