//! The section `policy.rest` of the configuration: where other programs may ask the policy engine.

use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::Problem;
use crate::domain::secret::SecretRef;

/// OPA's REST interface. Without a listener there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rest {
    /// Decisions alone, for services that ask on every request (`oslo.policy.opa`, nginx, Envoy). Every answer is
    /// 200, and a failure is a denial.
    pub decisions: Option<DecisionsListener>,
    /// OPA's whole interface, for those who manage policies.
    pub management: Option<ManagementListener>,
    /// Folder with Rego, JSON and YAML files of the services that ask here, loaded at the start. The packages and the
    /// data `fed` of the gateway's own policies are not theirs. A package `system.authz` among them takes the place
    /// of what `callers` say.
    pub folder: Option<PathBuf>,
    /// Longest evaluation, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub evaluation_ms: u64,
    /// Largest body of a request, in bytes.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub largest_body: usize,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            decisions: None,
            management: None,
            folder: None,
            evaluation_ms: 500,
            largest_body: 16 << 20,
        }
    }
}

impl Rest {
    /// What is wrong with the settings beside their form.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some(door) = &self.management else {
            return problems;
        };
        let mut say = |key: &str, what: &str, instead: &str| {
            problems.push(Problem::setting(&format!("rest.management.{key}"), what, instead));
        };
        if door.tls.is_none() && !door.address.ip().is_loopback() {
            let what = "tokens would travel in the clear";
            say("tls", what, "give a certificate and key, or listen on loopback");
        }
        if door.callers.is_empty() {
            let instead = "name each program with a token, or the subject of its certificate";
            say("callers", "nobody may call", instead);
        }
        let certificates = door.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        for caller in &door.callers {
            if caller.token.is_none() && !certificates {
                let instead = "give it a token, or set tls.client_ca for certificates";
                say(
                    &format!("callers.{}", caller.name),
                    "it has no way to say who it is",
                    instead,
                );
            }
        }
        problems
    }
}

/// Where decisions are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionsListener {
    /// Address and port. Whoever reaches it may ask: keep it on loopback or in the services' own network.
    pub address: SocketAddr,
    /// Certificate and key. Absent: plain HTTP.
    #[serde(default)]
    pub tls: Option<Tls>,
}

/// Where policies and data are managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementListener {
    /// Address and port.
    pub address: SocketAddr,
    /// Certificate and key. Absent only on loopback: tokens travel here.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Who may call. Nobody else comes in.
    #[serde(default)]
    pub callers: Vec<Caller>,
}

/// One program or person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Its name, which policies see as `input.identity`. For a client certificate it is the subject
    /// (`CN=nova,O=cloud`).
    pub name: String,
    /// Its bearer token. Absent: it comes with a client certificate.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// What it may do.
    #[serde(default)]
    pub may: Vec<Right>,
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Ask for decisions.
    Decide,
    /// Put, patch and take away policies and data; read policies.
    Write,
    /// Read everything: data with the access rules, queries, configuration, status, metrics.
    Read,
}

/// Certificate and key of a listener of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate with its chain (PEM file).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: SecretRef,
    /// The authority of client certificates (PEM file). With it, a client without a certificate gets no connection.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}
