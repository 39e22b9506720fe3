//! Lists: items on one line stay on one line.

use super::{Stop, Writer, Written};
use crate::rego::format::tree::{Loc, Term};

/// An item of a list, or a member of an object.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Term(&'a Term),
    Member(&'a Term, &'a Term),
}

impl Item<'_> {
    const fn loc(&self) -> Loc {
        match self {
            Self::Term(term) | Self::Member(term, _) => term.loc,
        }
    }
}

impl Writer<'_> {
    pub(super) fn list(&mut self, terms: &[Term], last: Loc, close: Option<usize>, unions: bool) -> Written {
        let items: Vec<Item<'_>> = terms.iter().map(Item::Term).collect();
        self.iterable(&items, last, close, unions)
    }

    /// `last` is what stands before the items; `close` the row of the closing bracket.
    pub(super) fn iterable(
        &mut self,
        items: &[Item<'_>],
        last: Loc,
        close: Option<usize>,
        unions: bool,
    ) -> Written {
        let lines = lines(items, last);
        let mut newline_before = false;
        if lines.len() == 1 {
            if let Some(close) = close {
                let within = |row: usize| row > last.row && row < close;
                let rest = self.comments.get(self.next..).unwrap_or_default();
                if rest.iter().any(|comment| within(comment.row)) {
                    return Err(Stop::Comment);
                }
            }
            if let Some(first) = items.first() {
                let text = self.slice(last);
                let cut = text.find(self.slice(first.loc())).filter(|cut| *cut > 0);
                newline_before = cut
                    .and_then(|cut| text.get(..cut)?.find('\n'))
                    .is_some_and(|at| at > 0);
            }
        }
        let multiline = lines.len() > 1 || newline_before;
        if multiline {
            self.delay = true;
            self.end_line();
            self.level += 1;
            self.start_line();
        }
        let count = lines.len();
        for (at, line) in lines.iter().enumerate() {
            self.items(line, unions)?;
            if at + 1 < count {
                self.write(",");
                self.end_line();
                self.start_line();
            }
        }
        if multiline {
            self.write(",");
            self.end_line();
            self.insert_comments(close)?;
            self.level = self.level.saturating_sub(1);
            self.start_line();
        }
        Ok(())
    }

    fn items(&mut self, items: &[Item<'_>], unions: bool) -> Written {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.write(", ");
            }
            match item {
                Item::Term(term) => {
                    let parentheses = term.is_union() && (unions || self.slice(term.loc).starts_with('('));
                    self.enclosed(term, parentheses)?;
                }
                Item::Member(key, value) => {
                    self.enclosed(key, key.is_union())?;
                    self.write(": ");
                    self.enclosed(value, value.is_union())?;
                }
            }
        }
        Ok(())
    }

    fn enclosed(&mut self, term: &Term, parentheses: bool) -> Written {
        if parentheses {
            self.write("(");
        }
        let written = self.term(term);
        if parentheses {
            self.write(")");
        }
        written
    }
}

/// The items by the lines on which they begin.
fn lines<'a>(items: &[Item<'a>], last: Loc) -> Vec<Vec<Item<'a>>> {
    let mut lines = vec![Vec::new()];
    let mut row = last.row;
    for (at, item) in items.iter().enumerate() {
        if at > 0 && item.loc().row > row {
            lines.push(Vec::new());
        }
        row = item.loc().row;
        if let Some(line) = lines.last_mut() {
            line.push(*item);
        }
    }
    lines
}
