//! The one HTTP client of the server: roots, address rules, time and size limits.
//!
//! No other room builds a client (but `client`, which is another program). Start at [`Outbound::open`].
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that builds the client"
)]

mod address;
pub mod pauses;

use std::{fs, path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

pub use address::Addresses;

/// How far sides are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// CA certificates of the far side (PEM). Given: only these are trusted. Absent: the system's.
    pub ca: Option<PathBuf>,
    /// Which addresses may be called. Checked after name resolution, at every call.
    pub addresses: Addresses,
    /// Longest time for a whole exchange, in seconds.
    pub timeout_s: u64,
    /// Largest answer, in bytes.
    pub largest_answer: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ca: None,
            addresses: Addresses::Public,
            timeout_s: 10,
            largest_answer: 1024 * 1024,
        }
    }
}

/// Why a far side gave no usable answer. Holds no secret and nothing of the answer's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundFault {
    /// The CA file is not usable.
    #[error("ca: {0}")]
    Ca(String),
    /// The URL leads where we do not go.
    #[error("{0} is not an address this gateway may call (see `addresses`)")]
    Forbidden(String),
    /// No connection, no TLS, or no answer in time.
    #[error("no answer from {0}: {1}")]
    NoAnswer(String, String),
    /// More bytes than allowed.
    #[error("the answer of {0} is larger than {1} bytes")]
    TooLarge(String, usize),
    /// The answer is not the JSON it should be.
    #[error("{0} answered {1} without the expected JSON")]
    NotJson(String, u16),
}

/// An answer, whole and within the limit.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// One request with everything that it needs.
#[derive(Debug)]
pub struct Call {
    /// Its method.
    pub method: http::Method,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Option<Bytes>,
    /// Longest time for the whole exchange, in place of the client's.
    pub timeout: Duration,
}

/// A client with its limits.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    config: Config,
}

impl Outbound {
    /// Prepares a client. Nothing is called.
    pub fn open(config: &Config) -> Result<Self, OutboundFault> {
        let client = builder(config)?
            .timeout(Duration::from_secs(config.timeout_s))
            .build()
            .map_err(|error| OutboundFault::Ca(describe(&error)))?;
        Ok(Self {
            client,
            config: config.clone(),
        })
    }

    /// A client for streams (the Keystone front): the same rules, but no limit on size and whole time.
    pub fn streaming(config: &Config) -> Result<reqwest::Client, OutboundFault> {
        builder(config)?
            .build()
            .map_err(|error| OutboundFault::Ca(describe(&error)))
    }

    /// Fetches JSON; any status but 200 is no answer.
    pub async fn get_json(&self, url: &Url) -> Result<serde_json::Value, OutboundFault> {
        let request = self
            .client
            .get(url.clone())
            .header(header::ACCEPT, "application/json");
        let answer = self.send(url, request).await?;
        let text = || OutboundFault::NotJson(place(url), answer.status.as_u16());
        if answer.status != StatusCode::OK {
            return Err(text());
        }
        serde_json::from_slice(&answer.body).map_err(|_| text())
    }

    /// Fetches JSON with a bearer token.
    pub async fn get_json_as(&self, url: &Url, bearer: &str) -> Result<serde_json::Value, OutboundFault> {
        let request = self
            .client
            .get(url.clone())
            .bearer_auth(bearer)
            .header(header::ACCEPT, "application/json");
        let answer = self.send(url, request).await?;
        if answer.status != StatusCode::OK {
            return Err(OutboundFault::NotJson(place(url), answer.status.as_u16()));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| OutboundFault::NotJson(place(url), answer.status.as_u16()))
    }

    /// Posts a form, with HTTP Basic where a pair is given.
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<Answer, OutboundFault> {
        let mut request = self
            .client
            .post(url.clone())
            .form(form)
            .header(header::ACCEPT, "application/json");
        if let Some((user, password)) = basic {
            request = request.basic_auth(user, Some(password));
        }
        self.send(url, request).await
    }

    /// Makes a request and takes any status for an answer.
    pub async fn call(&self, call: Call) -> Result<Answer, OutboundFault> {
        let mut request = self
            .client
            .request(call.method, call.url.clone())
            .headers(call.headers)
            .timeout(call.timeout);
        if let Some(body) = call.body {
            request = request.body(body);
        }
        self.send(&call.url, request).await
    }

    async fn send(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<Answer, OutboundFault> {
        // A literal address never meets the resolver.
        if !self.config.addresses.allow_host(url) {
            return Err(OutboundFault::Forbidden(place(url)));
        }
        let no_answer = |error: reqwest::Error| OutboundFault::NoAnswer(place(url), describe(&error));
        let mut response = request.send().await.map_err(no_answer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > self.config.largest_answer {
                return Err(OutboundFault::TooLarge(place(url), self.config.largest_answer));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body: body.into(),
        })
    }
}

fn builder(config: &Config) -> Result<reqwest::ClientBuilder, OutboundFault> {
    // reqwest takes the crypto library of the process. An error says that it is set already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        // A redirect could lead a secret or a token anywhere.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(60))
        .user_agent(concat!("fedgate/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(config.addresses);
    if let Some(path) = &config.ca {
        let wrong = |why: String| {
            OutboundFault::Ca(format!(
                "{}: found {why}; expected PEM certificates",
                path.display()
            ))
        };
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
        if roots.is_empty() {
            return Err(wrong("no certificate".to_owned()));
        }
        builder = builder.tls_certs_only(roots);
    }
    Ok(builder)
}

/// Scheme, host and port: what an operator needs, without path and query (which may hold codes).
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The chain of causes without the URL.
fn describe(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if text.is_empty() {
        "the exchange failed".to_owned()
    } else {
        text
    }
}
