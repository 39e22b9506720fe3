//! A Rego engine that an OPA user would take for OPA: modules, data and queries, in an immutable snapshot.
//!
//! For: parsing, checking, compiling and evaluating Rego as OPA does, on top of regorus, whose gaps are closed
//! here. It refuses at load what would decide differently from OPA or never end. It knows nothing of
//! federation, makes no I/O and reads no clock of its own: a decision depends on its input and data alone.
//! Start reading at `snapshot` (what is asked) and `store` (what is changed).

pub mod bundle;
pub mod format;
pub mod trial;

mod advice;
mod builtin;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a pass over the tree names the few kinds that it looks at"
)]
mod check;
mod conflict;
mod current;
mod document;
mod draft;
mod engine;
mod evaluate;
mod fault;
mod load;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a pass over the tree names the few kinds that it changes"
)]
mod lower;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a pass over the tree names the few kinds that it changes"
)]
mod metadata;
mod module;
mod moment;
mod snapshot;
mod store;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a pass over the tree names the few kinds that it changes"
)]
mod syntax;

pub use advice::advice;
pub use builtin::functions;
pub use current::Current;
pub use document::Patch;
pub use draft::Draft;
pub use evaluate::{Coverage, Evaluated, FileCoverage, How};
pub use fault::{ChangeFault, EvalFault, Issue, Place, Refused};
pub use module::{Module, Version};
pub use regorus::Value;
pub use snapshot::{Options, Snapshot, reference};
pub use store::Store;
