//! Calls: of functions that exist, with the arguments they take, and none that asks anything but input and data.

use super::Report;
use crate::rego::{
    lower::Signatures,
    snapshot::Options,
    syntax::{
        ast::{Body, Kind, Term, Tree, With},
        walk::{self, Visit},
    },
};

/// Refused wherever they stand.
const OUTSIDE: [(&str, &str); 3] = [
    (
        "http.send",
        "facts come from `input` and `data`: a decision makes no calls",
    ),
    (
        "net.lookup_ip_addr",
        "facts come from `input` and `data`: a decision makes no calls",
    ),
    ("opa.runtime", "facts come from `input` and `data`"),
];

/// Refused where the same question must get the same answer.
const CHANGING: [(&str, &str); 5] = [
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
    ("trace", "leave it out: it would write personal data to the log"),
    ("print", "leave it out: it would write personal data to the log"),
];

/// What OPA keeps for policies of version 0 alone.
const DEPRECATED: [&str; 11] = [
    "all",
    "any",
    "cast_array",
    "cast_boolean",
    "cast_null",
    "cast_object",
    "cast_set",
    "cast_string",
    "net.cidr_overlap",
    "re_match",
    "set_diff",
];

pub(super) fn check(tree: &Tree, signatures: &Signatures, options: &Options, report: &mut Report) {
    let mut walk = Walk {
        signatures,
        options,
        report,
    };
    for rule in &tree.rules {
        walk::rule(&mut walk, rule);
    }
}

pub(super) fn check_body(body: &Body, signatures: &Signatures, options: &Options, report: &mut Report) {
    let mut walk = Walk {
        signatures,
        options,
        report,
    };
    walk::body(&mut walk, body);
}

struct Walk<'a> {
    signatures: &'a Signatures,
    options: &'a Options,
    report: &'a mut Report,
}

impl Visit for Walk<'_> {
    fn with(&mut self, with: &With) {
        // A function may be named here without a call.
        self.named(&with.target);
        self.named(&with.value);
        self.term(&with.value);
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            Kind::Call(function, args) => {
                self.call(function, args.len());
                args.iter().for_each(|arg| self.term(arg));
            }
            _ => walk::inside(self, term),
        }
    }
}

impl Walk<'_> {
    fn named(&mut self, term: &Term) -> bool {
        let name = term.names().unwrap_or_default().join(".");
        let outside = OUTSIDE.iter().find(|(refused, _)| *refused == name);
        let changing = CHANGING
            .iter()
            .filter(|_| self.options.refuse_nondeterminism)
            .find(|(refused, _)| *refused == name);
        if let Some((_, instead)) = outside.or(changing) {
            let what = format!("`{name}` is refused");
            self.report.add("rego_type_error", term.pos, what, instead);
            return true;
        }
        false
    }

    fn call(&mut self, function: &Term, given: usize) {
        if self.named(function) {
            return;
        }
        let names = function.names().unwrap_or_default();
        let name = names.join(".");
        let Some(wanted) = self.signatures.arity(&names) else {
            let what = format!("undefined function {name}");
            let instead =
                "call a function of these policies or one the engine has; see docs/rego-builtins.json";
            self.report.add("rego_type_error", function.pos, what, instead);
            return;
        };
        if self.report.v1 && DEPRECATED.contains(&name.as_str()) {
            let what = format!("deprecated built-in function calls in expression: {name}");
            let instead = "write it out, or use the function that took its place";
            self.report.add("rego_type_error", function.pos, what, instead);
        }
        // `print` takes what it is given; the second argument of `walk` is what it finds.
        let fits = given == wanted || name == "print" || name == "walk" && given == wanted + 1;
        if !fits {
            let what = format!("`{name}` takes {wanted} arguments and is given {given}");
            self.report
                .add("rego_type_error", function.pos, what, "give it what it takes");
        }
    }
}
