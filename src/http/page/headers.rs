//! The headers every page carries.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What a page may load and where its forms may lead: nothing but ourselves, and no script at all.
///
/// `form-action 'self'` is kept on every page, so that injected markup could not send a typed password
/// elsewhere. Chromium applies it to every redirect that follows a form, and a sign-in ends at a client's
/// redirect URI or at an upstream, on other origins that we cannot list (their own redirects count too). So
/// no form of ours is answered by a redirect that leaves us: it is answered by the page `onward.html`,
/// which goes on by itself with a plain GET (`Refresh: 0`), to which `form-action` does not apply.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// `same-origin`, not `no-referrer`: with the latter Chromium sends `Origin: null` with our own forms, and
/// the check that a form came from our page would have to let `null` pass.
const REFERRER_POLICY: &str = "same-origin";

/// Puts the headers of a page. A page is never stored: it names a person, or a form that is good once.
pub fn secure(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 8] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, REFERRER_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), browsing-topics=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The language is chosen by header and cookie.
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Cookie"));
}
