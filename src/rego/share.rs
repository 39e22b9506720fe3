//! Equal texts of a document are kept once.
//!
//! Parsing keeps each key once, and every value anew: 200,000 rules would hold 200,000 times "member". What is kept
//! once weighs less, and is in the processor's cache when the next rule names it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use regorus::Value;

/// The same document. For data that is read for as long as a policy lives: it is walked once.
#[must_use]
pub fn shared(document: Value) -> Value {
    texts(document, &mut HashSet::new())
}

fn texts(document: Value, known: &mut HashSet<Arc<str>>) -> Value {
    match document {
        Value::String(text) => {
            if let Some(kept) = known.get(&text) {
                return Value::String(Arc::clone(kept));
            }
            known.insert(Arc::clone(&text));
            Value::String(text)
        }
        Value::Array(items) => {
            let items = Arc::unwrap_or_clone(items).into_iter();
            Value::from(items.map(|item| texts(item, known)).collect::<Vec<_>>())
        }
        Value::Object(members) => {
            let members = Arc::unwrap_or_clone(members).into_iter();
            let members = members.map(|(key, value)| (texts(key, known), texts(value, known)));
            Value::from(members.collect::<BTreeMap<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Set(_) | Value::Undefined => document,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_once_and_the_document_stays() {
        let text =
            r#"{"a":[{"role":"member"},{"role":"member","n":1.5}],"member":[],"z":{"x":null,"y":true}}"#;
        let before = Value::from_json_str(text).unwrap();
        let after = shared(before.clone());
        assert_eq!(after, before);
        let role = |at: usize| {
            let Value::String(text) = &after["a"][at]["role"] else {
                return None;
            };
            Some(Arc::as_ptr(text))
        };
        assert!(role(0).is_some());
        assert_eq!(role(0), role(1));
    }
}
