//! From the filled `local` items to one user, groups and projects (`RuleProcessor._transform`).

use serde_json::{Map, Value};

use super::{MapFault, Mapped, Version, literal};

const NOTHING: &str = "Could not map any federated user properties to identity values. Check debug logs or the \
                       mapping used for additional details.";

pub(super) fn transform(identity: Vec<Map<String, Value>>, version: Version) -> Result<Mapped, MapFault> {
    // The user takes the domain of the LAST item as its default: null where that has none (a trap of 2.0).
    let Some(last) = identity.last() else {
        return Err(MapFault::Invalid(NOTHING.into()));
    };
    let default_domain = last.get("domain").cloned().unwrap_or(Value::Null);
    let mut mapped = Mapped {
        user: Map::new(),
        group_ids: Vec::new(),
        group_names: Vec::new(),
        projects: Vec::new(),
    };
    let mut named = Named::default();
    for item in identity {
        // The first user wins.
        if let Some(Value::Object(user)) = item.get("user")
            && mapped.user.is_empty()
        {
            mapped.user.clone_from(user);
        }
        if let Some(group) = item.get("group") {
            match group.get("id") {
                Some(id) => add(&mut mapped.group_ids, id.clone()),
                None => mapped.group_names.extend(named.with(group)),
            }
        }
        if let Some(Value::String(groups)) = item.get("groups") {
            mapped.group_names.extend(groups_of(groups, item.get("domain"))?);
        }
        if let Some(Value::String(ids)) = item.get("group_ids") {
            for id in literal::items(ids)? {
                if id.is_array() || id.is_object() {
                    return Err(MapFault::Crash("TypeError: unhashable type in group_ids".into()));
                }
                add(&mut mapped.group_ids, id);
            }
        }
        // The last projects win.
        if item.contains_key("projects") || item.contains_key("projects_json") {
            mapped.projects = projects_of(&item, version);
        }
    }
    if mapped.user.get("type").is_none_or(Value::is_null) {
        mapped.user.insert("type".into(), "ephemeral".into());
    }
    match mapped.user.get("type").and_then(Value::as_str) {
        Some("ephemeral" | "local") => {}
        other => {
            let kind = other.unwrap_or_default();
            return Err(MapFault::Invalid(format!("User type {kind} not supported")));
        }
    }
    if version > Version::V1 && !mapped.user.get("domain").is_some_and(is_true) {
        mapped.user.insert("domain".into(), default_domain);
    }
    Ok(mapped)
}

fn add(ids: &mut Vec<Value>, id: Value) {
    if !ids.iter().any(|known| equal(known, &id)) {
        ids.push(id);
    }
}

/// As Python compares: `True == 1 == 1.0`.
fn equal(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Number(number) => number.as_f64(),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

/// Whether Python takes an object for true.
fn is_true(value: &Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty())
}

/// Groups that rules name one by one. Keystone gives out all of them again with each: so do we.
#[derive(Default)]
struct Named(Vec<(String, Vec<Value>)>);

impl Named {
    fn with(&mut self, group: &Value) -> Vec<Value> {
        let domain = group.get("domain");
        let part = |name: &str| {
            domain
                .and_then(|domain| domain.get(name))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let key = part("name").or_else(|| part("id")).unwrap_or_default().to_owned();
        let groups = match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, groups)) => groups,
            None => {
                self.0.push((key, Vec::new()));
                match self.0.last_mut() {
                    Some((_, groups)) => groups,
                    None => return Vec::new(),
                }
            }
        };
        // By name: a later one replaces the earlier and keeps its place.
        match groups
            .iter_mut()
            .find(|known| known.get("name") == group.get("name"))
        {
            Some(known) => known.clone_from(group),
            None => groups.push(group.clone()),
        }
        self.0.iter().flat_map(|(_, groups)| groups.clone()).collect()
    }
}

/// `_normalize_groups`. The substring test for `name` is Keystone's.
fn groups_of(groups: &str, domain: Option<&Value>) -> Result<Vec<Value>, MapFault> {
    let incomplete =
        || MapFault::Invalid("Invalid rule. Both 'groups' and 'domain' keywords must be specified.".into());
    if !groups.contains("name") {
        let domain = domain.ok_or_else(incomplete)?;
        let named = literal::items(groups)?.into_iter().map(|name| {
            let members = [("name".to_owned(), name), ("domain".to_owned(), domain.clone())];
            Value::Object(members.into_iter().collect())
        });
        return Ok(named.collect());
    }
    let read: Vec<Value> = literal::items(groups)?
        .into_iter()
        .map(group)
        .collect::<Result<_, _>>()?;
    for group in &read {
        let has_domain = match group {
            Value::Object(members) => members.contains_key("domain"),
            Value::String(text) => text.contains("domain"),
            Value::Array(items) => items.iter().any(|item| item == "domain"),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                return Err(MapFault::Crash("TypeError: argument is not iterable".into()));
            }
        };
        if !has_domain {
            return Err(incomplete());
        }
    }
    Ok(read)
}

/// `JSON:{…}` is read; Python's `lstrip` takes any of the letters `JSON:` from the front.
fn group(item: Value) -> Result<Value, MapFault> {
    let Value::String(text) = item else {
        return Err(MapFault::Crash(
            "AttributeError: object has no attribute 'startswith'".into(),
        ));
    };
    if !text.starts_with("JSON:") {
        return Ok(Value::String(text));
    }
    serde_json::from_str(text.trim_start_matches(['J', 'S', 'O', 'N', ':']))
        .map_err(|error| MapFault::Crash(format!("JSONDecodeError: a group: {error}")))
}

fn projects_of(item: &Map<String, Value>, version: Version) -> Vec<Value> {
    let listed = |name: &str| {
        item.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut projects = listed("projects");
    if version == Version::V1 {
        return projects;
    }
    if version == Version::V3 {
        projects.extend(listed("projects_json"));
    }
    let domain = item.get("domain").cloned().unwrap_or(Value::Null);
    for project in &mut projects {
        if let Some(members) = project.as_object_mut()
            && !members.get("domain").is_some_and(is_true)
        {
            members.insert("domain".into(), domain.clone());
        }
    }
    projects
}
