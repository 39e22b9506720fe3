//! Packs answers for callers who can unpack them, where OPA does: documents of 1,024 bytes and more.

use std::io::Write as _;

use axum::{body::Body, response::Response};
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::BodyExt as _;

/// From this many bytes on it pays.
const SHORTEST: usize = 1024;

/// Whether OPA packs answers to this request at all.
pub(super) fn applies(method: &Method, path: &str) -> bool {
    let reads = method == Method::GET || method == Method::POST;
    let data = path.starts_with("/v1/data") || path.starts_with("/v0/data");
    reads && data || method == Method::POST && path.starts_with("/v1/compile")
}

/// Whether the caller asked for it.
pub(super) fn wanted(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| {
            accept
                .split(',')
                .map(str::trim)
                .any(|part| part == "gzip" || part.starts_with("gzip;"))
        })
}

/// Packs the answer if it is long enough.
pub(super) async fn pack(response: Response, wanted: bool) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers
        .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !wanted {
        return Response::from_parts(head, body);
    }
    // Our own answers are whole in memory: this neither waits nor fails.
    let Ok(collected) = body.collect().await else {
        return Response::from_parts(head, Body::empty());
    };
    let bytes = collected.to_bytes();
    if bytes.len() < SHORTEST {
        return Response::from_parts(head, Body::from(bytes));
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::best());
    match encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
        Ok(packed) => {
            head.headers
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(head, Body::from(packed))
        }
        Err(_) => Response::from_parts(head, Body::from(bytes)),
    }
}
