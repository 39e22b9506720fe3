//! What a policy can call, with the number of its arguments: ours, and what is left of regorus' own.

use std::collections::BTreeMap;

/// What regorus would run and a policy may not: it asks the network, or is a part of regorus' own tests.
const REFUSED: [&str; 4] = [
    "__builtin_sets.intersection",
    "__builtin_sets.union",
    "http.send",
    "test.sleep",
];

/// Every function that OPA has and this engine answers as OPA does; `print` takes any number of arguments.
#[must_use]
pub fn functions() -> BTreeMap<&'static str, u8> {
    let engine = regorus::unstable::BUILTINS
        .iter()
        .map(|(name, (_, arity))| (*name, *arity));
    let ours = super::builtins().map(|builtin| (builtin.name, builtin.arity));
    engine
        .chain(ours)
        .filter(|(name, _)| !REFUSED.contains(name) && !name.starts_with("internal."))
        .collect()
}
