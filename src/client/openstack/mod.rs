//! OpenStack: `clouds.yaml` without a secret, and programs that run with a short-lived token of one project.
//!
//! The person's session, or the token of a CI job, becomes a token for the cloud (RFC 8693), then one of Keystone,
//! then one of the project. Start with [`login`]; [`exec`] hands the result on.

pub mod config;
pub mod exec;
pub mod folder;
pub mod keystone;
pub mod login;
pub mod texts;
pub mod token;
