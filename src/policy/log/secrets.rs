//! What never enters the log, whatever the operator's mask says: members that hold secrets by their name, and
//! texts that are tokens by their look.

use serde_json::Value;

/// Names of members, in lower case with `_`.
const NAMES: [&str; 21] = [
    "api_key",
    "apikey",
    "assertion",
    "authorization",
    "client_secret",
    "code_verifier",
    "cookie",
    "credential",
    "id_token_hint",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "proxy_authorization",
    "samlresponse",
    "secret",
    "set_cookie",
    "subject_token",
    "token",
    "x_api_key",
];
/// Ends of names.
const ENDS: [&str; 4] = ["_password", "_secret", "_token", "_passphrase"];
/// Deepest member that is looked at. Deeper ones are erased: nobody could say what they hold.
const DEEPEST: usize = 128;

/// Takes secrets out of `value`, which stands at `pointer`, and says where.
pub fn erase(value: &mut Value, pointer: &str, erased: &mut Vec<String>) {
    walk(value, pointer, 0, erased);
}

fn walk(value: &mut Value, pointer: &str, depth: usize, erased: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| {
                let secret = is_secret_name(name) || is_token_value(member) || depth >= DEEPEST;
                if secret {
                    erased.push(format!("{pointer}/{name}"));
                }
                !secret
            });
            for (name, member) in members.iter_mut() {
                walk(member, &format!("{pointer}/{name}"), depth + 1, erased);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let place = format!("{pointer}/{index}");
                if is_token_value(item) || depth >= DEEPEST {
                    // The others keep their places.
                    *item = Value::Null;
                    erased.push(place);
                } else {
                    walk(item, &place, depth + 1, erased);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

fn is_token_value(value: &Value) -> bool {
    value.as_str().is_some_and(is_token)
}

/// `Bearer …`, `Basic …`, a JWT, a SAML document's beginning in base64, a Fernet token (`gAAAA…`), PEM keys.
pub(super) fn is_token(text: &str) -> bool {
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    begins("bearer ")
        || begins("basic ")
        || text.starts_with("gAAAA") && text.len() > 40
        || text.contains("PRIVATE KEY-----")
        || text.split_whitespace().any(is_jwt)
}

fn is_jwt(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let base64url = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    let mut parts = word.split('.');
    let (Some(header), Some(payload)) = (parts.next(), parts.next()) else {
        return false;
    };
    // `{"` in base64url.
    header.starts_with("eyJ") && payload.len() > 10 && header.bytes().chain(payload.bytes()).all(base64url)
}

/// An ad-hoc query may hold a token as a text.
pub(super) fn without_tokens(query: &str) -> String {
    let parts: Vec<&str> = query
        .split_inclusive(['"', '`'])
        .map(|part| {
            let text = part.trim_end_matches(['"', '`']);
            if is_token(text) { "…\"" } else { part }
        })
        .collect();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln";

    #[test]
    fn secrets_by_name_and_by_look() {
        let mut value = json!({
            "user": "alice",
            "token_type": "x",
            "tokens_left": 3,
            "http": {"headers": {"Authorization": "Negotiate abc", "X-Auth-Token": "t", "accept": "a"}},
            "list": ["ok", JWT, {"client-secret": 1, "keep": true}],
            "note": format!("Bearer {JWT}"),
            "sentence": format!("see {JWT}, please"),
            "fernet": format!("gAAAA{}", "B".repeat(60)),
            "passwords": {"password": "hunter2"},
        });
        let mut erased = Vec::new();
        erase(&mut value, "/input", &mut erased);
        erased.sort();
        assert_eq!(
            erased,
            [
                "/input/fernet",
                "/input/http/headers/Authorization",
                "/input/http/headers/X-Auth-Token",
                "/input/list/1",
                "/input/list/2/client-secret",
                "/input/note",
                "/input/passwords/password",
                "/input/sentence",
            ]
        );
        let text = value.to_string();
        assert!(
            !text.contains("eyJ") && !text.contains("hunter2") && text.contains("alice"),
            "{text}"
        );
        assert_eq!(value["list"][2]["keep"], true);
        assert_eq!(value["tokens_left"], 3);
    }

    #[test]
    fn tokens_in_a_query() {
        let query = format!("x := io.jwt.decode(\"{JWT}\"); y := \"plain\"");
        let shown = without_tokens(&query);
        assert!(!shown.contains("eyJ") && shown.contains("plain"), "{shown}");
        assert_eq!(without_tokens("data.a.b = x"), "data.a.b = x");
    }
}
