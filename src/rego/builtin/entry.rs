//! An entry of a base document: there a number names what its text names, as in OPA's storage. What the lowering
//! writes for `data.x[k]`; no author does.

use regorus::Value;

use super::{Answer, Builtin, arguments::Arguments};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "internal.entry",
    arity: 2,
    call: entry,
}];

fn entry(arguments: &Arguments<'_>) -> Answer {
    let (document, key) = (arguments.value(1), arguments.value(2));
    let found = &document[key];
    if *found == Value::Undefined && matches!((document, key), (Value::Object(_), Value::Number(_))) {
        return Ok(document[&Value::from(key.to_string())].clone());
    }
    Ok(found.clone())
}
