//! `time.*`: what regorus lacks or answers differently.

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin, moment};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "time.now_ns",
    arity: 0,
    call: now_ns,
}];

/// The question's time, never the machine's, so that a decision can be replayed.
fn now_ns(_: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        moment::now_ns().ok_or("the time is not known to this evaluation")?,
    ))
}
