//! Services in OPA's sense: where bundles come from and where decision logs go.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    domain::secret::{Secret, SecretRef},
    outbound::{self, Addresses, Answer, Call, Outbound, OutboundFault},
    port::secrets::Secrets,
};

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Its base URL. Resources are below it.
    pub url: Url,
    /// CA certificates of the service (PEM file). Given: only these are trusted. Absent: the system's.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Which addresses may be called.
    #[serde(default = "own_network")]
    pub addresses: Addresses,
    /// Headers of every request. No secrets: they go into `credentials`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Longest time until the answer begins, in seconds; long polling adds its own wait.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 600))]
    pub response_header_timeout_seconds: u64,
    /// How the gateway proves itself.
    #[serde(default)]
    pub credentials: Credentials,
}

/// How the gateway proves itself to a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// With a bearer token.
    pub bearer: Option<BearerConfig>,
}

/// A bearer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BearerConfig {
    /// Where the token is to be read.
    pub token: SecretRef,
    /// The scheme before it.
    #[serde(default = "bearer")]
    pub scheme: String,
}

// A bundle server is the operator's own: it may stand on this machine or in a private network.
fn own_network() -> Addresses {
    Addresses::Loopback
}

fn ten() -> u64 {
    10
}

fn bearer() -> String {
    "Bearer".to_owned()
}

/// A service that can be called.
pub(super) struct Service {
    base: Url,
    outbound: Outbound,
    headers: HeaderMap,
    timeout: Duration,
}

impl std::fmt::Debug for Service {
    // The headers hold a token.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Service({})", self.base.origin().ascii_serialization())
    }
}

/// What one request adds.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) wait: Duration,
}

impl Service {
    /// Prepares it. Nothing is called.
    pub(super) fn open(
        config: &ServiceConfig,
        largest_answer: usize,
        secrets: &dyn Secrets,
    ) -> Result<Self, String> {
        let outbound = Outbound::open(&outbound::Config {
            ca: config.ca.clone(),
            addresses: config.addresses,
            timeout_s: config.response_header_timeout_seconds,
            largest_answer,
        })
        .map_err(|fault| fault.to_string())?;
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| format!("headers: '{name}' is no header name"))?;
            let value: HeaderValue = value
                .parse()
                .map_err(|_| format!("headers: {name} cannot be sent"))?;
            headers.insert(name, value);
        }
        if let Some(bearer) = &config.credentials.bearer {
            let token = secrets
                .read(&bearer.token)
                .map_err(|fault| format!("credentials.bearer.token: {fault}"))?;
            headers.insert(header::AUTHORIZATION, authorization(&bearer.scheme, &token)?);
        }
        // A path without a slash at its end would lose its last part.
        let mut base = config.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self {
            base,
            outbound,
            headers,
            timeout: Duration::from_secs(config.response_header_timeout_seconds),
        })
    }

    /// Gets a resource.
    pub(super) async fn get(&self, resource: &str, extra: Extra) -> Result<Answer, OutboundFault> {
        self.call(Method::GET, resource, extra, None).await
    }

    /// Posts to a resource.
    pub(super) async fn post(
        &self,
        resource: &str,
        extra: Extra,
        body: Bytes,
    ) -> Result<Answer, OutboundFault> {
        self.call(Method::POST, resource, extra, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        resource: &str,
        extra: Extra,
        body: Option<Bytes>,
    ) -> Result<Answer, OutboundFault> {
        let url = self
            .base
            .join(resource.trim_start_matches('/'))
            .map_err(|_| OutboundFault::Forbidden(resource.to_owned()))?;
        // A resource is a path below the service: it must not lead the token to another host.
        if url.origin() != self.base.origin() {
            return Err(OutboundFault::Forbidden(resource.to_owned()));
        }
        let mut headers = self.headers.clone();
        for (name, value) in extra.headers {
            headers.insert(name, value);
        }
        let call = Call {
            method,
            url,
            headers,
            body,
            timeout: self.timeout.saturating_add(extra.wait),
        };
        self.outbound.call(call).await
    }
}

fn authorization(scheme: &str, token: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", token.reveal()))
        .map_err(|_| "credentials.bearer.token: it cannot be sent in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
