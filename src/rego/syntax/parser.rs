//! The parser's state and its smallest steps: tokens, keywords, backtracking.

use std::collections::HashMap;

use super::{
    ast::{Comment, Pos, Term},
    lexer::{self, Lexeme, Token},
};
use crate::rego::{
    fault::{Issue, Place},
    module::Version,
};

/// Most nesting: each level costs stack.
const DEEPEST: usize = 100;

/// Highest tree with an operator at its top: walking one costs stack, also on threads with 2 MB of it.
const TALLEST: usize = 250;

/// Words that are keywords in every version.
const ALWAYS: [&str; 11] = [
    "as", "default", "else", "false", "import", "not", "null", "package", "some", "true", "with",
];

/// Words that are keywords by version or import.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is imported on its own")]
pub(super) struct Keywords {
    pub(super) contains: bool,
    pub(super) every: bool,
    pub(super) r#if: bool,
    pub(super) r#in: bool,
    pub(super) and: bool,
    pub(super) or: bool,
    pub(super) not_body: bool,
    /// Whether bodies need `if`, and sets `contains`.
    pub(super) strict: bool,
}

impl Keywords {
    pub(super) const fn v1(mut self) -> Self {
        self.contains = true;
        self.every = true;
        self.r#if = true;
        self.r#in = true;
        self
    }
}

pub(super) struct Parser {
    file: String,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    pub(super) keywords: Keywords,
    pub(super) comments: Vec<Comment>,
    /// Whether the text is nested too deep: then no other way of reading it is tried.
    too_deep: bool,
    /// Terms read before a way back, by their first token, and what was wrong with those that are none. Without it
    /// nested braces cost 2^depth.
    pub(super) known: HashMap<usize, Result<(Term, usize), Issue>>,
    end: Token,
}

impl Parser {
    pub(super) fn new(file: &str, text: &str, version: Version) -> Result<Self, Issue> {
        let (tokens, comments) = lexer::scan(file, text)?;
        let mut keywords = Keywords::default();
        if version == Version::V1 {
            keywords = keywords.v1();
            keywords.strict = true;
        }
        let end = tokens.last().cloned().unwrap_or(Token {
            lexeme: Lexeme::End,
            pos: Pos { row: 1, col: 1 },
            blank: true,
            newline: true,
        });
        Ok(Self {
            file: file.to_owned(),
            tokens,
            at: 0,
            depth: 0,
            too_deep: false,
            keywords,
            comments,
            known: HashMap::new(),
            end,
        })
    }

    pub(super) fn issue(&self, pos: Pos, message: impl Into<String>) -> Issue {
        Issue::new("rego_parse_error", message).at(Place {
            file: self.file.clone(),
            row: pos.row,
            col: pos.col,
        })
    }

    /// The next token is not what may stand here.
    pub(super) fn unexpected(&self, wanted: &str) -> Issue {
        let token = self.token();
        let name = match &token.lexeme {
            Lexeme::Word(word) if self.is_keyword(word) => format!("unexpected {word} keyword"),
            Lexeme::Word(_) => "unexpected identifier token".to_owned(),
            Lexeme::Number(_) => "unexpected number token".to_owned(),
            Lexeme::Text(_) | Lexeme::Template | Lexeme::Piece(_) | Lexeme::LastPiece(_) => {
                "unexpected string token".to_owned()
            }
            Lexeme::Sign(sign) => format!("unexpected {sign} token"),
            Lexeme::End => "unexpected eof token".to_owned(),
        };
        let text = if wanted.is_empty() {
            name
        } else {
            format!("{name}: {wanted}")
        };
        self.issue(token.pos, text)
    }

    pub(super) fn token(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&self.end)
    }

    pub(super) fn after(&self) -> &Token {
        self.tokens.get(self.at + 1).unwrap_or(&self.end)
    }

    pub(super) fn pos(&self) -> Pos {
        self.token().pos
    }

    pub(super) const fn mark(&self) -> usize {
        self.at
    }

    pub(super) const fn back(&mut self, mark: usize) {
        self.at = mark;
    }

    pub(super) const fn advance(&mut self) {
        self.at += 1;
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token().lexeme, Lexeme::Sign(there) if there == sign)
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let there = self.is_sign(sign);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn want_sign(&mut self, sign: &str) -> Result<(), Issue> {
        if self.take_sign(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("expected {sign}")))
    }

    pub(super) fn ended(&self) -> bool {
        self.token().lexeme == Lexeme::End
    }

    /// The next token, if it is this keyword and not the first name of a reference (`not.x`).
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.token().lexeme, Lexeme::Word(there) if there == word) && !self.begins_reference()
    }

    /// Whether the word here goes on with `.x` or `[x]`.
    pub(super) fn begins_reference(&self) -> bool {
        let after = self.after();
        !after.blank && matches!(after.lexeme, Lexeme::Sign("." | "["))
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let there = self.is_word(word);
        if there {
            self.advance();
        }
        there
    }

    pub(super) fn is_keyword(&self, word: &str) -> bool {
        ALWAYS.contains(&word)
            || match word {
                "contains" => self.keywords.contains,
                "every" => self.keywords.every,
                "if" => self.keywords.r#if,
                "in" => self.keywords.r#in,
                "and" => self.keywords.and,
                "or" => self.keywords.or,
                _ => false,
            }
    }

    /// Gives up: what follows would cost more stack than there is.
    fn recursion(&mut self) -> Issue {
        self.too_deep = true;
        self.issue(self.pos(), "max recursion depth exceeded")
    }

    /// The height of a tree with one more operator over what is so high: whoever walks it goes a level deeper.
    pub(super) fn higher(&mut self, below: usize) -> Result<usize, Issue> {
        if below >= TALLEST {
            return Err(self.recursion());
        }
        Ok(below + 1)
    }

    /// Goes one level deeper.
    pub(super) fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, Issue>) -> Result<R, Issue> {
        if self.too_deep || self.depth >= DEEPEST {
            return Err(self.recursion());
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }
}
