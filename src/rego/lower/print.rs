//! Writing the plain form, each part on its author's line and, where there is room, in its column.

use std::fmt::Write as _;

use crate::rego::syntax::{
    ast::{Body, Head, Kind, Literal, Makes, Part, Pos, Rule, Statement, Term, Tree},
    names::{KEYWORDS, is_name},
};

/// Where a piece of the written text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rego) struct Origin {
    pub(in crate::rego) written: Pos,
    pub(in crate::rego) author: Pos,
}

/// A module for the engine.
#[derive(Debug, Clone)]
pub(in crate::rego) struct Printed {
    pub(in crate::rego) text: String,
    pub(in crate::rego) origins: Vec<Origin>,
}

/// How many texts a module becomes, at most.
pub(super) fn parts(tree: &Tree) -> usize {
    1 + tree.rules.iter().filter_map(odd).count()
}

/// The first name of a rule that needs a module of its own.
fn odd(rule: &Rule) -> Option<String> {
    let first = rule.head.path.first().and_then(Term::as_var);
    first
        .filter(|name| KEYWORDS.contains(name) && rule.head.path.len() > 1)
        .map(str::to_owned)
}

/// The module, and one more for each first name of a rule that is a keyword: its package ends with that name.
pub(super) fn modules(tree: &Tree) -> Vec<Printed> {
    let mut all = vec![module(tree, &tree.package, |rule| odd(rule).is_none())];
    let mut names: Vec<String> = tree.rules.iter().filter_map(odd).collect();
    names.sort();
    names.dedup();
    for name in names {
        let package: Vec<String> = tree.package.iter().cloned().chain([name.clone()]).collect();
        let mut moved = tree.clone();
        moved.rules.retain(|rule| odd(rule).as_ref() == Some(&name));
        for rule in &mut moved.rules {
            rule.head.path.remove(0);
            if let Some(first) = rule.head.path.first_mut()
                && let Some(text) = first.as_text()
            {
                first.kind = Kind::Var(text.to_owned());
            }
        }
        all.push(module(&moved, &package, |_| true));
    }
    all
}

fn module(tree: &Tree, package: &[String], takes: impl Fn(&Rule) -> bool) -> Printed {
    let mut out = Writer::new();
    out.to(tree.pos);
    out.push("package ");
    for (at, name) in package.iter().enumerate() {
        if at == 0 {
            out.push(name);
        } else {
            out.key(name);
        }
    }
    for rule in tree.rules.iter().filter(|rule| takes(rule)) {
        if out.pos.col > 1 {
            out.line();
        }
        out.rule(rule);
    }
    out.line();
    Printed {
        text: out.text,
        origins: out.origins,
    }
}

pub(super) fn query(body: &Body, names: &[String]) -> String {
    let mut out = Writer::new();
    out.push("[{");
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.push(", ");
        }
        out.push(&quoted(name));
        out.push(": ");
        out.push(name);
    }
    out.push("} | ");
    out.body(body);
    out.push("]");
    out.text
}

pub(super) fn term(term: &Term) -> String {
    let mut out = Writer::new();
    out.term(term);
    out.text
}

struct Writer {
    text: String,
    pos: Pos,
    origins: Vec<Origin>,
}

