//! A query over policies, data and an input, as `eval` and `bench` take it.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    author::{End, version},
    data,
    sources::{Loaded, Named},
};
use crate::{
    app::clock::SystemClock,
    port::clock::Clock as _,
    rego::{
        EvalFault, How, Issue, Options, Snapshot, Value,
        format::{self, Expression},
    },
};

/// The names by which values of expressions come back.
const VALUE: &str = "author_value_";

/// What `eval` and `bench` have in common.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Asked {
    /// The query, for example 'data.federation.access.decision'.
    query: Option<String>,
    /// Read the query from standard input.
    #[arg(long, conflicts_with = "query")]
    stdin: bool,
    /// Policies and data: files, and folders with such.
    #[arg(long, short)]
    data: Vec<PathBuf>,
    /// Bundles: archives, and folders with a bundle's content.
    #[arg(long, short)]
    bundle: Vec<PathBuf>,
    /// The input: a JSON or YAML file.
    #[arg(long, short)]
    input: Option<PathBuf>,
    /// Read the input from standard input.
    #[arg(long, short = 'I', conflicts_with_all = ["input", "stdin"])]
    stdin_input: bool,
    /// The first error of a builtin ends the evaluation.
    #[arg(long)]
    strict_builtin_errors: bool,
    /// The longest that an evaluation may take, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    timeout_ms: u64,
    /// Names to leave out.
    #[arg(long)]
    ignore: Vec<String>,
    /// OPA's strict mode when the policies are loaded.
    #[arg(long, short = 'S')]
    strict: bool,
    /// The policies are Rego version 0.
    #[arg(long)]
    v0_compatible: bool,
}

/// One way in which a query holds.
#[derive(Debug)]
pub(super) struct Answer {
    /// The value of each expression.
    pub(super) values: Vec<Value>,
    pub(super) bindings: BTreeMap<String, Value>,
}

/// A query that can be asked.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) text: String,
    pub(super) expressions: Vec<Expression>,
    pub(super) loaded: Loaded,
    snapshot: Snapshot,
    input: Option<Value>,
    how: How,
    /// The query with a name for each value.
    named: String,
    /// The query as a path below `data`, if it is one.
    path: Option<Vec<String>>,
}

impl Asked {
    pub(super) fn prepare(&self) -> Result<Ready, (End, Option<Loaded>)> {
        let early = |end: End| (end, None);
        let text = self.text().map_err(early)?;
        let expressions = format::expressions(&text).map_err(|issue| early(End::Issues(vec![issue])))?;
        let input = self.read_input().map_err(early)?;
        let loaded = Loaded::read(&Named {
            files: &self.data,
            bundles: &self.bundle,
            ignore: &self.ignore,
            version: version(self.v0_compatible),
            data: true,
        })
        .map_err(early)?;
        let options = Options {
            strict: self.strict,
            ..Options::default()
        };
        let snapshot = match loaded.build(&options, Vec::new()) {
            Ok(snapshot) => snapshot,
            Err(issues) => return Err((End::Issues(issues), Some(loaded))),
        };
        Ok(Ready {
            path: path(&text),
            named: named(&expressions),
            text,
            expressions,
            loaded,
            snapshot,
            input,
            how: How {
                limit: Duration::from_millis(self.timeout_ms),
                strict_builtin_errors: self.strict_builtin_errors,
                now_ns: Some(SystemClock.now_ns()),
                ..How::default()
            },
        })
    }

    fn text(&self) -> Result<String, End> {
        if self.stdin {
            return standard_input();
        }
        let missing = || End::from("write a query, or --stdin to read one");
        self.query.clone().ok_or_else(missing)
    }

    fn read_input(&self) -> Result<Option<Value>, End> {
        let (path, text) = match (&self.input, self.stdin_input) {
            (Some(path), _) => {
                let text =
                    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                (path.as_path(), text)
            }
            (None, true) => (Path::new("input.yaml"), standard_input()?),
            (None, false) => return Ok(None),
        };
        let json = data::parse(path, &text).map_err(|what| format!("unable to parse input: {what}"))?;
        Ok(Some(data::value(json)))
    }
}

fn standard_input() -> Result<String, End> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

/// The expressions, each with a name for its value, so that a false one is seen.
fn named(expressions: &[Expression]) -> String {
    let lines = expressions.iter().enumerate().map(|(at, expression)| {
        if expression.valued {
            format!("{VALUE}{at} := {} {}", expression.bare, expression.with)
        } else {
            expression.text.clone()
        }
    });
    lines.collect::<Vec<String>>().join("\n")
}

fn path(text: &str) -> Option<Vec<String>> {
    let rest = text.trim().strip_prefix("data.")?;
    let names = rest.split('.');
    let plain = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names: Vec<String> = names.map(str::to_owned).collect();
    names.iter().all(|name| plain(name)).then_some(names)
}

impl Ready {
    pub(super) fn ask(&self) -> Result<Vec<Answer>, EvalFault> {
        let found = self
            .snapshot
            .query(&self.named, self.input.clone(), &self.how)
            .map_err(|fault| self.at_the_query(fault))?;
        let single = self.expressions.len() == 1;
        let answers = found.into_iter().filter_map(|mut bindings| {
            let mut values = Vec::new();
            for (at, expression) in self.expressions.iter().enumerate() {
                values.push(if expression.valued {
                    bindings.remove(&format!("{VALUE}{at}"))?
                } else {
                    Value::Bool(true)
                });
            }
            // Alone, `false` is an answer; beside others it ends the query.
            let held = single || values.iter().all(|value| *value != Value::Bool(false));
            bindings.retain(|name, _| !name.starts_with('_'));
            held.then_some(Answer { values, bindings })
        });
        Ok(answers.collect())
    }

    /// Only its time counts.
    pub(super) fn once(&self) -> Result<(), EvalFault> {
        if let Some(path) = &self.path {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            return self
                .snapshot
                .evaluate(&path, self.input.clone(), &self.how)
                .map(drop);
        }
        self.snapshot
            .query(&self.named, self.input.clone(), &self.how)
            .map(drop)
    }

    /// The engine was asked another text than the author's: places are those of the author.
    fn at_the_query(&self, fault: EvalFault) -> EvalFault {
        let author = |issues: Vec<Issue>| {
            let files = self.loaded.texts();
            let mut issues = issues;
            for issue in &mut issues {
                let foreign = |place: &crate::rego::Place| !files.contains_key(place.file.as_str());
                if issue.place.as_ref().is_some_and(foreign) {
                    issue.place = None;
                }
            }
            issues
        };
        match fault {
            EvalFault::Failed(issues) => EvalFault::Failed(author(issues)),
            EvalFault::BadQuery(issues) => EvalFault::BadQuery(author(issues)),
            EvalFault::Timeout | EvalFault::Panicked | EvalFault::TooLarge(_) => fault,
        }
    }
}
