//! `units.parse` and `units.parse_bytes` with OPA's bound: the engine's own would write out `1e999999999`, which
//! takes minutes and which no time limit ends.

use regorus::{
    Source, Value,
    unstable::{BUILTINS, Expr, Ref, Span},
};

use super::{Answer, Builtin, arguments::Arguments, fault::Fault};

/// Most digits of an exponent, as OPA has it.
const MOST_DIGITS: usize = 3;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "units.parse",
        arity: 1,
        call: parse,
    },
    Builtin {
        name: "units.parse_bytes",
        arity: 1,
        call: parse_bytes,
    },
];

fn parse(arguments: &Arguments<'_>) -> Answer {
    bounded("units.parse", arguments)
}

fn parse_bytes(arguments: &Arguments<'_>) -> Answer {
    bounded("units.parse_bytes", arguments)
}

fn bounded(name: &str, arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    if exponent(text) > MOST_DIGITS {
        return Err(Fault::Failed("exponent too large".into()));
    }
    let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
    // The engine's function wants the place of the call, for its error texts.
    let source = Source::from_contents(name.to_owned(), "0".to_owned()).map_err(|error| failed(&error))?;
    let span = Span {
        source,
        line: 1,
        col: 1,
        start: 0,
        end: 1,
    };
    let operand = Ref::new(Expr::Null {
        span: span.clone(),
        value: Value::Null,
        eidx: 0,
    });
    let Some((own, _)) = BUILTINS.get(name) else {
        return Err(Fault::Failed(format!("{name} is missing")));
    };
    let value = own(&span, &[operand], &[arguments.value(1).clone()], true);
    value.map_err(|error| {
        let text = error.to_string();
        let said = text
            .rsplit_once("error: ")
            .map_or(text.as_str(), |(_, said)| said);
        failed(&said)
    })
}

/// How many digits the longest exponent in the text has.
fn exponent(text: &str) -> usize {
    text.split(['e', 'E'])
        .skip(1)
        .map(|rest| {
            let digits = rest.trim_start_matches(['+', '-']).trim_start_matches('0');
            digits.bytes().take_while(u8::is_ascii_digit).count()
        })
        .max()
        .unwrap_or_default()
}
