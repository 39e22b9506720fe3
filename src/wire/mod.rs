//! Message shapes of the protocols we speak, and nothing else: no I/O, no rules, nothing of ours imported.
//!
//! Start at the file named like the protocol.

pub mod keystone;
