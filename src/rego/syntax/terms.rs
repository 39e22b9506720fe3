//! Terms: what has a value.

use super::{
    ast::{Body, Kind, Op, Part, Pos, Term},
    lexer::Lexeme,
    parser::Parser,
};
use crate::rego::fault::Issue;

/// The operators between terms, from loose to tight.
const OPERATORS: [Op; 13] = [
    Op::Equal,
    Op::NotEqual,
    Op::Less,
    Op::LessEqual,
    Op::Greater,
    Op::GreaterEqual,
    Op::Union,
    Op::Intersection,
    Op::Plus,
    Op::Minus,
    Op::Times,
    Op::Divide,
    Op::Remainder,
];

impl Parser {
    /// A term with operators that bind tighter than `strength`.
    pub(super) fn infix(&mut self, strength: u8) -> Result<Term, Issue> {
        self.deeper(|parser| {
            let left = parser.term()?;
            parser.infix_after(left, strength)
        })
    }

    fn infix_after(&mut self, mut left: Term, strength: u8) -> Result<Term, Issue> {
        let mut tall = None;
        while let Some(op) = self.operator().filter(|op| op.strength() > strength) {
            self.advance();
            let right = self.infix(op.strength())?;
            let below = tall.unwrap_or_else(|| left.height()).max(right.height());
            tall = Some(self.higher(below)?);
            left = Term::infix(left.pos, op, left, right);
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Op> {
        match &self.token().lexeme {
            Lexeme::Sign(sign) => OPERATORS.into_iter().find(|op| op.names().0 == *sign),
            Lexeme::Word(word) if word == "in" && self.keywords.r#in && !self.begins_reference() => {
                Some(Op::In)
            }
            _ => None,
        }
    }

    /// A term where `k, v in xs` may stand.
    pub(super) fn pair(&mut self) -> Result<Term, Issue> {
        let left = self.infix(1)?;
        let mark = self.mark();
        if self.keywords.r#in && self.take_sign(",") {
            if let Ok(middle) = self.infix(1)
                && self.operator() == Some(Op::In)
            {
                self.advance();
                let right = self.infix(1)?;
                let pos = left.pos;
                let term = Term::new(pos, Kind::InKey(Box::new([left, middle, right])));
                return self.infix_after(term, 0);
            }
            self.back(mark);
        }
        self.infix_after(left, 0)
    }

    /// One term without operators.
    pub(super) fn term(&mut self) -> Result<Term, Issue> {
        let start = self.mark();
        if let Some(known) = self.known.get(&start) {
            let (term, end) = known.clone()?;
            self.back(end);
            return Ok(term);
        }
        let composite = matches!(self.token().lexeme, Lexeme::Sign("{" | "[" | "("));
        let read = self.deeper(Self::fresh_term);
        if composite {
            let end = self.mark();
            self.known.insert(start, read.clone().map(|term| (term, end)));
        }
        read
    }

    fn fresh_term(&mut self) -> Result<Term, Issue> {
        let pos = self.pos();
        let head = match self.token().lexeme.clone() {
            Lexeme::Number(text) => {
                self.advance();
                self.number(pos, text)?
            }
            Lexeme::Text(text) => {
                self.advance();
                Term::text(pos, text)
            }
            Lexeme::Template => self.template(pos)?,
            Lexeme::Word(word) => self.word(pos, word)?,
            Lexeme::Sign("-") => {
                self.advance();
                return self.negative(pos);
            }
            Lexeme::Sign(".") => {
                self.advance();
                self.fraction(pos)?
            }
            Lexeme::Sign("[") => self.array(pos)?,
            Lexeme::Sign("{") => self.braces(pos)?,
            Lexeme::Sign("(") => {
                self.advance();
                let inner = self.pair()?;
                self.want_sign(")")?;
                inner
            }
            Lexeme::Sign(_) | Lexeme::Piece(_) | Lexeme::LastPiece(_) | Lexeme::End => {
                return Err(self.unexpected(""));
            }
        };
        self.reference(head)
    }

