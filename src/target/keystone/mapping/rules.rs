//! Rules as Keystone's JSON schemas let them in, and their `remote` part.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{MapFault, Matches, Version, pattern::Pattern};

/// A mapping that Keystone would accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    pub(super) version: Version,
    pub(super) rules: Vec<Rule>,
}

/// Where a mapping is wrong, and what is expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: found {found}; expected {expected}")]
pub struct Wrong {
    /// The place: `rules[0].remote[1].regex`.
    pub path: String,
    /// What stands there.
    pub found: String,
    /// What Keystone's schema wants.
    pub expected: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    remote: Vec<Requirement>,
    pub(super) local: Vec<Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Requirement {
    attribute: String,
    test: Test,
    regex: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Present,
    AnyOneOf(Vec<Value>),
    NotAnyOf(Vec<Value>),
    Whitelist(Vec<Value>),
    Blacklist(Vec<Value>),
}

impl Mapping {
    /// Reads a mapping: `{"rules": […]}` or the bare list. `version` wins over a `schema_version` inside.
    /// Answers with everything that is wrong.
    pub fn read(document: &Value, version: Option<Version>) -> Result<Self, Vec<Wrong>> {
        let mut reader = Reader { wrong: Vec::new() };
        let rules = match document {
            Value::Array(rules) => Some(rules),
            Value::Object(members) => reader.rules(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                reader.say(
                    "the mapping",
                    document,
                    "a list of rules, or an object with 'rules'",
                );
                None
            }
        };
        let version = version
            .or_else(|| reader.version(document))
            .unwrap_or(Version::V1);
        let rules = rules.map(|rules| reader.all(rules, version)).unwrap_or_default();
        if reader.wrong.is_empty() {
            Ok(Self { version, rules })
        } else {
            Err(reader.wrong)
        }
    }
}

impl Rule {
    /// The values for `{0}`, `{1}`, …; none if the rule does not apply.
    pub(super) fn matches(&self, assertion: &BTreeMap<&str, Vec<&str>>) -> Result<Option<Matches>, MapFault> {
        let mut matches = Vec::new();
        for requirement in &self.remote {
            let Some(values) = assertion.get(requirement.attribute.as_str()) else {
                return Ok(None);
            };
            let regex = requirement.regex;
            match &requirement.test {
                Test::Present => matches.push(owned(values)),
                Test::AnyOneOf(listed) => {
                    if select(listed, values, regex)?.is_empty() {
                        return Ok(None);
                    }
                }
                Test::NotAnyOf(listed) => {
                    if !select(listed, values, regex)?.is_empty() {
                        return Ok(None);
                    }
                }
                Test::Whitelist(listed) => matches.push(owned(&select(listed, values, regex)?)),
                Test::Blacklist(listed) => {
                    let hit = select(listed, values, regex)?;
                    let mut kept: Vec<&str> = values
                        .iter()
                        .copied()
                        .filter(|value| !hit.contains(value))
                        .collect();
                    dedupe(&mut kept);
                    matches.push(owned(&kept));
                }
            }
        }
        Ok(Some(matches))
    }
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Keeps the first of equals. (Keystone goes through a Python set here, whose order is not fixed.)
fn dedupe(values: &mut Vec<&str>) {
    let mut seen = BTreeSet::new();
    values.retain(|value| seen.insert(*value));
}

/// The values that are listed: by equality, or by a search for one of the patterns.
fn select<'v>(listed: &[Value], values: &[&'v str], regex: bool) -> Result<Vec<&'v str>, MapFault> {
    if !regex {
        if listed.iter().any(|item| item.is_array() || item.is_object()) {
            return Err(MapFault::Crash(
                "TypeError: unhashable type in a list of values".into(),
            ));
        }
        let listed: BTreeSet<&str> = listed.iter().filter_map(Value::as_str).collect();
        let mut hit: Vec<&str> = values
            .iter()
            .copied()
            .filter(|value| listed.contains(value))
            .collect();
        dedupe(&mut hit);
        return Ok(hit);
    }
    let mut hit = Vec::new();
    for value in values {
        // One after the other, as Keystone does: a broken pattern behind one that matches is never seen.
        for pattern in listed {
            let text = pattern.as_str().ok_or_else(|| {
                MapFault::Crash("TypeError: first argument must be string or compiled pattern".into())
            })?;
            if Pattern::read(text)?.is_in(value)? {
                hit.push(*value);
                break;
            }
        }
    }
    Ok(hit)
}

