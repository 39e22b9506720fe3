//! Modules: the package clause, imports, and rules in the forms of both versions.

use super::{
    ast::{Body, Else, Head, Import, Kind, Literal, Makes, Op, Pos, Rule, Statement, Term, Tree},
    lexer::Lexeme,
    parser::Parser,
};
use crate::rego::fault::Issue;

impl Parser {
    pub(super) fn tree(&mut self) -> Result<Tree, Issue> {
        let (pos, package) = self.package()?;
        let (mut imports, mut rules) = (Vec::new(), Vec::new());
        while !self.ended() {
            if self.is_word("import") {
                let import = self.import()?;
                self.imported(&import)?;
                imports.push(import);
            } else {
                self.rule(&mut rules)?;
            }
            if !self.ended() && !self.token().newline && !self.take_sign(";") {
                return Err(self.unexpected(r"expected \n"));
            }
        }
        Ok(Tree {
            pos,
            package,
            imports,
            rules,
            comments: std::mem::take(&mut self.comments),
        })
    }

    pub(super) fn package(&mut self) -> Result<(Pos, Vec<String>), Issue> {
        let pos = self.pos();
        if !self.take_word("package") {
            return Err(self.issue(pos, "package expected"));
        }
        Ok((pos, self.path()?))
    }

    /// A path of constant names; a keyword may be its first.
    fn path(&mut self) -> Result<Vec<String>, Issue> {
        let pos = self.pos();
        let Lexeme::Word(name) = self.token().lexeme.clone() else {
            return Err(self.unexpected("expected path"));
        };
        self.advance();
        let term = self.reference(Term::var(pos, name))?;
        term.names()
            .map(|names| names.into_iter().map(str::to_owned).collect())
            .ok_or_else(|| self.issue(pos, "unexpected token: expecting string"))
    }

    fn import(&mut self) -> Result<Import, Issue> {
        let pos = self.pos();
        self.advance();
        let path = self.path()?;
        let first = path.first().map(String::as_str).unwrap_or_default();
        if !["data", "input", "future", "rego"].contains(&first) {
            let text = format!(
                "unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {first}"
            );
            return Err(self.issue(pos, text));
        }
        let mut alias = None;
        if self.take_word("as") {
            let Lexeme::Word(name) = self.token().lexeme.clone() else {
                return Err(self.unexpected("expected var"));
            };
            if self.is_keyword(&name) {
                return Err(self.unexpected("expected var"));
            }
            self.advance();
            alias = Some(name);
        } else if let Some(last) = path.last()
            && self.is_keyword(last)
            && first != "future"
        {
            let text = format!("unexpected import path, must not end with a keyword, got: {last}");
            return Err(self
                .issue(pos, text)
                .instead("import a different path or use an alias"));
        }
        Ok(Import { pos, path, alias })
    }

