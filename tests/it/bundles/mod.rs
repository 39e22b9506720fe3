//! Bundles: read as the real `opa` writes and signs them, fetched, taken into use, kept, refused.

mod keeping;
mod logging;
pub mod opa;
mod reading;
mod server;
