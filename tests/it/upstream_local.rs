//! upstream_local
