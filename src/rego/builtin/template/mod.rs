//! `strings.render_template`: Go's `text/template` over a policy's values, without named templates.
//!
//! Numbers are texts in it, as in OPA, which hands them over as Go's `json.Number`: zero is true, and `lt`
//! compares signs. What Go's language has and this one has not is an error, never another text.

mod eval;
mod function;
mod lex;
mod parse;

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "strings.render_template",
    arity: 2,
    call: render_template,
}];

fn render_template(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    arguments.object(2)?;
    let nodes = parse::parse(text)?;
    let text = eval::render(&nodes, arguments.value(2))?;
    Ok(Value::from(text.replace("<no value>", "<undefined>")))
}
