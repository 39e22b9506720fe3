//! One immutable set of policies and data: what is asked. Shared by all threads, never changed.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use regorus::{Engine, Value};

use super::{
    builtin, check, document, engine,
    evaluate::{self, Engines, Evaluated, How},
    fault::{EvalFault, Issue, Place, Refused},
    load::{self, Loaded},
    lower,
    module::{Module, Version},
    syntax::{self, names::is_name},
};

/// What is checked at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// OPA's strict mode: duplicate imports, unused variables and the like are refused.
    pub strict: bool,
    /// Refuse functions whose answer does not depend on input and data alone (`time.now_ns`, `rand.intn`, …).
    pub refuse_nondeterminism: bool,
    /// Whether most questions want errors of builtins to end them. Either is answered; the other way costs a second
    /// copy of what was compiled.
    pub strict_builtin_errors: bool,
    /// Longest evaluation while loading.
    pub limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strict: false,
            refuse_nondeterminism: false,
            strict_builtin_errors: false,
            limit: Duration::from_secs(2),
        }
    }
}

/// Policies and data, ready to answer. Its engine is cloned for a question, and the clone kept for the next.
pub struct Snapshot {
    loaded: Loaded,
    modules: Vec<Arc<Module>>,
    data: Value,
    bundles: BTreeMap<String, String>,
    options: Options,
    engines: Engines,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Snapshot")
            .field("modules", &self.modules.len())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Parses, checks and compiles. Base documents are an object.
    pub fn build(modules: Vec<Arc<Module>>, data: Value, options: &Options) -> Result<Self, Refused> {
        let loaded = load::load(&modules, options).map_err(Refused)?;
        Self::finish(loaded, modules, data, options)
    }

    /// The same policies over other base documents, without parsing them again.
    pub(super) fn with_data(&self, data: Value, options: &Options) -> Result<Self, Refused> {
        Self::finish(self.loaded.clone(), self.modules.clone(), data, options)
    }

    fn finish(
        mut loaded: Loaded,
        modules: Vec<Arc<Module>>,
        data: Value,
        options: &Options,
    ) -> Result<Self, Refused> {
        if !matches!(data, Value::Object(_)) {
            let issue = Issue::new("rego_compile_error", "the base documents are no object");
            return Err(Refused(vec![issue]));
        }
        let clashes = loaded.rules.conflicts(&data);
        if !clashes.is_empty() {
            return Err(Refused(clashes));
        }
        engine::prepare(&mut loaded.engine, &data, options).map_err(|issues| {
            let issues = issues.into_iter().map(|issue| loaded.origins.issue(issue));
            Refused(issues.collect())
        })?;
        let engines = Engines::of(loaded.engine.clone(), options.strict_builtin_errors, &data);
        Ok(Self {
            loaded,
            modules,
            data,
            bundles: BTreeMap::new(),
            options: options.clone(),
            engines,
        })
    }

    /// Names the bundles that this state is made of.
    pub(super) fn of_bundles(mut self, bundles: BTreeMap<String, String>) -> Self {
        self.bundles = bundles;
        self
    }

    /// The document at a path: `["a", "b"]` asks `data.a.b`, `[]` is all of `data`.
    pub fn evaluate(&self, path: &[&str], input: Option<Value>, how: &How) -> Result<Evaluated, EvalFault> {
        let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
        let is_rule = self.loaded.rules.names(&path);
        if !is_rule && !self.loaded.rules.touch(&path) {
            return Ok(Evaluated {
                value: document::get(&self.data, &path).cloned(),
                coverage: how.coverage.then(Vec::new),
                prints: Vec::new(),
            });
        }
        let known = |fault| self.loaded.origins.fault(fault);
        let text = reference(&path);
        // What an engine gathers stays with it: only plain ones are asked again.
        if is_rule && !how.coverage && !how.prints {
            let asked = self.engines.ask(input, how, |engine| engine.eval_rule(text));
            return Ok(Evaluated {
                value: Some(asked.map_err(known)?).filter(|value| *value != Value::Undefined),
                coverage: None,
                prints: Vec::new(),
            });
        }
        let run = self.engines.once(input, how, |engine| {
            if is_rule {
                engine.eval_rule(text)
            } else {
                self.document(engine, &path, text)
            }
        });
        let (value, engine) = run.map_err(known)?;
        Ok(self.evaluated(value, engine, how))
    }

    /// What rules and data make of a path: a package's rules are evaluated one by one before it is read.
    fn document(&self, engine: &mut Engine, path: &[String], text: String) -> anyhow::Result<Value> {
        let text = lower::document(path, &self.loaded.signatures).unwrap_or(text);
        let results = engine.eval_query(text, false)?;
        let value = results
            .result
            .first()
            .and_then(|result| result.expressions.first());
        Ok(value.map_or(Value::Undefined, |expression| expression.value.clone()))
    }

    fn evaluated(&self, value: Value, mut engine: Engine, how: &How) -> Evaluated {
        Evaluated {
            value: Some(value).filter(|value| *value != Value::Undefined),
            coverage: how
                .coverage
                .then(|| evaluate::coverage(&engine, &self.loaded.origins)),
            prints: if how.prints {
                engine.take_prints().unwrap_or_default()
            } else {
                Vec::new()
            },
        }
    }

