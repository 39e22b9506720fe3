//! The sockets: what the core needs from outside, as traits of at most five methods.
//!
//! A trait stands here only if it has two real implementations or a process behind it.

pub mod audit;
pub mod bonds;
pub mod bundles;
pub mod clock;
pub mod decisions;
pub mod departures;
pub mod entropy;
pub mod keyring;
pub mod limits;
pub mod people;
pub mod policy;
pub mod policy_care;
pub mod records;
pub mod relay;
pub mod secrets;
pub mod signer;
pub mod target;
pub mod tickets;
pub mod upstream;
