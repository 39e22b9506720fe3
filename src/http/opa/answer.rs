//! What OPA answers with: its documents and its errors, written as its own encoder writes them.

use std::io;

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::rego::{ChangeFault, EvalFault, Issue};

/// OPA's codes.
pub(super) mod code {
    pub(in crate::http::opa) const INTERNAL: &str = "internal_error";
    pub(in crate::http::opa) const UNAUTHORIZED: &str = "unauthorized";
    pub(in crate::http::opa) const INVALID_PARAMETER: &str = "invalid_parameter";
    pub(in crate::http::opa) const INVALID_OPERATION: &str = "invalid_operation";
    pub(in crate::http::opa) const NOT_FOUND: &str = "resource_not_found";
    pub(in crate::http::opa) const CONFLICT: &str = "resource_conflict";
    pub(in crate::http::opa) const UNDEFINED: &str = "undefined_document";
}

/// OPA's messages.
pub(super) mod text {
    pub(in crate::http::opa) const COMPILE_MODULE: &str = "error(s) occurred while compiling module(s)";
    pub(in crate::http::opa) const PARSE_QUERY: &str = "error(s) occurred while parsing query";
    pub(in crate::http::opa) const COMPILE_QUERY: &str = "error(s) occurred while compiling query";
    pub(in crate::http::opa) const EVALUATION: &str = "error(s) occurred while evaluating query";
}

/// An error document with its status.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) document: ErrorDocument,
}

/// OPA's error document.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ErrorDocument {
    code: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorItem>,
}

#[derive(Debug, Clone, Serialize)]
struct ErrorItem {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    /// What to write instead; ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Location {
    file: String,
    row: u32,
    col: u32,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let document = ErrorDocument {
            code,
            message: message.into(),
            errors: Vec::new(),
        };
        Self { status, document }
    }

    /// The caller's fault.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_PARAMETER, message)
    }

    /// Ours.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, message)
    }

    pub(super) fn with(mut self, issues: &[Issue]) -> Self {
        self.document.errors = issues.iter().map(item).collect();
        self
    }

    /// An evaluation without a value: OPA's 500, or 400 where the query itself is wrong.
    pub(super) fn evaluation(fault: &EvalFault) -> Self {
        match fault {
            EvalFault::Failed(issues) => Self::internal(text::EVALUATION).with(issues),
            EvalFault::BadQuery(issues) => {
                let parsed = issues.iter().all(|issue| issue.code != "rego_parse_error");
                Self::bad(if parsed {
                    text::COMPILE_QUERY
                } else {
                    text::PARSE_QUERY
                })
                .with(issues)
            }
            EvalFault::Timeout => Self::cancelled("caller cancelled query execution"),
            EvalFault::Panicked => Self::internal("the policy engine failed over this query"),
            EvalFault::TooLarge(what) => Self::bad(what),
        }
    }

    fn cancelled(message: &str) -> Self {
        let mut refusal = Self::internal(text::EVALUATION);
        refusal.document.errors.push(ErrorItem {
            code: "eval_cancel_error",
            message: message.to_owned(),
            location: None,
            instead: None,
        });
        refusal
    }

    /// A change of data that was not made.
    pub(super) fn change(fault: &ChangeFault) -> Self {
        match fault {
            ChangeFault::Refused(refused) => Self::bad(listed(&refused.0)),
            ChangeFault::NotFound(what) => {
                // OPA does not name the path of a document.
                let what = match what.rsplit_once(": ") {
                    Some((_, said @ "document does not exist")) => said,
                    Some(_) | None => what.as_str(),
                };
                let message = format!("storage_not_found_error: {what}");
                Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message)
            }
            // A bundle or the configuration owns the path.
            ChangeFault::Owned(what) => Self::bad(what),
            ChangeFault::Conflict(what) => Self::new(
                StatusCode::NOT_FOUND,
                code::CONFLICT,
                format!("storage_write_conflict_error: {what}"),
            ),
            ChangeFault::BadPatch(what) => Self::bad(format!("storage_invalid_patch_error: {what}")),
        }
    }

    /// A change of policies that was not made; the code says whether the new text or what is left is wrong.
    pub(super) fn policies(fault: &ChangeFault, code: &'static str) -> Self {
        match fault {
            ChangeFault::Refused(refused) => {
                Self::new(StatusCode::BAD_REQUEST, code, text::COMPILE_MODULE).with(&refused.0)
            }
            ChangeFault::NotFound(_)
            | ChangeFault::Owned(_)
            | ChangeFault::Conflict(_)
            | ChangeFault::BadPatch(_) => Self::change(fault),
        }
    }

    /// The error document as a decision log keeps it.
    pub(super) fn as_json(&self) -> String {
        serde_json::to_string(&self.document).unwrap_or_default()
    }

    pub(super) fn into_response(self) -> Response {
        json(self.status, &self.document, true)
    }
}