    /// An ad-hoc query: one map of variables for each way in which it holds.
    pub fn query(
        &self,
        text: &str,
        input: Option<Value>,
        how: &How,
    ) -> Result<Vec<BTreeMap<String, Value>>, EvalFault> {
        let body =
            syntax::query("query", text, Version::V1).map_err(|issue| EvalFault::BadQuery(vec![issue]))?;
        let (plain, names) = lower::query(body, &self.loaded.signatures);
        let found = check::query(&plain, &self.loaded.signatures, &self.options);
        if !found.is_empty() {
            return Err(EvalFault::BadQuery(found));
        }
        let written = lower::print_query(plain, &names, &self.loaded.packages);
        let ask = |engine: &mut Engine| {
            // The query may call what no module does.
            builtin::install(engine, &[&written]);
            engine.eval_query(written.clone(), false)
        };
        let run = self.engines.once(input, how, ask);
        let (results, _) = run.map_err(|fault| self.loaded.origins.fault(fault))?;
        let all = results.result.into_iter().flat_map(|result| result.expressions);
        let all = all.filter_map(|expression| expression.value.as_array().ok().cloned());
        let maps = all.flat_map(|items| items.to_vec()).map(|item| {
            let bindings = item.as_object().ok().cloned().unwrap_or_default();
            bindings
                .iter()
                .filter_map(|(key, value)| Some((key.as_string().ok()?.to_string(), value.clone())))
                .collect()
        });
        Ok(maps.collect())
    }

    /// The policies, in the order they were given.
    #[must_use]
    pub fn modules(&self) -> &[Arc<Module>] {
        &self.modules
    }

    /// The bundles that this state is made of, with their revisions.
    #[must_use]
    pub const fn bundles(&self) -> &BTreeMap<String, String> {
        &self.bundles
    }

    /// Whether a rule could define the document at this path, for some input.
    #[must_use]
    pub fn has_rules(&self, path: &[&str]) -> bool {
        let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
        self.loaded.rules.define(&path)
    }

    /// The path of each rule below `data`, as far as it is constant, with its first place.
    pub fn rules(&self) -> impl Iterator<Item = (&[String], &Place)> {
        self.loaded.rules.iter()
    }

    /// The packages below `data`, one for each module.
    #[must_use]
    pub fn packages(&self) -> Vec<(Vec<String>, Place)> {
        self.loaded.rules.packages().to_vec()
    }

    /// Base documents only.
    #[must_use]
    pub const fn data(&self) -> &Value {
        &self.data
    }

    /// The syntax tree of a module.
    #[must_use]
    pub fn ast(&self, id: &str) -> Option<serde_json::Value> {
        let at = self.modules.iter().position(|module| module.id == id)?;
        let all: serde_json::Value =
            serde_json::from_str(&self.loaded.engine.get_ast_as_json().ok()?).ok()?;
        all.get(at)?.get("ast").cloned()
    }
}

/// `data.a["b-c"][0]`. A key that is an integer is written as one, as OPA's REST interface does: it names an
/// item of an array.
#[must_use]
pub fn reference<S: AsRef<str>>(path: &[S]) -> String {
    let mut text = "data".to_owned();
    for key in path {
        let key = key.as_ref();
        if is_name(key) {
            text.push('.');
            text.push_str(key);
        } else if is_integer(key) {
            text.push('[');
            text.push_str(key);
            text.push(']');
        } else {
            text.push('[');
            text.push_str(&serde_json::Value::from(key).to_string());
            text.push(']');
        }
    }
    text
}

