//! Everything that is not a login: passed to Keystone and back, streamed, without identity headers.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use percent_encoding::percent_decode_str;

use super::{
    Front,
    fault::{Refusal, Wrong},
    headers,
};
use crate::port::{
    relay::{Answer, Call, Payload},
    target::Bound,
};
use crate::wire::keystone::{AUTH_TOKEN, Rescope, SUBJECT_TOKEN};

/// A body without `Content-Length` is kept so far, because uWSGI reads no chunked bodies.
const LONGEST_KEPT: usize = 1024 * 1024;
/// A body up to this size is read before Keystone is called, so that a slow sender holds no worker of Keystone's.
const READ_AT_ONCE: u64 = 256 * 1024;
/// Most tokens that another is made from. Keystone takes one for each method, and has a handful of them.
const MOST_ORIGINS: usize = 16;

/// What Keystone's clients send.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];
/// Words in the paths of what lives on without the token by which it was made: application credentials, EC2 and other
/// credentials, trusts, OAuth.
const LASTING: [&str; 5] = ["application_credentials", "ec2", "credentials", "trust", "oauth"];

/// Refuses what would make a token that must end into something that does not.
async fn outlives(front: &Front, parts: &Parts) -> Result<(), Refusal> {
    if matches!(
        parts.method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE
    ) {
        return Ok(());
    }
    let path = percent_decode_str(parts.uri.path())
        .decode_utf8_lossy()
        .to_lowercase();
    let tokens = parts.headers.get_all(AUTH_TOKEN).iter();
    let tokens: Vec<String> = tokens
        .filter_map(|token| Some(token.to_str().ok()?.to_owned()))
        .collect();
    if tokens.is_empty() || !LASTING.iter().any(|word| path.contains(word)) {
        return Ok(());
    }
    match front.exchange.bound(&tokens).await.map_err(Refusal::Fault)? {
        Some(bound) if bound.is_limited() => Err(Refusal::from(Wrong::Outlives)),
        Some(_) | None => Ok(()),
    }
}

