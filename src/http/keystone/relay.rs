//! Everything that is not the login: passed to Keystone and back, streamed, without identity headers.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use http::{HeaderMap, HeaderValue, header};

use super::{Front, fault::Refusal, headers};

/// A body without `Content-Length` is kept so far, because uWSGI reads no chunked bodies.
const LONGEST_KEPT: usize = 1024 * 1024;

pub(super) async fn pass(front: &Front, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let asked = parts
        .uri
        .path_and_query()
        .map_or("/v3", http::uri::PathAndQuery::as_str);
    if is_ambiguous(parts.uri.path()) {
        return Err(Refusal::Path);
    }
    let url = format!("{}{asked}", front.settings.url.as_str().trim_end_matches('/'));
    let onward = headers::onward(&parts.headers, &front.settings.header_prefix);
    let mut call = front.client.request(parts.method, url).headers(onward);
    if parts.headers.contains_key(header::CONTENT_LENGTH) {
        call = call.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    } else if parts.headers.contains_key(header::TRANSFER_ENCODING) || !is_empty(&body) {
        let kept = to_bytes(body, LONGEST_KEPT)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        call = call.body(kept);
    }
    let answer = tokio::time::timeout(front.settings.timeout, call.send())
        .await
        .map_err(|_| Refusal::Slow)?
        .map_err(failed)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = headers::back(answer.headers());
    relocate(response.headers_mut(), front.settings.url.as_str());
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    Ok(response)
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

fn failed(problem: reqwest::Error) -> Refusal {
    if problem.is_timeout() {
        return Refusal::Slow;
    }
    let problem = problem.without_url();
    let cause = std::error::Error::source(&problem).map_or_else(String::new, |cause| format!(": {cause}"));
    Refusal::Down(format!("{problem}{cause}"))
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
