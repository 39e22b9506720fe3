//! Keystone by HTTP: identity travels as headers with this deployment's prefix.

use ::http::{HeaderName, HeaderValue};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::Told;
use crate::port::relay::{Answer, Call, Payload, RelayFault};

/// An address and how identity headers begin there.
#[derive(Debug, Clone)]
pub(super) struct Http {
    pub(super) base: String,
    pub(super) prefix: String,
    pub(super) client: reqwest::Client,
}

impl Http {
    pub(super) async fn call(&self, call: Call, told: &Told) -> Result<Answer, RelayFault> {
        let mut headers = call.headers;
        for (end, value) in told {
            let name = HeaderName::from_bytes(format!("{}{end}", self.prefix).as_bytes())
                .map_err(|_| RelayFault::Down(format!("{end} is no header's name")))?;
            // UTF-8 as it is: Keystone reads the bytes as UTF-8.
            let mut value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| RelayFault::Down(format!("{end} cannot be a header")))?;
            value.set_sensitive(true);
            // Takes the place of all of that name.
            headers.insert(name, value);
        }
        let url = format!("{}{}", self.base, call.path);
        let request = match call.body {
            Payload::None => {
                let bodiless = matches!(call.method, ::http::Method::GET | ::http::Method::HEAD);
                if !bodiless {
                    headers.insert(::http::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
                self.client.request(call.method, url).headers(headers)
            }
            Payload::Whole(bytes) => {
                headers.insert(::http::header::CONTENT_LENGTH, bytes.len().into());
                self.client.request(call.method, url).headers(headers).body(bytes)
            }
            Payload::Stream { length, parts } => {
                headers.insert(::http::header::CONTENT_LENGTH, length.into());
                let body = reqwest::Body::wrap_stream(parts);
                self.client.request(call.method, url).headers(headers).body(body)
            }
        };
        let answer = request
            .send()
            .await
            .map_err(|problem| failed(&problem.without_url()))?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer
                .bytes_stream()
                .map_err(|problem| std::io::Error::other(causes(&problem.without_url())))
                .boxed(),
        })
    }
}

fn failed(problem: &reqwest::Error) -> RelayFault {
    if problem.is_timeout() && !problem.is_connect() {
        RelayFault::Slow
    } else {
        RelayFault::Down(causes(problem))
    }
}

/// An error with its causes: the outermost alone only says that sending failed.
fn causes(problem: &reqwest::Error) -> String {
    let mut text = problem.to_string();
    let mut cause = std::error::Error::source(problem);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
