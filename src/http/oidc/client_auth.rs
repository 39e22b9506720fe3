//! How a client proves itself (OIDC Core §9): one method at a time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};

use super::parameters::{Parameters, malformed};
use crate::{
    broker::clients::Presented,
    domain::{
        oauth::{OAuthError, Refused},
        secret::Secret,
    },
};

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the request presents.
pub(super) fn presented(headers: &HeaderMap, form: &Parameters) -> Result<Presented, Refused> {
    let basic = basic(headers)?;
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    let assertion = form.get("client_assertion");
    let methods = [basic.is_some(), secret.is_some(), assertion.is_some()];
    if methods.into_iter().filter(|used| *used).count() > 1 {
        return Err(malformed("more than one client authentication method"));
    }
    if let Some((name, secret)) = basic {
        if id.is_some_and(|id| id != name) {
            return Err(malformed("client_id differs from the Authorization header's"));
        }
        return Ok(Presented::Secret(name, Secret::new(secret)));
    }
    if let Some(jwt) = assertion {
        if form.get("client_assertion_type") != Some(JWT_BEARER) {
            return Err(malformed("client_assertion_type is not jwt-bearer"));
        }
        return Ok(Presented::Assertion(id.map(str::to_owned), jwt.to_owned()));
    }
    let id = id.ok_or_else(|| Refused::new(OAuthError::InvalidClient, "the client did not say who it is"))?;
    Ok(match secret {
        Some(secret) => Presented::Secret(id.to_owned(), Secret::new(secret.to_owned())),
        None => Presented::Id(id.to_owned()),
    })
}

fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refused> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = sent.next() else {
        return Ok(None);
    };
    if sent.next().is_some() {
        return Err(malformed("more than one Authorization header"));
    }
    let broken = || Refused::new(OAuthError::InvalidClient, "the Authorization header is not Basic");
    let (scheme, text) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(broken)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(broken());
    }
    let text = STANDARD.decode(text.trim()).map_err(|_| broken())?;
    let text = String::from_utf8(text).map_err(|_| broken())?;
    let (id, secret) = text.split_once(':').ok_or_else(broken)?;
    Ok(Some((decoded(id), decoded(secret))))
}

/// Both halves are form-encoded before Base64 (RFC 6749 §2.3.1).
fn decoded(half: &str) -> String {
    let text = format!("v={}", half.replace('&', "%26"));
    url::form_urlencoded::parse(text.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_form_decoded() {
        let mut headers = HeaderMap::new();
        let text = STANDARD.encode("my%2Dclient:p%26a+b%3A=");
        headers.insert(header::AUTHORIZATION, format!("Basic {text}").parse().unwrap());
        let (id, secret) = basic(&headers).unwrap().unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("my-client", "p&a b:="));
    }
}
