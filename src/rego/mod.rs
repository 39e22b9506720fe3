//! A Rego engine that an OPA user would take for OPA: modules, data and queries, in an immutable snapshot.
//!
//! For: parsing, checking, compiling and evaluating Rego as OPA does, on top of regorus, whose gaps are closed
//! here. It refuses at load what would decide differently from OPA or never end. It knows nothing of
//! federation, makes no I/O and reads no clock of its own: a decision depends on its input and data alone.
