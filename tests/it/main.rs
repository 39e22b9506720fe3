//! One integration binary. Real parts are installed by `tests/parts/*.sh` (see `make test`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    clippy::future_not_send,
    clippy::large_futures,
    clippy::needless_pass_by_value,
    missing_debug_implementations,
    unreachable_pub,
    clippy::struct_excessive_bools,
    clippy::filter_next,
    dead_code
)]

mod access;
mod author;
mod bad_input;
mod barbican;
mod browser;
mod bundles;
mod claims;
mod client_keys;
mod config;
mod conformance;
mod customers;
mod decisions;
mod demo;
mod demo_openstack;
mod demo_policy;
mod departures;
mod docker;
mod endings;
mod explain;
mod fedctl;
mod freshness;
mod front;
mod house;
mod journeys;
mod k2k;
mod keystone;
mod keystone_mapping;
mod keystones;
mod kolla;
mod kubernetes;
mod opa;
mod openstack;
mod operations;
mod parts;
mod people;
mod policies;
mod policies_opa;
mod policy_operations;
mod provider;
mod provision;
mod readiness;
mod rego_builtins;
mod rego_differential;
mod rego_documents;
mod rego_every;
mod rego_functions;
mod rego_globs;
mod rego_imports;
mod rego_metadata;
mod rego_strict;
mod rescoped;
mod service_tokens;
mod store;
mod system;
mod tokens;
mod upstream_again;
mod upstream_local;
pub mod upstream_oidc;
mod workload;
