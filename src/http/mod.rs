//! The doors: each front end parses, makes one call of the broker, renders.

pub mod admin;
mod admin_policy;
pub mod browser;
pub mod clouds;
pub mod clusters;
mod cookies;
pub mod fault;
pub mod keystone;
pub mod kubernetes;
pub mod oidc;
pub mod opa;
pub mod operations;
pub mod page;
