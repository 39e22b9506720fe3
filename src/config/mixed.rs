//! A configuration of which a running gateway takes a part: what it opened at its start stays as it was.
//!
//! The part that was read and the part that is held have never been looked at together. An access rule that was read may
//! name a target that is only opened at the next start; it would decide nothing, and nobody would be told. So the
//! mixture is made of both trees, and is a configuration like any other if it passes the rules that hold across sections.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{Config, Problem, check, load::Source};

/// The file that a configuration was read from, and its tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(super) file: String,
    pub(super) tree: Arc<Value>,
}

impl Config {
    /// This configuration, except that `held` is kept at these keys (`policy.rest` is a key below `policy`); or what is
    /// wrong with that as a whole. Of targets that are held, `provision` is the one that was read.
    pub fn with_held(self, held: &Self, keys: &[&str]) -> Result<Self, Vec<Problem>> {
        if keys.is_empty() {
            return Ok(self);
        }
        let read = &*self.origin.tree;
        let mut tree = read.clone();
        for key in keys {
            let pointer = format!("/{}", key.replace('.', "/"));
            let kept = held.origin.tree.pointer(&pointer).cloned();
            let kept = match *key {
                "targets" => kept.map(|kept| provisioned(kept, read.get(*key).unwrap_or(&Value::Null))),
                _ => kept,
            };
            put(&mut tree, key, kept);
        }
        let source = Source {
            file: format!(
                "{}, with {} as they run until a restart",
                self.origin.file,
                keys.join(", ")
            ),
            overridden: BTreeMap::new(),
            tree,
        };
        let problems = check::across(&source);
        let mixed = source.into_config(problems)?;
        // The next one is read from the same file, which does not say what was held.
        let origin = Origin {
            file: self.origin.file,
            ..mixed.origin
        };
        Ok(Self { origin, ..mixed })
    }
}

/// Puts a value at a key, one below another if there is a dot; none takes away what is there.
fn put(tree: &mut Value, key: &str, value: Option<Value>) {
    let (place, key) = match key.split_once('.') {
        Some((above, below)) => {
            // The section may be left out of what was read, where what is held is a part of it.
            if value.is_some() && !tree.get(above).is_some_and(Value::is_object) {
                put(tree, above, Some(Value::Object(Map::new())));
            }
            (tree.get_mut(above), below)
        }
        None => (Some(tree), key),
    };
    let Some(Value::Object(map)) = place else { return };
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
}

fn provisioned(mut held: Value, read: &Value) -> Value {
    let others = read.as_array().map_or(&[][..], Vec::as_slice);
    for target in held.as_array_mut().into_iter().flatten() {
        if target.get("kind").and_then(Value::as_str) != Some("keystone") {
            continue;
        }
        let same =
            |other: &&Value| other.get("id") == target.get("id") && other.get("kind") == target.get("kind");
        if let Some(other) = others.iter().find(same) {
            let provision = other.get("provision").cloned();
            put(target, "provision", provision);
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::config::Environment;

    const BASE: &str = "issuer: http://localhost:1\nname: Cloud\nlisten: { address: \"127.0.0.1:1\" }\n\
        secret_key: { env: KEY }\ntenants: [{ id: acme, name: ACME, domains: [acme] }]\n";

    fn read(more: &str) -> Config {
        let mut text = BASE.to_owned();
        text.write_str(more).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let secret = "0123456789-0123456789-0123456789-0123456789";
        let environment = Environment::from_pairs([("KEY", secret), ("PASSWORD", secret)]);
        Config::load_with(file.path(), &environment).unwrap()
    }

    fn cluster(id: &str) -> String {
        format!(
            "  - {{ kind: kubernetes, id: {id}, name: {id}, audience: {id}, server: \"https://localhost:2\" }}\n"
        )
    }

    fn rule(target: &str) -> String {
        format!("  - {{ rule: to-{target}, tenant: acme, group: all, target: {target}, groups: [all] }}\n")
    }

    #[test]
    fn a_rule_for_a_target_that_waits_is_refused() {
        let held = read(&format!("targets:\n{}", cluster("one")));
        let targets = format!("targets:\n{}{}", cluster("one"), cluster("two"));
        let next = read(&format!("{targets}access:\n{}", rule("one")));
        assert!(next.with_held(&held, &["targets"]).is_ok(), "nothing leads to it");
        let next = read(&format!("{targets}access:\n{}{}", rule("one"), rule("two")));
        let problems = next.with_held(&held, &["targets"]).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert_eq!(problem.path, "access[1].target");
        assert!(
            problem
                .source
                .contains("with targets as they run until a restart")
        );
    }

    #[test]
    fn what_was_held_once_is_held_the_next_time() {
        let held = read(&format!("targets:\n{}", cluster("one")));
        let both = format!("targets:\n{}{}", cluster("one"), cluster("two"));
        let second = read(&both);
        let second = second.with_held(&held, &["targets"]).unwrap();
        assert_eq!(second.targets, held.targets);
        let third = read(&format!("{both}access:\n{}", rule("two")));
        assert!(third.with_held(&second, &["targets"]).is_err());
    }

    #[test]
    fn the_provisioning_of_a_held_target_is_the_one_read() {
        let keystone = |name: &str, more: &str| {
            format!(
                "targets:\n  - {{ kind: keystone, id: os, name: {name}, audience: os, url: \"http://127.0.0.1:3\", \
                 header_prefix: Fedgate-7f3a-, mapping_schema: \"{more} }}\n"
            )
        };
        let held = read(&keystone("Old", "1.0\""));
        let next = "3.0\", provision: { user: p, password: { env: PASSWORD } }";
        let next = read(&keystone("New", next));
        // Schema 1.0 knows no provisioning, and that is what runs.
        let problems = next.clone().with_held(&held, &["targets"]).unwrap_err();
        assert!(
            problems
                .iter()
                .any(|problem| problem.to_string().contains("provision")),
            "{problems:?}"
        );
        let held = read(&keystone("Old", "3.0\""));
        assert!(next.with_held(&held, &["targets"]).is_ok());
    }

    #[test]
    fn keys_below_others_are_put_and_taken_away() {
        let mut tree = serde_json::json!({ "policy": { "rest": 1, "folder": 2 }, "keys": 3 });
        put(&mut tree, "policy.rest", None);
        put(&mut tree, "policy.labels", Some(Value::from(4)));
        put(&mut tree, "keys", None);
        put(&mut tree, "nothing.below", None);
        put(&mut tree, "store.records", Some(Value::from(5)));
        assert_eq!(
            tree,
            serde_json::json!({ "policy": { "folder": 2, "labels": 4 }, "store": { "records": 5 } })
        );
    }
}
