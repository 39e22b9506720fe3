//! The tree of base documents: reading, writing and patching by path, as OPA's storage does.

use regorus::Value;

use super::fault::ChangeFault;

/// One operation of a JSON patch, its path split at `/` and relative to the patched document.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// Sets a member, or inserts an array item (`-` appends).
    Add(Vec<String>, Value),
    /// Sets what must be there.
    Replace(Vec<String>, Value),
    /// Takes away what must be there.
    Remove(Vec<String>),
}

/// The document at a path; integers name array items.
pub(super) fn get<'a>(root: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, key| match value {
        Value::Object(object) => object.get(&Value::from(key.as_str())),
        Value::Array(items) => items.get(index(key)?),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Set(_)
        | Value::Undefined => None,
    })
}

/// Writes a document and creates the objects above it.
pub(super) fn put(root: &mut Value, path: &[String], value: Value) -> Result<(), ChangeFault> {
    let Some((last, parents)) = path.split_last() else {
        return replace_root(root, value);
    };
    let mut at = root;
    for (depth, key) in parents.iter().enumerate() {
        if matches!(at, Value::Array(_)) {
            // An item that is there is gone through; none is made.
            let items = at.as_array_mut().map_err(|_| conflict(path, depth))?;
            let item = index(key).and_then(|at| items.get_mut(at));
            at = item.ok_or_else(|| conflict(path, depth))?;
            continue;
        }
        let key = Value::from(key.as_str());
        let object = at.as_object_mut().map_err(|_| conflict(path, depth))?;
        at = object.get_or_insert_with(key, Value::new_object);
    }
    match at {
        Value::Array(items) if index(last).is_none_or(|at| at >= items.len()) => {
            Err(conflict(path, parents.len()))
        }
        // An item that is there is moved back, as OPA does.
        Value::Object(_) | Value::Array(_) => add(at, last, value, path),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Set(_)
        | Value::Undefined => Err(conflict(path, parents.len())),
    }
}

/// One operation on the document at `base`.
pub(super) fn patch(root: &mut Value, base: &[String], operation: &Patch) -> Result<(), ChangeFault> {
    let (Patch::Add(below, _) | Patch::Replace(below, _) | Patch::Remove(below)) = operation;
    let path: Vec<String> = base.iter().chain(below).cloned().collect();
    let Some((last, parents)) = path.split_last() else {
        return match operation {
            Patch::Add(_, value) | Patch::Replace(_, value) => replace_root(root, value.clone()),
            Patch::Remove(_) => Err(ChangeFault::BadPatch("root cannot be removed".into())),
        };
    };
    if let Patch::Replace(..) = operation
        && get(root, &path).is_none()
    {
        return Err(missing(&path));
    }
    let parent = get_mut(root, parents).ok_or_else(|| missing(&path))?;
    match operation {
        Patch::Add(_, value) => add(parent, last, value.clone(), &path),
        Patch::Replace(_, value) => {
            let place = get_mut(parent, std::slice::from_ref(last)).ok_or_else(|| missing(&path))?;
            *place = value.clone();
            Ok(())
        }
        Patch::Remove(_) => take(parent, last, &path),
    }
}

/// Takes a document away.
pub(super) fn remove(root: &mut Value, path: &[String]) -> Result<(), ChangeFault> {
    patch(root, path, &Patch::Remove(Vec::new()))
}

/// Puts the members of `more` into the tree; what is there and no object on both sides is a conflict.
pub(super) fn merge(root: &mut Value, more: &Value, at: &mut Vec<String>) -> Result<(), ChangeFault> {
    let (Ok(into), Value::Object(from)) = (root.as_object_mut(), more) else {
        return Err(ChangeFault::Conflict(format!("{} holds data already", shown(at))));
    };
    for (key, value) in from.iter() {
        match into.get_mut(key) {
            None => {
                into.insert(key.clone(), value.clone());
            }
            Some(present) => {
                at.push(key.as_string().map(|name| name.to_string()).unwrap_or_default());
                merge(present, value, at)?;
                at.pop();
            }
        }
    }
    Ok(())
}

fn replace_root(root: &mut Value, value: Value) -> Result<(), ChangeFault> {
    if !matches!(value, Value::Object(_)) {
        return Err(ChangeFault::BadPatch("root must be object".into()));
    }
    *root = value;
    Ok(())
}

fn get_mut<'a>(root: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    // Looked at first: a mutable way through shared parts copies them.
    get(root, path)?;
    path.iter().try_fold(root, |value, key| {
        if matches!(value, Value::Array(_)) {
            value.as_array_mut().ok()?.get_mut(index(key)?)
        } else {
            value.as_object_mut().ok()?.get_mut(&Value::from(key.as_str()))
        }
    })
}

