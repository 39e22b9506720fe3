//! The tree. Each section is the type of the room that it configures.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::mixed::Origin;
use crate::domain::{client::ClientSettings, secret::SecretRef, tenant::Tenant};
use crate::{keys, policy, store, target, telemetry, upstream};

/// The whole configuration of one gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The URL by which the world knows this gateway: https, no path, no slash at the end. It stands in every
    /// token as `iss`; a change makes all people strangers at the targets. http only on loopback.
    pub issuer: String,
    /// What this cloud is called on pages.
    pub name: String,
    /// Where the gateway listens.
    pub listen: Listen,
    /// The secret that seals private keys, cookies and pending sign-ins: at least 32 characters. All replicas
    /// share it. Another secret ends all sign-ins and needs new signing keys.
    pub secret_key: SecretRef,
    /// Where things are kept.
    #[serde(default)]
    pub store: store::Config,
    /// Sign-ins.
    #[serde(default)]
    pub session: SessionConfig,
    /// The signing keys.
    #[serde(default)]
    pub keys: keys::Config,
    /// The customers and partners whose people may come.
    #[serde(default)]
    pub tenants: Vec<Tenant>,
    /// Where people come from.
    #[serde(default)]
    pub upstreams: Vec<upstream::Declared>,
    /// Where they are let in.
    #[serde(default)]
    pub targets: Vec<target::Declared>,
    /// Tools that sign their people in here, and command lines.
    #[serde(default)]
    pub clients: Vec<ClientSettings>,
    /// Who gets what where: the data of the policy.
    #[serde(default)]
    pub access: Vec<policy::AccessRule>,
    /// People who are known before they sign in. Absent: people are known by their sign-ins.
    #[serde(default)]
    pub people: Option<PeopleConfig>,
    /// Which policies decide.
    #[serde(default)]
    pub policy: policy::Config,
    /// The administration interface. Absent: there is none.
    #[serde(default)]
    pub admin: Option<Admin>,
    /// The log.
    #[serde(default)]
    pub log: telemetry::Config,
    /// Where it was read from.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Where the gateway listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port (`127.0.0.1:8443`, `[::]:8443`).
    pub address: SocketAddr,
    /// Certificate and key. Absent only on loopback, or behind a reverse proxy that is named in `proxies`.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Addresses of the reverse proxies in front. From them alone the caller's address is taken from the
    /// last entry of `X-Forwarded-For`; anybody else could claim any address.
    #[serde(default)]
    pub proxies: Vec<IpAddr>,
}

/// Certificate and key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate with its chain (PEM file).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: SecretRef,
}

/// Sign-ins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// How long a sign-in at this gateway lives, in seconds. The upstream's proof may end it sooner.
    #[schemars(range(min = 60, max = 86_400))]
    pub lifetime_s: u64,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { lifetime_s: 8 * 3600 }
    }
}

/// People who are known before they sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleConfig {
    /// A YAML or JSON list of `{ upstream: ID, claims: { sub: …, preferred_username: …, groups: […] } }`: what the
    /// upstream will say of each, as in its ID token. Leaving the list is being let go.
    pub path: PathBuf,
}

/// The administration interface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The bearer token that administrators send.
    pub token: SecretRef,
}
