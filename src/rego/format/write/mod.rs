//! Writing a tree in OPA's style: a port of `v1/format/format.go`, function by function, so that it can be
//! compared when OPA moves. Its ways with comments are OPA's, odd ones included.

mod heads;
mod iterables;
mod literals;
mod modules;
mod terms;

use super::tree::{Comment, Loc, Tree};
use crate::rego::module::Version;

/// Why a part was not written.
#[derive(Debug)]
pub(super) enum Stop {
    /// Two comments want the end of one line: the part above is written as it was.
    Comment,
    Fatal(String),
}

type Written = Result<(), Stop>;

/// What OPA calls the formatter's options, as the module's imports and rules set them.
#[expect(clippy::struct_excessive_bools, reason = "what a module's imports switch on")]
#[derive(Debug, Clone)]
struct Style {
    v1: bool,
    /// `if` is written.
    ifs: bool,
    /// `contains` is written.
    contains: bool,
    /// Imports of keywords say nothing beside `rego.v1`.
    drops_keywords: bool,
    /// Words that are keywords here.
    keywords: Vec<String>,
    /// Heads of rules are written as references: `a.b` and not `a["b"]`.
    reference_heads: bool,
}

struct Writer<'a> {
    text: &'a str,
    out: String,
    level: usize,
    inline: bool,
    comments: Vec<Comment>,
    /// The next comment that is not written.
    next: usize,
    before_end: Option<usize>,
    delay: bool,
    final_line: bool,
    style: Style,
    /// The expression or term that is written in parentheses.
    parenthesise: Option<Loc>,
}

pub(super) fn module(text: &str, tree: &Tree, version: Version) -> Result<String, String> {
    let mut writer = Writer {
        text,
        out: String::new(),
        level: 0,
        inline: false,
        comments: tree.comments.clone(),
        next: 0,
        before_end: None,
        delay: false,
        final_line: false,
        style: modules::style(tree, version),
        parenthesise: None,
    };
    match writer.module(tree) {
        Ok(()) => Ok(squash(writer.out)),
        Err(Stop::Fatal(what)) => Err(what),
        Err(Stop::Comment) => Err("a comment stands where none can be kept".to_owned()),
    }
}

fn squash(mut out: String) -> String {
    if out.ends_with('\n') {
        out.truncate(out.trim_end_matches('\n').len());
        out.push('\n');
    }
    out
}

impl Writer<'_> {
    fn slice(&self, loc: Loc) -> &str {
        self.text.get(loc.start..loc.end).unwrap_or_default()
    }

    /// The row on which a part ends.
    fn end_row(&self, loc: Loc) -> usize {
        loc.row + self.slice(loc).matches('\n').count()
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn start_line(&mut self) {
        self.inline = true;
        for _ in 0..self.level {
            self.out.push('\t');
        }
    }

    fn end_line(&mut self) {
        self.inline = false;
        if !self.delay
            && let Some(comment) = self.before_end.take()
        {
            let text = self.comment(comment);
            self.out.push(' ');
            self.out.push_str(&text);
        }
        self.delay = false;
        self.out.push('\n');
    }

    fn blank_line(&mut self) {
        if self.inline {
            self.end_line();
        }
        self.out.push('\n');
    }

    fn write_line(&mut self, text: &str) {
        if !self.inline {
            self.start_line();
        }
        self.write(text);
        self.end_line();
    }

    fn comment(&self, at: usize) -> String {
        let text = self.comments.get(at).map_or("", |comment| comment.text.as_str());
        format!("#{text}")
    }

    fn comment_row(&self, at: usize) -> Option<usize> {
        self.comments.get(at).map(|comment| comment.row)
    }

    /// The row of the next comment.
    fn next_row(&self) -> Option<usize> {
        self.comment_row(self.next)
    }

    /// Comments above a row are written; one on it waits for the end of the line. No row: nothing is above it.
    fn insert_comments(&mut self, row: Option<usize>) -> Written {
        let Some(row) = row else {
            return Ok(());
        };
        let first = self.next;
        while self.next_row().is_some_and(|found| found < row) {
            self.next += 1;
        }
        let before = first..self.next;
        let last = self.next.checked_sub(1).filter(|last| before.contains(last));
        self.write_comments(before);
        if last
            .and_then(|last| self.comment_row(last))
            .is_some_and(|last| row - last > 1)
        {
            self.blank_line();
        }
        let mut at = None;
        while self.next_row() == Some(row) {
            at = Some(self.next);
            self.next += 1;
        }
        self.before_line_end(at)
    }

    fn before_line_end(&mut self, comment: Option<usize>) -> Written {
        if self.before_end.is_none() {
            self.before_end = comment;
            return Ok(());
        }
        if comment.is_none() {
            return Ok(());
        }
        self.before_end = None;
        Err(Stop::Comment)
    }

    fn write_comments(&mut self, which: std::ops::Range<usize>) {
        let mut metadata = false;
        for at in which.clone() {
            let heads = self
                .comments
                .get(at)
                .is_some_and(|comment| comment.text.trim() == "METADATA");
            let gap = at
                .checked_sub(1)
                .filter(|before| which.contains(before))
                .and_then(|before| Some(self.comment_row(at)? - self.comment_row(before)?));
            match gap {
                Some(gap) if gap > 1 => {
                    self.blank_line();
                    metadata = false;
                }
                Some(1) if metadata && heads => self.blank_line(),
                _ => {}
            }
            metadata |= heads;
            let text = self.comment(at);
            self.write_line(&text);
        }
    }

    /// The part as its author wrote it.
    fn unformatted(&mut self, loc: Loc) -> Written {
        let text = self.slice(loc).to_owned();
        if text.is_empty() {
            return Err(Stop::Fatal("a part has no text".to_owned()));
        }
        let last = loc.row + text.matches('\n').count();
        self.write(&text);
        while let Some(row) = self.next_row() {
            if row == last && self.final_line {
                let text = self.comment(self.next);
                self.write(" ");
                self.write(&text);
            } else if row >= last {
                break;
            }
            self.next += 1;
        }
        Ok(())
    }

    /// The row of the bracket that closes the first `open` of a part; none if there is none.
    fn closing(&self, loc: Loc, open: char, close: char, skip: Option<(char, char)>) -> Option<usize> {
        let text = self.slice(loc);
        let mut letters = text.chars();
        let mut rows = 0;
        if let Some((open, close)) = skip {
            rows += past(&mut letters, open, close)?;
        }
        // OPA counts the lines behind the opening bracket only.
        Some(loc.row + rows + past(&mut letters, open, close)?)
    }
}

/// Goes behind the bracket that closes the first `open`; the lines inside.
fn past(letters: &mut std::str::Chars<'_>, open: char, close: char) -> Option<usize> {
    letters.by_ref().find(|letter| *letter == open)?;
    let (mut depth, mut rows) = (1, 0);
    for letter in letters.by_ref() {
        if letter == open {
            depth += 1;
        } else if letter == close {
            depth -= 1;
        } else if letter == '\n' {
            rows += 1;
        }
        if depth == 0 {
            return Some(rows);
        }
    }
    None
}
