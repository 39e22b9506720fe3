//! A module as its author wrote it: every part knows its text, so that nothing of it has to be guessed.

/// Where a part stands. `start..end` is its text as OPA's formatter has it, which is sometimes more or less
/// than the part (a parenthesis before it counts, its row is that of its first token).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Loc {
    pub(super) row: usize,
    pub(super) col: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A comment without its `#`, trimmed at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) row: usize,
    pub(super) text: String,
}

#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) loc: Loc,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// `null`, `true`, `false` or a number, as written.
    Scalar(String),
    /// A text, as written with its quotes, and its content.
    Text(String, String),
    Template(bool, Vec<Part>),
    Var(String),
    /// At least two parts; those behind a dot are `Text`.
    Ref(Vec<Term>),
    /// What is called, and the arguments.
    Call(Box<Term>, Vec<Term>),
    Infix(&'static str, Box<Term>, Box<Term>),
    /// `key, value in collection`
    InKey(Box<[Term; 3]>),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    ArrayOf(Box<Term>, Vec<Literal>),
    SetOf(Box<Term>, Vec<Literal>),
    ObjectOf(Box<(Term, Term)>, Vec<Literal>),
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    /// As written.
    Text(String),
    Expr(Box<Literal>),
}

#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) loc: Loc,
    pub(super) negated: bool,
    pub(super) kind: Kind,
    pub(super) with: Vec<With>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Expr(Term),
    Some(Vec<Term>),
    /// `some x in xs`, `some k, v in xs`
    SomeIn(Term),
    Every(Box<Every>),
}

#[derive(Debug, Clone)]
pub(super) struct Every {
    pub(super) key: Option<Term>,
    pub(super) value: Term,
    pub(super) domain: Term,
    pub(super) body: Vec<Literal>,
}

#[derive(Debug, Clone)]
pub(super) struct With {
    pub(super) loc: Loc,
    pub(super) target: Term,
    pub(super) value: Term,
}

#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) loc: Loc,
    /// A variable or a reference.
    pub(super) path: Term,
    pub(super) alias: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) loc: Loc,
    pub(super) default: bool,
    pub(super) head: Head,
    pub(super) body: Option<Vec<Literal>>,
    pub(super) otherwise: Option<Box<Otherwise>>,
}

#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) loc: Loc,
    /// The name and the parts behind it.
    pub(super) path: Vec<Term>,
    pub(super) args: Option<Vec<Term>>,
    /// Of `contains`, or of `p[x]` where that is a set.
    pub(super) item: Option<Term>,
    /// Whether it was written with `:=`.
    pub(super) assign: bool,
    pub(super) value: Option<Term>,
}

/// An `else`.
#[derive(Debug, Clone)]
pub(super) struct Otherwise {
    pub(super) loc: Loc,
    /// The text up to the end of the value.
    pub(super) head: Loc,
    pub(super) assign: bool,
    pub(super) value: Option<Term>,
    pub(super) body: Option<Vec<Literal>>,
    pub(super) otherwise: Option<Box<Self>>,
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) package: Term,
    pub(super) at: Loc,
    pub(super) imports: Vec<Import>,
    pub(super) rules: Vec<Rule>,
    pub(super) comments: Vec<Comment>,
}

impl Literal {
    /// What a constant inside a template is written as: OPA puts its text there.
    pub(super) fn in_template(&self, raw: bool) -> Option<String> {
        let Kind::Expr(term) = &self.kind else {
            return None;
        };
        if self.negated || !self.with.is_empty() {
            return None;
        }
        match &term.value {
            Value::Scalar(text) => Some(text.clone()),
            Value::Text(_, content) if raw => Some(content.replace('{', "\\{")),
            Value::Text(_, content) => {
                let quoted = serde_json::Value::from(content.as_str()).to_string();
                let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                inner.map(|text| text.replace('{', "\\{"))
            }
            Value::Var(_)
            | Value::Template(..)
            | Value::Ref(_)
            | Value::Call(..)
            | Value::Infix(..)
            | Value::InKey(_)
            | Value::Array(_)
            | Value::Set(_)
            | Value::Object(_)
            | Value::ArrayOf(..)
            | Value::SetOf(..)
            | Value::ObjectOf(..) => None,
        }
    }
}

impl Term {
    pub(super) fn name(&self) -> Option<&str> {
        match &self.value {
            Value::Var(name) => Some(name),
            Value::Scalar(_)
            | Value::Text(..)
            | Value::Template(..)
            | Value::Ref(_)
            | Value::Call(..)
            | Value::Infix(..)
            | Value::InKey(_)
            | Value::Array(_)
            | Value::Set(_)
            | Value::Object(_)
            | Value::ArrayOf(..)
            | Value::SetOf(..)
            | Value::ObjectOf(..) => None,
        }
    }

    /// The names of a variable or of a reference whose parts are constant texts.
    pub(super) fn names(&self) -> Vec<&str> {
        if let Value::Ref(parts) = &self.value {
            return parts.iter().filter_map(Self::constant).collect();
        }
        self.constant().into_iter().collect()
    }

    fn constant(&self) -> Option<&str> {
        if let Value::Text(_, content) = &self.value {
            return Some(content);
        }
        self.name()
    }

    /// Whether `|` stands between two terms here.
    pub(super) fn is_union(&self) -> bool {
        matches!(&self.value, Value::Infix("|", ..))
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(&self.value, Value::Scalar(text) if text == "true")
    }
}
