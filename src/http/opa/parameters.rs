//! What stands in a URL: the path's segments and the query parameters, read as OPA reads them.

use std::borrow::Cow;

use http::Uri;
use url::form_urlencoded;

/// How much of an explanation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Explain {
    Notes,
    Fails,
    Full,
    Debug,
}

/// The query parameters. A parameter that OPA does not know is ignored, as OPA does.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().map_or_else(Vec::new, |query| {
            form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        });
        Self { pairs }
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last one wins.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rfind(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// On if it stands there once without a value, or if any value is `true`.
    pub(super) fn is_on(&self, name: &str) -> bool {
        if self.pairs.is_empty() {
            return false;
        }
        let values: Vec<&str> = self.all(name).collect();
        values == [""] || values.iter().any(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn pretty(&self) -> bool {
        self.is_on("pretty")
    }

    pub(super) fn metrics(&self) -> bool {
        self.is_on("metrics") || self.is_on("instrument")
    }

    pub(super) fn explain(&self) -> Option<Explain> {
        if self.pairs.is_empty() {
            return None;
        }
        self.all("explain").find_map(|mode| match mode {
            "notes" => Some(Explain::Notes),
            "fails" => Some(Explain::Fails),
            "full" => Some(Explain::Full),
            "debug" => Some(Explain::Debug),
            _ => None,
        })
    }
}

/// `%41` is `A`; none if an escape is broken or the result is no UTF-8.
pub(super) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The keys of a document that is read. Empty segments do not count; an escaped slash stays inside its key;
/// a quote is refused: it could end the string that OPA makes of the key.
pub(super) fn document_path(rest: &str) -> Result<Vec<Cow<'_, str>>, String> {
    rest.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            let key = unescape(segment).unwrap_or(Cow::Borrowed(segment));
            if key.contains('"') {
                Err(format!("invalid path: invalid ref term '{key}'"))
            } else {
                Ok(key)
            }
        })
        .collect()
}

/// The keys of a document that is written.
pub(super) fn storage_path(rest: &str) -> Option<Vec<String>> {
    let rest = rest.trim_matches('/');
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.split('/')
        .map(|segment| unescape(segment).map(Cow::into_owned))
        .collect()
}

/// The keys of a patch operation: percent escapes, then those of JSON pointers (RFC 6901 §4: `~1` first).
pub(super) fn pointer_path(path: &str) -> Option<Vec<String>> {
    let keys = storage_path(path)?;
    Some(
        keys.into_iter()
            .map(|key| key.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Parameters {
        Parameters::of(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn a_switch_is_on_without_a_value_or_with_true() {
        for on in [
            "pretty",
            "pretty=",
            "pretty=true",
            "pretty=TRUE",
            "pretty=0&pretty=true",
        ] {
            assert!(of(on).pretty(), "{on}");
        }
        for off in ["", "pretty=1", "pretty=false", "pretty&pretty", "other"] {
            assert!(!of(off).pretty(), "{off}");
        }
        assert_eq!(of("explain=what&explain=full").explain(), Some(Explain::Full));
        assert_eq!(of("input=1&input=2").last("input"), Some("2"));
    }

    #[test]
    fn paths_keep_escaped_slashes() {
        assert_eq!(document_path("a%2Fb//c").unwrap(), ["a/b", "c"]);
        assert!(document_path("a%22b").is_err());
        assert_eq!(document_path("%zz").unwrap(), ["%zz"]);
        assert_eq!(storage_path("/a%2Fb/c/").unwrap(), ["a/b", "c"]);
        assert_eq!(storage_path("%zz"), None);
        assert_eq!(pointer_path("/a~1b/~01").unwrap(), ["a/b", "~1"]);
        assert!(storage_path("/").unwrap().is_empty());
    }
}
