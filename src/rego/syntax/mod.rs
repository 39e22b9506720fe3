//! Reading Rego as OPA reads it: text to tree, with OPA's words for what is wrong.
//!
//! The engine's own reader is narrower (keywords as names, templates, logical operators), and what it accepts it
//! sometimes means differently. So modules are read here, checked, lowered to a plain form and written anew. The
//! formatter reads by itself, since it needs what this tree leaves out (see `format`).

pub(super) mod ast;
mod lexer;
mod literals;
pub(super) mod names;
mod parser;
mod rules;
mod terms;
pub(super) mod walk;

use ast::{Body, Tree};

use super::{fault::Issue, module::Version};

/// Reads a module.
pub(super) fn module(file: &str, text: &str, version: Version) -> Result<Tree, Issue> {
    let mut parser = parser::Parser::new(file, text, version)?;
    parser.tree()
}

/// Reads an ad-hoc query.
pub(super) fn query(file: &str, text: &str, version: Version) -> Result<Body, Issue> {
    let mut parser = parser::Parser::new(file, text, version)?;
    parser.whole_query()
}

/// Reads the package clause alone; the rest of the text may be wrong.
pub(super) fn package(text: &str) -> Option<Vec<String>> {
    let mut parser = parser::Parser::new("", text, Version::V1).ok()?;
    parser.package().ok().map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        thread,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::rego::{Module, Options, Refused, Snapshot, Value};

    #[test]
    fn the_package_is_read_alone() {
        for (text, expected) in [
            ("package a", Some("a")),
            (
                "# METADATA\n# title: x\n\npackage a.b.c\nimport data.x",
                Some("a|b|c"),
            ),
            (r#"package a["b/c"].d"#, Some("a|b/c|d")),
            ("package a[`b`] # raw", Some("a|b")),
            ("package a # why\n", Some("a")),
            ("package\ta", Some("a")),
            ("package a\nnothing that follows is right", Some("a")),
            ("packages a", None),
            ("allow := true", None),
            ("package", None),
            ("", None),
        ] {
            let found = package(text).map(|path| path.join("|"));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    /// On a stack as threads have it that serve requests.
    #[expect(
        clippy::disallowed_methods,
        reason = "what is tested is the time that it takes"
    )]
    fn built(text: String) -> Result<(), Refused> {
        let build = move || {
            let module = Module {
                id: "p.rego".into(),
                text,
                version: Version::V1,
            };
            let began = Instant::now();
            let built = Snapshot::build(vec![Arc::new(module)], Value::new_object(), &Options::default());
            assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
            built.map(|_| ())
        };
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(build);
        thread.unwrap().join().unwrap()
    }

    #[test]
    fn a_long_chain_of_operators_is_read_or_refused_and_never_ends_the_process() {
        let chain = |operator: &str, count: usize| vec!["input.a"; count].join(operator);
        for operator in [" + ", " | ", " - "] {
            built(format!("package p\nx := {}", chain(operator, 200))).unwrap();
            for count in [300, 20_000] {
                let text = format!("package p\nx := {}", chain(operator, count));
                assert!(
                    built(text)
                        .unwrap_err()
                        .to_string()
                        .contains("max recursion depth exceeded")
                );
            }
        }
        let nested = (0..40).fold("input.a".to_owned(), |inner, _| {
            format!("({inner}) + {}", chain(" + ", 150))
        });
        assert!(built(format!("package p\nx := {nested}")).is_err());
        for word in ["and", "or"] {
            let start = "package p\nimport future.keywords.and\nimport future.keywords.or\nx if ";
            let text = format!("{start}{}", chain(&format!(" {word} "), 20_000));
            assert!(built(text).is_err());
        }
    }

    #[test]
    fn what_is_never_closed_is_refused_in_little_time() {
        for (open, inner, close) in [
            ("[", "1", "]"),
            ("{", "1", "}"),
            ("(", "1", ")"),
            ("{\"a\": ", "1", "}"),
            ("[x | x := ", "1", "]"),
            ("{x | x := ", "1", "}"),
            ("f(", "1", ")"),
            ("a[", "1", "]"),
            ("[1, ", "1", "]"),
        ] {
            for count in [25, 60, 95, 110, 5_000] {
                let text = |close: &str| {
                    format!(
                        "package p\ny := {}{inner}{}",
                        open.repeat(count),
                        close.repeat(count)
                    )
                };
                assert!(built(text("")).is_err(), "{open} {count}");
                if count > 100 {
                    assert!(built(text(close)).is_err(), "{open} {count}");
                }
            }
        }
    }
}
