//! Kubernetes: the credential plugin that kubectl runs, and the kubeconfig that tells it to.
//!
//! No secret stands in a kubeconfig. Start with [`config`], which writes what [`credential`] reads.

pub mod config;
pub mod credential;
