//! Data files, and where they stand in the tree.

use regorus::Value;

use super::BundleFault;

/// The file's content as JSON text: YAML is converted as OPA does (through JSON), JSON stays as written.
pub(super) fn json_text(path: &str, bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    // OPA tries JSON first, whatever the file is called.
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text);
    match is_json {
        Ok(_) => Ok(text.to_owned()),
        Err(_) if path.ends_with(".yaml") || path.ends_with(".yml") => {
            let value: serde_norway::Value =
                serde_norway::from_str(text).map_err(|error| error.to_string())?;
            let mut json = String::new();
            write_yaml(&value, &mut json)?;
            Ok(json)
        }
        Err(error) => Err(error.to_string()),
    }
}

fn write_yaml(value: &serde_norway::Value, out: &mut String) -> Result<(), String> {
    use serde_norway::Value as Yaml;
    match value {
        Yaml::Null => out.push_str("null"),
        Yaml::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Yaml::String(text) => out.push_str(&serde_json::Value::from(text.as_str()).to_string()),
        Yaml::Number(number) => out.push_str(&number_text(number)?),
        Yaml::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_yaml(item, out)?;
            }
            out.push(']');
        }
        Yaml::Mapping(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::Value::from(key_text(key)?).to_string());
                out.push(':');
                write_yaml(member, out)?;
            }
            out.push('}');
        }
        Yaml::Tagged(_) => return Err("a value has a tag; write it without".to_owned()),
    }
    Ok(())
}

fn key_text(key: &serde_norway::Value) -> Result<String, String> {
    use serde_norway::Value as Yaml;
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Bool(flag) => Ok(flag.to_string()),
        Yaml::Number(number) => number_text(number),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => {
            Err("a key is no text; quote it".to_owned())
        }
    }
}

/// As Go writes it into JSON: the signature is made over this text.
fn number_text(number: &serde_norway::Number) -> Result<String, String> {
    if let Some(whole) = number.as_i64() {
        return Ok(whole.to_string());
    }
    if let Some(whole) = number.as_u64() {
        return Ok(whole.to_string());
    }
    let float = number
        .as_f64()
        .filter(|float| float.is_finite())
        .ok_or_else(|| format!("{number} is no number of JSON"))?;
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        return Ok(if size >= 1e21 {
            text.replace('e', "e+")
        } else {
            text
        });
    }
    Ok(float.to_string())
}

/// The keys above a data file: its folder, without leading `/` and `.`.
pub(super) fn keys(path: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder
        .trim_start_matches(['/', '.'])
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .map(str::to_owned)
        .collect()
}

/// Puts a file's content where its folder says; what is there already may only be joined by other members.
pub(super) fn insert(data: &mut Value, path: &str, content: Value) -> Result<(), BundleFault> {
    let keys = keys(path);
    if keys.is_empty() && !matches!(content, Value::Object(_)) {
        return Err(BundleFault::file(path, "root value must be object"));
    }
    let wrapped = keys.iter().rev().fold(content, |inner, key| {
        let mut outer = Value::new_object();
        if let Ok(object) = outer.as_object_mut() {
            object.insert(Value::from(key.as_str()), inner);
        }
        outer
    });
    merge(data, wrapped).map_err(|()| {
        let why = format!(
            "failed to insert data file from path {}: another data file holds the same document; \
             keep each document in one file",
            keys.join("/")
        );
        BundleFault::file(path, why)
    })
}

fn merge(into: &mut Value, mut more: Value) -> Result<(), ()> {
    let (Ok(into), Ok(more)) = (into.as_object_mut(), more.as_object_mut()) else {
        return Err(());
    };
    let members: Vec<(Value, Value)> = more
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    more.clear();
    for (key, value) in members {
        match into.get_mut(&key) {
            None => {
                into.insert(key, value);
            }
            Some(present) => merge(present, value)?,
        }
    }
    Ok(())
}

/// The first path of data that lies in none of the roots.
pub(super) fn outside(data: &Value, manifest: &super::Manifest) -> Option<String> {
    let mut path = Vec::new();
    below(data, manifest, &mut path)
}

fn below<'a>(value: &'a Value, manifest: &super::Manifest, path: &mut Vec<&'a str>) -> Option<String> {
    if manifest.owns(path) {
        return None;
    }
    let leads_to_a_root = manifest.roots.iter().any(|root| {
        let mut segments = root.split('/');
        path.iter().all(|key| segments.next() == Some(*key))
    });
    match value {
        Value::Object(object) if leads_to_a_root => {
            for (key, member) in object.iter_sorted() {
                let Value::String(name) = key else { continue };
                path.push(name);
                if let Some(found) = below(member, manifest, path) {
                    return Some(found);
                }
                path.pop();
            }
            None
        }
        Value::Object(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Set(_)
        | Value::Undefined => Some(path.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value::from_json_str(text).unwrap()
    }

    #[test]
    fn folders_are_keys() {
        assert_eq!(keys("/a/b/data.json"), ["a", "b"]);
        assert_eq!(keys("./data.json"), Vec::<String>::new());
        assert_eq!(keys("data.json"), Vec::<String>::new());
        let mut data = Value::new_object();
        insert(&mut data, "/a/data.json", value(r#"{"x":1}"#)).unwrap();
        insert(&mut data, "/a/b/data.json", value("[1]")).unwrap();
        insert(&mut data, "/data.json", value(r#"{"c":{"d":2}}"#)).unwrap();
        assert_eq!(data, value(r#"{"a":{"x":1,"b":[1]},"c":{"d":2}}"#));
        let twice = insert(&mut data, "/c/data.json", value(r#"{"d":3}"#)).unwrap_err();
        assert!(
            twice.to_string().contains("/c/data.json: failed to insert"),
            "{twice}"
        );
        assert!(insert(&mut data, "/data.json", value("[]")).is_err());
    }

    #[test]
    fn yaml_becomes_json() {
        let text = json_text(
            "a/data.yaml",
            b"a: [1, 1.50, 1e3, 1e21, 1e-7, x, true, null]\n2: b\n",
        )
        .unwrap();
        assert_eq!(text, r#"{"a":[1,1.5,1000,1e+21,1e-7,"x",true,null],"2":"b"}"#);
        assert!(json_text("data.json", b"a: 1").is_err());
        assert!(json_text("data.yaml", b"a: !tag 1").is_err());
        assert!(json_text("data.json", b"\xff").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn data_outside_the_roots() {
        let manifest = super::super::Manifest {
            roots: vec!["a/b".into(), "c".into()],
            ..super::super::Manifest::default()
        };
        assert_eq!(outside(&value(r#"{"a":{"b":1},"c":{"d":2}}"#), &manifest), None);
        assert_eq!(outside(&value(r#"{"a":{"x":1}}"#), &manifest).unwrap(), "a/x");
        assert_eq!(outside(&value(r#"{"a":1}"#), &manifest).unwrap(), "a");
        assert_eq!(outside(&value(r#"{"d":{}}"#), &manifest).unwrap(), "d");
        assert_eq!(outside(&value("{}"), &manifest), None);
    }
}
