//! The policy engine: Rego over compiled access rules, in a snapshot that is swapped whole.
//!
//! For: answering `port::policy::Policy::ask` by the room `rego`, which refuses at load what would only
//! show at a decision. A failure of any kind is a `PolicyFault`, never an allow. It may not read
//! tokens, make I/O at a decision, or widen anything: `domain::access::decide` has the last word.
//!
//! Start at [`PolicyEngine::load`]; then `snapshot.rs` (one decision), `rules.rs` (what an operator
//! writes), `index.rs` (what Rego sees of it).

mod builtin;
mod config;
mod engine;
mod entries;
mod fault;
mod index;
mod input;
pub mod rest;
mod rules;
mod snapshot;
mod source;
mod texts;
mod trial;

pub use config::Config;
pub use engine::{PolicyEngine, check};
pub use fault::{PolicyLoadFault, Problem};
pub use input::{answer_schema, input_schema};
pub use rules::{AccessRule, ContractEnd, ProjectGrant, check_targets};
pub use texts::{ReasonText, reason_texts};
pub use trial::{Trial, run_tests};
