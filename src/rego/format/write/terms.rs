//! Terms.

use super::{Stop, Writer, Written, iterables::Item};
use crate::rego::format::tree::{Literal, Loc, Part, Term, Value};

impl Writer<'_> {
    /// A term; where comments inside it cannot be placed, its own text.
    pub(super) fn term(&mut self, term: &Term) -> Written {
        if self.next >= self.comments.len() {
            return self.term_in(term, false);
        }
        let (length, level, next) = (self.out.len(), self.level, self.next);
        match self.term_in(term, false) {
            Err(Stop::Comment) => {
                self.out.truncate(length);
                self.level = level;
                let rows = term.loc.row..=self.end_row(term.loc);
                let inside = |at: usize| self.comment_row(at).is_some_and(|row| rows.contains(&row));
                if self.before_end.is_some_and(inside) {
                    self.before_end = None;
                }
                self.next = next;
                self.unformatted(term.loc)?;
                Err(Stop::Comment)
            }
            other => other,
        }
    }

    pub(super) fn term_in(&mut self, term: &Term, parentheses: bool) -> Written {
        let marked = self.parenthesise == Some(term.loc) && matches!(term.value, Value::Infix(..));
        if marked {
            self.parenthesise = None;
        }
        self.insert_comments(Some(term.loc.row))?;
        if !self.inline {
            self.start_line();
        }
        self.value_of(term, parentheses || marked)?;
        if !self.inline {
            self.start_line();
        }
        Ok(())
    }

    fn value_of(&mut self, term: &Term, parentheses: bool) -> Written {
        let loc = term.loc;
        match &term.value {
            Value::Scalar(text) | Value::Var(text) => self.write(text),
            Value::Text(quoted, _) => self.write(quoted),
            Value::Template(raw, parts) => self.template(*raw, parts, loc)?,
            Value::Ref(parts) => self.reference(parts)?,
            Value::Call(name, args) => self.call(name, args)?,
            Value::Infix("in", ..) | Value::InKey(_) => self.member(term, true)?,
            Value::Infix(sign, left, right) => self.infix(sign, left, right, parentheses)?,
            Value::Array(items) => {
                self.write("[");
                let close = self.closing(loc, '[', ']', None);
                let written = self.list(items, loc, close, true);
                self.write("]");
                written?;
            }
            Value::Set(items) if items.is_empty() => {
                self.write("set()");
                let close = self.closing(loc, '(', ')', None);
                self.insert_comments(close)?;
            }
            Value::Set(items) => {
                self.write("{");
                let close = self.closing(loc, '{', '}', None);
                let written = self.list(items, loc, close, true);
                self.write("}");
                written?;
            }
            Value::Object(members) => {
                self.write("{");
                let close = self.closing(loc, '{', '}', None);
                let items: Vec<Item<'_>> = members
                    .iter()
                    .map(|(key, value)| Item::Member(key, value))
                    .collect();
                let written = self.iterable(&items, loc, close, true);
                self.write("}");
                written?;
            }
            Value::ArrayOf(item, body) => {
                self.write("[");
                let written = self.comprehension(('[', ']'), item, body, loc);
                self.write("]");
                written?;
            }
            Value::SetOf(item, body) => {
                self.write("{");
                let written = self.comprehension(('{', '}'), item, body, loc);
                self.write("}");
                written?;
            }
            Value::ObjectOf(pair, body) => self.object_of(&pair.0, &pair.1, body, loc)?,
        }
        Ok(())
    }

    fn object_of(&mut self, key: &Term, value: &Term, body: &[Literal], loc: Loc) -> Written {
        self.write("{");
        // The value goes on the line of the brace, wherever it stood.
        let mut value = value.clone();
        value.loc.row = loc.row;
        if key.is_union() {
            self.write("(");
        }
        let mut written = self.term(key);
        if written.is_ok() {
            if key.is_union() {
                self.write(")");
            }
            self.write(": ");
            written = self.comprehension(('{', '}'), &value, body, loc);
        }
        self.write("}");
        written
    }

    fn comprehension(&mut self, brackets: (char, char), item: &Term, body: &[Literal], loc: Loc) -> Written {
        if item.loc.row > loc.row {
            self.end_line();
            self.start_line();
        }
        let call = matches!(item.value, Value::Call(..) | Value::Infix(..) | Value::InKey(_));
        let parentheses = call && (item.is_union() || self.slice(item.loc).starts_with('('));
        self.term_in(item, parentheses)?;
        self.write(" |");
        self.comprehended(brackets.0, brackets.1, body, (item.loc, loc))
    }

    fn infix(&mut self, sign: &str, left: &Term, right: &Term, parentheses: bool) -> Written {
        if parentheses {
            self.write("(");
        }
        self.term_in(left, true)?;
        self.write(&format!(" {sign} "));
        self.term_in(right, true)?;
        if parentheses {
            self.write(")");
        }
        Ok(())
    }

    /// `x in y`; `k, x in y` is a list of its own and takes parentheses inside a term.
    pub(super) fn member(&mut self, term: &Term, parentheses: bool) -> Written {
        match &term.value {
            Value::Infix(_, left, right) => {
                self.term_in(left, true)?;
                self.write(" in ");
                self.term_in(right, true)
            }
            Value::InKey(parts) => {
                let [key, value, domain] = &**parts;
                if parentheses {
                    self.write("(");
                }
                self.term_in(key, true)?;
                self.write(", ");
                self.term_in(value, true)?;
                self.write(" in ");
                let written = self.term_in(domain, true);
                if parentheses {
                    self.write(")");
                }
                written
            }
            _ => self.term(term),
        }
    }

    pub(super) fn reference(&mut self, parts: &[Term]) -> Written {
        let Some((head, rest)) = parts.split_first() else {
            return Ok(());
        };
        let call = matches!(head.value, Value::Call(..) | Value::Infix(..));
        let parentheses = call && self.slice(head.loc).starts_with('(');
        self.term_in(head, parentheses)?;
        for part in rest {
            match &part.value {
                Value::Text(quoted, content) => self.name_part(quoted, content, part.loc),
                Value::Var(name) => {
                    self.write("[");
                    self.write(name);
                    self.write("]");
                }
                _ => {
                    self.write("[");
                    match self.term(part) {
                        Err(Stop::Comment) => self.write("\n"),
                        other => other?,
                    }
                    self.write("]");
                }
            }
        }
        Ok(())
    }

    fn template(&mut self, raw: bool, parts: &[Part], loc: Loc) -> Written {
        let end = self.end_row(loc);
        if (self.before_end.is_some() && end > loc.row) || self.next_row().is_some_and(|row| row < end) {
            let what = "a comment stands inside a template";
            return Err(Stop::Fatal(what.to_owned()));
        }
        let quote = if raw { "`" } else { "\"" };
        self.write("$");
        self.write(quote);
        for part in parts {
            match part {
                Part::Text(text) => self.write(text),
                Part::Expr(literal) => {
                    if let Some(text) = literal.in_template(raw) {
                        self.write(&text);
                        continue;
                    }
                    self.write("{");
                    self.level += 1;
                    self.literal(literal)?;
                    self.write("}");
                    self.level = self.level.saturating_sub(1);
                }
            }
        }
        self.write(quote);
        Ok(())
    }
}
