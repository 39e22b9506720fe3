//! Bodies: statements that must hold together.

use super::{
    ast::{Body, Every, Kind, Literal, Op, Pos, Statement, Term, With, height},
    lexer::Lexeme,
    parser::Parser,
};
use crate::rego::fault::Issue;

impl Parser {
    /// A query that is the whole text.
    pub(super) fn whole_query(&mut self) -> Result<Body, Issue> {
        if self.ended() {
            return Err(self.issue(self.pos(), "empty query"));
        }
        let body = self.body("")?;
        if self.ended() {
            return Ok(body);
        }
        Err(self.unexpected(""))
    }

    /// Statements up to a closing sign, which is left there.
    pub(super) fn body(&mut self, close: &str) -> Result<Body, Issue> {
        let closes = |parser: &Self| {
            if close.is_empty() {
                parser.ended()
            } else {
                parser.is_sign(close)
            }
        };
        if closes(self) {
            return Err(self.issue(self.pos(), "found empty body"));
        }
        let mut body = Vec::new();
        loop {
            body.push(self.literal()?);
            if self.take_sign(";") {
                if closes(self) {
                    return Ok(body);
                }
                continue;
            }
            if closes(self) {
                return Ok(body);
            }
            if !self.token().newline {
                return Err(self.unexpected(&format!(r"expected \n or ; or {close}")));
            }
        }
    }

    pub(super) fn literal(&mut self) -> Result<Literal, Issue> {
        self.deeper(Self::fresh_literal)
    }

    fn fresh_literal(&mut self) -> Result<Literal, Issue> {
        let pos = self.pos();
        if self.is_word("some") {
            return self.some();
        }
        if self.keywords.every && self.is_word("every") {
            return self.every();
        }
        let logical = self.keywords.and || self.keywords.or;
        if logical && self.is_sign("{") {
            let mark = self.mark();
            if let Ok(body) = self.block()
                && self.logical_word()
            {
                let chain = self.or_chain(pos, body)?;
                return self.with(chain);
            }
            self.back(mark);
        }
        if logical
            && self.is_sign("(")
            && let Some(group) = self.group()?
        {
            return self.tail(pos, group);
        }
        if self.take_word("not") {
            return self.negation(pos);
        }
        let literal = self.expression()?;
        self.chained(pos, literal)
    }

    /// A statement that may be the first operand of `and` or `or`.
    fn chained(&mut self, pos: Pos, literal: Literal) -> Result<Literal, Issue> {
        let literal = self.with(literal)?;
        if !self.logical_word() {
            return Ok(literal);
        }
        if !literal.with.is_empty() {
            return Err(self.issue(pos, "`with` modifier is not allowed on operand of `and`"));
        }
        let chain = self.or_chain(pos, vec![literal])?;
        self.with(chain)
    }

    /// After a group that is a whole operand.
    fn tail(&mut self, pos: Pos, group: Body) -> Result<Literal, Issue> {
        if self.logical_word() {
            let chain = self.or_chain(pos, group)?;
            return self.with(chain);
        }
        let whole = Self::single(pos, group);
        self.with(whole)
    }

