//! What went wrong, in OPA's words and codes: where, what, and what to write instead.

use std::fmt;

use regorus::LimitError;

/// A place in a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The module's id.
    pub file: String,
    /// The line, counted from 1.
    pub row: u32,
    /// The column, counted from 1.
    pub col: u32,
}

/// One finding at load or at an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// OPA's code: `rego_parse_error`, `rego_unsafe_var_error`, `eval_conflict_error` …
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; absent if it is not in one module.
    pub place: Option<Place>,
    /// What to write instead.
    pub instead: Option<String>,
}

impl Issue {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
            instead: None,
        }
    }

    pub(super) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(super) fn instead(mut self, text: impl Into<String>) -> Self {
        self.instead = Some(text.into());
        self
    }

    /// The same, with this to write instead where it says nothing.
    #[must_use]
    pub fn or_instead(mut self, text: &str) -> Self {
        self.instead.get_or_insert_with(|| text.to_owned());
        self
    }

    /// From an error of the engine, which names its place as `--> file:line:column` in its text.
    pub(super) fn from_engine(text: &str) -> Self {
        let place = text
            .split_once("--> ")
            .and_then(|(_, rest)| rest.lines().next())
            .and_then(|place| {
                let (rest, col) = place.trim().rsplit_once(':')?;
                let (file, row) = rest.rsplit_once(':')?;
                Some(Place {
                    file: file.to_owned(),
                    row: row.parse().ok()?,
                    col: col.parse().ok()?,
                })
            });
        let message = text
            .rsplit_once("error: ")
            .map_or(text, |(_, message)| message)
            .trim();
        // A builtin says by itself what OPA would call its error.
        let operand = text.contains("error: eval_type_error: ");
        Self {
            code: if operand { "eval_type_error" } else { code(message) },
            message: message.to_owned(),
            place,
            instead: None,
        }
    }
}

/// OPA's code for an error text of the engine.
fn code(message: &str) -> &'static str {
    const KNOWN: [(&str, &str); 19] = [
        ("produce multiple outputs", "eval_conflict_error"),
        ("function produced multiple outputs", "eval_conflict_error"),
        ("value for key", "eval_conflict_error"),
        ("rule conflicts with rule at", "eval_conflict_error"),
        ("recursion detected", "rego_recursion_error"),
        ("is unsafe", "rego_unsafe_var_error"),
        ("could not find function", "rego_type_error"),
        ("use of undefined variable", "rego_unsafe_var_error"),
        // What the engine's own builtins say of an operand of another type.
        ("` expects ", "eval_type_error"),
        ("argument. Got", "eval_type_error"),
        ("` requires array/object/set argument", "eval_type_error"),
        ("` requires set/array argument", "eval_type_error"),
        ("` requires path to be", "eval_type_error"),
        ("requires array/object/set/string argument", "eval_type_error"),
        ("operand must be integer", "eval_type_error"),
        ("initial vertices must be", "eval_type_error"),
        ("is not an object", "eval_type_error"),
        ("marshaling option must be", "eval_type_error"),
        ("` expects base to be", "eval_type_error"),
    ];
    KNOWN
        .iter()
        .find(|(part, _)| message.contains(part))
        .map_or("eval_builtin_error", |(_, code)| code)
}

impl fmt::Display for Issue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(out, "{}:{}: ", place.file, place.row)?;
        }
        write!(out, "{}: {}", self.code, self.message)?;
        match &self.instead {
            Some(instead) => write!(out, "; {instead}"),
            None => Ok(()),
        }
    }
}

/// Nothing was taken into use; what ran before still runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub Vec<Issue>);

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(&self.0, out)
    }
}

impl std::error::Error for Refused {}

fn lines(issues: &[Issue], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, issue) in issues.iter().enumerate() {
        if index > 0 {
            out.write_str("\n")?;
        }
        fmt::Display::fmt(issue, out)?;
    }
    Ok(())
}

/// An evaluation without a value. Never an allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalFault {
    /// A conflict, or an error of a builtin.
    Failed(Vec<Issue>),
    /// The time was up.
    Timeout,
    /// The engine panicked.
    Panicked,
    /// The input is beyond the bounds.
    TooLarge(String),
    /// The text of the query is wrong.
    BadQuery(Vec<Issue>),
}

impl EvalFault {
    pub(super) fn from_engine(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<LimitError>() {
            Some(LimitError::TimeLimitExceeded { .. }) => Self::Timeout,
            Some(_) | None => Self::Failed(vec![Issue::from_engine(&error.to_string())]),
        }
    }
}

impl fmt::Display for EvalFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(issues) | Self::BadQuery(issues) => lines(issues, out),
            Self::Timeout => out.write_str("eval_cancel_error: the time for the evaluation was up"),
            Self::Panicked => out.write_str("the engine panicked"),
            Self::TooLarge(what) => out.write_str(what),
        }
    }
}

impl std::error::Error for EvalFault {}

/// A change that was not made. The old state is whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeFault {
    /// The policies would not load.
    #[error("{0}")]
    Refused(Refused),
    /// There is no such policy, document or bundle.
    #[error("{0}")]
    NotFound(String),
    /// A parent that is no object, or bundles that do not go together.
    #[error("{0}")]
    Conflict(String),
    /// A path that a bundle owns: only the bundle writes there.
    #[error("{0}")]
    Owned(String),
    /// An operation of a patch that cannot be done.
    #[error("{0}")]
    BadPatch(String),
}