impl Writer {
    fn new() -> Self {
        Self {
            text: String::new(),
            pos: Pos { row: 1, col: 1 },
            origins: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        // Texts are written with escapes, so none holds a line's end.
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        self.pos.col = self.pos.col.saturating_add(letters);
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.pos.row += 1;
        self.pos.col = 1;
    }

    /// Goes to the author's place, if it is ahead.
    fn to(&mut self, pos: Pos) {
        while self.pos.row < pos.row {
            self.line();
        }
        if self.pos.row == pos.row && self.pos.col < pos.col {
            let room = usize::try_from(pos.col - self.pos.col).unwrap_or_default();
            self.push(&" ".repeat(room));
        }
        self.origins.push(Origin {
            written: self.pos,
            author: pos,
        });
    }

    /// A part of a path behind its first: `.name`, or in brackets.
    fn key(&mut self, name: &str) {
        // The engine takes keywords here, and finds default functions by dots alone.
        if is_name(name) {
            self.push(".");
            self.push(name);
        } else {
            self.push("[");
            self.push(&quoted(name));
            self.push("]");
        }
    }

    fn rule(&mut self, rule: &Rule) {
        self.to(rule.pos);
        if rule.default {
            self.push("default ");
        }
        self.head(&rule.head, rule.body.is_some() || rule.default);
        if let Some(body) = &rule.body {
            self.push(" if ");
            self.block(body);
        }
        for branch in &rule.elses {
            self.push(" ");
            self.to(branch.pos);
            self.push("else");
            if let Some(value) = &branch.value {
                self.push(" := ");
                self.term(value);
            }
            if let Some(body) = &branch.body {
                self.push(" if ");
                self.block(body);
            }
        }
    }

    fn head(&mut self, head: &Head, bodied: bool) {
        let (first, rest) = match head.path.split_first() {
            Some((first, rest)) => (first.as_var().unwrap_or_default(), rest),
            None => ("", [].as_slice()),
        };
        self.push(first);
        self.path(rest);
        if let Some(args) = &head.args {
            self.list("(", args, ")");
        }
        match &head.makes {
            Makes::Item(term) => {
                self.push(" contains ");
                self.term(term);
            }
            Makes::Value(Some(term)) => {
                self.push(" := ");
                self.term(term);
            }
            Makes::Value(None) if !bodied || !rest.is_empty() => self.push(" := true"),
            Makes::Value(None) => {}
        }
    }

    fn path(&mut self, parts: &[Term]) {
        for part in parts {
            if let Some(name) = part.as_text() {
                self.key(name);
            } else {
                self.push("[");
                self.term(part);
                self.push("]");
            }
        }
    }

    fn block(&mut self, body: &Body) {
        self.push("{ ");
        self.body(body);
        self.push(" }");
    }

    fn body(&mut self, body: &Body) {
        for (at, literal) in body.iter().enumerate() {
            if at > 0 && literal.pos.row <= self.pos.row {
                self.push("; ");
            }
            self.literal(literal);
        }
    }

    fn literal(&mut self, literal: &Literal) {
        self.to(literal.pos);
        match &literal.kind {
            Statement::Expr(term) => self.statement(term),
            Statement::Not(term) => {
                self.push("not ");
                self.statement(term);
            }
            Statement::Some(names) => {
                self.push("some ");
                let names: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
                self.push(&names.join(", "));
            }
            Statement::SomeIn(key, value, collection) => {
                self.push("some ");
                if let Some(key) = key {
                    self.term(key);
                    self.push(", ");
                }
                self.term(value);
                self.push(" in ");
                self.term(collection);
            }
            Statement::Every(every) => {
                self.push("every ");
                if let Some(key) = &every.key {
                    self.term(key);
                    self.push(", ");
                }
                self.term(&every.value);
                self.push(" in ");
                self.term(&every.domain);
                self.push(" ");
                self.block(&every.body);
            }
            // Lowered before.
            Statement::NotBody(body) | Statement::And(body, _) | Statement::Or(body, _) => self.body(body),
        }
        for with in &literal.with {
            self.push(" with ");
            self.term(&with.target);
            self.push(" as ");
            self.term(&with.value);
        }
    }

    /// A term that is a whole statement: its operator needs no parentheses.
    fn statement(&mut self, term: &Term) {
        match &term.kind {
            Kind::Infix(op, left, right) => {
                self.term(left);
                self.push(" ");
                self.push(op.names().0);
                self.push(" ");
                self.term(right);
            }
            Kind::InKey(parts) => self.in_key(parts),
            _ => self.term(term),
        }
    }

    fn in_key(&mut self, parts: &[Term; 3]) {
        let [key, value, collection] = parts;
        self.term(key);
        self.push(", ");
        self.term(value);
        self.push(" in ");
        self.term(collection);
    }

    fn term(&mut self, term: &Term) {
        self.to(term.pos);
        match &term.kind {
            Kind::Null => self.push("null"),
            Kind::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Kind::Number(text) | Kind::Var(text) => self.push(text),
            Kind::Text(text) => self.push(&quoted(text)),
            Kind::Template(parts) => self.template(parts),
            Kind::Ref(parts) => {
                if let Some((head, rest)) = parts.split_first() {
                    self.term(head);
                    self.path(rest);
                }
            }
            Kind::Call(function, args) => {
                self.term(function);
                self.list("(", args, ")");
            }
            Kind::Infix(..) => {
                self.push("(");
                self.statement(term);
                self.push(")");
            }
            Kind::InKey(parts) => {
                self.push("(");
                self.in_key(parts);
                self.push(")");
            }
            Kind::Array(items) => self.list("[", items, "]"),
            Kind::Set(items) if items.is_empty() => self.push("set()"),
            Kind::Set(items) => self.list("{", items, "}"),
            Kind::Object(pairs) => self.object(pairs),
            Kind::ArrayOf(value, body) => self.comprehension("[", &[value], body, "]"),
            Kind::SetOf(value, body) => self.comprehension("{", &[value], body, "}"),
            Kind::ObjectOf(pair, body) => self.comprehension("{", &[&pair.0, &pair.1], body, "}"),
        }
    }

    /// Lowered before; only a tree that was not is written with them.
    fn template(&mut self, parts: &[Part]) {
        self.push("concat(\"\", [");
        for part in parts {
            if let Part::Text(text) = part {
                self.push(&quoted(text));
                self.push(", ");
            }
        }
        self.push("\"\"])");
    }

    fn list(&mut self, open: &str, items: &[Term], close: &str) {
        self.push(open);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.term(item);
        }
        self.push(close);
    }

    fn object(&mut self, pairs: &[(Term, Term)]) {
        self.push("{");
        for (at, (key, value)) in pairs.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.term(key);
            self.push(": ");
            self.term(value);
        }
        self.push("}");
    }

    fn comprehension(&mut self, open: &str, terms: &[&Term], body: &Body, close: &str) {
        self.push(open);
        for (at, term) in terms.iter().enumerate() {
            if at > 0 {
                self.push(": ");
            }
            self.term(term);
        }
        self.push(" | ");
        self.body(body);
        self.push(close);
    }
}

/// A text as the engine's reader takes it: JSON.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            letter if letter < ' ' || letter == '\u{7f}' => {
                // Writing into a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
