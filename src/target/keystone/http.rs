//! One bounded exchange with Keystone: deadline, size cap, and what may be said about the answer in a log.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::{HeaderMap, header};

use crate::wire::keystone::ErrorBody;

/// A catalog of a large region is some ten kilobytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Most characters of Keystone's own words in a log line.
const LONGEST_COMPLAINT: usize = 300;

/// What Keystone answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Status and Keystone's own message, cut; for the log. A page of HTML is not repeated.
    pub(super) fn complaint(&self) -> String {
        let said = serde_json::from_slice::<ErrorBody>(&self.body).map_or_else(
            |_| "no Keystone error document".to_owned(),
            |body| body.error.message,
        );
        let said: String = said
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(LONGEST_COMPLAINT)
            .collect();
        format!("Keystone answered {}: {said}", self.status)
    }
}

/// Sends a request and reads the whole answer, within a deadline. The error is a sentence for the log.
pub(super) async fn send(request: reqwest::RequestBuilder, within: Duration) -> Result<Answer, String> {
    let exchange = async {
        let response = request
            .send()
            .await
            .map_err(|problem| format!("Keystone does not answer: {}", causes(&problem.without_url())))?;
        let (status, headers) = (response.status().as_u16(), kept(response.headers()));
        let mut body = Vec::new();
        let mut parts = response.bytes_stream();
        while let Some(part) = parts.next().await {
            let part =
                part.map_err(|problem| format!("Keystone broke off: {}", causes(&problem.without_url())))?;
            if body.len() + part.len() > LONGEST_ANSWER {
                return Err("Keystone's answer is longer than 4 MiB".to_owned());
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    };
    tokio::time::timeout(within, exchange)
        .await
        .map_err(|_| format!("Keystone did not answer within {} s", within.as_secs()))?
}

/// Headers that mean something to the client; connection and framing are ours to choose.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let own = [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
        header::UPGRADE,
        header::SET_COOKIE,
    ];
    headers
        .iter()
        .filter(|(name, _)| !own.contains(name) && name.as_str() != "keep-alive")
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
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
