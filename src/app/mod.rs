//! The only room that knows all others: wires them, serves, and keeps the clock.
//!
//! Nothing is decided here. Start at [`build::build`] (what is made of a configuration), then [`serve`]
//! (listener, TLS, drain) and `jobs.rs` (what runs by itself).

pub mod build;
mod callers;
pub mod clock;
pub mod doctor;
pub mod explain;
mod fronts;
mod jobs;
pub mod kolla;
pub mod lacks;
pub mod opa;
pub mod operate;
pub mod policies;
pub mod policy_operations;
pub mod provision;
pub mod recorded;
mod reload;
mod request;
mod rings;
pub mod serve;
pub mod stopwatch;
mod world;