struct Reader {
    wrong: Vec<Wrong>,
}

impl Reader {
    fn say(&mut self, path: &str, found: &Value, expected: &str) {
        self.wrong.push(Wrong {
            path: path.to_owned(),
            found: shown(found),
            expected: expected.to_owned(),
        });
    }

    fn rules<'d>(&mut self, members: &'d Map<String, Value>) -> Option<&'d Vec<Value>> {
        match members.get("rules") {
            Some(Value::Array(rules)) => Some(rules),
            Some(other) => {
                self.say("rules", other, "a list of rules");
                None
            }
            None => {
                self.say("rules", &Value::Null, "a list of rules");
                None
            }
        }
    }

    fn version(&mut self, document: &Value) -> Option<Version> {
        let given = document.get("schema_version")?;
        let read = given.as_str().and_then(Version::parse);
        if read.is_none() {
            self.say("schema_version", given, "\"1.0\", \"2.0\" or \"3.0\"");
        }
        read
    }

    fn all(&mut self, rules: &[Value], version: Version) -> Vec<Rule> {
        if rules.is_empty() {
            self.say("rules", &Value::Array(Vec::new()), "at least one rule");
        }
        rules
            .iter()
            .enumerate()
            .filter_map(|(at, rule)| self.rule(&format!("rules[{at}]"), rule, version))
            .collect()
    }

    fn rule(&mut self, path: &str, rule: &Value, version: Version) -> Option<Rule> {
        let members = self.object(path, rule, &["local", "remote"], &["local", "remote"])?;
        let locals = self.list(&format!("{path}.local"), members.get("local"));
        let mut local = Vec::new();
        for (at, item) in locals.iter().enumerate() {
            if let Some(item) = self.local(&format!("{path}.local[{at}]"), item, version) {
                local.push(item);
            }
        }
        let remotes = self.list(&format!("{path}.remote"), members.get("remote"));
        if remotes.is_empty() && members.contains_key("remote") {
            self.say(
                &format!("{path}.remote"),
                &Value::Array(Vec::new()),
                "at least one attribute",
            );
        }
        let mut remote = Vec::new();
        for (at, item) in remotes.iter().enumerate() {
            if let Some(item) = self.requirement(&format!("{path}.remote[{at}]"), item) {
                remote.push(item);
            }
        }
        Some(Rule { remote, local })
    }

    fn requirement(&mut self, path: &str, item: &Value) -> Option<Requirement> {
        const TESTS: [&str; 4] = ["any_one_of", "not_any_of", "whitelist", "blacklist"];
        let members = self.object(
            path,
            item,
            &["type"],
            &[
                "type",
                "any_one_of",
                "not_any_of",
                "whitelist",
                "blacklist",
                "regex",
            ],
        )?;
        self.text(&format!("{path}.type"), members.get("type"));
        let given: Vec<&str> = TESTS
            .into_iter()
            .filter(|test| members.contains_key(*test))
            .collect();
        if given.len() > 1 || (given.is_empty() && members.contains_key("regex")) {
            self.say(
                path,
                item,
                "at most one of any_one_of, not_any_of, whitelist, blacklist; 'regex' only beside one",
            );
            return None;
        }
        if let Some(regex) = members.get("regex")
            && !regex.is_boolean()
        {
            self.say(&format!("{path}.regex"), regex, "true or false");
        }
        let listed =
            |reader: &mut Self, name: &str| reader.list(&format!("{path}.{name}"), members.get(name));
        let test = match given.first().copied() {
            Some("any_one_of") => Test::AnyOneOf(listed(self, "any_one_of")),
            Some("not_any_of") => Test::NotAnyOf(listed(self, "not_any_of")),
            Some("whitelist") => Test::Whitelist(listed(self, "whitelist")),
            Some("blacklist") => Test::Blacklist(listed(self, "blacklist")),
            Some(_) | None => Test::Present,
        };
        Some(Requirement {
            attribute: members.get("type")?.as_str()?.to_owned(),
            test,
            regex: members.get("regex").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    fn local(&mut self, path: &str, item: &Value, version: Version) -> Option<Map<String, Value>> {
        let mut known = vec!["user", "projects", "group", "groups", "group_ids", "domain"];
        if version == Version::V3 {
            known.push("projects_json");
        }
        let members = self.object(path, item, &[], &known)?;
        for (name, value) in members {
            let path = format!("{path}.{name}");
            match name.as_str() {
                "user" => self.user(&path, value),
                "group" => self.group(&path, value),
                "domain" => self.domain(&path, value),
                "projects" => self.projects(&path, value, version),
                _ => self.text(&path, Some(value)),
            }
        }
        Some(members.clone())
    }

    fn user(&mut self, path: &str, user: &Value) {
        let known = ["id", "name", "email", "domain", "type"];
        let Some(members) = self.object(path, user, &[], &known) else {
            return;
        };
        for (name, value) in members {
            let path = format!("{path}.{name}");
            match name.as_str() {
                "domain" => self.domain(&path, value),
                "type" if !matches!(value.as_str(), Some("ephemeral" | "local")) => {
                    self.say(&path, value, "\"ephemeral\" or \"local\"");
                }
                "type" => {}
                _ => self.text(&path, Some(value)),
            }
        }
    }

    fn group(&mut self, path: &str, group: &Value) {
        let by_id = group.get("id").is_some();
        let known: &[&str] = if by_id { &["id"] } else { &["name", "domain"] };
        let Some(members) = self.object(path, group, known, known) else {
            return;
        };
        for (name, value) in members {
            let path = format!("{path}.{name}");
            if name == "domain" {
                self.domain(&path, value);
            } else {
                self.text(&path, Some(value));
            }
        }
    }

    fn domain(&mut self, path: &str, domain: &Value) {
        if let Some(members) = self.object(path, domain, &[], &["id", "name"]) {
            for (name, value) in members {
                self.text(&format!("{path}.{name}"), Some(value));
            }
        }
    }

    fn projects(&mut self, path: &str, projects: &Value, version: Version) {
        for (at, project) in self.list(path, Some(projects)).iter().enumerate() {
            self.project(&format!("{path}[{at}]"), project, version);
        }
    }

    fn project(&mut self, path: &str, project: &Value, version: Version) {
        let known: &[&str] = if version == Version::V1 {
            &["name", "roles"]
        } else {
            &["name", "roles", "domain"]
        };
        let Some(members) = self.object(path, project, &["name", "roles"], known) else {
            return;
        };
        self.text(&format!("{path}.name"), members.get("name"));
        if let Some(domain) = members.get("domain") {
            self.domain(&format!("{path}.domain"), domain);
        }
        for (at, role) in self
            .list(&format!("{path}.roles"), members.get("roles"))
            .iter()
            .enumerate()
        {
            let path = format!("{path}.roles[{at}]");
            if let Some(role) = self.object(&path, role, &["name"], &["name"]) {
                self.text(&format!("{path}.name"), role.get("name"));
            }
        }
    }

    /// An object with the needed members and no unknown ones. Absent members are reported here, so the
    /// callers look at those that are there.
    fn object<'d>(
        &mut self,
        path: &str,
        value: &'d Value,
        needed: &[&str],
        known: &[&str],
    ) -> Option<&'d Map<String, Value>> {
        let Some(members) = value.as_object() else {
            self.say(path, value, &format!("an object with {}", known.join(", ")));
            return None;
        };
        for name in needed {
            if !members.contains_key(*name) {
                self.say(&format!("{path}.{name}"), &Value::Null, "a value: it is required");
            }
        }
        for (name, value) in members {
            if !known.contains(&name.as_str()) {
                self.say(
                    &format!("{path}.{name}"),
                    value,
                    &format!("no such key; there are {}", known.join(", ")),
                );
            }
        }
        Some(members)
    }

    fn list(&mut self, path: &str, value: Option<&Value>) -> Vec<Value> {
        match value {
            Some(Value::Array(items)) => items.clone(),
            Some(other) => {
                self.say(path, other, "a list");
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn text(&mut self, path: &str, value: Option<&Value>) {
        if let Some(value) = value
            && !value.is_string()
        {
            self.say(path, value, "a text");
        }
    }
}

/// Whether a value is what Keystone's schema takes for `projects_json` after it was read (2.0's projects).
pub(super) fn check_projects(projects: &Value) -> Result<Vec<Value>, MapFault> {
    let mut reader = Reader { wrong: Vec::new() };
    reader.projects("projects_json", projects, Version::V2);
    if reader.wrong.is_empty() {
        Ok(projects.as_array().cloned().unwrap_or_default())
    } else {
        let lines: Vec<String> = reader.wrong.iter().map(ToString::to_string).collect();
        Err(MapFault::Invalid(lines.join("; ")))
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if value.is_null() {
        "nothing".to_owned()
    } else if text.chars().count() <= 60 {
        text
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}
