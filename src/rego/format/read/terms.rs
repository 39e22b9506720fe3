//! Terms, by the strength of their operators.

use super::{
    super::{
        Trouble,
        tree::{Loc, Part, Term, Value},
    },
    Kind, Parser,
};

/// Operators by strength, the weakest first.
const LEVELS: [&[&str]; 5] = [
    &["==", "!=", "<", ">", "<=", ">="],
    &["|"],
    &["&"],
    &["+", "-"],
    &["*", "/", "%"],
];
/// Builtins that are operators as well: OPA writes a call of one as the operator.
const NAMED: [(&str, &str); 16] = [
    ("internal.member_2", "in"),
    ("eq", "="),
    ("assign", ":="),
    ("equal", "=="),
    ("neq", "!="),
    ("lt", "<"),
    ("gt", ">"),
    ("lte", "<="),
    ("gte", ">="),
    ("or", "|"),
    ("and", "&"),
    ("plus", "+"),
    ("minus", "-"),
    ("mul", "*"),
    ("div", "/"),
    ("rem", "%"),
];

impl Parser<'_> {
    /// A term with operators, `x in y` and `k, x in y` among them.
    pub(super) fn infix(&mut self) -> Result<Term, Trouble> {
        self.deeper(|parser| {
            let left = parser.level(0, None)?;
            parser.member(left, true)
        })
    }

    /// The same where a comma is the list's.
    fn item(&mut self, left: Option<Term>) -> Result<Term, Trouble> {
        self.deeper(|parser| {
            let left = parser.level(0, left)?;
            parser.member(left, false)
        })
    }

    fn member(&mut self, left: Term, pairs: bool) -> Result<Term, Trouble> {
        let mut left = left;
        if pairs && self.sign(",") && self.is_keyword("in") {
            let at = self.at;
            self.at += 1;
            match self.level(0, None) {
                Ok(middle) if self.keyword("in") => {
                    self.at += 1;
                    let right = self.level(0, None)?;
                    let loc = self.since(left.loc);
                    let value = Value::InKey(Box::new([left, middle, right]));
                    left = Term { loc, value };
                }
                _ => self.at = at,
            }
        }
        while self.keyword("in") {
            self.at += 1;
            let right = self.level(0, None)?;
            left = self.joined("in", left, right);
        }
        Ok(left)
    }

    fn joined(&self, sign: &'static str, left: Term, right: Term) -> Term {
        Term {
            loc: self.since(left.loc),
            value: Value::Infix(sign, Box::new(left), Box::new(right)),
        }
    }

    fn level(&mut self, level: usize, left: Option<Term>) -> Result<Term, Trouble> {
        let Some(signs) = LEVELS.get(level) else {
            return left.map_or_else(|| self.term(), Ok);
        };
        let mut left = self.level(level + 1, left)?;
        while let Kind::Sign(found) = self.token().kind {
            let Some(sign) = signs.iter().find(|sign| **sign == found) else {
                break;
            };
            self.at += 1;
            let right = self.level(level + 1, None)?;
            left = self.joined(sign, left, right);
        }
        Ok(left)
    }

    pub(super) fn variable(&mut self) -> Term {
        let loc = self.token().loc;
        self.at += 1;
        Term {
            loc,
            value: Value::Var(self.text_of(loc).to_owned()),
        }
    }

    fn term(&mut self) -> Result<Term, Trouble> {
        self.deeper(Self::unguarded_term)
    }

    fn unguarded_term(&mut self) -> Result<Term, Trouble> {
        let loc = self.token().loc;
        let text = self.text_of(loc).to_owned();
        let head = match self.token().kind {
            Kind::Word if matches!(text.as_str(), "null" | "true" | "false") => {
                self.at += 1;
                Term {
                    loc,
                    value: Value::Scalar(text),
                }
            }
            Kind::Word => {
                let free = !self.is_keyword(&text) || text == "contains" || self.begins_reference();
                if !free {
                    return Err(self.trouble("a keyword is no term"));
                }
                self.variable()
            }
            Kind::Number => {
                self.at += 1;
                Term {
                    loc,
                    value: Value::Scalar(text),
                }
            }
            Kind::Sign("-") => return self.negative(),
            Kind::Text => {
                self.at += 1;
                let content = content(&text);
                Term {
                    loc,
                    value: Value::Text(text, content),
                }
            }
            Kind::Template(raw) => self.template(raw)?,
            Kind::Sign("[") => self.array()?,
            Kind::Sign("{") => self.braces()?,
            Kind::Sign("(") => {
                self.at += 1;
                let mut inner = self.infix()?;
                self.expect(")")?;
                inner.loc.start = loc.start;
                inner.loc.end = self.last_end();
                inner
            }
            _ => return Err(self.trouble("expected a term")),
        };
        self.finish(head)
    }

    fn negative(&mut self) -> Result<Term, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        if self.token().kind == Kind::Number {
            let number = self.token().loc;
            self.at += 1;
            return Ok(Term {
                loc,
                value: Value::Scalar(format!("-{}", self.text_of(number))),
            });
        }
        if self.token().kind != Kind::Word {
            return Err(self.trouble("expected a number or a name behind `-`"));
        }
        let first = self.variable();
        let term = self.finish(first)?;
        let zero = Term {
            loc,
            value: Value::Scalar("0".to_owned()),
        };
        Ok(self.joined("-", zero, term))
    }

    /// What is written right behind a term: `.name`, `[index]`, `(arguments)`.
    pub(super) fn finish(&mut self, head: Term) -> Result<Term, Trouble> {
        let loc = Loc {
            start: head.loc.start,
            ..head.loc
        };
        let mut parts = vec![head];
        while !self.token().blank {
            match self.token().kind {
                Kind::Sign(".") => {
                    self.at += 1;
                    let field = self.token();
                    if field.kind != Kind::Word || field.blank {
                        return Err(self.trouble("expected a name behind `.`"));
                    }
                    self.at += 1;
                    let name = self.text_of(field.loc).to_owned();
                    parts.push(Term {
                        loc: field.loc,
                        value: Value::Text(name.clone(), name),
                    });
                }
                Kind::Sign("[") => {
                    self.at += 1;
                    let index = self.infix()?;
                    self.expect("]")?;
                    parts.push(index);
                }
                Kind::Sign("(") => {
                    let name = gathered(parts, self.since(loc));
                    let call = self.call(name, loc)?;
                    parts = vec![call];
                }
                _ => break,
            }
        }
        Ok(gathered(parts, self.since(loc)))
    }

    fn call(&mut self, name: Term, loc: Loc) -> Result<Term, Trouble> {
        self.expect("(")?;
        let mut args = Vec::new();
        while !self.sign(")") {
            args.push(self.item(None)?);
            if !self.take(",") {
                break;
            }
        }
        self.expect(")")?;
        let loc = self.since(loc);
        if name.name() == Some("set") && args.is_empty() {
            let value = Value::Set(Vec::new());
            return Ok(Term { loc, value });
        }
        operation(name, args, loc)
    }

    fn array(&mut self) -> Result<Term, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        if self.take("]") {
            let value = Value::Array(Vec::new());
            return Ok(Term {
                loc: self.since(loc),
                value,
            });
        }
        let first = self.term()?;
        let value = if self.take("|") {
            let body = self.body(Kind::Sign("]"))?;
            Value::ArrayOf(Box::new(first), body)
        } else {
            Value::Array(self.items(first, "]")?)
        };
        self.expect("]")?;
        Ok(Term {
            loc: self.since(loc),
            value,
        })
    }

    /// The rest of a list; `end` is left.
    fn items(&mut self, first: Term, end: &str) -> Result<Vec<Term>, Trouble> {
        let mut items = vec![self.item(Some(first))?];
        while self.take(",") && !self.sign(end) {
            items.push(self.item(None)?);
        }
        Ok(items)
    }

    fn braces(&mut self) -> Result<Term, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        if self.take("}") {
            let value = Value::Object(Vec::new());
            return Ok(Term {
                loc: self.since(loc),
                value,
            });
        }
        let first = self.term()?;
        let value = if self.take("|") {
            let body = self.body(Kind::Sign("}"))?;
            Value::SetOf(Box::new(first), body)
        } else {
            let first = self.item(Some(first))?;
            if self.take(":") {
                self.members(first)?
            } else {
                let mut items = vec![first];
                while self.take(",") && !self.sign("}") {
                    items.push(self.item(None)?);
                }
                Value::Set(items)
            }
        };
        self.expect("}")?;
        Ok(Term {
            loc: self.since(loc),
            value,
        })
    }

    fn members(&mut self, key: Term) -> Result<Value, Trouble> {
        let value = self.term()?;
        if self.take("|") {
            let body = self.body(Kind::Sign("}"))?;
            return Ok(Value::ObjectOf(Box::new((key, value)), body));
        }
        let value = self.item(Some(value))?;
        let mut members = vec![(key, value)];
        while self.take(",") && !self.sign("}") {
            let key = self.item(None)?;
            self.expect(":")?;
            let value = self.item(None)?;
            members.push((key, value));
        }
        Ok(Value::Object(members))
    }

    fn template(&mut self, raw: bool) -> Result<Term, Trouble> {
        let loc = self.token().loc;
        self.at += 1;
        let mut parts = Vec::new();
        loop {
            let token = self.token();
            self.at += 1;
            match token.kind {
                Kind::Piece if token.loc.start < token.loc.end => {
                    parts.push(Part::Text(self.text_of(token.loc).to_owned()));
                }
                Kind::Piece => {}
                Kind::Sign("{") => {
                    let literal = self.deeper(Self::literal)?;
                    self.expect("}")?;
                    parts.push(Part::Expr(Box::new(literal)));
                }
                Kind::TemplateEnd => break,
                _ => {
                    self.at -= 1;
                    return Err(self.trouble("expected `}` in a template"));
                }
            }
        }
        Ok(Term {
            loc: self.since(loc),
            value: Value::Template(raw, parts),
        })
    }
}