fn item(issue: &Issue) -> ErrorItem {
    ErrorItem {
        code: issue.code,
        message: issue.message.clone(),
        instead: issue.instead.clone(),
        location: issue.place.as_ref().map(|place| Location {
            // A query has no file.
            file: if place.file.starts_with('<') {
                String::new()
            } else {
                place.file.clone()
            },
            row: place.row,
            col: place.col,
        }),
    }
}

/// `1 error occurred: p.rego:2: rego_compile_error: …`.
fn listed(issues: &[Issue]) -> String {
    let line = |issue: &Issue| {
        let place = issue
            .place
            .as_ref()
            .map(|place| format!("{}:{}: ", place.file, place.row));
        format!("{}{}: {}", place.unwrap_or_default(), issue.code, issue.message)
    };
    if let [only] = issues {
        return format!("1 error occurred: {}", line(only));
    }
    let lines: Vec<String> = issues.iter().map(line).collect();
    format!("{} errors occurred:\n{}", issues.len(), lines.join("\n"))
}

/// A JSON answer with a newline at its end.
pub(super) fn json(status: StatusCode, document: &impl Serialize, pretty: bool) -> Response {
    match encode(document, pretty) {
        Ok(bytes) => typed(status, "application/json", bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            typed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "application/json",
                b"{\"code\":\"internal_error\",\"message\":\"the answer cannot be written as JSON\"}\n"
                    .to_vec(),
            )
        }
    }
}

/// An answer of this media type.
pub(super) fn typed(status: StatusCode, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn encode(document: &impl Serialize, pretty: bool) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(128);
    if pretty {
        let format = GoPretty(PrettyFormatter::with_indent(b"  "));
        document.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, format))?;
    } else {
        document.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Go))?;
    }
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes strings as Go's encoder does: `<`, `>`, `&` and the two line separators escaped, so that an answer
/// shown in a page can never be markup.
fn fragment<W: ?Sized + io::Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    let mut rest = text;
    while let Some((before, found, after)) = rest
        .find(special)
        .and_then(|at| Some((rest.get(..at)?, rest.get(at..)?.chars().next()?, rest.get(at..)?)))
    {
        writer.write_all(before.as_bytes())?;
        write!(writer, "\\u{:04x}", u32::from(found))?;
        rest = after.get(found.len_utf8()..).unwrap_or_default();
    }
    writer.write_all(rest.as_bytes())
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        fragment(writer, text)
    }
}

struct GoPretty<'a>(PrettyFormatter<'a>);

impl Formatter for GoPretty<'_> {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        fragment(writer, text)
    }
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// A value as compact JSON, for the decision log.
pub(super) fn compact(document: &impl Serialize) -> Option<String> {
    let mut bytes = Vec::with_capacity(128);
    document
        .serialize(&mut serde_json::Serializer::with_formatter(
            &mut bytes,
            CompactFormatter,
        ))
        .ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_written_as_go_writes_them() {
        let document = json!({"a": "<b>&\u{2028}", "e": {}, "l": [], "n": [1]});
        let compact = String::from_utf8(encode(&document, false).unwrap()).unwrap();
        assert_eq!(
            compact,
            "{\"a\":\"\\u003cb\\u003e\\u0026\\u2028\",\"e\":{},\"l\":[],\"n\":[1]}\n"
        );
        let pretty = String::from_utf8(encode(&document, true).unwrap()).unwrap();
        assert!(pretty.starts_with("{\n  \"a\": \"\\u003cb"), "{pretty}");
        assert!(pretty.ends_with("  \"n\": [\n    1\n  ]\n}\n"), "{pretty}");
    }

    #[test]
    fn several_errors_are_counted() {
        let issue = Issue {
            code: "rego_compile_error",
            message: "m".into(),
            place: None,
            instead: None,
        };
        assert_eq!(
            listed(std::slice::from_ref(&issue)),
            "1 error occurred: rego_compile_error: m"
        );
        assert!(listed(&[issue.clone(), issue]).starts_with("2 errors occurred:\n"));
    }
}
