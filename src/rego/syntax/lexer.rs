//! From text to tokens, each with its place. A token knows whether blanks or a line's end stand before it.

use super::ast::{Comment, Pos};
use crate::rego::fault::{Issue, Place};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lexeme {
    /// A name or keyword; which of both depends on imports.
    Word(String),
    Number(String),
    Text(String),
    /// The beginning of a template; its pieces before `{`; its last piece.
    Template,
    Piece(String),
    LastPiece(String),
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    pub(super) pos: Pos,
    pub(super) blank: bool,
    pub(super) newline: bool,
}

pub(super) const SIGNS: [&str; 25] = [
    ":=", "==", "!=", "<=", ">=", "[", "]", "{", "}", "(", ")", ",", ":", "+", "-", "*", "/", "%", "&", "|",
    "=", "<", ">", ";", ".",
];

/// Most tokens of a module.
const MOST_TOKENS: usize = 2_000_000;

/// The tokens, with an `End` at the end, and the comments.
pub(super) fn scan(file: &str, text: &str) -> Result<(Vec<Token>, Vec<Comment>), Issue> {
    let mut scanner = Scanner {
        file,
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        pos: Pos { row: 1, col: 1 },
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
    file: &'a str,
    rest: &'a str,
    pos: Pos,
    blank: bool,
    newline: bool,
    /// The open templates: whether raw, and how many braces are open inside the current `{…}`.
    templates: Vec<(bool, usize)>,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl Scanner<'_> {
    fn fault(&self, message: impl Into<String>) -> Issue {
        Issue::new("rego_parse_error", message).at(Place {
            file: self.file.to_owned(),
            row: self.pos.row,
            col: self.pos.col,
        })
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let letter = chars.next()?;
        self.rest = chars.as_str();
        if letter == '\n' {
            self.pos.row += 1;
            self.pos.col = 1;
        } else {
            self.pos.col += 1;
        }
        Some(letter)
    }

    fn while_some(&mut self, into: &mut String, fits: impl Fn(char) -> bool) -> bool {
        let mut any = false;
        while let Some(letter) = self.peek().filter(|&letter| fits(letter)) {
            into.push(letter);
            self.next();
            any = true;
        }
        any
    }

    fn push(&mut self, pos: Pos, lexeme: Lexeme) -> Result<(), Issue> {
        if self.tokens.len() >= MOST_TOKENS {
            return Err(self.fault("the module is too large"));
        }
        self.tokens.push(Token {
            lexeme,
            pos,
            blank: self.blank,
            newline: self.newline,
        });
        self.blank = false;
        self.newline = false;
        Ok(())
    }

    fn run(&mut self) -> Result<(), Issue> {
        while let Some(letter) = self.peek() {
            let pos = self.pos;
            match letter {
                ' ' | '\t' | '\r' | '\n' => {
                    self.blank = true;
                    self.newline |= letter == '\n';
                    self.next();
                }
                '#' => {
                    self.next();
                    let mut text = String::new();
                    self.while_some(&mut text, |letter| letter != '\n');
                    self.blank = true;
                    let text = text.trim_end_matches('\r').to_owned();
                    self.comments.push(Comment { pos, text });
                }
                'a'..='z' | 'A'..='Z' | '_' => {
                    let mut word = String::new();
                    self.while_some(&mut word, |letter| {
                        letter.is_ascii_alphanumeric() || letter == '_'
                    });
                    self.push(pos, Lexeme::Word(word))?;
                }
                '0'..='9' => self.number(pos)?,
                '"' => {
                    self.next();
                    let text = self.text('"', false)?.0;
                    self.push(pos, Lexeme::Text(text))?;
                }
                '`' => {
                    self.next();
                    let mut text = String::new();
                    self.while_some(&mut text, |letter| letter != '`');
                    if self.next().is_none() {
                        return Err(self.fault("non-terminated string"));
                    }
                    self.push(pos, Lexeme::Text(text))?;
                }
                '$' => self.template(pos)?,
                _ => self.sign(pos)?,
            }
        }
        self.push(self.pos, Lexeme::End)
    }

    fn number(&mut self, pos: Pos) -> Result<(), Issue> {
        let mut text = String::new();
        let digit = |letter: char| letter.is_ascii_digit();
        self.while_some(&mut text, digit);
        if self.peek() == Some('.') {
            self.next();
            text.push('.');
            if !self.while_some(&mut text, digit) {
                return Err(self.fault("expected fraction"));
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek() {
                self.next();
                text.push(sign);
            }
            if !self.while_some(&mut text, digit) {
                return Err(self.fault("expected exponent"));
            }
        }
        if self
            .peek()
            .is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_')
        {
            return Err(self.fault("illegal number format"));
        }
        self.push(pos, Lexeme::Number(text))
    }

    fn template(&mut self, pos: Pos) -> Result<(), Issue> {
        self.next();
        let raw = match self.next() {
            Some('"') => false,
            Some('`') => true,
            _ => return Err(self.fault("illegal $ character")),
        };
        self.templates.push((raw, 0));
        self.push(pos, Lexeme::Template)?;
        self.piece(pos)
    }

    /// A piece of the innermost template, up to its end or the next `{`.
    fn piece(&mut self, pos: Pos) -> Result<(), Issue> {
        let raw = self.templates.last().is_some_and(|(raw, _)| *raw);
        let (text, last) = self.text(if raw { '`' } else { '"' }, true)?;
        if last {
            self.templates.pop();
            return self.push(pos, Lexeme::LastPiece(text));
        }
        self.push(pos, Lexeme::Piece(text))
    }

    /// Up to the closing quote, or `{` in a template; whether it was the quote.
    fn text(&mut self, quote: char, template: bool) -> Result<(String, bool), Issue> {
        let raw = quote == '`';
        let mut text = String::new();
        loop {
            let Some(letter) = self.next() else {
                return Err(self.fault("non-terminated string"));
            };
            match letter {
                '\n' if !raw => return Err(self.fault("non-terminated string")),
                _ if letter == quote => return Ok((text, true)),
                '{' if template => return Ok((text, false)),
                '\\' if template && self.peek() == Some('{') => {
                    self.next();
                    text.push('{');
                }
                '\\' if !raw => text.push(self.escape()?),
                _ => text.push(letter),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Issue> {
        Ok(match self.next() {
            Some(letter @ ('\\' | '"' | '/')) => letter,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let high = self.unit()?;
                if (0xd800..0xdc00).contains(&high) && self.rest.starts_with("\\u") {
                    let before = (self.rest, self.pos);
                    self.next();
                    self.next();
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(point).unwrap_or('\u{fffd}'));
                    }
                    (self.rest, self.pos) = before;
                }
                // A lone half of a pair has no meaning; JSON readers put the replacement there.
                char::from_u32(high).unwrap_or('\u{fffd}')
            }
            _ => return Err(self.fault("illegal escape sequence")),
        })
    }

    fn unit(&mut self) -> Result<u32, Issue> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|letter| letter.to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.fault("illegal string literal"))?;
        }
        Ok(unit)
    }

    fn sign(&mut self, pos: Pos) -> Result<(), Issue> {
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) else {
            return Err(self.fault(format!("illegal {} character", self.peek().unwrap_or_default())));
        };
        for _ in sign.chars() {
            self.next();
        }
        match (sign, self.templates.last_mut()) {
            ("{", Some((_, depth))) => *depth += 1,
            ("}", Some((_, 0))) => return self.piece(pos),
            ("}", Some((_, depth))) => *depth -= 1,
            _ => {}
        }
        self.push(pos, Lexeme::Sign(sign))
    }
}
