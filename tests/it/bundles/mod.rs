//! Bundles: read as the real `opa` writes and signs them, fetched, taken into use, kept, refused.

mod opa;
mod reading;
