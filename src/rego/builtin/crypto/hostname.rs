//! Whether a certificate is of a host (RFC 6125, as Go's `VerifyHostname`).

use std::net::IpAddr;

use x509_parser::extensions::GeneralName;

use super::certificate::address;

pub(super) fn is_of(names: &[GeneralName<'_>], host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(wanted) = bare.parse::<IpAddr>() {
        let wanted = wanted.to_canonical();
        return names
            .iter()
            .any(|name| matches!(name, GeneralName::IPAddress(bytes) if address(bytes) == Some(wanted)));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    names.iter().any(|name| {
        let GeneralName::DNSName(pattern) = name else {
            return false;
        };
        matches(&pattern.to_ascii_lowercase(), &host)
    })
}

/// A star stands for the whole first label and for nothing else.
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    if host.is_empty() || host.split('.').any(str::is_empty) {
        return false;
    }
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(pattern), Some((_, host))) => !pattern.contains('*') && pattern == host,
        (Some(_), None) => false,
        (None, _) => pattern == host,
    }
}
