//! What is refused at load because it would show, silently or too late, at a decision (policy traps of the
//! engine): unknown functions even where no test reaches them, functions that make a decision depend on
//! anything but its input, and negation that would be true where a fact is missing.

use std::collections::BTreeMap;

use regorus::{
    Engine,
    unstable::{BUILTINS, BoolOp, Expr, Literal, Query, Ref, Rule, RuleHead, Span},
};

use super::{
    fault::{Issue, Place},
    names::{aliases, functions, package, path},
};

/// Functions that are refused although the engine or OPA has them, and why.
const REFUSED: [(&str, &str); 9] = [
    (
        "http.send",
        "facts come from `input` and `data`: a decision makes no calls",
    ),
    (
        "net.lookup_ip_addr",
        "facts come from `input` and `data`: a decision makes no calls",
    ),
    ("opa.runtime", "facts come from `input` and `data`"),
    (
        "time.now_ns",
        "use input.context.time_s, so that a decision can be replayed",
    ),
    (
        "rand.intn",
        "leave it out: the same question must get the same answer",
    ),
    (
        "uuid.rfc4122",
        "leave it out: the same question must get the same answer",
    ),
    ("strings.count", "use count(split(text, part)) - 1"),
    ("trace", "leave it out: it would write personal data to the log"),
    ("print", "leave it out: it would write personal data to the log"),
];

/// Everything refused, in the order of files and lines.
pub(super) fn issues(engine: &mut Engine) -> Vec<Issue> {
    let modules = engine.get_modules();
    let functions = functions(modules);
    let mut found = Vec::new();
    for module in modules {
        let mut walk = Walk {
            functions: &functions,
            package: package(module),
            aliases: aliases(module),
            found: &mut found,
        };
        for rule in &module.policy {
            walk.rule(rule);
        }
    }
    found.sort_by(|one, other| (&one.place, &one.message).cmp(&(&other.place, &other.message)));
    found.dedup_by(|later, first| {
        let line = |issue: &Issue| issue.place.as_ref().map(|place| (place.file.clone(), place.row));
        later.message == first.message && line(later) == line(first)
    });
    found
}

/// A value that is there, or a reference the engine treats as OPA does under `not`.
fn plain(expr: &Expr) -> bool {
    let constant = matches!(
        expr,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
    );
    constant || path(expr).is_some()
}

struct Walk<'a> {
    functions: &'a BTreeMap<String, usize>,
    package: String,
    aliases: BTreeMap<String, String>,
    found: &'a mut Vec<Issue>,
}

