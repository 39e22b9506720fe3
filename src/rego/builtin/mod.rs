//! What OPA can call and regorus cannot, or answers differently.
//!
//! For: one table of functions per family, each a pure function of its arguments, installed into an engine as
//! extensions, which regorus looks up before its own builtins. A failure is an error when the asker wants strict
//! builtin errors and undefined otherwise, as in OPA. It makes no I/O and reads no clock: time comes from the
//! question ([`moment`]). Work is bounded: a limit that is hit is an error in both modes, because undefined would
//! let `not` turn it into a permission. Start at [`install`]; `docs/rego-builtins.json` lists what is supported.

mod arguments;
mod array;
mod base64;
mod bits;
mod crypto;
mod encoding;
mod entry;
mod fault;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "each step names the few parts that it looks at"
)]
mod glob;
mod graph;
mod interpolate;
mod json;
mod jwt;
mod kept;
mod key;
mod legacy;
mod letters;
mod listing;
mod net;
mod numbers;
mod object;
mod operators;
mod order;
mod paths;
mod pattern;
mod printf;
mod query;
mod schema;
mod semver;
mod strings;
mod template;
mod time;
mod units;
mod uri;
mod uuid;

use anyhow::anyhow;
use regorus::{Engine, Value};

use super::moment;
use arguments::Arguments;
use fault::Fault;

pub use listing::functions;

type Answer = Result<Value, Fault>;

/// One function that a policy can call.
struct Builtin {
    name: &'static str,
    arity: u8,
    call: fn(&Arguments<'_>) -> Answer,
}

/// Every family, in the order of the listing.
const FAMILIES: &[&[Builtin]] = &[
    array::TABLE,
    base64::TABLE,
    bits::TABLE,
    crypto::TABLE,
    entry::TABLE,
    glob::TABLE,
    graph::TABLE,
    interpolate::TABLE,
    json::TABLE,
    jwt::TABLE,
    legacy::TABLE,
    letters::TABLE,
    net::TABLE,
    numbers::TABLE,
    object::TABLE,
    operators::TABLE,
    order::TABLE,
    paths::TABLE,
    pattern::TABLE,
    printf::TABLE,
    query::TABLE,
    schema::TABLE,
    semver::TABLE,
    strings::TABLE,
    template::TABLE,
    time::TABLE,
    units::TABLE,
    uri::TABLE,
    uuid::TABLE,
];

fn builtins() -> impl Iterator<Item = &'static Builtin> {
    FAMILIES.iter().copied().flatten()
}

/// Makes the functions callable that one of the `texts` could mention.
///
/// An engine is cloned for every decision and its extensions with it, so one that no policy names would only cost
/// time. The last part of the name is what is looked for, because `io["jwt"].decode` is the same call as
/// `io.jwt.decode`.
pub(super) fn install(engine: &mut Engine, texts: &[&str]) {
    for builtin in builtins().filter(|builtin| mentioned(builtin.name, texts)) {
        let call = |arguments: Vec<Value>| settle(builtin, &arguments);
        // The engine refuses only a name that is there already, and then it is ours.
        drop(engine.add_extension(builtin.name.to_owned(), builtin.arity, Box::new(call)));
    }
}

fn mentioned(name: &str, texts: &[&str]) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    texts.iter().any(|text| text.contains(last))
}

fn settle(builtin: &Builtin, arguments: &[Value]) -> anyhow::Result<Value> {
    match ((builtin.call)(&Arguments::of(arguments)), moment::strict()) {
        (Ok(value), _) => Ok(value),
        (Err(Fault::Limit(said)), _) => Err(anyhow!("eval_builtin_error: {}: {said}", builtin.name)),
        (Err(_), false) => Ok(Value::Undefined),
        (Err(Fault::Operand(said)), true) => Err(anyhow!("eval_type_error: {}: {said}", builtin.name)),
        (Err(Fault::Failed(said)), true) => Err(anyhow!("eval_builtin_error: {}: {said}", builtin.name)),
    }
}
