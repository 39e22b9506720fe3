//! One bounded exchange with Keystone: size cap, and what may be said about the answer in a log.

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::transport::{Told, Transport};
use crate::domain::{
    fault::{Code, Fault},
    lack::Lack,
};
use crate::port::relay::{Call, Payload, RelayFault};
use crate::wire::keystone::ErrorBody;

/// A catalog of a large region is some ten kilobytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Most characters of Keystone's own words in a log line.
const LONGEST_COMPLAINT: usize = 300;
/// Keystone's columns.
const LONGEST_NAME: usize = 255;

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

    fn message(&self) -> Option<String> {
        let body = serde_json::from_slice::<ErrorBody>(&self.body).ok()?;
        Some(body.error.message)
    }

    /// What Keystone says that it has not found, if that is it.
    pub(super) fn lack(&self) -> Option<Lack> {
        self.message().as_deref().and_then(not_found)
    }

    /// Status and Keystone's own message, cut; for the log. A page of HTML is not repeated.
    pub(super) fn complaint(&self) -> String {
        let said = self
            .message()
            .unwrap_or_else(|| "no Keystone error document".to_owned());
        let said: String = said
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(LONGEST_COMPLAINT)
            .collect();
        format!("Keystone answered {}: {said}", self.status)
    }

    /// Whose fault an answer is that is not the expected one.
    pub(super) fn fault(&self) -> Fault {
        let code = if self.status >= 500 {
            Code::TargetDown
        } else {
            Code::TargetRefused
        };
        Fault::new(code, self.complaint())
    }
}

/// Keystone's sentence `Could not find role: NAME.`, and those about what the gateway has set up itself.
fn not_found(message: &str) -> Option<Lack> {
    let what = message.strip_prefix("Could not find ")?;
    let what = what.split(". ").next()?.trim_end_matches('.');
    let (kind, name) = what.split_once(": ").unwrap_or((what, ""));
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect();
    match kind {
        "role" => Some(Lack::Role(name)),
        "domain" => Some(Lack::Domain(name)),
        "mapping" | "Identity Provider" => Some(Lack::Setup(format!("{kind} {name}"))),
        _ if kind.starts_with("federated protocol ") => Some(Lack::Setup(format!("{kind} {name}"))),
        _ => None,
    }
}

/// One call of ours.
pub(super) fn call(method: Method, path: &str) -> Call {
    Call {
        method,
        path: path.to_owned(),
        headers: HeaderMap::new(),
        body: Payload::None,
    }
}

/// Adds a header; a value that cannot be one is left out, and Keystone says what is missing.
pub(super) fn with(mut call: Call, name: &'static str, value: &str) -> Call {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        call.headers.insert(HeaderName::from_static(name), value);
    }
    call
}

/// Adds a JSON body.
pub(super) fn with_json(mut call: Call, body: &serde_json::Value) -> Call {
    let json = HeaderValue::from_static("application/json");
    call.headers.insert(header::CONTENT_TYPE, json);
    call.body = Payload::Whole(Bytes::from(body.to_string()));
    call
}

/// Sends a call and reads the whole answer. The error is a sentence for the log.
pub(super) async fn send(transport: &Transport, call: Call, told: &Told) -> Result<Answer, String> {
    let answer = attempt(transport, call, told).await;
    answer.map_err(|fault| format!("Keystone: {fault}"))
}

/// The same, for who acts by what went wrong.
pub(super) async fn attempt(transport: &Transport, call: Call, told: &Told) -> Result<Answer, RelayFault> {
    let answer = transport.tell(call, told).await?;
    let (status, headers) = (answer.status.as_u16(), kept(&answer.headers));
    let mut body = Vec::new();
    let mut parts = answer.body;
    while let Some(part) = parts.next().await {
        let part = part.map_err(|problem| RelayFault::Down(format!("it broke off: {problem}")))?;
        if body.len() + part.len() > LONGEST_ANSWER {
            return Err(RelayFault::Down("its answer is longer than 4 MiB".to_owned()));
        }
        body.extend_from_slice(&part);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keystone_has_not_found_is_read_from_its_sentence() {
        let of = |text: &str| not_found(text).map(|lack| lack.to_string());
        let role = of("Could not find role: auditor.");
        assert_eq!(role.as_deref(), Some("keystone_role_missing:auditor"));
        let domain = of("Could not find domain: acme.eu.");
        assert_eq!(domain.as_deref(), Some("keystone_domain_missing:acme.eu"));
        let protocol = of("Could not find federated protocol openid for Identity Provider: fedgate.");
        assert!(
            protocol
                .unwrap()
                .starts_with("keystone_setup_missing:federated protocol openid")
        );
        for other in [
            "",
            "Could not find user: x.",
            "The request you have made requires authentication.",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
