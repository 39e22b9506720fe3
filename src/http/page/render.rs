//! Template + view + language → answer.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, context,
    value::{Rest, Serde},
};

use super::{
    assets::Assets,
    headers,
    language::{self, Language},
    texts,
    view::{Failed, Onward, View},
};
use crate::domain::{
    fault::{Code, Fault},
    ids::Reference,
    lack::{parts_of, worded},
    time::Timestamp,
};

/// The templates or texts that are built in are broken. A unit test renders all of them.
#[derive(Debug, thiserror::Error)]
pub enum PageFault {
    /// A template does not parse.
    #[error("a built-in template is broken: {0}")]
    Template(#[from] minijinja::Error),
    /// A text file does not parse.
    #[error("a built-in text file is broken: {0}")]
    Texts(String),
}

const TEMPLATES: [(&str, &str); 12] = [
    ("base.html", include_str!("html/base.html")),
    ("parts.html", include_str!("html/parts.html")),
    ("choose.html", include_str!("html/choose.html")),
    ("sign_in.html", include_str!("html/sign_in.html")),
    ("onward.html", include_str!("html/onward.html")),
    ("device_code.html", include_str!("html/device_code.html")),
    ("device_confirm.html", include_str!("html/device_confirm.html")),
    ("device_done.html", include_str!("html/device_done.html")),
    ("my_access.html", include_str!("html/my_access.html")),
    ("confirm_logout.html", include_str!("html/confirm_logout.html")),
    ("logged_out.html", include_str!("html/logged_out.html")),
    ("failed.html", include_str!("html/failed.html")),
];

/// What every page of one request has in common.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The language it is written in.
    pub language: Language,
    /// Whether the person has just chosen that language, so that it is kept.
    pub chosen: bool,
    /// What the person can quote to the help desk.
    pub reference: Reference,
    /// Path and query of the page, for the link to the other language.
    pub here: String,
    /// When it is rendered.
    pub now: Timestamp,
}

impl Frame {
    /// The frame of a request.
    #[must_use]
    pub fn of(uri: &Uri, headers: &HeaderMap, reference: &Reference, now: Timestamp) -> Self {
        let query = uri.query().unwrap_or_default();
        let kept: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "lang"))
            .finish();
        Self {
            language: Language::of_request(query, headers),
            chosen: Language::of_query(query).is_some(),
            reference: reference.clone(),
            here: match kept.as_str() {
                "" => format!("{}?", uri.path()),
                kept => format!("{}?{kept}&", uri.path()),
            },
            now,
        }
    }
}

/// All pages, ready to be filled.
pub struct Pages {
    environment: Environment<'static>,
    words: BTreeMap<&'static str, Value>,
    assets: Assets,
    gateway: String,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pages")
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

impl Pages {
    /// Compiles everything. `gateway` is the name people read.
    pub fn load(gateway: &str) -> Result<Self, PageFault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_filter("fill", fill);
        environment.add_filter("reason", reason);
        environment.add_filter("strong", strong);
        environment.add_filter("moment", moment);
        environment.add_filter("span", span);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        let mut words = BTreeMap::new();
        for language in Language::ALL {
            words.insert(language.tag(), texts::words(language).map_err(PageFault::Texts)?);
        }
        Ok(Self {
            environment,
            words,
            assets: Assets::default(),
            gateway: gateway.to_owned(),
        })
    }

    /// Routes of the stylesheet and the mark.
    pub fn asset_routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.assets.routes()
    }

    /// The page as an answer.
    pub fn show<V: View>(&self, frame: &Frame, status: StatusCode, view: &V) -> Response {
        let (status, body) = match self.html(frame, view) {
            Ok(html) => (status, html),
            Err(fault) => {
                tracing::error!(reference = %frame.reference, template = V::TEMPLATE, error = %fault, "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, bare(frame))
            }
        };
        let mut response = (status, Body::from(body)).into_response();
        headers::secure(response.headers_mut());
        if frame.chosen {
            let cookie = format!(
                "{}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000",
                language::COOKIE,
                frame.language.tag()
            );
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
        }
        response
    }

    /// The answer to a form that leads to another origin: a page that goes on by itself (see [`headers`]).
    pub fn onward(&self, frame: &Frame, to: &str, place: Option<&str>) -> Response {
        let view = Onward {
            to: to.to_owned(),
            place: place.map(str::to_owned),
        };
        let mut response = self.show(frame, StatusCode::OK, &view);
        // A URL that is no header value is still a link on the page.
        if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={to}")) {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        response
    }

    /// The error page of a fault that knows nothing more than itself.
    pub fn fault(&self, frame: &Frame, fault: &Fault) -> Response {
        let view = Failed {
            reasons: fault.reasons.clone(),
            ..Failed::new(fault.code)
        };
        self.failed(frame, &view)
    }

    /// An error page with its status.
    pub fn failed(&self, frame: &Frame, view: &Failed) -> Response {
        let mut response = self.show(frame, crate::http::fault::status(view.code), view);
        crate::http::fault::extra_headers(view.code, response.headers_mut());
        response
    }

    fn html<V: View>(&self, frame: &Frame, view: &V) -> Result<String, minijinja::Error> {
        let template = self.environment.get_template(V::TEMPLATE)?;
        let other = match frame.language {
            Language::En => Language::De,
            Language::De => Language::En,
        };
        template.render(context! {
            t => self.words.get(frame.language.tag()).cloned().unwrap_or_default(),
            v => Value::from(Serde(view)),
            now => frame.now.0,
            page => context! {
                lang => frame.language.tag(),
                other => other.tag(),
                other_href => format!("{}lang={}", frame.here, other.tag()),
                reference => frame.reference.0.as_str(),
                gateway => self.gateway.as_str(),
                style => self.assets.style.path.as_str(),
                mark => self.assets.mark.path.as_str(),
            },
        })
    }
}

