//! Which language a person reads: what they chose, else what their browser asks for (RFC 9110 §12.5.4).

use http::{HeaderMap, header};
use serde::Serialize;
use url::form_urlencoded;

use crate::http::cookies;

/// Cookie that keeps a choice made with `?lang=`. Not personal, not secret.
pub const COOKIE: &str = "__Host-fg-lang";

/// A language with texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// Its BCP 47 tag, for the `lang` attribute and for `ui_locales`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language of a tag, by its first subtag: `de-AT` reads German.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| first.eq_ignore_ascii_case(language.tag()))
    }

    /// The choice in a query: `lang`, else `ui_locales` (OIDC Core §3.1.2.1, a list in order of liking).
    #[must_use]
    pub fn of_query(query: &str) -> Option<Self> {
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find_map(|(key, value)| (key == name).then_some(value))
        };
        value("lang")
            .and_then(|tag| Self::of_tag(&tag))
            .or_else(|| value("ui_locales").and_then(|list| list.split(' ').find_map(Self::of_tag)))
    }

    /// The language of a request: query, cookie, `Accept-Language`, English.
    #[must_use]
    pub fn of_request(query: &str, headers: &HeaderMap) -> Self {
        Self::of_query(query)
            .or_else(|| Self::of_cookie(headers))
            .or_else(|| {
                let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
                Self::of_accept_language(accepted)
            })
            .unwrap_or(Self::En)
    }

    fn of_cookie(headers: &HeaderMap) -> Option<Self> {
        cookies::of(headers).find_map(|(name, value)| (name == COOKIE).then(|| Self::of_tag(value)).flatten())
    }

    /// The best of `Accept-Language`: highest quality first, then the order written; `q=0` means never.
    #[must_use]
    pub fn of_accept_language(accepted: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        // Browsers send a handful; whoever sends thousands gets the first few looked at.
        for range in accepted.split(',').take(32) {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else {
                continue;
            };
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(Some(1000), thousandths)
                .unwrap_or(0);
            if quality > best.map_or(0, |(highest, _)| highest) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// `0.8` → 800; none for what is no quality.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let digits = format!("{fraction:0<3}");
    let fraction: u16 = digits.get(..3)?.parse().ok()?;
    Some((whole * 1000 + fraction).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_decide() {
        assert_eq!(
            Language::of_accept_language("de-AT,de;q=0.9,en;q=0.8"),
            Some(Language::De)
        );
        assert_eq!(
            Language::of_accept_language("de;q=0.3, en-GB;q=0.7"),
            Some(Language::En)
        );
        assert_eq!(Language::of_accept_language("fr, de;q=0.05"), Some(Language::De));
        assert_eq!(Language::of_accept_language("de;q=0"), None);
        assert_eq!(
            Language::of_accept_language("de;q=x, en;q=0.1"),
            Some(Language::En)
        );
        assert_eq!(Language::of_accept_language("fr,*;q=0.5"), None);
        assert_eq!(Language::of_accept_language(""), None);
    }

    #[test]
    fn a_choice_beats_the_browser() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
        assert_eq!(Language::of_request("", &headers), Language::En);
        assert_eq!(Language::of_request("a=1&lang=de", &headers), Language::De);
        assert_eq!(Language::of_request("ui_locales=fr+de", &headers), Language::De);
        assert_eq!(Language::of_request("lang=xx", &headers), Language::En);
        headers.insert(header::COOKIE, "a=b; __Host-fg-lang=de".parse().unwrap());
        assert_eq!(Language::of_request("", &headers), Language::De);
        assert_eq!(Language::of_request("lang=en", &headers), Language::En);
    }
}
