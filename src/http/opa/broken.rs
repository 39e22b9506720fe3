//! What is wrong with a JSON text, in the words of Go's decoder: callers of OPA know them, and some read them.

use serde::{Deserialize, de::IgnoredAny};

/// The first JSON value of a text. As OPA does, what follows it is not read. `wanted` is the name of the type in
/// OPA's source, which its messages tell.
pub(super) fn json<'a, T: Deserialize<'a>>(text: &'a str, wanted: &str) -> Result<T, String> {
    T::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| said(text, &error, wanted))
}

/// The whole text as one JSON value.
pub(super) fn whole_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| said(text, &error, "interface {}"))
}

fn said(text: &str, error: &serde_json::Error, wanted: &str) -> String {
    if error.is_data() {
        // Go reads the whole value before it looks at its type.
        let whole = IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(text));
        return match whole {
            Err(syntax) if !syntax.is_data() => said(text, &syntax, wanted),
            Ok(_) | Err(_) => mistyped(text, wanted).unwrap_or_else(|| error.to_string()),
        };
    }
    let said = error.to_string();
    if error.is_eof() {
        return if text.trim().is_empty() {
            "EOF"
        } else {
            "unexpected EOF"
        }
        .to_owned();
    }
    if said.contains("recursion limit") {
        return "exceeded max depth".to_owned();
    }
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let at = error.column().saturating_sub(1);
    let found = line.get(at..).and_then(|rest| rest.chars().next());
    let Some(found) = found else { return said };
    let place = match said.split(" at line").next().unwrap_or_default() {
        "expected value" => "looking for beginning of value".to_owned(),
        "expected `:`" => "after object key".to_owned(),
        "expected `,` or `}`" => "after object key:value pair".to_owned(),
        "expected `,` or `]`" => "after array element".to_owned(),
        "key must be a string" => "looking for beginning of object key string".to_owned(),
        "trailing characters" => "after top-level value".to_owned(),
        "expected ident" => literal(line.get(..at).unwrap_or_default()),
        other => format!("({other})"),
    };
    format!("invalid character '{found}' {place}")
}

/// `in literal true (expecting 'e')`.
fn literal(before: &str) -> String {
    let word = before
        .rsplit(|letter: char| !letter.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    ["true", "false", "null"]
        .iter()
        .find_map(|whole| {
            let expected = whole.strip_prefix(word)?.chars().next()?;
            Some(format!("in literal {whole} (expecting '{expected}')"))
        })
        .unwrap_or_else(|| "in literal".to_owned())
}

fn mistyped(text: &str, wanted: &str) -> Option<String> {
    let kind = match text.trim_start().chars().next()? {
        '[' => "array",
        '{' => "object",
        '"' => "string",
        't' | 'f' => "bool",
        _ => "number",
    };
    Some(format!(
        "json: cannot unmarshal {kind} into Go value of type {wanted}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn errors_are_gos() {
        for (text, expected) in [
            ("", "EOF"),
            ("{\"a\":", "unexpected EOF"),
            (
                "{\"a\": @}",
                "invalid character '@' looking for beginning of value",
            ),
            ("{\"a\"}", "invalid character '}' after object key"),
            (
                "{\"a\": tru}",
                "invalid character '}' in literal true (expecting 'e')",
            ),
            (
                "{\"a\": 1 2}",
                "invalid character '2' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            (
                "{1}",
                "invalid character '1' looking for beginning of object key string",
            ),
            (&"[".repeat(1000), "exceeded max depth"),
        ] {
            assert_eq!(json::<Value>(text, "x").unwrap_err(), expected, "{text}");
        }
        assert_eq!(json::<Value>("1 more", "x").unwrap(), 1);
        assert_eq!(
            whole_json::<Value>("1 m").unwrap_err(),
            "invalid character 'm' after top-level value"
        );
        assert_eq!(
            json::<Vec<Value>>("{}", "[]types.PatchV1").unwrap_err(),
            "json: cannot unmarshal object into Go value of type []types.PatchV1"
        );
        assert_eq!(json::<Vec<Value>>("{", "x").unwrap_err(), "unexpected EOF");
    }
}