impl Walk<'_> {
    fn refuse(&mut self, span: &Span, what: impl Into<String>, instead: &str) {
        let place = Place {
            file: span.source.get_path().clone(),
            row: span.line,
            col: span.col,
        };
        let issue = Issue::new("rego_type_error", what).at(place).instead(instead);
        self.found.push(issue);
    }

    fn rule(&mut self, rule: &Rule) {
        match rule {
            Rule::Spec { head, bodies, .. } => {
                self.head(head);
                for body in bodies {
                    if let Some(assign) = &body.assign {
                        self.expr(&assign.value);
                    }
                    self.query(&body.query);
                }
            }
            Rule::Default { refr, value, .. } => self.all([refr, value]),
        }
    }

    fn head(&mut self, head: &RuleHead) {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.expr(refr);
                self.all(assign.iter().map(|assign| &assign.value));
            }
            RuleHead::Set { refr, key, .. } => self.all([refr].into_iter().chain(key)),
            RuleHead::Func { args, assign, .. } => {
                self.all(args);
                self.all(assign.iter().map(|assign| &assign.value));
            }
        }
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn {
                    key,
                    value,
                    collection,
                    ..
                } => {
                    self.all(key.iter().chain([value, collection]));
                }
                Literal::Expr { expr, .. } => self.expr(expr),
                Literal::NotExpr { span, expr } => {
                    self.negation(span, expr);
                    self.expr(expr);
                }
                Literal::Every { domain, query, .. } => {
                    self.expr(domain);
                    self.query(query);
                }
            }
            for with in &statement.with_mods {
                self.all([&with.refr, &with.r#as]);
            }
        }
    }

    /// In this engine `not f(input.missing)` is true; in OPA it is undefined. What both agree on is let in.
    fn negation(&mut self, span: &Span, expr: &Expr) {
        let agreed = if let Expr::BoolExpr {
            op: BoolOp::Eq,
            lhs,
            rhs,
            ..
        } = expr
        {
            plain(lhs) && plain(rhs)
        } else {
            plain(expr)
        };
        if !agreed {
            self.refuse(
                span,
                "this `not` would be true where a fact is missing",
                "state the requirement in a rule of its own and write `not <that rule>`, or use required - met",
            );
        }
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Ref<Expr>>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Var { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.all(items),
            Expr::Object { fields, .. } => self.all(fields.iter().flat_map(|(_, key, value)| [key, value])),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term);
                self.query(query);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.all([key, value]);
                self.query(query);
            }
            Expr::Call {
                span, fcn, params, ..
            } => {
                self.call(span, fcn, params.len());
                self.all(params);
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::RefDot { span, refr, .. } => {
                self.named(span, expr);
                self.expr(refr);
            }
            Expr::RefBrack {
                span, refr, index, ..
            } => {
                self.named(span, expr);
                self.all([refr, index]);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => self.all([lhs, rhs]),
            Expr::Membership {
                key,
                value,
                collection,
                ..
            } => self.all(key.iter().chain([value, collection])),
        }
    }

    /// A refused function may also be named without a call (`with http.send as …`).
    fn named(&mut self, span: &Span, expr: &Expr) {
        let name = path(expr).unwrap_or_default();
        if name.contains('.')
            && let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name)
        {
            self.refuse(span, format!("`{name}` is refused"), instead);
        }
    }

    fn call(&mut self, span: &Span, function: &Expr, given: usize) {
        let Some(name) = path(function) else {
            return self.refuse(span, "this call names no function", "call a function by its name");
        };
        if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            return self.refuse(span, format!("`{name}` is refused"), instead);
        }
        let wanted = match self.own(&name) {
            Some(count) => count,
            None => match BUILTINS.get(name.as_str()) {
                Some((_, count)) => usize::from(*count),
                None => {
                    let instead =
                        "call a function of these policies or one the engine has; see policies/README.md";
                    return self.refuse(span, format!("there is no function `{name}`"), instead);
                }
            },
        };
        // One more is the out parameter of Rego: f(x, y) for y := f(x).
        if given != wanted && given != wanted + 1 {
            let what = format!("`{name}` takes {wanted} arguments and is given {given}");
            self.refuse(span, what, "give it what it takes");
        }
    }

    /// The arguments of a function that the policies define.
    fn own(&self, name: &str) -> Option<usize> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let full = match self.aliases.get(first) {
            Some(target) if rest.is_empty() => target.clone(),
            Some(target) => format!("{target}.{rest}"),
            None if first == "data" => name.to_owned(),
            None => format!("{}.{name}", self.package),
        };
        self.functions.get(&full).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(text: &str) -> Vec<String> {
        let mut engine = Engine::new();
        let text = format!("package p\nimport rego.v1\nimport data.lib.texts\n{text}");
        engine.add_policy("p.rego".into(), text).unwrap();
        let lib = "package lib.texts\nimport rego.v1\nshort(x) := y if y := lower(x)";
        engine.add_policy("lib.rego".into(), lib.into()).unwrap();
        issues(&mut engine).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_functions_are_refused_also_behind_guards() {
        for text in [
            "allow if { false; no.such(1) }",
            "f(x) := [y | y := nowhere(x)]",
            "allow if { every x in [1] { nowhere(x) } }",
            "allow if { x := {\"k\": nowhere(1)}; x }",
            "allow if { false } else := nowhere(1)",
            "allow if true with input as nowhere(1)",
            "s contains nowhere(1) if false",
            "allow if texts.long(\"a\")",
        ] {
            let found = refusals(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(
                found[0].starts_with("p.rego:4: rego_type_error: there is no function"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn calls_and_clocks_are_refused_by_name() {
        for text in [
            "allow if http.send({\"url\": \"http://x\"}).body.ok",
            "allow if true with http.send as {}",
            "allow if time.now_ns() > 1",
            "allow if strings.count(\"x\", \"\") == 1",
            "allow if print(1)",
        ] {
            let found = refusals(text);
            assert!(
                found.iter().any(|line| line.contains("is refused")),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn a_wrong_number_of_arguments_is_refused() {
        assert_eq!(refusals("allow if startswith(\"a\")").len(), 1);
        assert_eq!(refusals("allow if texts.short(\"a\", 1, 2)").len(), 1);
    }

    #[test]
    fn negation_over_what_may_be_missing_is_refused() {
        for operand in [
            "input.a >= 1",
            "input.a != 1",
            "input.a in {1}",
            "1 in input.a",
            "startswith(input.a, \"x\")",
            "count(input.a) > 0",
            "texts.short(input.a)",
            "data.q[input.id]",
            "data.q[input.id].n >= 1",
            "input.a.b == data.q[input.id]",
        ] {
            let found = refusals(&format!("allow if not {operand}"));
            assert!(
                found
                    .iter()
                    .any(|line| line.contains("p.rego:4: rego_type_error: this `not`")),
                "{operand}: {found:?}"
            );
        }
        for operand in ["input.a", "input.a.b == 1", "data.q.n", "other"] {
            let found = refusals(&format!("other if true\nallow if not {operand}"));
            assert!(found.is_empty(), "{operand}: {found:?}");
        }
    }

    #[test]
    fn sound_policies_pass() {
        let found = refusals(
            "allow if texts.short(\"A\") == \"a\"\ng(x) := count(x)\nh := g([1])\nk := data.p.g([])",
        );
        assert!(found.is_empty(), "{found:?}");
    }
}
