//! Our cookies. `__Host-` binds each to exactly this origin: no neighbour on a parent domain can plant one.

use std::time::Duration;

use http::HeaderValue;

use super::Ask;
use crate::domain::ids::is_256_bits;

/// The session.
pub const SESSION: &str = "__Host-fedgate";
/// Names a browser, so that a form's proof is good only where it was made.
pub const BROWSER: &str = "__Host-fg-browser";
/// Starts the name of a pending sign-in's cookie; the beginning of its `state` follows.
const PENDING: &str = "__Host-fg-login-";
/// Pending sign-ins in one browser (tabs). Each cookie may have 4 KiB, and proxies limit the header.
const MOST_PENDING: usize = 5;
const PENDING_LIFETIME: Duration = Duration::from_secs(3600);

/// A cookie to set. `Lax`: a sign-in comes back by a top-level GET from another site.
/// Without a life it ends with the browser; the server decides when the session does.
#[must_use]
pub fn set(name: &str, value: &str, life: Option<Duration>) -> Option<HeaderValue> {
    let life = life.map_or_else(String::new, |life| format!("; Max-Age={}", life.as_secs()));
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{life}"
    ))
    .ok()
}

/// A cookie to forget.
#[must_use]
pub fn forget(name: &str) -> Option<HeaderValue> {
    set(name, "", Some(Duration::ZERO))
}

/// The cookie's name for a `state`; none for a state that cannot be ours.
#[must_use]
pub fn pending_name(state: &str) -> Option<String> {
    is_256_bits(state)
        .then(|| state.get(..16).map(|start| format!("{PENDING}{start}")))
        .flatten()
}

/// Cookies that keep a new pending sign-in and drop the oldest beyond the limit.
#[must_use]
pub fn keep_pending(ask: &Ask, state: &str, sealed: &str) -> Vec<HeaderValue> {
    let Some(name) = pending_name(state) else {
        return Vec::new();
    };
    let held: Vec<&str> = ask
        .cookies()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(PENDING))
        .collect();
    let surplus = (held.len() + 1).saturating_sub(MOST_PENDING);
    held.iter()
        .take(surplus)
        .filter_map(|name| forget(name))
        .chain(set(&name, sealed, Some(PENDING_LIFETIME)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::FromRequestParts;

    fn ask(cookies: &str) -> Ask {
        let request = http::Request::builder()
            .uri("/login?a=1&b=2&b=3")
            .header("cookie", cookies)
            .body(())
            .unwrap();
        let mut parts = request.into_parts().0;
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(Ask::from_request_parts(&mut parts, &()))
            .unwrap()
    }

    #[test]
    fn a_parameter_given_twice_is_none() {
        assert_eq!(ask("").query("a"), Some("1"));
        assert_eq!(ask("").query("b"), None);
        assert_eq!(ask("").query("c"), None);
    }

    #[test]
    fn the_oldest_pending_sign_in_makes_room() {
        let state = "s".repeat(43);
        let few = keep_pending(&ask("__Host-fg-login-a=1; other=2"), &state, "sealed");
        assert_eq!(few.len(), 1);
        let many: String = (0..6).map(|n| format!("__Host-fg-login-{n}=x; ")).collect();
        let set: Vec<String> = keep_pending(&ask(&many), &state, "sealed")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        assert_eq!(set.len(), 3, "{set:?}");
        assert!(set[0].starts_with("__Host-fg-login-0=; ") && set[0].contains("Max-Age=0"));
        assert!(set[1].starts_with("__Host-fg-login-1=; "));
        assert!(
            set[2].starts_with(
                "__Host-fg-login-ssssssssssssssss=sealed; Path=/; Secure; HttpOnly; SameSite=Lax"
            )
        );
    }

    #[test]
    fn a_state_that_is_not_ours_names_no_cookie() {
        assert_eq!(pending_name("short"), None);
        assert_eq!(pending_name(&format!("{};x", "a".repeat(41))), None);
        assert_eq!(pending_name(&"é".repeat(30)), None);
    }
}