    /// Imports that change the language.
    fn imported(&mut self, import: &Import) -> Result<(), Issue> {
        let path: Vec<&str> = import.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["rego", "v1"] => {
                self.keywords = self.keywords.v1();
                self.keywords.strict = true;
            }
            ["rego", ..] => return Err(self.issue(import.pos, "invalid import `rego`, must be `rego.v1`")),
            ["future", "keywords"] => {
                self.keywords = self.keywords.v1();
                self.keywords.and = true;
                self.keywords.or = true;
                self.keywords.not_body = true;
            }
            ["future", "keywords", word] => match *word {
                "contains" => self.keywords.contains = true,
                "every" => {
                    self.keywords.every = true;
                    self.keywords.r#in = true;
                }
                "if" => self.keywords.r#if = true,
                "in" => self.keywords.r#in = true,
                "and" => self.keywords.and = true,
                "or" => self.keywords.or = true,
                "not" => self.keywords.not_body = true,
                word => {
                    return Err(self.issue(
                        import.pos,
                        format!("unexpected keyword, must be one of [contains every if in], got: {word}"),
                    ));
                }
            },
            ["future", ..] => {
                return Err(self.issue(import.pos, "invalid import, must be `future.keywords`"));
            }
            _ => {}
        }
        Ok(())
    }

    fn rule(&mut self, rules: &mut Vec<Rule>) -> Result<(), Issue> {
        let pos = self.pos();
        let default = self.take_word("default");
        let (mut head, contains) = self.head(pos)?;
        if default {
            rules.push(self.default_rule(pos, head)?);
            return Ok(());
        }
        let conditional = self.keywords.r#if && self.is_word("if");
        let braces = self.is_sign("{");
        if !contains && !conditional {
            self.old_set(&mut head, braces)?;
        }
        let bodied = conditional || braces;
        if bodied && !conditional && self.keywords.strict {
            return Err(self
                .issue(pos, "`if` keyword is required before rule body")
                .instead("write `if` before the braces"));
        }
        let body = if bodied { Some(self.rule_body()?) } else { None };
        if !bodied
            && !contains
            && head.args.is_none()
            && head.path.len() == 1
            && matches!(head.makes, Makes::Value(None))
        {
            return Err(self.issue(pos, "var cannot be used for rule name"));
        }
        let mut elses = Vec::new();
        while bodied && self.is_word("else") {
            if matches!(head.makes, Makes::Item(_)) {
                return Err(self.issue(self.pos(), "else keyword cannot be used on multi-value rules"));
            }
            elses.push(self.else_branch()?);
        }
        let chained = elses.is_empty();
        rules.push(Rule {
            pos,
            default,
            head: head.clone(),
            body,
            elses,
        });
        while bodied && chained && self.is_sign("{") {
            let pos = self.pos();
            let body = Some(self.braced()?);
            rules.push(Rule {
                pos,
                default,
                head: head.clone(),
                body,
                elses: Vec::new(),
            });
        }
        Ok(())
    }

    /// `p[x]` without `if` is an item of the set `p` in the old form.
    fn old_set(&self, head: &mut Head, braces: bool) -> Result<(), Issue> {
        let is_old = head.args.is_none() && head.path.len() == 2 && matches!(head.makes, Makes::Value(None));
        if !is_old {
            return Ok(());
        }
        if self.keywords.strict {
            let text = if braces {
                "`if` keyword is required before rule body"
            } else {
                "`contains` keyword is required for partial set rules"
            };
            return Err(self
                .issue(head.pos, text)
                .instead("write `p contains x if { … }`"));
        }
        if let Some(key) = head.path.pop() {
            head.makes = Makes::Item(key);
        }
        Ok(())
    }

    fn default_rule(&self, pos: Pos, head: Head) -> Result<Rule, Issue> {
        let Makes::Value(Some(value)) = &head.makes else {
            return Err(self.issue(pos, "illegal default rule (must have a value)"));
        };
        if let Some(what) = no_constant(value) {
            let text = format!("illegal default rule (value cannot contain {what})");
            return Err(self.issue(pos, text));
        }
        Ok(Rule {
            pos,
            default: true,
            head,
            body: None,
            elses: Vec::new(),
        })
    }

    fn head(&mut self, pos: Pos) -> Result<(Head, bool), Issue> {
        let Lexeme::Word(name) = self.token().lexeme.clone() else {
            return Err(self.unexpected(""));
        };
        if self.is_keyword(&name) && name != "contains" && !self.begins_reference() {
            return Err(self.unexpected("expected rule head name"));
        }
        self.advance();
        let term = self.reference(Term::var(pos, name))?;
        let (path, args) = match term.kind {
            Kind::Var(name) => (vec![Term::var(pos, name)], None),
            Kind::Ref(parts) => (parts, None),
            Kind::Call(function, args) => match function.kind {
                Kind::Ref(parts) => (parts, Some(args)),
                kind => (vec![Term::new(pos, kind)], Some(args)),
            },
            _ => return Err(self.issue(pos, "expected rule head name")),
        };
        if path.first().is_none_or(|first| first.as_var().is_none()) {
            return Err(self.issue(pos, "rule head ref invalid"));
        }
        if self.keywords.contains && self.is_word("contains") {
            self.advance();
            if args.is_some() {
                let text = "the contains keyword can only be used with multi-value rule definitions (e.g., p contains <VALUE> { ... })";
                return Err(self.issue(pos, text));
            }
            let makes = Makes::Item(self.infix(0)?);
            let head = Head {
                pos,
                path,
                args,
                makes,
            };
            return Ok((head, true));
        }
        let value = if self.take_sign(":=") || self.take_sign("=") {
            Some(self.infix(0)?)
        } else {
            None
        };
        let makes = Makes::Value(value);
        let head = Head {
            pos,
            path,
            args,
            makes,
        };
        Ok((head, false))
    }

    fn braced(&mut self) -> Result<Body, Issue> {
        self.want_sign("{")?;
        let body = self.body("}")?;
        self.want_sign("}")?;
        Ok(body)
    }

    /// After a head: `if` and a statement, or braces.
    fn rule_body(&mut self) -> Result<Body, Issue> {
        if !self.take_word("if") {
            return self.braced();
        }
        if !self.is_sign("{") {
            return Ok(vec![self.literal()?]);
        }
        let mark = self.mark();
        // A set is always there: `if { x }` is a body.
        if let Ok(literal) = self.literal()
            && !matches!(
                &literal,
                Literal {
                    kind: Statement::Expr(Term {
                        kind: Kind::Set(_),
                        ..
                    }),
                    ..
                }
            )
        {
            return Ok(vec![literal]);
        }
        self.back(mark);
        self.braced()
    }

    fn else_branch(&mut self) -> Result<Else, Issue> {
        let pos = self.pos();
        self.advance();
        let value = if self.take_sign(":=") || self.take_sign("=") {
            Some(self.infix(0)?)
        } else {
            None
        };
        let conditional = self.keywords.r#if && self.is_word("if");
        let body = if conditional || self.is_sign("{") {
            if !conditional && self.keywords.strict {
                return Err(self.issue(pos, "`if` keyword is required before else-body"));
            }
            Some(self.rule_body()?)
        } else if value.is_none() {
            return Err(self.unexpected("expected else value term or rule body"));
        } else {
            None
        };
        Ok(Else { pos, value, body })
    }
}

/// What in a default value is not known at load.
fn no_constant(term: &Term) -> Option<&'static str> {
    match &term.kind {
        Kind::Var(_) => Some("var"),
        Kind::Ref(_) => Some("ref"),
        Kind::Call(..) | Kind::InKey(_) | Kind::Template(_) => Some("call"),
        Kind::Infix(Op::Minus, left, right) if matches!(left.kind, Kind::Number(_)) => no_constant(right),
        Kind::Infix(..) => Some("call"),
        // A comprehension closes over its variables.
        Kind::ArrayOf(..) | Kind::SetOf(..) | Kind::ObjectOf(..) => None,
        _ => term.inner().into_iter().find_map(no_constant),
    }
}
