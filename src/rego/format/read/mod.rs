//! Reading a module into its concrete tree, as OPA's parser reads it.

mod literals;
mod rules;
mod terms;

use std::collections::BTreeSet;

use super::{
    Trouble,
    token::{self, Kind, Token},
    tree::{Import, Literal, Loc, Term, Tree},
};
use crate::rego::module::Version;

/// Deepest nesting.
const DEEPEST: usize = 200;
/// Words that are no names in any version.
const ALWAYS: [&str; 11] = [
    "package", "import", "as", "default", "else", "some", "with", "null", "true", "false", "not",
];
/// Words that version 1 adds; version 0 by import.
const LATER: [&str; 4] = ["if", "contains", "in", "every"];

/// Reads a module.
pub(super) fn module(text: &str, version: Version) -> Result<Tree, Trouble> {
    Parser::new(text, version)?.module()
}

/// Reads a query: expressions one after the other.
pub(super) fn query(text: &str) -> Result<Vec<Literal>, Trouble> {
    let mut parser = Parser::new(text, Version::V1)?;
    let body = parser.body(Kind::End)?;
    Ok(body)
}

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    comments: Vec<super::tree::Comment>,
    version: Version,
    keywords: BTreeSet<&'static str>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, version: Version) -> Result<Self, Trouble> {
        let (tokens, comments) = token::scan(text)?;
        let mut keywords: BTreeSet<&'static str> = ALWAYS.into();
        if version == Version::V1 {
            keywords.extend(LATER);
        }
        Ok(Self {
            text,
            tokens,
            at: 0,
            comments,
            version,
            keywords,
            depth: 0,
        })
    }

    fn token(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Token {
        let at = (self.at + by).min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).copied().unwrap_or(Token {
            kind: Kind::End,
            loc: Loc::default(),
            blank: false,
            newline: false,
        })
    }

    fn text_of(&self, loc: Loc) -> &'a str {
        self.text.get(loc.start..loc.end).unwrap_or_default()
    }

    fn word(&self) -> &'a str {
        let token = self.token();
        if token.kind == Kind::Word {
            self.text_of(token.loc)
        } else {
            ""
        }
    }

    fn is_keyword(&self, word: &str) -> bool {
        self.keywords.contains(word)
    }

    /// Whether this word stands here as a keyword.
    fn keyword(&self, word: &str) -> bool {
        self.is_keyword(word) && self.word() == word && !self.begins_reference()
    }

    /// A keyword right before `.` or `[` is a name.
    fn begins_reference(&self) -> bool {
        let next = self.ahead(1);
        !next.blank && matches!(next.kind, Kind::Sign("." | "["))
    }

    fn sign(&self, sign: &str) -> bool {
        matches!(self.token().kind, Kind::Sign(found) if found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.sign(sign);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Trouble> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.trouble(&format!("expected `{sign}`")))
    }

    fn trouble(&self, what: &str) -> Trouble {
        let token = self.token();
        let found = match token.kind {
            Kind::End => "the end of the text".to_owned(),
            _ => format!("`{}`", self.text_of(token.loc)),
        };
        Trouble::new(token.loc, &format!("unexpected {found}: {what}"))
    }

    /// Where the last token that was taken ends.
    fn last_end(&self) -> usize {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or(0, |token| token.loc.end)
    }

    fn since(&self, loc: Loc) -> Loc {
        Loc {
            end: self.last_end(),
            ..loc
        }
    }

    fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, Trouble>) -> Result<R, Trouble> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.trouble("it is nested too deep"));
        }
        let done = read(self);
        self.depth -= 1;
        done
    }

    fn module(mut self) -> Result<Tree, Trouble> {
        let at = self.token().loc;
        if self.word() != "package" {
            return Err(self.trouble("a module begins with `package name`"));
        }
        self.at += 1;
        let package = self.path()?;
        let mut tree = Tree {
            package,
            at,
            imports: Vec::new(),
            rules: Vec::new(),
            comments: Vec::new(),
        };
        while self.token().kind != Kind::End {
            if !self.token().newline && !self.take(";") {
                return Err(self.trouble("a statement begins on a line of its own"));
            }
            if self.keyword("import") {
                let import = self.import()?;
                tree.imports.push(import);
            } else {
                let rules = self.rules()?;
                tree.rules.extend(rules);
            }
        }
        tree.comments = self.comments;
        Ok(tree)
    }

    /// A dotted name, which may hold keywords.
    fn path(&mut self) -> Result<Term, Trouble> {
        if self.token().kind != Kind::Word {
            return Err(self.trouble("expected a name"));
        }
        let first = self.variable();
        self.finish(first)
    }

    fn import(&mut self) -> Result<Import, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        let path = self.path()?;
        let alias = if self.keyword("as") {
            self.at += 1;
            let name = self.word().to_owned();
            if name.is_empty() {
                return Err(self.trouble("expected a name behind `as`"));
            }
            self.at += 1;
            Some(name)
        } else {
            None
        };
        self.learn(&path)?;
        Ok(Import { loc, path, alias })
    }

    /// Imports that make words into keywords.
    fn learn(&mut self, path: &Term) -> Result<(), Trouble> {
        let names = path.names();
        match names.as_slice() {
            ["rego", "v1"] | ["future", "keywords"] => self.keywords.extend(LATER),
            ["future", "keywords", word @ ("and" | "or" | "not")] => {
                let what = format!("modules that import future.keywords.{word} are not formatted");
                return Err(Trouble::new(path.loc, &what));
            }
            ["future", "keywords", word] => {
                let known = LATER.into_iter().find(|known| known == word);
                self.keywords.extend(known);
                if *word == "every" {
                    self.keywords.insert("in");
                }
            }
            _ => {}
        }
        Ok(())
    }
}
