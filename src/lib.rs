//! fedgate, an identity federation gateway.
//!
//! One direction: proof → [`UpstreamAssertion`](domain::assertion::UpstreamAssertion) →
//! [`Identity`](domain::identity::Identity) → [`Permit`](domain::access::Permit) →
//! [`Credential`](domain::credential::Credential).
//!
//! Each folder is a room; its `mod.rs` says what it is for. `tests/it/house.rs` keeps the walls.
//! The feature gates of the package live in this file and nowhere else.

pub mod wire;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "server")]
pub mod app;
#[cfg(feature = "server")]
pub mod broker;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod domain;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod keys;
#[cfg(feature = "server")]
pub mod outbound;
#[cfg(feature = "server")]
pub mod policy;
#[cfg(feature = "server")]
pub mod port;
#[cfg(feature = "server")]
pub mod rego;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod target;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod upstream;