pub(super) async fn pass(front: &Front, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let asked = parts
        .uri
        .path_and_query()
        .map_or("/v3", http::uri::PathAndQuery::as_str);
    if is_ambiguous(parts.uri.path()) {
        return Err(Refusal::from(Wrong::Path));
    }
    // Keystone takes `post` for POST: what we look for by the method must not pass by in another spelling.
    if !METHODS.contains(&parts.method) {
        return Err(Refusal::from(Wrong::Method));
    }
    outlives(front, &parts).await?;
    let payload = payload(front, &parts.headers, body).await?;
    // Nothing else makes a token.
    let origins = (parts.method == Method::POST).then(|| Origins::of(&payload));
    let bound = match &origins {
        Some(Origins::Named(from)) => front.exchange.bound(from).await.map_err(Refusal::Fault)?,
        Some(Origins::Unknown) | None => None,
    };
    let call = Call {
        method: parts.method,
        path: asked.to_owned(),
        headers: headers::onward(&parts.headers, &front.settings.own_prefix),
        body: payload,
    };
    let answer = front.relay.call(call).await.map_err(Refusal::Relay)?;
    if let (Some(origins), Some(made)) = (origins, made_by(&answer)) {
        match origins {
            Origins::Named(from) => note(front, (&from, bound.as_ref()), &made?).await?,
            // Nobody could say when it must end. Nobody gets it: it ends by itself.
            Origins::Unknown => return Err(Refusal::from(Wrong::Origins)),
        }
    }
    if is_broken(&answer) {
        // A page of a server or proxy in between. Clients of Keystone can read Keystone's documents alone.
        return Err(Refusal::Broken(answer.status));
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers::back(&answer.headers);
    relocate(response.headers_mut(), &front.settings.own_address);
    *response.body_mut() = Body::from_stream(answer.body);
    Ok(response)
}

/// The tokens that a request may want another for: what holds for one holds for the other. Whether it gets one, the
/// answer says, and not the path: Keystone takes many spellings of that.
#[derive(Debug, PartialEq, Eq)]
enum Origins {
    /// All that it names.
    Named(Vec<String>),
    /// We cannot read it. Keystone might.
    Unknown,
}

impl Origins {
    fn of(payload: &Payload) -> Self {
        let body = match payload {
            Payload::None => return Self::Named(Vec::new()),
            Payload::Stream { .. } => return Self::Unknown,
            Payload::Whole(body) => body,
        };
        let Ok(asked) = serde_json::from_slice::<Rescope>(body) else {
            return Self::Unknown;
        };
        let named: Vec<String> = asked.tokens().take(MOST_ORIGINS + 1).map(str::to_owned).collect();
        if named.len() > MOST_ORIGINS {
            return Self::Unknown;
        }
        Self::Named(named)
    }
}

/// The token that Keystone has made, if it has; one that cannot be read could not be ended either.
fn made_by(answer: &Answer) -> Option<Result<String, Refusal>> {
    let made = answer.headers.get(SUBJECT_TOKEN)?;
    let made = made
        .to_str()
        .map(str::to_owned)
        .map_err(|_| Refusal::from(Wrong::Origins));
    answer.status.is_success().then_some(made)
}

/// Whose the new token is. That a dashboard's token cannot be noted is ours alone, as it is Keystone's to give; one
/// that must end is not handed out where nobody would end it.
async fn note(front: &Front, (from, bound): (&[String], Option<&Bound>), made: &str) -> Result<(), Refusal> {
    if let Some(websso) = &front.websso
        && let Err(fault) = websso.dashboards.made(from, made).await
    {
        tracing::warn!(detail = %fault.detail, "a dashboard's token could not be kept: signing out will not revoke it");
    }
    match bound {
        Some(bound) => front.exchange.bind(made, bound).await.map_err(Refusal::Fault),
        None => Ok(()),
    }
}

async fn payload(front: &Front, headers: &HeaderMap, body: Body) -> Result<Payload, Refusal> {
    let length: Option<u64> = match headers.get(header::CONTENT_LENGTH) {
        Some(value) => {
            let length = value.to_str().ok().and_then(|text| text.parse().ok());
            Some(length.ok_or(Refusal::from(Wrong::TooLarge))?)
        }
        None => None,
    };
    match length {
        Some(length) if length > READ_AT_ONCE => Ok(Payload::Stream {
            length,
            parts: Box::pin(body.into_data_stream().map_err(std::io::Error::other)),
        }),
        None if is_empty(&body) => Ok(Payload::None),
        Some(_) | None => {
            let kept = tokio::time::timeout(front.settings.timeout, to_bytes(body, LONGEST_KEPT))
                .await
                .map_err(|_| Refusal::from(Wrong::SlowCaller))?
                .map_err(|_| Refusal::from(Wrong::TooLarge))?;
            Ok(Payload::Whole(kept))
        }
    }
}

fn is_broken(answer: &Answer) -> bool {
    let json = answer
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    answer.status.is_server_error() && !json
}

/// Keystone redirects to its own address (it joins doubled slashes that way). The client must come back here, and
/// the address is none of its business: the path alone stays.
fn relocate(headers: &mut HeaderMap, keystone: &str) {
    let below = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix(keystone.trim_end_matches('/')))
        .filter(|path| path.starts_with('/') && !path.starts_with("//"))
        .and_then(|path| HeaderValue::from_str(path).ok());
    if let Some(path) = below {
        headers.insert(header::LOCATION, path);
    }
}

fn is_empty(body: &Body) -> bool {
    use axum::body::HttpBody as _;
    body.is_end_stream()
}

/// Whether a URL parser on the way would make another path of it: dot segments (also percent-encoded), and
/// backslashes, which some read as slashes.
fn is_ambiguous(path: &str) -> bool {
    path.contains('\\')
        || path.split('/').any(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            plain == "." || plain == ".."
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_its_origins_or_is_unknown() {
        let of = |body: &str| Origins::of(&Payload::Whole(body.to_owned().into()));
        let many = |count: usize| {
            let methods: Vec<String> = (0..count)
                .map(|n| format!("\"m{n}\": {{\"id\": \"t\"}}"))
                .collect();
            format!("{{\"auth\": {{\"identity\": {{{}}}}}}}", methods.join(","))
        };
        assert_eq!(of(r#"{"project": {"name": "x"}}"#), Origins::Named(Vec::new()));
        assert_eq!(of(&many(2)), Origins::Named(vec!["t".to_owned(); 2]));
        assert_eq!(of(&many(MOST_ORIGINS + 1)), Origins::Unknown);
        assert_eq!(of("{\"auth\": {\"identity\": {}}, \"x\": NaN}"), Origins::Unknown);
        assert_eq!(Origins::of(&Payload::None), Origins::Named(Vec::new()));
    }

    #[test]
    fn dot_segments_are_seen_in_every_spelling() {
        for bad in [
            "/v3/../x",
            "/v3/%2e%2E/x",
            "/v3/.%2e",
            "/v3/./x",
            "/v3/a\\b",
            "/v3/%2e",
        ] {
            assert!(is_ambiguous(bad), "{bad}");
        }
        for good in ["/v3", "/v3/", "/v3//auth", "/v3/a..b", "/v3/%2fauth", "/v3/..."] {
            assert!(!is_ambiguous(good), "{good}");
        }
    }
}
