//! The policy engine: Rego over compiled access rules, in a snapshot that is swapped whole.
//!
//! For: answering `port::policy::Policy::ask` by the room `rego`, which refuses at load what would only
//! show at a decision. A failure of any kind is a `PolicyFault`, never an allow. It may not read
//! tokens, make I/O at a decision, or widen anything: `domain::access::decide` has the last word.
//!
//! Start at [`PolicyEngine::load`]; then `snapshot.rs` (one decision), `rules.rs` (what an operator
//! writes), `index.rs` (what Rego sees of it).

mod builtin;
pub mod bundles;
mod candidate;
mod config;
mod documents;
mod engine;
mod entries;
mod entry_points;
mod explain;
mod fault;
pub mod impact;
mod index;
pub mod library;
mod live;
pub mod log;
mod recorded;
pub mod rest;
mod rules;
mod services;
mod shadow;
mod snapshot;
mod source;
mod texts;
mod trial;

pub use builtin::built_in;
pub use candidate::{Candidate, pack};
pub use config::{Config, ReviewRule};
pub use documents::{RULES, RuleFacts, decisions_page};
pub use engine::{PolicyEngine, check};
pub use entry_points::{EntryPoint, entry_points};
pub use explain::{Did, RuleSeen};
pub use fault::{PolicyLoadFault, Problem};
pub use library::LibraryRule;
pub use live::{Basis, LivePolicy, applied};
pub use recorded::{Recorded, entry_of};
pub use rules::{AccessRule, ContractEnd, ProjectGrant, check_targets};
pub use services::{BearerConfig, Credentials, ServiceConfig};
pub use texts::{ReasonText, reason_texts};
pub use trial::{Trial, run_tests};
