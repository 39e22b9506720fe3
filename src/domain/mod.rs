//! What is true: types and rules. No I/O, no async, no clock, nothing of ours imported.
//!
//! Start at [`access`]: `decide` is the only place that makes a `Permit`.

pub mod access;
pub mod assertion;
pub mod audit;
pub mod client;
pub mod credential;
pub mod fault;
pub mod identity;
pub mod ids;
pub mod key;
pub mod lack;
pub mod mapping;
pub mod oauth;
pub mod secret;
pub mod session;
pub mod tenant;
pub mod time;
