//! The syntax tree of Rego as the author wrote it, each part with its place.

use super::walk::{self, Visit};

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(in crate::rego) struct Pos {
    pub(in crate::rego) row: u32,
    pub(in crate::rego) col: u32,
}

/// An operator between two terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rego) enum Op {
    Assign,
    Unify,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    Union,
    Intersection,
    In,
}

impl Op {
    /// Its sign and the builtin that it calls.
    pub(in crate::rego) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Assign => (":=", "assign"),
            Self::Unify => ("=", "eq"),
            Self::Equal => ("==", "equal"),
            Self::NotEqual => ("!=", "neq"),
            Self::Less => ("<", "lt"),
            Self::LessEqual => ("<=", "lte"),
            Self::Greater => (">", "gt"),
            Self::GreaterEqual => (">=", "gte"),
            Self::Plus => ("+", "plus"),
            Self::Minus => ("-", "minus"),
            Self::Times => ("*", "mul"),
            Self::Divide => ("/", "div"),
            Self::Remainder => ("%", "rem"),
            Self::Union => ("|", "or"),
            Self::Intersection => ("&", "and"),
            Self::In => ("in", "internal.member_2"),
        }
    }

    /// How tight it binds; nothing for `:=` and `=`, which stand between whole terms.
    pub(in crate::rego) const fn strength(self) -> u8 {
        match self {
            Self::Assign | Self::Unify => 0,
            Self::In => 1,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual => 2,
            Self::Union => 3,
            Self::Intersection => 4,
            Self::Plus | Self::Minus => 5,
            Self::Times | Self::Divide | Self::Remainder => 6,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Term {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) enum Kind {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    /// `$"…{x}…"`: texts and terms in turn.
    Template(Vec<Part>),
    Var(String),
    /// A head and at least one part: `a.b`, `a["b"]`, `f(x)[i]`.
    Ref(Vec<Term>),
    /// What is called: a variable or a reference.
    Call(Box<Term>, Vec<Term>),
    Infix(Op, Box<Term>, Box<Term>),
    /// `key, value in collection`.
    InKey(Box<[Term; 3]>),
    Array(Vec<Term>),
    Object(Vec<(Term, Term)>),
    Set(Vec<Term>),
    ArrayOf(Box<Term>, Body),
    SetOf(Box<Term>, Body),
    ObjectOf(Box<(Term, Term)>, Body),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) enum Part {
    Text(String),
    /// An expression, which may carry `with`.
    Expr(Box<Literal>),
}

pub(in crate::rego) type Body = Vec<Literal>;

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Literal {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) kind: Statement,
    pub(in crate::rego) with: Vec<With>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct With {
    pub(in crate::rego) target: Term,
    pub(in crate::rego) value: Term,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) enum Statement {
    Expr(Term),
    Not(Term),
    /// `not { … }`, and `not x` where `future.keywords.not` is imported.
    NotBody(Body),
    Some(Vec<(Pos, String)>),
    SomeIn(Option<Term>, Term, Term),
    Every(Box<Every>),
    And(Body, Body),
    Or(Body, Body),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Every {
    pub(in crate::rego) key: Option<Term>,
    pub(in crate::rego) value: Term,
    pub(in crate::rego) domain: Term,
    pub(in crate::rego) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Import {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) path: Vec<String>,
    pub(in crate::rego) alias: Option<String>,
}

/// What a rule makes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) enum Makes {
    /// One value at the path of its head, which may hold variables.
    Value(Option<Term>),
    /// An item of the set at the path of its head.
    Item(Term),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Head {
    pub(in crate::rego) pos: Pos,
    /// The name and the parts behind it.
    pub(in crate::rego) path: Vec<Term>,
    /// Of a function.
    pub(in crate::rego) args: Option<Vec<Term>>,
    pub(in crate::rego) makes: Makes,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Else {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) value: Option<Term>,
    pub(in crate::rego) body: Option<Body>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Rule {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) default: bool,
    pub(in crate::rego) head: Head,
    pub(in crate::rego) body: Option<Body>,
    pub(in crate::rego) elses: Vec<Else>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Comment {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::rego) struct Tree {
    pub(in crate::rego) pos: Pos,
    pub(in crate::rego) package: Vec<String>,
    pub(in crate::rego) imports: Vec<Import>,
    pub(in crate::rego) rules: Vec<Rule>,
    pub(in crate::rego) comments: Vec<Comment>,
}

impl Head {
    /// The constant names that the path begins with.
    pub(in crate::rego) fn names(&self) -> impl Iterator<Item = &str> {
        self.path.iter().enumerate().map_while(
            |(at, part)| {
                if at == 0 { part.as_var() } else { part.as_text() }
            },
        )
    }
}

impl Tree {
    /// The path of a rule below `data` as far as it is constant, and whether that is all of it.
    pub(in crate::rego) fn path_of(&self, rule: &Rule) -> (Vec<String>, bool) {
        let names = rule.head.names().map(str::to_owned);
        let path: Vec<String> = self.package.iter().cloned().chain(names).collect();
        let whole = path.len() == self.package.len() + rule.head.path.len();
        (path, whole)
    }

    /// The same of the rule at an index.
    pub(in crate::rego) fn path_at(&self, index: usize) -> Option<Vec<String>> {
        self.rules.get(index).map(|rule| self.path_of(rule).0)
    }
}

impl Term {
    pub(in crate::rego) const fn new(pos: Pos, kind: Kind) -> Self {
        Self { pos, kind }
    }

    pub(in crate::rego) fn var(pos: Pos, name: impl Into<String>) -> Self {
        Self::new(pos, Kind::Var(name.into()))
    }

    pub(in crate::rego) fn text(pos: Pos, text: impl Into<String>) -> Self {
        Self::new(pos, Kind::Text(text.into()))
    }

    pub(in crate::rego) fn infix(pos: Pos, op: Op, left: Self, right: Self) -> Self {
        Self::new(pos, Kind::Infix(op, Box::new(left), Box::new(right)))
    }

    pub(in crate::rego) fn as_var(&self) -> Option<&str> {
        match &self.kind {
            Kind::Var(name) => Some(name),
            _ => None,
        }
    }

    pub(in crate::rego) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The names of a reference whose parts are all constant texts, or of a variable.
    pub(in crate::rego) fn names(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Var(name) => Some(vec![name]),
            Kind::Ref(parts) => {
                let (first, rest) = parts.split_first()?;
                let mut names = vec![first.as_var()?];
                for part in rest {
                    names.push(part.as_text()?);
                }
                Some(names)
            }
            _ => None,
        }
    }

    /// The terms directly inside, without bodies and templates, which close over their variables.
    pub(in crate::rego) fn inner_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Var(_)
            | Kind::Template(_) => Vec::new(),
            Kind::Ref(terms) | Kind::Array(terms) | Kind::Set(terms) => terms.iter_mut().collect(),
            Kind::Call(function, args) => std::iter::once(&mut **function).chain(args).collect(),
            Kind::Infix(_, left, right) => vec![left, right],
            Kind::InKey(terms) => terms.iter_mut().collect(),
            Kind::Object(pairs) => pairs.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            Kind::ArrayOf(term, _) | Kind::SetOf(term, _) => vec![term],
            Kind::ObjectOf(pair, _) => {
                let (key, value) = &mut **pair;
                vec![key, value]
            }
        }
    }

    /// The terms directly inside, without bodies and templates, which close over their variables.
    pub(in crate::rego) fn inner(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Var(_)
            | Kind::Template(_) => Vec::new(),
            Kind::Ref(terms) | Kind::Array(terms) | Kind::Set(terms) => terms.iter().collect(),
            Kind::Call(function, args) => std::iter::once(&**function).chain(args).collect(),
            Kind::Infix(_, left, right) => vec![left, right],
            Kind::InKey(terms) => terms.iter().collect(),
            Kind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Kind::ArrayOf(term, _) | Kind::SetOf(term, _) => vec![term],
            Kind::ObjectOf(pair, _) => vec![&pair.0, &pair.1],
        }
    }

    /// How many levels of terms and literals there are, this one included.
    pub(in crate::rego) fn height(&self) -> usize {
        let mut height = Height::default();
        height.term(self);
        height.most
    }

    /// The body of a comprehension.
    pub(in crate::rego) const fn body(&self) -> Option<&Body> {
        match &self.kind {
            Kind::ArrayOf(_, body) | Kind::SetOf(_, body) | Kind::ObjectOf(_, body) => Some(body),
            _ => None,
        }
    }

    /// The body of a comprehension.
    pub(in crate::rego) const fn body_mut(&mut self) -> Option<&mut Body> {
        match &mut self.kind {
            Kind::ArrayOf(_, body) | Kind::SetOf(_, body) | Kind::ObjectOf(_, body) => Some(body),
            _ => None,
        }
    }
}

impl Literal {
    pub(in crate::rego) const fn new(pos: Pos, kind: Statement) -> Self {
        Self {
            pos,
            kind,
            with: Vec::new(),
        }
    }

    pub(in crate::rego) const fn expr(term: Term) -> Self {
        Self::new(term.pos, Statement::Expr(term))
    }
}

/// The same of a body.
pub(in crate::rego) fn height(body: &[Literal]) -> usize {
    let mut height = Height::default();
    walk::body(&mut height, body);
    height.most
}

#[derive(Default)]
struct Height {
    now: usize,
    most: usize,
}

impl Height {
    fn level(&mut self, inside: impl FnOnce(&mut Self)) {
        self.now += 1;
        self.most = self.most.max(self.now);
        inside(self);
        self.now -= 1;
    }
}

impl Visit for Height {
    fn term(&mut self, term: &Term) {
        self.level(|height| walk::inside(height, term));
    }

    fn literal(&mut self, literal: &Literal) {
        self.level(|height| walk::statement(height, literal));
    }
}
