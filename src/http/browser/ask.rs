//! A request as the pages look at it.

use std::{convert::Infallible, net::SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, Method, Uri, request::Parts};

use crate::{broker::Caller, domain::ids::Reference, http::cookies};

/// What a handler needs of a request besides its form.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Headers.
    pub headers: HeaderMap,
    /// Who asks; put into the request's extensions by the outermost layer.
    pub caller: Caller,
    query: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .unwrap_or_else(|| Caller {
                reference: Reference("unknown".into()),
                address: parts
                    .extensions
                    .get::<ConnectInfo<SocketAddr>>()
                    .map(|ConnectInfo(address)| address.ip()),
            });
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            method: parts.method.clone(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
            caller,
        })
    }
}

impl Ask {
    /// The value of a query parameter. One that is given twice is none: nobody may guess which counts.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        let first = found.next();
        found
            .next()
            .is_none()
            .then(|| first.map(|(_, value)| value.as_str()))
            .flatten()
    }

    /// All query parameters in order.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        self.query.clone()
    }

    /// A cookie's value.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All cookies, oldest first (RFC 6265 §5.4).
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        cookies::of(&self.headers)
    }

    /// Whether it may be repeated by a link.
    #[must_use]
    pub fn is_get(&self) -> bool {
        self.method == Method::GET
    }

    /// Path and query.
    #[must_use]
    pub fn here(&self) -> String {
        self.uri
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string)
    }
}
