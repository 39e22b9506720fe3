//! Bodies and expressions.

use super::{Stop, Writer, Written, modules::lenient};
use crate::rego::format::tree::{Every, Kind, Literal, Loc, Term, Value, With};

/// A set alone is read as a body where braces follow `if`.
pub(super) fn is_set(literal: &Literal) -> bool {
    !literal.negated
        && matches!(
            &literal.kind,
            Kind::Expr(Term {
                value: Value::Set(_),
                ..
            })
        )
}

pub(super) fn is_true(literal: &Literal) -> bool {
    !literal.negated && literal.with.is_empty() && matches!(&literal.kind, Kind::Expr(term) if term.is_true())
}

impl Writer<'_> {
    pub(super) fn body(&mut self, body: &[Literal]) -> Written {
        self.insert_comments(body.first().map(|literal| literal.loc.row))?;
        let mut before: Option<Loc> = None;
        for literal in body {
            if before.is_some_and(|before| literal.loc.row > self.end_row(before) + 1) {
                self.blank_line();
            }
            before = Some(literal.loc);
            self.start_line();
            lenient(self.literal(literal))?;
            self.end_line();
        }
        Ok(())
    }

    pub(super) fn literal(&mut self, literal: &Literal) -> Written {
        let parentheses = self.parenthesise == Some(literal.loc);
        if parentheses {
            self.parenthesise = None;
        }
        self.insert_comments(Some(literal.loc.row))?;
        if !self.inline {
            self.start_line();
        }
        if literal.negated {
            self.write("not ");
        }
        if parentheses {
            self.write("(");
        }
        match &literal.kind {
            Kind::Expr(term) => self.expression(term)?,
            Kind::Some(names) => self.some(names, literal.loc)?,
            Kind::SomeIn(term) => {
                self.insert_comments(Some(literal.loc.row))?;
                self.write("some ");
                self.member(term, false)?;
            }
            Kind::Every(every) => self.every(every, literal.loc)?,
        }
        if parentheses {
            self.write(")");
        }
        self.withs(literal)
    }

    fn withs(&mut self, literal: &Literal) -> Written {
        let Some(first) = literal.with.first() else {
            return Ok(());
        };
        let terms = Loc {
            end: first.loc.start,
            ..literal.loc
        };
        let mut last = terms.row + self.slice(terms).trim_end().matches('\n').count();
        let mut rest = literal.with.as_slice();
        if first.loc.row == last {
            self.with(first, false)?;
            last = first.loc.row;
            rest = rest.get(1..).unwrap_or_default();
        }
        let level = self.level;
        let written = self.more_withs(rest, last);
        self.level = level;
        written
    }

    fn more_withs(&mut self, rest: &[With], mut last: usize) -> Written {
        let mut indented = false;
        for with in rest {
            let indent = with.loc.row > last;
            if indent {
                if !indented {
                    self.level += 1;
                    indented = true;
                }
                self.end_line();
                self.start_line();
                last = with.loc.row;
            }
            self.with(with, indent)?;
        }
        Ok(())
    }

    fn with(&mut self, with: &With, indented: bool) -> Written {
        self.insert_comments(Some(with.loc.row))?;
        if !indented {
            self.write(" ");
        }
        self.write("with ");
        self.term(&with.target)?;
        self.write(" as ");
        // Written as it was where comments met; the next `with` follows all the same.
        lenient(self.term(&with.value))
    }

    /// An expression: operators at its top need no parentheses.
    fn expression(&mut self, term: &Term) -> Written {
        match &term.value {
            Value::Infix("in", ..) | Value::InKey(_) => self.member(term, false),
            Value::Infix(sign, left, right) => {
                self.term(left)?;
                self.write(&format!(" {sign} "));
                self.term(right)
            }
            Value::Call(name, args) => self.call(name, args),
            _ => self.term(term),
        }
    }

    fn some(&mut self, names: &[Term], loc: Loc) -> Written {
        self.insert_comments(Some(loc.row))?;
        self.write("some ");
        let mut row = loc.row;
        for (at, name) in names.iter().enumerate() {
            if name.loc.row > row {
                self.end_line();
                self.start_line();
                self.write("\t");
                row = name.loc.row;
            } else if at > 0 {
                self.write(" ");
            }
            self.term(name)?;
            if at + 1 < names.len() {
                self.write(",");
            }
        }
        Ok(())
    }

    fn every(&mut self, every: &Every, loc: Loc) -> Written {
        self.insert_comments(Some(loc.row))?;
        self.write("every ");
        if let Some(key) = &every.key {
            self.term(key)?;
            self.write(", ");
        }
        self.term(&every.value)?;
        self.write(" in ");
        self.term(&every.domain)?;
        self.write(" {");
        lenient(self.comprehended('{', '}', &every.body, (loc, loc)))?;
        if let [single] = every.body.as_slice()
            && single.loc.row == loc.row
        {
            self.write(" ");
        }
        self.write("}");
        Ok(())
    }

    /// The body of a comprehension or of `every`: on the line of `places.0`, or on lines of its own.
    pub(super) fn comprehended(
        &mut self,
        open: char,
        close: char,
        body: &[Literal],
        places: (Loc, Loc),
    ) -> Written {
        let (before, whole) = places;
        let first = body.first().map_or(before.row, |literal| literal.loc.row);
        let several = body
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if other.loc.row > one.loc.row));
        let close = self.closing(whole, open, close, None);
        if first > before.row || several {
            self.end_line();
            self.level += 1;
            let written = self.body(body).and_then(|()| self.insert_comments(close));
            self.level = self.level.saturating_sub(1);
            self.start_line();
            return written;
        }
        self.write(" ");
        for (at, literal) in body.iter().enumerate() {
            if at > 0 {
                self.write("; ");
            }
            self.literal(literal)?;
        }
        self.insert_comments(close)
    }

    /// A union that leads a body behind `if` would be read as a comprehension.
    pub(super) fn mark_union(&mut self, literal: &Literal) {
        let Kind::Expr(term) = &literal.kind else {
            return;
        };
        if literal.negated {
            return;
        }
        if term.is_union() {
            self.parenthesise = Some(literal.loc);
        } else if let Value::Infix(_, left, _) = &term.value
            && left.is_union()
        {
            self.parenthesise = Some(left.loc);
        }
    }

    pub(super) fn call(&mut self, name: &Term, args: &[Term]) -> Written {
        match &name.value {
            Value::Ref(parts) => self.reference(parts)?,
            Value::Var(text) => self.write(text),
            _ => return Err(Stop::Fatal("a call has no name".to_owned())),
        }
        self.write("(");
        let written = self.list(args, name.loc, None, false);
        self.write(")");
        written
    }
}
