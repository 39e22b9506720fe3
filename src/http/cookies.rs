//! The cookies of a request.

use http::{HeaderMap, header};

/// All of them by name, oldest first (RFC 6265 §5.4). A line that is no text holds none.
pub(super) fn of(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}