fn add(parent: &mut Value, key: &str, value: Value, path: &[String]) -> Result<(), ChangeFault> {
    if let Ok(object) = parent.as_object_mut() {
        object.insert(Value::from(key), value);
        return Ok(());
    }
    let items = parent.as_array_mut().map_err(|_| missing(path))?;
    if key == "-" {
        items.push(value);
        return Ok(());
    }
    let at = position(key, items.len() + 1, path)?;
    let mut all = items.to_vec();
    all.insert(at, value);
    *items = all.into();
    Ok(())
}

fn take(parent: &mut Value, key: &str, path: &[String]) -> Result<(), ChangeFault> {
    if let Ok(object) = parent.as_object_mut() {
        return object
            .remove(&Value::from(key))
            .map(drop)
            .ok_or_else(|| missing(path));
    }
    let items = parent.as_array_mut().map_err(|_| missing(path))?;
    let at = position(key, items.len(), path)?;
    let mut all = items.to_vec();
    all.remove(at);
    *items = all.into();
    Ok(())
}

fn position(key: &str, bound: usize, path: &[String]) -> Result<usize, ChangeFault> {
    let at = index(key)
        .ok_or_else(|| ChangeFault::NotFound(format!("{}: array index must be integer", shown(path))))?;
    if at < bound {
        Ok(at)
    } else {
        Err(ChangeFault::NotFound(format!(
            "{}: array index out of range",
            shown(path)
        )))
    }
}

/// An array index; `01` is none.
fn index(key: &str) -> Option<usize> {
    if key.len() > 1 && key.starts_with('0') || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    key.parse().ok()
}

fn missing(path: &[String]) -> ChangeFault {
    ChangeFault::NotFound(format!("{}: document does not exist", shown(path)))
}

fn conflict(path: &[String], depth: usize) -> ChangeFault {
    let parent = path.get(..depth).unwrap_or_default();
    ChangeFault::Conflict(shown(parent))
}

/// `/a/b`.
pub(super) fn shown(path: &[String]) -> String {
    path.iter().map(|key| format!("/{key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Value {
        Value::from_json_str(r#"{"a": {"b": [1, 2], "c": "x"}}"#).unwrap()
    }
    fn path(text: &str) -> Vec<String> {
        text.split('/')
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect()
    }
    fn json(root: &Value) -> String {
        root.to_string()
    }

    #[test]
    fn put_creates_parents_and_never_through_a_scalar() {
        let mut root = tree();
        put(&mut root, &path("n/e/w"), Value::from(1)).unwrap();
        assert_eq!(get(&root, &path("n/e/w")), Some(&Value::from(1)));
        let before = root.clone();
        for (at, parent) in [
            ("a/c/d", "/a/c"),
            ("a/c/d/e", "/a/c"),
            ("a/b/0/x", "/a/b/0"),
            ("a/b/2", "/a/b"),
            ("a/b/-", "/a/b"),
        ] {
            let fault = put(&mut root, &path(at), Value::from(1)).unwrap_err();
            assert_eq!(fault, ChangeFault::Conflict(parent.into()), "{at}");
            assert_eq!(root, before);
        }
        assert!(put(&mut root, &[], Value::from(1)).is_err());
        put(&mut root, &[], Value::new_object()).unwrap();
        assert_eq!(json(&root), "{}");
    }

    #[test]
    fn patches_follow_the_path() {
        let mut root = tree();
        let mut run = |base: &str, operation: Patch| patch(&mut root, &path(base), &operation);
        run("a", Patch::Add(path("b/-"), Value::from(3))).unwrap();
        run("a", Patch::Add(path("b/0"), Value::from(0))).unwrap();
        run("a/b", Patch::Replace(path("1"), Value::from("one"))).unwrap();
        run("", Patch::Remove(path("a/b/2"))).unwrap();
        run("a", Patch::Remove(path("c"))).unwrap();
        for (operation, part) in [
            (Patch::Remove(path("c")), "does not exist"),
            (Patch::Replace(path("c"), Value::Null), "does not exist"),
            (Patch::Add(path("x/y"), Value::Null), "does not exist"),
            (Patch::Add(path("b/9"), Value::Null), "out of range"),
            (Patch::Add(path("b/01"), Value::Null), "must be integer"),
        ] {
            let fault = run("a", operation.clone()).unwrap_err();
            assert!(fault.to_string().contains(part), "{operation:?}: {fault}");
        }
        assert_eq!(json(&root), r#"{"a":{"b":[0,"one",3]}}"#);
        assert!(remove(&mut root, &[]).is_err());
    }

    #[test]
    fn a_merge_keeps_what_is_there() {
        let mut root = tree();
        let more = Value::from_json_str(r#"{"a": {"d": 1}, "z": []}"#).unwrap();
        merge(&mut root, &more, &mut Vec::new()).unwrap();
        assert_eq!(json(&root), r#"{"a":{"b":[1,2],"c":"x","d":1},"z":[]}"#);
        let fault = merge(&mut root, &more, &mut Vec::new()).unwrap_err();
        assert_eq!(fault.to_string(), "/a/d holds data already");
    }
}