/// A call; that of an operator's builtin is the operator.
fn operation(name: Term, args: Vec<Term>, loc: Loc) -> Result<Term, Trouble> {
    let full = name.names().join(".");
    let named = NAMED.iter().find(|(named, _)| full == *named);
    let wrong = || Trouble::new(loc, "an operator by its name takes two arguments here");
    let value = if let Some((_, sign)) = named {
        let mut args = args;
        let result = if args.len() == 3 { args.pop() } else { None };
        let pair: [Term; 2] = args.try_into().map_err(|_| wrong())?;
        let [left, right] = pair;
        let value = Value::Infix(sign, Box::new(left), Box::new(right));
        match result {
            // `plus(1, 2, x)` is `x = 1 + 2`.
            Some(result) => Value::Infix("=", Box::new(result), Box::new(Term { loc, value })),
            None => value,
        }
    } else if full == "internal.member_3" {
        let parts: [Term; 3] = args.try_into().map_err(|_| wrong())?;
        Value::InKey(Box::new(parts))
    } else {
        Value::Call(Box::new(name), args)
    };
    Ok(Term { loc, value })
}

fn gathered(mut parts: Vec<Term>, loc: Loc) -> Term {
    match (parts.len(), parts.pop()) {
        (1, Some(single)) => single,
        (_, last) => {
            parts.extend(last);
            let value = Value::Ref(parts);
            Term { loc, value }
        }
    }
}

/// What a quoted text says.
fn content(quoted: &str) -> String {
    if quoted.starts_with('`') {
        return quoted.trim_matches('`').to_owned();
    }
    serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned())
}
