//! Bodies and what stands in them.

use super::{
    super::{
        Trouble,
        tree::{self, Every, Literal, Loc, Term, Value, With},
    },
    Kind, Parser,
};

impl Parser<'_> {
    /// Expressions up to `end`, which is left.
    pub(super) fn body(&mut self, end: Kind) -> Result<Vec<Literal>, Trouble> {
        if self.token().kind == end {
            return Err(self.trouble("a body holds at least one expression"));
        }
        let mut body = vec![self.deeper(Self::literal)?];
        loop {
            if self.token().kind == end {
                return Ok(body);
            }
            if self.take(";") {
                if self.token().kind == end && end != Kind::End {
                    return Err(self.trouble("expected an expression behind `;`"));
                }
            } else if !self.token().newline {
                return Err(self.trouble("expressions stand on lines of their own, or `;` between them"));
            }
            if self.token().kind == end {
                return Ok(body);
            }
            body.push(self.deeper(Self::literal)?);
        }
    }

    pub(super) fn literal(&mut self) -> Result<Literal, Trouble> {
        let loc = self.token().loc;
        let negated = self.keyword("not");
        if negated {
            self.at += 1;
        }
        let kind = if self.keyword("some") && !negated {
            self.some()?
        } else if self.keyword("every") && !negated {
            self.every()?
        } else {
            tree::Kind::Expr(self.expression()?)
        };
        let mut with = Vec::new();
        while self.keyword("with") {
            with.push(self.with()?);
        }
        Ok(Literal {
            loc: self.since(loc),
            negated,
            kind,
            with,
        })
    }

    /// `term`, `a := b` or `a = b`.
    fn expression(&mut self) -> Result<Term, Trouble> {
        let left = self.infix()?;
        for sign in [":=", "="] {
            if self.take(sign) {
                let right = self.infix()?;
                let loc = self.since(left.loc);
                return Ok(Term {
                    loc,
                    value: Value::Infix(sign, Box::new(left), Box::new(right)),
                });
            }
        }
        Ok(left)
    }

    fn with(&mut self) -> Result<With, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        let target = self.path()?;
        if !self.keyword("as") {
            return Err(self.trouble("expected `as`: write `with input.x as value`"));
        }
        self.at += 1;
        let value = self.infix()?;
        Ok(With {
            loc: self.since(loc),
            target,
            value,
        })
    }

    fn some(&mut self) -> Result<tree::Kind, Trouble> {
        self.at += 1;
        let at = self.at;
        if let Ok(term) = self.infix()
            && matches!(&term.value, Value::InKey(_) | Value::Infix("in", ..))
        {
            return Ok(tree::Kind::SomeIn(term));
        }
        self.at = at;
        let mut names = Vec::new();
        loop {
            let word = self.word();
            if word.is_empty() || self.is_keyword(word) {
                return Err(self.trouble("expected a name behind `some`"));
            }
            names.push(self.variable());
            if !self.take(",") {
                return Ok(tree::Kind::Some(names));
            }
        }
    }

    fn every(&mut self) -> Result<tree::Kind, Trouble> {
        self.at += 1;
        let start: Loc = self.token().loc;
        let term = self.infix()?;
        let (key, value, domain) = match term.value {
            Value::InKey(parts) => {
                let [key, value, domain] = *parts;
                (Some(key), value, domain)
            }
            Value::Infix("in", value, domain) => (None, *value, *domain),
            _ => {
                let what = "expected `every x in xs { … }` or `every k, v in xs { … }`";
                return Err(Trouble::new(start, what));
            }
        };
        self.expect("{")?;
        let body = self.body(Kind::Sign("}"))?;
        self.expect("}")?;
        Ok(tree::Kind::Every(Box::new(Every {
            key,
            value,
            domain,
            body,
        })))
    }
}