/// The page for when no page can be made. The reference is ours and made of plain characters; it is
/// checked all the same, because nothing escapes it here.
fn bare(frame: &Frame) -> String {
    let text = texts::of(Code::Internal, frame.language);
    let reference: String = frame
        .reference
        .0
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    format!(
        "<!doctype html><html lang=\"{}\"><title>{}</title><h1>{}</h1><p>{}</p><p>{reference}</p></html>",
        frame.language.tag(),
        text.title,
        text.title,
        text.next
    )
}

/// Puts the arguments where `{}` stands, in order. The result is escaped like any other text.
fn fill(text: &str, arguments: Rest<String>) -> String {
    let mut arguments = arguments.0.into_iter();
    let mut parts = text.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(&arguments.next().unwrap_or_default());
        out.push_str(part);
    }
    out
}

/// The text of a reason, with the name that it carries; a code that nobody has written a text for has a common one.
fn reason(texts: &Value, reason: &str) -> Result<String, minijinja::Error> {
    let (code, name) = parts_of(reason);
    let known = texts.get_attr(code)?;
    let text = if known.is_undefined() {
        texts.get_attr("other")?
    } else {
        known
    };
    Ok(worded(text.as_str().unwrap_or_default(), name))
}

/// As [`fill`], with each argument in `<strong>`; text and arguments are escaped here.
fn strong(text: &str, arguments: Rest<String>) -> Value {
    let escaped = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#x27;"),
                other => out.push(other),
            }
        }
        out
    };
    let arguments = arguments
        .0
        .into_iter()
        .map(|argument| format!("<strong>{}</strong>", escaped(&argument)))
        .collect();
    Value::from_safe_string(fill(&escaped(text), Rest(arguments)))
}

/// A point in time as people in both languages read it without doubt: `2026-11-24 09:45 UTC`.
fn moment(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).map_or_else(
        || seconds.to_string(),
        |at| at.format("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// A length of time, coarse: `7 h 50 min`, `12 min`, `45 s`.
fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page::view::Choose;

    fn frame(uri: &str) -> Frame {
        Frame::of(
            &uri.parse().unwrap(),
            &HeaderMap::new(),
            &Reference("r-1".into()),
            Timestamp(0),
        )
    }

    #[test]
    fn arguments_are_escaped_where_the_result_is_markup() {
        let made = strong("<{}> & {}", Rest(vec!["<b>".into(), "\"'".into()]));
        assert_eq!(
            made.as_str().unwrap(),
            "&lt;<strong>&lt;b&gt;</strong>&gt; &amp; <strong>&quot;&#x27;</strong>"
        );
        assert_eq!(fill("a {} b {}", Rest(vec!["1".into()])), "a 1 b ");
    }

    #[test]
    fn an_argument_that_holds_braces_stays_an_argument() {
        assert_eq!(fill("{} and {}", Rest(vec!["{}".into(), "x".into()])), "{} and x");
    }

    #[test]
    fn times_are_plain() {
        assert_eq!(moment(1_795_513_500), "2026-11-24 09:45 UTC");
        assert_eq!(span(7 * 3600 + 50 * 60), "7 h 50 min");
        assert_eq!(span(-5), "0 s");
        assert_eq!(span(3600), "1 h");
    }

    #[test]
    fn a_chosen_language_is_kept_and_the_other_is_one_link_away() {
        let pages = Pages::load("Cloud A").unwrap();
        let frame = frame("/login?return=a%26b&lang=de");
        assert!(frame.chosen);
        let html = pages.html(&frame, &Choose::default()).unwrap();
        assert!(html.contains("lang=\"de\""));
        assert!(html.contains("?return=a%26b&amp;lang=en"), "{html}");
        let answer = pages.show(&frame, StatusCode::OK, &Choose::default());
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-fg-lang=de; Path=/; Secure"));
    }

    #[test]
    fn going_on_is_a_page_and_no_redirect() {
        let pages = Pages::load("Cloud A").unwrap();
        let answer = pages.onward(&frame("/login"), "https://idp.example/a?b=c&d=e", Some("ACME"));
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(
            answer.headers()[header::REFRESH],
            "0; url=https://idp.example/a?b=c&d=e"
        );
        assert!(!answer.headers().contains_key(header::LOCATION));
    }
}