fn is_integer(key: &str) -> bool {
    key.parse::<i64>().is_ok_and(|number| number.to_string() == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rego::Version;

    fn build(text: &str, data: &str) -> Result<Snapshot, Refused> {
        let module = Module {
            id: "p.rego".into(),
            text: text.into(),
            version: Version::V1,
        };
        let data = Value::from_json_str(data).unwrap();
        Snapshot::build(vec![Arc::new(module)], data, &Options::default())
    }
    fn value(snapshot: &Snapshot, path: &[&str], input: &str) -> Option<String> {
        let input = Value::from_json_str(input).unwrap();
        let evaluated = snapshot.evaluate(path, Some(input), &How::default()).unwrap();
        evaluated.value.map(|value| value.to_string())
    }

    const POLICY: &str = "package a.b\nallow if input.x > 1\nf(x) := x\np := {1, 2}\nd.e := 3";

    #[test]
    fn paths_name_rules_packages_and_base_documents() {
        let snapshot = build(POLICY, r#"{"c": {"k-y": [1, {"z": true}]}}"#).unwrap();
        assert_eq!(
            value(&snapshot, &["a", "b", "allow"], r#"{"x": 2}"#).unwrap(),
            "true"
        );
        assert_eq!(value(&snapshot, &["a", "b", "allow"], r#"{"x": 1}"#), None);
        assert_eq!(value(&snapshot, &["a", "b", "d"], "{}").unwrap(), r#"{"e":3}"#);
        assert_eq!(value(&snapshot, &["c", "k-y", "1", "z"], "{}").unwrap(), "true");
        assert_eq!(value(&snapshot, &["nope"], "{}"), None);
        assert!(value(&snapshot, &[], "{}").unwrap().contains("k-y"));
        assert!(value(&snapshot, &["a"], r#"{"x": 2}"#).unwrap().contains("allow"));
    }

    #[test]
    fn a_query_gives_its_variables() {
        let snapshot = build(POLICY, "{}").unwrap();
        let ask = |text| snapshot.query(text, None, &How::default()).unwrap();
        assert_eq!(ask("x := data.a.b.d.e; x > 1")[0]["x"], Value::from(3));
        assert_eq!(ask("data.a.b.allow with input.x as 2").len(), 1);
        assert!(ask("data.a.b.allow").is_empty());
    }

    #[test]
    fn base_documents_are_read_beside_the_input_and_replaced_with_it() {
        let text = r#"package a.b
of(user) := data.c.of[user]
held := data.c.of[input.user]
second := data.c.list[1].x
none if not data.c.of[input.nobody]
mocked := x if x := [held, data.c.list[0]] with data.c.of.u as "mock" with input.user as "u"
deeper := x if x := [held, data.c.list] with data.c as {"of": {"u": 7}, "list": 8} with input as {"user": "u"}
count_of := count([key | some key, _ in data.c.of])"#;
        let snapshot = build(
            text,
            r#"{"c": {"of": {"u": 1, "7": 2}, "list": [{"x": 1}, {"x": 2}]}}"#,
        )
        .unwrap();
        let ask = |rule, input| value(&snapshot, &["a", "b", rule], input);
        assert_eq!(ask("held", r#"{"user": "u"}"#).unwrap(), "1");
        assert_eq!(ask("held", r#"{"user": 7}"#).unwrap(), "2", "as in OPA's storage");
        assert_eq!(ask("held", r#"{"user": "x"}"#), None);
        assert_eq!(ask("second", "{}").unwrap(), "2");
        assert_eq!(ask("none", "{}"), None, "OPA reads a key outside of the negation");
        assert_eq!(ask("mocked", "{}").unwrap(), r#"["mock",{"x":1}]"#);
        assert_eq!(ask("deeper", "{}").unwrap(), "[7,8]");
        assert_eq!(ask("count_of", "{}").unwrap(), "2");
        let how = How::default();
        let found = snapshot.query("x := data.c.of.u with data.c.of.u as 5", None, &how);
        assert_eq!(found.unwrap()[0]["x"], Value::from(5));
        let found = snapshot.query("x := data.a.b.of(\"u\") with data.c.of as {\"u\": 6}", None, &how);
        assert_eq!(found.unwrap()[0]["x"], Value::from(6));
    }

    #[test]
    fn a_broken_module_is_refused_with_its_place() {
        let refused = build("package a\nallow if {", "{}").unwrap_err();
        assert_eq!(refused.0[0].code, "rego_parse_error");
        assert_eq!(refused.0[0].place.as_ref().unwrap().row, 2);
    }

    #[test]
    fn a_rule_over_data_is_refused() {
        let refused = build(POLICY, r#"{"a": {"b": {"p": 1}}}"#).unwrap_err();
        assert!(refused.to_string().contains("data path a/b/p"), "{refused}");
        assert!(build(POLICY, r#"{"a": {"b": {"other": 1}}}"#).is_ok());
    }

    #[test]
    fn an_endless_rule_a_panic_and_a_deep_input_are_faults() {
        let text = r#"package a
endless := count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a == b])
conflict := 1 if input.x
conflict := 2 if input.x
now := time.now_ns()"#;
        let snapshot = build(text, "{}").unwrap();
        let how = How {
            limit: Duration::from_millis(20),
            now_ns: Some(5),
            ..How::default()
        };
        let input = Value::from_json_str(r#"{"x": 1}"#).unwrap();
        let ask = |name: &str| snapshot.evaluate(&["a", name], Some(input.clone()), &how);
        assert_eq!(ask("endless").unwrap_err(), EvalFault::Timeout);
        let conflict = ask("conflict").unwrap_err();
        assert!(conflict.to_string().contains("eval_conflict_error"), "{conflict}");
        assert_eq!(ask("now").unwrap().value, Some(Value::from(5)));
        let deep = (0..200).fold(Value::Null, |value, _| Value::from(vec![value]));
        let fault = snapshot.evaluate(&["a", "now"], Some(deep), &how).unwrap_err();
        assert!(matches!(fault, EvalFault::TooLarge(_)));
    }

    #[test]
    fn references_are_quoted() {
        let path = [
            "a".to_owned(),
            "b-c".to_owned(),
            "d\"e".to_owned(),
            "1".to_owned(),
            "01".to_owned(),
        ];
        assert_eq!(reference(&path), r#"data.a["b-c"]["d\"e"][1]["01"]"#);
    }
}
