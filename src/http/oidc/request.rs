//! The authorization request (OIDC Core §3.1.2): read and checked.
//!
//! Client and redirect URI come first. Until both hold, a refusal is a page and never a redirect.

use super::{
    Front,
    parameters::{Parameters, malformed},
};
use crate::{
    broker::token::{code::Authorization, granted_scope},
    domain::{
        client::{ClientSettings, GrantType},
        fault::{Code, Fault},
        ids::is_256_bits,
        oauth::{OAuthError, Refused},
    },
};

/// Longest `state` and `nonce`.
const LONGEST_STATE: usize = 512;
const LONGEST_HINT: usize = 256;

/// Where a refusal goes once client and redirect URI hold.
#[derive(Debug, Clone)]
pub(super) struct ReplyTo {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// The issuer that answers (RFC 9207): that of the audience, for which the client has its metadata.
    pub(super) issuer: String,
}

/// `prompt` (OIDC Core §3.1.2.1). `consent` is met by the operator's registration of the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) none: bool,
    pub(super) login: bool,
    pub(super) select_account: bool,
}

/// A request that may be answered.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) authorization: Authorization<'a>,
    pub(super) prompt: Prompt,
    /// Seconds.
    pub(super) max_age: Option<u64>,
    pub(super) acr_values: Option<String>,
    pub(super) login_hint: Option<String>,
    /// `sub` of `id_token_hint`.
    pub(super) expected: Option<String>,
}

/// The client, and where its answers go.
pub(super) fn addressed<'a>(
    front: &'a Front,
    sent: &Parameters,
) -> Result<(&'a ClientSettings, ReplyTo), Fault> {
    let lacks = |what: &str| Fault::new(Code::BadRequest, format!("{what} is missing or sent twice"));
    let id = sent.get("client_id").ok_or_else(|| lacks("client_id"))?;
    let client = front
        .clients
        .known(id)
        .map_err(|_| Fault::new(Code::BadClient, "no such client"))?;
    let uri = sent.get("redirect_uri").ok_or_else(|| lacks("redirect_uri"))?;
    if !client.accepts_redirect(uri) {
        return Err(Fault::new(
            Code::BadClient,
            "the redirect URI is not registered for the client",
        ));
    }
    let state = sent.get("state").filter(|state| state.len() <= LONGEST_STATE);
    let issuer = super::token::audience(front, client, sent).map_or_else(
        |_| front.directory.issuer().to_owned(),
        |audience| front.directory.issuer_at(&audience).to_owned(),
    );
    let back = ReplyTo {
        issuer,
        redirect_uri: uri.to_owned(),
        state: state.map(str::to_owned),
    };
    Ok((client, back))
}

/// Everything else.
pub(super) fn checked<'a>(
    front: &Front,
    client: &'a ClientSettings,
    sent: &Parameters,
    back: &ReplyTo,
) -> Result<Asked<'a>, Refused> {
    sent.check()?;
    shape(client, sent)?;
    let audience = super::token::audience(front, client, sent)?;
    let expected = match sent.get("id_token_hint") {
        None => None,
        Some(hint) => {
            let claims = front
                .signer
                .verify_hint(hint)
                .map_err(|_| malformed("id_token_hint is not an ID token of this gateway"))?;
            let subject = claims.get("sub").and_then(|sub| sub.as_str());
            Some(
                subject
                    .ok_or_else(|| malformed("id_token_hint has no sub"))?
                    .to_owned(),
            )
        }
    };
    let max_age = match sent.get("max_age") {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| malformed("max_age is not a number of seconds"))?,
        ),
    };
    Ok(Asked {
        authorization: Authorization {
            client,
            redirect_uri: back.redirect_uri.clone(),
            scope: granted_scope(client, sent.get("scope"))?,
            nonce: bounded(sent, "nonce", LONGEST_STATE)?,
            challenge: challenge(client, sent)?,
            audience,
        },
        prompt: prompt(sent.get("prompt"))?,
        max_age,
        acr_values: bounded(sent, "acr_values", LONGEST_HINT)?,
        login_hint: bounded(sent, "login_hint", LONGEST_HINT)?,
        expected,
    })
}

fn shape(client: &ClientSettings, sent: &Parameters) -> Result<(), Refused> {
    if sent.get("request").is_some() {
        return Err(Refused::new(
            OAuthError::RequestNotSupported,
            "request objects are not taken",
        ));
    }
    if sent.get("request_uri").is_some() {
        return Err(Refused::new(
            OAuthError::RequestUriNotSupported,
            "request_uri is not taken",
        ));
    }
    match sent.get("response_type") {
        Some("code") => {}
        None => return Err(malformed("response_type is missing")),
        Some(_) => {
            return Err(Refused::new(
                OAuthError::UnsupportedResponseType,
                "response_type must be code",
            ));
        }
    }
    if !matches!(sent.get("response_mode"), None | Some("query")) {
        return Err(malformed("response_mode must be query"));
    }
    bounded(sent, "state", LONGEST_STATE)?;
    if client.grants.contains(&GrantType::AuthorizationCode) {
        Ok(())
    } else {
        Err(super::token::not_granted())
    }
}

fn bounded(sent: &Parameters, name: &str, most: usize) -> Result<Option<String>, Refused> {
    match sent.get(name) {
        Some(value) if value.len() > most => Err(malformed("a parameter is too long")),
        other => Ok(other.map(str::to_owned)),
    }
}

/// S256 alone; without one only a confidential client that is registered as unable.
fn challenge(client: &ClientSettings, sent: &Parameters) -> Result<Option<String>, Refused> {
    match (sent.get("code_challenge"), sent.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if is_256_bits(challenge) => Ok(Some(challenge.to_owned())),
        (None, None) if client.pkce_optional && !client.is_public() => Ok(None),
        (None, None) => Err(malformed("PKCE is required: code_challenge is missing")),
        _ => Err(malformed("code_challenge must be S256")),
    }
}

fn prompt(text: Option<&str>) -> Result<Prompt, Refused> {
    let mut prompt = Prompt::default();
    let values: Vec<&str> = text
        .unwrap_or_default()
        .split(' ')
        .filter(|v| !v.is_empty())
        .collect();
    for value in &values {
        match *value {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "select_account" => prompt.select_account = true,
            "consent" => {}
            _ => return Err(malformed("prompt has an unknown value")),
        }
    }
    if prompt.none && values.len() > 1 {
        return Err(malformed("prompt=none stands alone"));
    }
    Ok(prompt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        assert_eq!(prompt(None).unwrap(), Prompt::default());
        assert!(prompt(Some("login consent")).unwrap().login);
        assert!(prompt(Some("none login")).is_err());
        assert!(prompt(Some("create")).is_err());
    }
}
