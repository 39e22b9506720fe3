//! The one HTTP client: no redirect is followed, every answer has a limit in time and size, and nothing but
//! https is spoken, except to this machine itself.

use std::path::Path;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use reqwest::{Certificate, Client, RequestBuilder, redirect::Policy};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use super::problem::{About, Local, Network, Problem};
use crate::wire::oauth::OAuthError;

/// Largest answer in bytes. Real ones have some thousand.
const LARGEST: usize = 1 << 20;
/// For a whole exchange; also ends an answer that never ends.
const PATIENCE: Duration = Duration::from_secs(15);

/// Speaks with the gateway.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
}

impl Http {
    /// Trusts the CA file alone if there is one, and the machine's own roots if not.
    #[expect(
        clippy::disallowed_methods,
        reason = "outbound belongs to the server; this is the one client of this program"
    )]
    pub fn new(ca: Option<&Path>) -> Result<Self, Problem> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(8))
            .user_agent(concat!("fedctl/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = ca {
            let fault = |why: String| Local::File {
                path: path.display().to_string(),
                why,
            };
            let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
            let bundle = Certificate::from_pem_bundle(&pem).map_err(|error| fault(chain(&error)))?;
            if bundle.is_empty() {
                return Err(fault("no certificate in this file".into()).into());
            }
            builder = builder.tls_certs_only(bundle);
        }
        let client = builder.build().map_err(|error| Local::Runtime(chain(&error)))?;
        Ok(Self { client })
    }

    /// A JSON document, asked with a bearer token if there is one.
    pub async fn get<T: DeserializeOwned>(&self, url: &str, bearer: Option<&str>) -> Result<T, Problem> {
        let mut request = self.client.get(secure(url)?);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        read(url, &answered(url, request).await?)
    }

    /// The JSON answer to a form.
    pub async fn post<T: DeserializeOwned>(&self, url: &str, form: &[(&str, &str)]) -> Result<T, Problem> {
        read(
            url,
            &answered(url, self.client.post(secure(url)?).form(form)).await?,
        )
    }

    /// A request with headers of its own, such as Keystone's; any status is an answer.
    pub async fn ask(
        &self,
        (method, url): (Method, &str),
        headers: &[(&'static str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Problem> {
        let mut request = self.client.request(method, secure(url)?);
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Local::Runtime("a token that is no header value".into()))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answered(url, request).await
    }

    /// A form whose answer may be empty (RFC 7009 §2.2).
    pub async fn tell(&self, url: &str, form: &[(&str, &str)]) -> Result<(), Problem> {
        let answer = answered(url, self.client.post(secure(url)?).form(form)).await?;
        if answer.ok {
            Ok(())
        } else {
            Err(refusal(url, &answer))
        }
    }
}

/// An answer, whole and within the limit.
pub struct Answer {
    /// Whether its status is one of success.
    pub ok: bool,
    /// Its status.
    pub status: u16,
    /// The gateway's reference for the request.
    pub reference: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

// It may hold a token: `{:?}` must not print it.
impl std::fmt::Debug for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Answer({})", self.status)
    }
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Refuses an address over which a token would travel in the clear.
pub fn secure(url: &str) -> Result<Url, Problem> {
    let refused = || Problem::from(Network::NotSecure(url.to_owned()));
    let parsed = Url::parse(url).map_err(|_| refused())?;
    let loopback = match parsed.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if loopback => Ok(parsed),
        _ => Err(refused()),
    }
}

async fn answered(url: &str, request: RequestBuilder) -> Result<Answer, Problem> {
    let unreachable = |error: reqwest::Error| Network::Unreachable {
        url: url.to_owned(),
        why: chain(&error),
    };
    let mut response = request
        .header("accept", "application/json")
        .send()
        .await
        .map_err(unreachable)?;
    let status = response.status();
    let header = response
        .headers()
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let reference = header.map(|text| text.chars().take(128).collect());
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LARGEST {
            let why = format!("more than {LARGEST} bytes");
            return Err(Network::Garbage {
                url: url.to_owned(),
                why,
                reference,
            }
            .into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        ok: status.is_success(),
        status: status.as_u16(),
        reference,
        headers,
        body,
    })
}

fn read<T: DeserializeOwned>(url: &str, answer: &Answer) -> Result<T, Problem> {
    if !answer.ok {
        return Err(refusal(url, answer));
    }
    // The parser's message could quote a token, so only its place is told.
    serde_json::from_slice(&answer.body).map_err(|error| {
        let why = format!(
            "not the JSON that was expected (line {}, column {})",
            error.line(),
            error.column()
        );
        Network::Garbage {
            url: url.to_owned(),
            why,
            reference: answer.reference.clone(),
        }
        .into()
    })
}

fn refusal(url: &str, answer: &Answer) -> Problem {
    if let Ok(error) = serde_json::from_slice::<OAuthError>(&answer.body) {
        let description = error.error_description.unwrap_or_else(|| error.error.clone());
        let reference = error.reference.or_else(|| answer.reference.clone());
        return Network::Refused {
            code: error.error,
            description,
            about: About {
                code: error.code,
                reasons: error.reasons,
            },
            reference,
        }
        .into();
    }
    let reference = answer.reference.clone();
    let code = match answer.status {
        401 => "invalid_token",
        403 => "access_denied",
        status => {
            return Network::Garbage {
                url: url.to_owned(),
                why: format!("status {status}"),
                reference,
            }
            .into();
        }
    };
    Network::Refused {
        code: code.into(),
        description: format!("status {}", answer.status),
        about: About::default(),
        reference,
    }
    .into()
}

/// An error with its causes: the outermost alone ("error sending request") helps nobody.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
