//! Parameters, read strictly: each at most once, bounded, without control characters.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::header;

use crate::{
    domain::oauth::{OAuthError, Refused},
    http::browser::Ask,
};

/// Most parameters of one request.
const MOST: usize = 64;
/// Longest query.
const LONGEST_QUERY: usize = 8 * 1024;

/// Parameters in the order they were sent.
#[derive(Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query.
    pub(super) fn of_query(query: Option<&str>) -> Result<Self, Refused> {
        let query = query.unwrap_or_default();
        if query.len() > LONGEST_QUERY {
            return Err(malformed("the query is too long"));
        }
        Self::read(query.as_bytes())
    }

    fn read(text: &[u8]) -> Result<Self, Refused> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text)
            .into_owned()
            .take(MOST + 1)
            .collect();
        if pairs.len() > MOST {
            return Err(malformed("too many parameters"));
        }
        Ok(Self(pairs))
    }

    /// Whether every parameter came once and none hides a control character (RFC 6749 §3.1, §3.2).
    pub(super) fn check(&self) -> Result<(), Refused> {
        for (place, (name, value)) in self.0.iter().enumerate() {
            if self.0.iter().skip(place + 1).any(|(other, _)| other == name) {
                return Err(malformed("a parameter was sent more than once"));
            }
            if value.chars().any(char::is_control) {
                return Err(malformed("a parameter has control characters"));
            }
        }
        Ok(())
    }

    /// The value of a parameter. Empty counts as absent (RFC 6749 §3.1); so does one that was sent twice.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(own, _)| own == name);
        let first = found.next();
        match found.next() {
            Some(_) => None,
            None => first
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty()),
        }
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &str, missing: &'static str) -> Result<&str, Refused> {
        self.get(name).ok_or_else(|| malformed(missing))
    }

    /// All of them, encoded anew.
    pub(super) fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// `audience` (RFC 8693) or `resource` (RFC 8707): one, or none.
    pub(super) fn audience(&self) -> Result<Option<&str>, Refused> {
        match (self.get("audience"), self.get("resource")) {
            (Some(one), Some(other)) if one != other => Err(Refused::new(
                OAuthError::InvalidTarget,
                "audience and resource name different places",
            )),
            (Some(one), _) | (None, Some(one)) => Ok(Some(one)),
            (None, None) => Ok(None),
        }
    }
}

pub(super) fn malformed(description: &'static str) -> Refused {
    Refused::new(OAuthError::InvalidRequest, description)
}

/// A request with a form.
pub(super) struct Posted {
    /// Headers and caller.
    pub(super) ask: Ask,
    /// The form, not yet checked for duplicates.
    pub(super) form: Result<Parameters, Refused>,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let ask = match Ask::from_request_parts(&mut parts, state).await {
            Ok(ask) => ask,
            Err(never) => match never {},
        };
        let is_form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| {
                let kind = kind.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        let form = match Bytes::from_request(Request::from_parts(parts, body), state).await {
            Err(_) => Err(malformed("the body is too large or broken")),
            Ok(body) if body.is_empty() => Ok(Parameters::default()),
            Ok(_) if !is_form => Err(malformed("the body must be application/x-www-form-urlencoded")),
            Ok(body) => Parameters::read(&body),
        };
        Ok(Self { ask, form })
    }
}

impl Posted {
    /// The form, checked. Parameters in the URL are refused: secrets stand in logs there (RFC 6749 §2.3.1).
    pub(super) fn strict(&self) -> Result<&Parameters, Refused> {
        if self.ask.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(malformed("parameters belong in the body, not in the URL"));
        }
        let form = self.form.as_ref().map_err(Clone::clone)?;
        form.check()?;
        Ok(form)
    }
}
