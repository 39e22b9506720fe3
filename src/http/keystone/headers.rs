//! Which headers travel on to Keystone, and back.

use http::{HeaderMap, HeaderName, header};

/// Beginnings of names that speak about identity, in the spelling of the WSGI environ. `OIDC-SUB`, `OIDC_SUB` and
/// `oidc_sub` are one name to Keystone, and it joins duplicates.
const IDENTITY: [&str; 7] = [
    "FEDGW_",
    "OIDC_",
    "MELLON_",
    "SHIB_",
    "SSL_CLIENT_",
    "X_FORWARDED_",
    "OPENSTACK_",
];
/// Whole names of that sort. `Proxy` would become HTTP_PROXY, which libraries read as a setting (CVE-2016-5385).
const IDENTITY_NAMES: [&str; 4] = ["REMOTE_USER", "REMOTE_DOMAIN", "FORWARDED", "PROXY"];
/// RFC 9110 §7.6.1, and what the client library sets by itself.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers of a request as Keystone may see them, without the length of its body, which is told anew.
pub(super) fn onward(from: &HeaderMap, own_prefix: &str) -> HeaderMap {
    let own = environ(own_prefix);
    let listed = listed(from);
    let mut onward = HeaderMap::with_capacity(from.len());
    for (name, value) in from {
        let dropped = *name == header::HOST
            || *name == header::EXPECT
            || *name == header::CONTENT_LENGTH
            // No header of Keystone's has one, and `X_Auth_Token` would be joined with `X-Auth-Token`.
            || name.as_str().contains('_')
            || is_hop_by_hop(name, &listed)
            || is_identity(name.as_str(), &own);
        if !dropped {
            onward.append(name.clone(), value.clone());
        }
    }
    onward
}

/// The headers of an answer as the client may see them.
pub(super) fn back(from: &HeaderMap) -> HeaderMap {
    let listed = listed(from);
    let mut back = HeaderMap::with_capacity(from.len());
    for (name, value) in from {
        if !is_hop_by_hop(name, &listed) {
            back.append(name.clone(), value.clone());
        }
    }
    back
}

fn environ(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

fn is_identity(name: &str, own: &str) -> bool {
    let name = environ(name);
    name.starts_with(own)
        || IDENTITY.iter().any(|prefix| name.starts_with(prefix))
        || IDENTITY_NAMES.contains(&name.as_str())
}

/// Names that `Connection` lists: they are for us alone.
fn listed(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        // A caller must not be able to take their own token away from the request.
        .filter(|name| name != "authorization" && name != "x-auth-token")
        .collect()
}

fn is_hop_by_hop(name: &HeaderName, listed: &[String]) -> bool {
    HOP_BY_HOP.contains(&name.as_str()) || listed.iter().any(|own| own == name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn identity_is_dropped_in_every_spelling_and_the_rest_stays() {
        let mut from = HeaderMap::new();
        for name in [
            "OIDC-SUB",
            "oidc_sub",
            "Oidc_Iss",
            "fedgate_7f-iss",
            "mellon-x",
            "SHIB-ROLE",
            "ssl_client-s-dn",
            "x-forwarded-for",
            "openstack-x",
            "remote-user",
            "REMOTE_USER",
            "remote_domain",
            "forwarded",
            "fedgw-sub",
            "FEDGW_SUB",
            "proxy",
            "x_auth_token",
            "connection",
            "x-listed",
            "te",
        ] {
            from.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("x"),
            );
        }
        from.insert(
            "connection",
            HeaderValue::from_static("close, X-Listed, Content-Length"),
        );
        for name in [
            "x-auth-token",
            "content-length",
            "openstack",
            "accept",
            "authorization",
        ] {
            from.insert(name, HeaderValue::from_static("1"));
        }
        let onward = onward(&from, "Fedgate-7F-");
        let mut left: Vec<&str> = onward.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "authorization", "openstack", "x-auth-token"]);
    }
}