    fn word(&mut self, pos: Pos, word: String) -> Result<Term, Issue> {
        let reference = self.begins_reference();
        let call = !self.after().blank && matches!(self.after().lexeme, Lexeme::Sign("("));
        let kind = match word.as_str() {
            "null" if !reference => Kind::Null,
            "true" if !reference => Kind::Bool(true),
            "false" if !reference => Kind::Bool(false),
            "contains" => Kind::Var(word),
            "and" | "or" if call => Kind::Var(word),
            _ if self.is_keyword(&word) && !reference => return Err(self.unexpected("")),
            _ => Kind::Var(word),
        };
        self.advance();
        Ok(Term::new(pos, kind))
    }

    fn number(&self, pos: Pos, text: String) -> Result<Term, Issue> {
        let leading = text
            .strip_prefix('0')
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()));
        if leading {
            return Err(self.issue(
                pos,
                "unexpected number token: expected number without leading zero",
            ));
        }
        let exponent = text
            .split_once('e')
            .map_or(Ok(0), |(_, text)| text.parse::<i64>());
        // What is written in few letters must not cost much to write out (100,000 binary places).
        if exponent.map_or(true, |exponent| exponent.abs() > 30_102) {
            return Err(self.issue(pos, "number too big"));
        }
        Ok(Term::new(pos, Kind::Number(text)))
    }

    fn fraction(&mut self, pos: Pos) -> Result<Term, Issue> {
        let Lexeme::Number(text) = self.token().lexeme.clone() else {
            return Err(self.unexpected("expected number"));
        };
        self.advance();
        Ok(Term::new(pos, Kind::Number(format!("0.{text}"))))
    }

    /// After a minus: a number, or a name, which is taken from zero.
    fn negative(&mut self, pos: Pos) -> Result<Term, Issue> {
        let term = match self.token().lexeme.clone() {
            Lexeme::Number(text) => {
                self.advance();
                self.number(pos, text)?
            }
            Lexeme::Sign(".") => {
                self.advance();
                self.fraction(pos)?
            }
            Lexeme::Word(_) => {
                let inner = self.fresh_term()?;
                let zero = Term::new(pos, Kind::Number("0".into()));
                return Ok(Term::infix(pos, Op::Minus, zero, inner));
            }
            _ => return Err(self.unexpected("expected number")),
        };
        match term.kind {
            Kind::Number(text) => Ok(Term::new(pos, Kind::Number(format!("-{text}")))),
            _ => Ok(term),
        }
    }

    fn template(&mut self, pos: Pos) -> Result<Term, Issue> {
        self.advance();
        let mut parts = Vec::new();
        loop {
            let (text, last) = match self.token().lexeme.clone() {
                Lexeme::Piece(text) => (text, false),
                Lexeme::LastPiece(text) => (text, true),
                _ => return Err(self.unexpected("expected end of template expression")),
            };
            self.advance();
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            if last {
                return Ok(Term::new(pos, Kind::Template(parts)));
            }
            if matches!(self.token().lexeme, Lexeme::Piece(_) | Lexeme::LastPiece(_)) {
                return Err(self.issue(
                    self.pos(),
                    "invalid template-string expression: expected primitive, got empty",
                ));
            }
            parts.push(Part::Expr(Box::new(self.templated()?)));
        }
    }

    /// What follows a term without a blank: `.x`, `[x]`, `(x)`.
    pub(super) fn reference(&mut self, mut head: Term) -> Result<Term, Issue> {
        while !self.token().blank {
            let pos = self.pos();
            let part = match self.token().lexeme {
                Lexeme::Sign("(") => {
                    if head.names().is_none() {
                        break;
                    }
                    self.advance();
                    let args = self.list(")")?;
                    if args.is_empty() && head.as_var() == Some("set") {
                        head.kind = Kind::Set(args);
                        continue;
                    }
                    head = Term::new(head.pos, Kind::Call(Box::new(head), args));
                    continue;
                }
                Lexeme::Sign(".") => {
                    self.advance();
                    let Lexeme::Word(name) = self.token().lexeme.clone() else {
                        return Err(self.unexpected("expected ident"));
                    };
                    let term = Term::text(self.pos(), name);
                    self.advance();
                    term
                }
                Lexeme::Sign("[") => {
                    self.advance();
                    if self.is_sign("]") {
                        return Err(self.unexpected(""));
                    }
                    let term = self.pair()?;
                    self.want_sign("]")?;
                    term
                }
                _ => break,
            };
            if matches!(head.kind, Kind::Null | Kind::Bool(_) | Kind::Number(_)) {
                return Err(self.issue(pos, "illegal ref (head cannot be scalar)"));
            }
            head = match head.kind {
                Kind::Ref(mut parts) => {
                    parts.push(part);
                    Term::new(head.pos, Kind::Ref(parts))
                }
                kind => Term::new(head.pos, Kind::Ref(vec![Term::new(head.pos, kind), part])),
            };
        }
        Ok(head)
    }

    /// Items up to the closing sign, which is taken.
    pub(super) fn list(&mut self, close: &str) -> Result<Vec<Term>, Issue> {
        let mut items = Vec::new();
        loop {
            if self.take_sign(close) {
                return Ok(items);
            }
            items.push(self.infix(0)?);
            if !self.take_sign(",") {
                self.want_sign(close)?;
                return Ok(items);
            }
        }
    }

    fn array(&mut self, pos: Pos) -> Result<Term, Issue> {
        self.advance();
        let mark = self.mark();
        if let Ok(term) = self.term()
            && self.take_sign("|")
            && let Ok(body) = self.comprehension("]")
        {
            return Ok(Term::new(pos, Kind::ArrayOf(Box::new(term), body)));
        }
        self.back(mark);
        Ok(Term::new(pos, Kind::Array(self.list("]")?)))
    }

    fn comprehension(&mut self, close: &'static str) -> Result<Body, Issue> {
        let body = self.deeper(|parser| parser.body(close))?;
        self.want_sign(close)?;
        Ok(body)
    }

    fn braces(&mut self, pos: Pos) -> Result<Term, Issue> {
        self.advance();
        if self.take_sign("}") {
            return Ok(Term::new(pos, Kind::Object(Vec::new())));
        }
        let mark = self.mark();
        if let Ok(term) = self.term()
            && self.take_sign("|")
            && let Ok(body) = self.comprehension("}")
        {
            return Ok(Term::new(pos, Kind::SetOf(Box::new(term), body)));
        }
        self.back(mark);
        let first = self.infix(0)?;
        if self.take_sign(":") {
            return self.object(pos, first);
        }
        let mut items = vec![first];
        if self.take_sign(",") {
            items.extend(self.list("}")?);
        } else {
            self.want_sign("}")?;
        }
        Ok(Term::new(pos, Kind::Set(items)))
    }

    /// After the first key and its colon.
    fn object(&mut self, pos: Pos, first: Term) -> Result<Term, Issue> {
        let mark = self.mark();
        if let Ok(value) = self.term()
            && self.take_sign("|")
            && let Ok(body) = self.comprehension("}")
        {
            return Ok(Term::new(pos, Kind::ObjectOf(Box::new((first, value)), body)));
        }
        self.back(mark);
        let mut pairs = vec![(first, self.infix(0)?)];
        while self.take_sign(",") {
            if self.is_sign("}") {
                break;
            }
            let key = self.infix(0)?;
            self.want_sign(":")?;
            pairs.push((key, self.infix(0)?));
        }
        self.want_sign("}")?;
        Ok(Term::new(pos, Kind::Object(pairs)))
    }
}
