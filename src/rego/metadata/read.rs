//! From comments to annotations.

use serde_json::{Map, Value};

use crate::rego::{
    Version,
    syntax::{
        self,
        ast::{Comment, Pos, Statement, Tree},
    },
};

/// One block below `# METADATA`, as rules see it.
#[derive(Debug, Clone)]
pub(super) struct Annotation {
    pub(super) pos: Pos,
    /// As written; none says it by what it stands above.
    pub(super) scope: Option<String>,
    pub(super) entrypoint: bool,
    /// Everything else.
    pub(super) members: Map<String, Value>,
}

/// Where a block is wrong, and what.
type Wrong = (Pos, String);

/// The blocks of a module.
pub(super) fn blocks(tree: &Tree) -> Vec<Result<Annotation, Wrong>> {
    let mut blocks = Vec::new();
    let mut comments = tree.comments.iter().peekable();
    while let Some(first) = comments.next() {
        if !begins(first) {
            continue;
        }
        let (mut text, mut row) = (String::new(), first.pos.row);
        while let Some(next) =
            comments.next_if(|next| next.pos.col == 1 && next.pos.row == row + 1 && !begins(next))
        {
            text.push_str(next.text.strip_prefix(' ').unwrap_or(&next.text));
            text.push('\n');
            row = next.pos.row;
        }
        blocks.push(annotation(first.pos, &text).map_err(|what| (first.pos, what)));
    }
    blocks
}

fn begins(comment: &Comment) -> bool {
    comment.pos.col == 1 && comment.text.trim().starts_with("METADATA")
}

fn annotation(pos: Pos, text: &str) -> Result<Annotation, String> {
    if text.trim().is_empty() {
        return Err("expected METADATA block, found whitespace".to_owned());
    }
    let mut raw: Map<String, Value> =
        serde_norway::from_str(text).map_err(|error| format!("yaml: {error}"))?;
    let mut members = Map::new();
    for name in ["title", "description"] {
        if let Some(text) = raw.remove(name).map(|value| scalar(&value)).transpose()?
            && !text.is_empty()
        {
            members.insert(name.to_owned(), text.into());
        }
    }
    let mut put = |name: &str, items: Vec<Value>| {
        if !items.is_empty() {
            members.insert(name.to_owned(), items.into());
        }
    };
    let organizations = list(raw.remove("organizations"))?;
    let organizations = organizations.iter().map(|item| scalar(item).map(Value::from));
    put("organizations", organizations.collect::<Result<_, _>>()?);
    let resources = list(raw.remove("related_resources"))?;
    put(
        "related_resources",
        resources.iter().map(resource).collect::<Result<_, _>>()?,
    );
    let authors = list(raw.remove("authors"))?;
    put("authors", authors.iter().map(author).collect::<Result<_, _>>()?);
    let schemas = list(raw.remove("schemas"))?;
    put("schemas", schemas.iter().map(schema).collect::<Result<_, _>>()?);
    for name in ["custom", "labels"] {
        match raw.remove(name) {
            Some(Value::Object(object)) if !object.is_empty() => {
                members.insert(name.to_owned(), object.into());
            }
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(other) => return Err(format!("{name}: expected a mapping, found {other}")),
        }
    }
    let scope = raw.remove("scope").map(|value| scalar(&value)).transpose()?;
    Ok(Annotation {
        pos,
        scope: scope.filter(|scope| !scope.is_empty()),
        entrypoint: match raw.remove("entrypoint") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => value,
            Some(other) => return Err(format!("entrypoint: expected true or false, found {other}")),
        },
        members,
    })
}

/// The text of a scalar, as YAML's readers in Go take one for a text.
fn scalar(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(_) | Value::Object(_) => Err(format!("expected a text, found {value}")),
    }
}

fn list(value: Option<Value>) -> Result<Vec<Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(format!("expected a list, found {other}")),
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
}

/// An object of those members that are there.
fn made(members: [(&str, &str); 2]) -> Value {
    let there = members.into_iter().filter(|(_, text)| !text.is_empty());
    Value::Object(there.map(|(name, text)| (name.to_owned(), text.into())).collect())
}

fn resource(value: &Value) -> Result<Value, String> {
    let wrong = |why: &str| format!("invalid related-resource definition {value}: {why}");
    match value {
        Value::String(text) if text.is_empty() => Err(wrong("ref URL may not be empty string")),
        Value::String(text) => Ok(made([("ref", text), ("description", "")])),
        Value::Object(object) if member(object, "ref").is_empty() => {
            Err(wrong("'ref' value required in object"))
        }
        Value::Object(object) => Ok(made([
            ("ref", member(object, "ref")),
            ("description", member(object, "description")),
        ])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(wrong("invalid value type, must be string or map"))
        }
    }
}

/// `Name <e-mail>`, or an object of both.
fn author(value: &Value) -> Result<Value, String> {
    let wrong = |why: &str| format!("invalid author definition {value}: {why}");
    match value {
        Value::String(text) => {
            let mut parts: Vec<&str> = text.split_whitespace().collect();
            let last = parts.last().ok_or_else(|| wrong("author is an empty string"))?;
            let email = last.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            if email.is_some() {
                parts.pop();
            }
            Ok(made([
                ("name", &parts.join(" ")),
                ("email", email.unwrap_or_default()),
            ]))
        }
        Value::Object(object) => {
            let (name, email) = (member(object, "name"), member(object, "email"));
            if name.is_empty() && email.is_empty() {
                return Err(wrong("'name' and/or 'email' values required in object"));
            }
            Ok(made([("name", name), ("email", email)]))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(wrong("invalid value type, must be string or map"))
        }
    }
}

/// `input.x: schema.y`, or a schema written out.
fn schema(value: &Value) -> Result<Value, String> {
    let pair = value.as_object().and_then(|object| object.iter().next());
    let (path, value) = pair.ok_or("invalid document reference")?;
    let mut made = Map::new();
    made.insert(
        "path".into(),
        names(path).ok_or("invalid document reference")?.into(),
    );
    match value {
        Value::String(reference) => {
            let names = names(reference).filter(|names| names.first().is_some_and(|root| root == "schema"));
            made.insert("schema".into(), names.ok_or("invalid schema reference")?.into());
        }
        Value::Object(_) => {
            made.insert("definition".into(), value.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(format!("invalid schema declaration for path \"{path}\""));
        }
    }
    Ok(made.into())
}

/// The names of a reference.
fn names(text: &str) -> Option<Vec<String>> {
    let body = syntax::query("", text, Version::V1).ok()?;
    let [literal] = body.as_slice() else {
        return None;
    };
    let Statement::Expr(term) = &literal.kind else {
        return None;
    };
    Some(term.names()?.into_iter().map(str::to_owned).collect())
}
