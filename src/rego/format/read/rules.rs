//! Rules: head, body, else.

use super::{
    super::{
        Trouble,
        tree::{Head, Literal, Loc, Otherwise, Rule, Term, Value},
    },
    Kind, Parser,
};
use crate::rego::module::Version;

impl Parser<'_> {
    /// A rule; with several bodies it is several rules.
    pub(super) fn rules(&mut self) -> Result<Vec<Rule>, Trouble> {
        let loc = self.token().loc;
        let default = self.keyword("default");
        if default {
            self.at += 1;
        }
        let (mut head, contains) = self.head()?;
        let mut rule = Rule {
            loc,
            default,
            head: head.clone(),
            body: None,
            otherwise: None,
        };
        let conditional = self.keyword("if");
        if conditional && !default {
            self.at += 1;
            rule.body = Some(self.condition()?);
        } else if self.sign("{") && self.version == Version::V0 && !default {
            if !contains && head.args.is_none() && head.value.is_none() && head.path.len() == 2 {
                head.item = head.path.pop();
            }
            rule.body = Some(self.block()?);
        } else if self.sign("{") {
            return Err(self.trouble("write `if` before the body of a rule"));
        } else if !contains && !default && head.args.is_none() && head.value.is_none() && head.path.len() == 2
        {
            head.item = head.path.pop();
        }
        rule.head = head;
        if self.keyword("else") {
            if rule.body.is_none() {
                return Err(self.trouble("`else` stands behind a body"));
            }
            rule.otherwise = Some(Box::new(self.otherwise()?));
        }
        rule.loc = self.since(loc);
        let mut rules = vec![rule];
        while self.sign("{") {
            let more = self.another(rules.first())?;
            rules.push(more);
        }
        Ok(rules)
    }

    /// One more body of the same head, which stands where the body does.
    fn another(&mut self, first: Option<&Rule>) -> Result<Rule, Trouble> {
        let Some(first) = first.filter(|rule| rule.body.is_some() && rule.otherwise.is_none()) else {
            return Err(self.trouble("a body stands behind `if`"));
        };
        let loc = self.token().loc;
        let mut head = first.head.clone();
        head.loc.row = loc.row;
        let args = head.args.iter_mut().flatten();
        let terms = args
            .chain(&mut head.path)
            .chain(&mut head.item)
            .chain(&mut head.value);
        terms.for_each(|term| term.loc.row = loc.row);
        let body = Some(self.block()?);
        Ok(Rule {
            loc: self.since(loc),
            default: false,
            head,
            body,
            otherwise: None,
        })
    }

    /// Behind `if`: one expression, or a body in braces. What could be both is read as OPA reads it.
    fn condition(&mut self) -> Result<Vec<Literal>, Trouble> {
        if !self.sign("{") {
            return Ok(vec![self.literal()?]);
        }
        let (at, depth) = (self.at, self.depth);
        let read = self.literal();
        if let Ok(literal) = read {
            let set = matches!(
                &literal.kind,
                super::super::tree::Kind::Expr(Term {
                    value: Value::Set(_),
                    ..
                })
            );
            if !set {
                return Ok(vec![literal]);
            }
        }
        (self.at, self.depth) = (at, depth);
        self.block()
    }

    fn block(&mut self) -> Result<Vec<Literal>, Trouble> {
        self.expect("{")?;
        let body = self.body(Kind::Sign("}"))?;
        self.expect("}")?;
        Ok(body)
    }

    fn head(&mut self) -> Result<(Head, bool), Trouble> {
        let start = self.token().loc;
        if self.token().kind != Kind::Word {
            return Err(self.trouble("expected a rule"));
        }
        if self.is_keyword(self.word()) && !self.begins_reference() {
            return Err(self.trouble("a rule cannot be named like a keyword"));
        }
        let first = self.variable();
        let term = self.finish(first)?;
        let (name, args) = match term.value {
            Value::Call(name, args) => (*name, Some(args)),
            _ => (term, None),
        };
        let path = match name.value {
            Value::Ref(parts) => parts,
            _ => vec![name],
        };
        let mut head = Head {
            loc: start,
            path,
            args,
            item: None,
            assign: false,
            value: None,
        };
        let contains = self.keyword("contains");
        if contains {
            self.at += 1;
            head.item = Some(self.infix()?);
        } else if self.sign(":=") || self.sign("=") {
            head.assign = self.sign(":=");
            self.at += 1;
            head.value = Some(self.infix()?);
        }
        head.loc = self.since(start);
        Ok((head, contains))
    }

    fn otherwise(&mut self) -> Result<Otherwise, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        let mut head: Loc = loc;
        let (mut assign, mut value) = (false, None);
        if self.sign(":=") || self.sign("=") {
            assign = self.sign(":=");
            self.at += 1;
            value = Some(self.infix()?);
            head = self.since(loc);
        }
        let conditional = self.keyword("if");
        if conditional {
            self.at += 1;
        }
        let body = if self.sign("{") {
            Some(self.block()?)
        } else if conditional {
            Some(vec![self.literal()?])
        } else {
            None
        };
        if body.is_none() && value.is_none() {
            return Err(self.trouble("expected a value or a body behind `else`"));
        }
        let otherwise = if self.keyword("else") {
            Some(Box::new(self.otherwise()?))
        } else {
            None
        };
        Ok(Otherwise {
            loc: self.since(loc),
            head,
            assign,
            value,
            body,
            otherwise,
        })
    }
}
