//! From text to tokens that know what stands between them.

use super::{
    Trouble,
    tree::{Comment, Loc},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// With its quotes.
    Text,
    /// The beginning of a template, up to the opening quote; whether it is raw.
    Template(bool),
    /// A piece of a template; its quote is not part of it.
    Piece,
    /// The closing quote of a template.
    TemplateEnd,
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) loc: Loc,
    /// Whether blanks, lines or comments stand before it.
    pub(super) blank: bool,
    /// Whether a line ends before it.
    pub(super) newline: bool,
}

const SIGNS: [&str; 25] = [
    ":=", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ",", ":", "+", "-", "*", "/", "%", "&", "|",
    "=", "<", ">", ";", ".",
];

pub(super) fn scan(text: &str) -> Result<(Vec<Token>, Vec<Comment>), Trouble> {
    let mut scanner = Scanner {
        text,
        at: 0,
        row: 1,
        line: 0,
        blank: false,
        newline: false,
        templates: Vec::new(),
        tokens: Vec::new(),
        comments: Vec::new(),
    };
    scanner.run()?;
    Ok((scanner.tokens, scanner.comments))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    row: usize,
    /// Where the line begins.
    line: usize,
    blank: bool,
    newline: bool,
    /// The open templates: whether raw, and the braces open inside the current `{…}`.
    templates: Vec<(bool, usize)>,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn here(&self) -> Loc {
        let before = self.text.get(self.line..self.at).unwrap_or_default();
        Loc {
            row: self.row,
            col: before.chars().count() + 1,
            start: self.at,
            end: self.at,
        }
    }

    fn trouble(&self, what: &str) -> Trouble {
        let here = self.here();
        Trouble::new(here, what)
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        if letter == '\n' {
            self.row += 1;
            self.line = self.at;
        }
        Some(letter)
    }

    fn skip(&mut self, fits: impl Fn(char) -> bool) {
        while self.rest().chars().next().is_some_and(&fits) {
            self.next();
        }
    }

    fn push(&mut self, mut loc: Loc, kind: Kind) {
        loc.end = self.at;
        self.tokens.push(Token {
            kind,
            loc,
            blank: self.blank,
            newline: self.newline,
        });
        self.blank = false;
        self.newline = false;
    }

    fn run(&mut self) -> Result<(), Trouble> {
        while let Some(letter) = self.rest().chars().next() {
            let loc = self.here();
            match letter {
                ' ' | '\t' | '\r' | '\n' => {
                    self.blank = true;
                    self.newline |= letter == '\n';
                    self.next();
                }
                '#' => {
                    self.skip(|letter| letter != '\n');
                    let text = self.text.get(loc.start + 1..self.at).unwrap_or_default();
                    self.comments.push(Comment {
                        row: loc.row,
                        text: text.trim_end().to_owned(),
                    });
                    self.blank = true;
                }
                'a'..='z' | 'A'..='Z' | '_' => {
                    self.skip(|letter| letter.is_ascii_alphanumeric() || letter == '_');
                    self.push(loc, Kind::Word);
                }
                '0'..='9' => {
                    self.number();
                    self.push(loc, Kind::Number);
                }
                '"' | '`' => {
                    self.next();
                    self.quoted(letter, false)?;
                    self.push(loc, Kind::Text);
                }
                '$' => self.template(loc)?,
                _ => self.sign(loc)?,
            }
        }
        let end = self.here();
        self.push(end, Kind::End);
        Ok(())
    }

    fn number(&mut self) {
        let digit = |letter: char| letter.is_ascii_digit();
        self.skip(digit);
        let mut rest = self.rest().chars();
        if rest.next() == Some('.') && rest.next().is_some_and(digit) {
            self.next();
            self.skip(digit);
        }
        if self.rest().starts_with(['e', 'E']) {
            self.next();
            if self.rest().starts_with(['+', '-']) {
                self.next();
            }
            self.skip(digit);
        }
    }

    /// Up to behind the closing quote, or up to the `{` of a template; whether it was the quote.
    fn quoted(&mut self, quote: char, template: bool) -> Result<bool, Trouble> {
        let raw = quote == '`';
        loop {
            let rest = self.rest();
            if template && rest.starts_with('{') {
                return Ok(false);
            }
            if template && rest.starts_with("\\{") {
                self.next();
                self.next();
                continue;
            }
            match self.next() {
                Some(letter) if letter == quote => return Ok(true),
                Some('\\') if !raw => {
                    self.next();
                }
                Some('\n') if !raw => return Err(self.trouble("a text ends at its line; close it with \"")),
                Some(_) => {}
                None => return Err(self.trouble("a text is not closed")),
            }
        }
    }

    fn template(&mut self, loc: Loc) -> Result<(), Trouble> {
        self.next();
        let raw = match self.next() {
            Some('"') => false,
            Some('`') => true,
            _ => return Err(self.trouble("`$` begins a template: write $\"…\"")),
        };
        self.push(loc, Kind::Template(raw));
        self.templates.push((raw, 0));
        self.piece()
    }

    fn piece(&mut self) -> Result<(), Trouble> {
        let raw = self.templates.last().is_some_and(|(raw, _)| *raw);
        let loc = self.here();
        if self.quoted(if raw { '`' } else { '"' }, true)? {
            self.templates.pop();
            let end = self.at;
            self.at = end.saturating_sub(1);
            self.push(loc, Kind::Piece);
            let mut quote = self.here();
            self.at = end;
            quote.end = end;
            self.push(quote, Kind::TemplateEnd);
        } else {
            self.push(loc, Kind::Piece);
        }
        Ok(())
    }

    fn sign(&mut self, loc: Loc) -> Result<(), Trouble> {
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) else {
            return Err(self.trouble("this character means nothing here"));
        };
        self.at += sign.len();
        self.push(loc, Kind::Sign(sign));
        match (sign, self.templates.last_mut()) {
            ("{", Some((_, depth))) => *depth += 1,
            ("}", Some((_, 1))) => {
                if let Some((_, depth)) = self.templates.last_mut() {
                    *depth = 0;
                }
                return self.piece();
            }
            ("}", Some((_, depth))) => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }
}
