//! Builtin functions that OPA has and the engine lacks or answers differently.

use regorus::Engine;

use super::moment;

/// Adds them to an engine. Extensions are looked up first, so they also replace.
pub(super) fn install(engine: &mut Engine) {
    let now = Box::new(|_: Vec<regorus::Value>| {
        Ok(moment::now_ns().map_or(regorus::Value::Undefined, regorus::Value::from))
    });
    // The engine refuses only a name that is there twice.
    drop(engine.add_extension("time.now_ns".to_owned(), 0, now));
}