    /// A body as one statement.
    fn single(pos: Pos, mut body: Body) -> Literal {
        match (body.len(), body.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                body.extend(last);
                // A body holds if it does not not hold.
                let inner = Literal::new(pos, Statement::NotBody(body));
                Literal::new(pos, Statement::NotBody(vec![inner]))
            }
        }
    }

    fn negation(&mut self, pos: Pos) -> Result<Literal, Issue> {
        if self.keywords.not_body {
            let operand = self.negated_operand(pos)?;
            return self.chained(pos, operand);
        }
        if self.is_word("some") || self.keywords.every && self.is_word("every") {
            return Err(self.unexpected("illegal negation of 'some'"));
        }
        let mut literal = self.expression()?;
        literal.pos = pos;
        if let Statement::Expr(term) = literal.kind {
            literal.kind = Statement::Not(term);
        }
        self.chained(pos, literal)
    }

    /// After `not` where it takes a body.
    fn negated_operand(&mut self, pos: Pos) -> Result<Literal, Issue> {
        let body = if self.is_sign("{") {
            self.block()?
        } else if self.is_sign("(")
            && let Some(group) = self.group()?
        {
            group
        } else {
            vec![self.expression()?]
        };
        Ok(Literal::new(pos, Statement::NotBody(body)))
    }

    fn block(&mut self) -> Result<Body, Issue> {
        self.want_sign("{")?;
        let body = self.deeper(|parser| parser.body("}"))?;
        self.want_sign("}")?;
        Ok(body)
    }

    fn logical_word(&self) -> bool {
        self.keywords.and && self.is_word("and") || self.keywords.or && self.is_word("or")
    }

    fn or_chain(&mut self, pos: Pos, first: Body) -> Result<Literal, Issue> {
        let mut left = self.and_chain(pos, first)?;
        while self.keywords.or && self.take_word("or") {
            let right = self.operand()?;
            let right = self.and_chain(pos, right)?;
            self.higher(height(&left).max(height(&right)))?;
            left = vec![Literal::new(pos, Statement::Or(left, right))];
        }
        Ok(Self::single(pos, left))
    }

    fn and_chain(&mut self, pos: Pos, mut left: Body) -> Result<Body, Issue> {
        while self.keywords.and && self.take_word("and") {
            let right = self.operand()?;
            self.higher(height(&left).max(height(&right)))?;
            left = vec![Literal::new(pos, Statement::And(left, right))];
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Body, Issue> {
        let pos = self.pos();
        if self.is_sign("{") {
            return self.block();
        }
        if self.take_word("not") {
            if self.keywords.not_body {
                return Ok(vec![self.negated_operand(pos)?]);
            }
            let mut literal = self.expression()?;
            if let Statement::Expr(term) = literal.kind {
                literal.kind = Statement::Not(term);
            }
            return Ok(vec![literal]);
        }
        if self.is_sign("(")
            && let Some(group) = self.group()?
        {
            return Ok(group);
        }
        Ok(vec![self.expression()?])
    }

    /// `(a or b)`: parentheses around statements; nothing is taken if they hold a term.
    fn group(&mut self) -> Result<Option<Body>, Issue> {
        let mark = self.mark();
        let read = self.deeper(|parser| {
            parser.want_sign("(")?;
            let pos = parser.pos();
            let first = parser.operand()?;
            let grouped = matches!(
                first.first().map(|literal| &literal.kind),
                Some(Statement::And(..) | Statement::Or(..) | Statement::Not(_) | Statement::NotBody(_))
            ) && first.len() == 1;
            let mut logical = parser.logical_word();
            let body = if logical {
                vec![parser.or_chain(pos, first)?]
            } else {
                logical = grouped || parser.is_word("with");
                first
            };
            let body = if parser.is_word("with") {
                let whole = parser.with(Self::single(pos, body))?;
                vec![whole]
            } else {
                body
            };
            parser.want_sign(")")?;
            Ok(logical.then_some(body))
        });
        match read {
            Ok(Some(body)) => Ok(Some(body)),
            Ok(None) | Err(_) => {
                self.back(mark);
                Ok(None)
            }
        }
    }

    /// A term, or two with `:=` or `=` between them.
    fn expression(&mut self) -> Result<Literal, Issue> {
        let left = self.pair()?;
        let op = if self.take_sign(":=") {
            Op::Assign
        } else if self.take_sign("=") {
            Op::Unify
        } else {
            return Ok(Literal::expr(left));
        };
        let right = self.pair()?;
        Ok(Literal::expr(Term::infix(left.pos, op, left, right)))
    }

    /// What stands inside a template.
    pub(super) fn templated(&mut self) -> Result<Literal, Issue> {
        let term = Literal::expr(self.pair()?);
        self.with(term)
    }

    fn with(&mut self, mut literal: Literal) -> Result<Literal, Issue> {
        while self.take_word("with") {
            let target = self.term()?;
            if !matches!(target.kind, Kind::Var(_) | Kind::Ref(_)) {
                return Err(self.issue(target.pos, "expected with target path"));
            }
            if !self.take_word("as") {
                return Err(self.unexpected("expected as keyword"));
            }
            let value = self.infix(0)?;
            literal.with.push(With { target, value });
        }
        Ok(literal)
    }

    fn some(&mut self) -> Result<Literal, Issue> {
        let pos = self.pos();
        let mark = self.mark();
        self.advance();
        if self.keywords.r#in
            && let Ok(term) = self.pair()
        {
            let kind = match term.kind {
                Kind::Infix(Op::In, value, collection) => Some(Statement::SomeIn(None, *value, *collection)),
                Kind::InKey(parts) => {
                    let [key, value, collection] = *parts;
                    Some(Statement::SomeIn(Some(key), value, collection))
                }
                _ => None,
            };
            if let Some(kind) = kind {
                return self.with(Literal::new(pos, kind));
            }
        }
        self.back(mark);
        self.advance();
        let mut names = Vec::new();
        loop {
            let at = self.pos();
            let Lexeme::Word(name) = self.token().lexeme.clone() else {
                return Err(self.unexpected("expected var"));
            };
            if self.is_keyword(&name) && name != "contains" {
                return Err(self.unexpected("expected var"));
            }
            self.advance();
            if !self.token().blank && matches!(self.token().lexeme, Lexeme::Sign("[" | "." | "(")) {
                return Err(self.unexpected("expected `x in xs` or `x, y in xs` expression"));
            }
            names.push((at, name));
            if !self.take_sign(",") {
                return Ok(Literal::new(pos, Statement::Some(names)));
            }
        }
    }

    fn every(&mut self) -> Result<Literal, Issue> {
        let pos = self.pos();
        self.advance();
        let term = self.pair()?;
        let (key, value, domain) = match term.kind {
            Kind::Infix(Op::In, value, domain) => (None, *value, *domain),
            Kind::InKey(parts) => {
                let [key, value, domain] = *parts;
                (Some(key), value, domain)
            }
            _ => return Err(self.issue(term.pos, "expected `x[, y] in xs { ... }` expression")),
        };
        if let Some(key) = key.as_ref().filter(|key| key.as_var().is_none()) {
            return Err(self.issue(key.pos, "expected key to be a variable"));
        }
        if value.as_var().is_none() {
            return Err(self.issue(value.pos, "expected value to be a variable"));
        }
        if !self.is_sign("{") {
            return Err(self.unexpected("missing body"));
        }
        let body = self.block()?;
        let every = Every {
            key,
            value,
            domain,
            body,
        };
        self.with(Literal::new(pos, Statement::Every(Box::new(every))))
    }
}
