//! Message shapes: what travels between the gateway, its clients and the far sides.
//!
//! Serde structs only. No logic, no I/O, nothing of ours is imported: both programs (`fedgate` and
//! `fedctl`) link this room, so a shape is written once and cannot drift apart.
//! A type that carries a token or a code has no readable `Debug`.
//!
//! Start with [`oauth`] (token endpoint), then [`oidc`] (discovery, claims) and [`kube`]
//! (credential plugin, kubeconfig); [`keystone`] is what OpenStack's front and target speak.

pub mod cloud;
pub mod identity;
pub mod keystone;
pub mod kube;
pub mod oauth;
pub mod oidc;
pub mod saml;
