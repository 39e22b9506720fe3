//! Python's `str.format` over the matches of a rule: `{0}`, `{}`, `{{`, `!r`, `[i]`, width and alignment.

use serde_json::{Map, Value};

use super::{MapFault, Matches, Version, rules, text};

/// Replaces `{0}`, `{1}`, … in everything below one `local` item.
pub(super) fn local(
    local: &Map<String, Value>,
    matches: &Matches,
    version: Version,
) -> Result<Map<String, Value>, MapFault> {
    let mut made = Map::new();
    for (key, rule) in local {
        made.insert(key.clone(), value(key, rule, matches, version)?);
    }
    Ok(made)
}

fn value(key: &str, rule: &Value, matches: &Matches, version: Version) -> Result<Value, MapFault> {
    match rule {
        Value::String(text) if key == "projects_json" && version == Version::V3 => projects(text, matches),
        Value::String(text) => format(text, matches).map(Value::String),
        Value::Object(members) => local(members, matches, version).map(Value::Object),
        Value::Array(items) => items
            .iter()
            .map(|item| value("", item, matches, version))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        // The schema lets none of these in.
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(rule.clone()),
    }
}

/// `projects_json` is no format: its text begins with the number of a match, whose JSON is taken whole.
fn projects(rule: &str, matches: &Matches) -> Result<Value, MapFault> {
    let digits: String = rule
        .strip_prefix('{')
        .unwrap_or(rule)
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    if digits.is_empty() {
        return Err(MapFault::Invalid(format!(
            "The rule [{rule}] for key [projects_json] does not match the expected pattern"
        )));
    }
    let values = digits
        .parse::<usize>()
        .ok()
        .and_then(|at| matches.get(at))
        .ok_or_else(|| MapFault::Crash("IndexError: list index out of range".into()))?;
    let read = match values.as_slice() {
        [one] => serde_json::from_str(one)
            .map_err(|error| MapFault::Crash(format!("JSONDecodeError: projects_json: {error}")))?,
        several => Value::Array(several.iter().cloned().map(Value::String).collect()),
    };
    rules::check_projects(&read).map(Value::Array)
}

/// What a field refers to.
#[derive(Clone)]
enum Argument<'m> {
    Text(String),
    List(&'m [String]),
}

impl Argument<'_> {
    /// `str(argument)`.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(values) => text::list(values),
        }
    }
}

/// How fields without a number are counted: Python lets a template use one way only.
#[derive(PartialEq)]
enum Numbering {
    Open,
    Automatic(usize),
    Manual,
}

fn format(rule: &str, matches: &Matches) -> Result<String, MapFault> {
    let crash = |what: &str| MapFault::Crash(format!("ValueError: {what}"));
    let mut out = String::new();
    let mut numbering = Numbering::Open;
    let mut rest = rule.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '{' if rest.peek() == Some(&'{') => {
                rest.next();
                out.push('{');
            }
            '}' if rest.peek() == Some(&'}') => {
                rest.next();
                out.push('}');
            }
            '}' => return Err(crash("Single '}' encountered in format string")),
            '{' => {
                let mut field = String::new();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some('{') => return Err(MapFault::Unsupported("a field inside a field".into())),
                        Some(other) => field.push(other),
                        None if field.is_empty() => {
                            return Err(crash("Single '{' encountered in format string"));
                        }
                        None => return Err(crash("expected '}' before end of string")),
                    }
                }
                out.push_str(&replaced(&field, matches, &mut numbering)?);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn replaced(field: &str, matches: &Matches, numbering: &mut Numbering) -> Result<String, MapFault> {
    let (name, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = match name.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (name, None),
    };
    let argument = argument(name, matches, numbering)?;
    let shown = match conversion {
        None => argument,
        Some("s") => Argument::Text(argument.text()),
        Some("r") => Argument::Text(repr(&argument)),
        Some("a") => Argument::Text(text::ascii(&repr(&argument))),
        Some(_) => {
            return Err(MapFault::Crash(
                "ValueError: unknown conversion in a format".into(),
            ));
        }
    };
    match (&shown, spec) {
        (_, "") => Ok(shown.text()),
        (Argument::Text(text), spec) => padded(text, spec),
        (Argument::List(_), _) => Err(MapFault::Crash(
            "TypeError: unsupported format string passed to list.__format__".into(),
        )),
    }
}

fn repr(argument: &Argument<'_>) -> String {
    match argument {
        Argument::Text(text) => text::quoted(text),
        Argument::List(values) => text::list(values),
    }
}

fn argument<'m>(
    name: &str,
    matches: &'m Matches,
    numbering: &mut Numbering,
) -> Result<Argument<'m>, MapFault> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, accessors) = name.split_at_checked(end).unwrap_or((name, ""));
    let index = if first.is_empty() {
        match numbering {
            Numbering::Manual => return Err(switched()),
            Numbering::Open => {
                *numbering = Numbering::Automatic(1);
                0
            }
            Numbering::Automatic(next) => {
                *next += 1;
                next.saturating_sub(1)
            }
        }
    } else if first.chars().all(|digit| digit.is_ascii_digit()) {
        if matches!(numbering, Numbering::Automatic(_)) {
            return Err(switched());
        }
        *numbering = Numbering::Manual;
        first.parse().unwrap_or(usize::MAX)
    } else {
        return Err(MapFault::Crash(format!("KeyError: '{first}'")));
    };
    let values = matches.get(index).ok_or(MapFault::NoSuchMatch)?;
    let found = match values.as_slice() {
        [one] => Argument::Text(one.clone()),
        several => Argument::List(several),
    };
    element(found, accessors)
}

fn switched() -> MapFault {
    MapFault::Crash("ValueError: cannot switch between manual and automatic field numbering".into())
}

/// `[i]` after a field. Attributes are Python's inside and no business of a mapping.
fn element<'m>(found: Argument<'m>, accessors: &str) -> Result<Argument<'m>, MapFault> {
    if accessors.is_empty() {
        return Ok(found);
    }
    let inner = accessors.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((index, rest)) = inner else {
        return Err(MapFault::Unsupported("an attribute in a field".into()));
    };
    if index.is_empty() {
        return Err(MapFault::Crash(
            "ValueError: Empty attribute in format string".into(),
        ));
    }
    if !index.chars().all(|digit| digit.is_ascii_digit()) {
        return Err(MapFault::Crash("TypeError: indices must be integers".into()));
    }
    let at = index.parse().unwrap_or(usize::MAX);
    let item = match &found {
        Argument::Text(text) => text.chars().nth(at).map(|letter| letter.to_string()),
        Argument::List(values) => values.get(at).cloned(),
    };
    // An index beyond the end is an IndexError too, and Keystone takes it for a missing match.
    element(Argument::Text(item.ok_or(MapFault::NoSuchMatch)?), rest)
}

/// `[[fill]align][width][.precision][s]`.
fn padded(text: &str, spec: &str) -> Result<String, MapFault> {
    let unsupported = || MapFault::Unsupported(format!("the format '{spec}'"));
    let letters: Vec<char> = spec.chars().collect();
    let (fill, align, rest) = match letters.as_slice() {
        [fill, align @ ('<' | '>' | '^'), rest @ ..] => (*fill, *align, rest),
        [align @ ('<' | '>' | '^'), rest @ ..] => (' ', *align, rest),
        rest => (' ', '<', rest),
    };
    let rest: String = rest.iter().collect();
    let rest = rest.strip_suffix('s').unwrap_or(&rest);
    let (width, precision) = rest
        .split_once('.')
        .map_or((rest, None), |(width, cut)| (width, Some(cut)));
    let number = |digits: &str| -> Result<usize, MapFault> {
        digits
            .parse()
            .ok()
            .filter(|number| *number <= 10_000)
            .ok_or_else(unsupported)
    };
    if width.starts_with('0') {
        return Err(unsupported());
    }
    let width = if width.is_empty() { 0 } else { number(width)? };
    let cut: String = match precision {
        Some(digits) => text.chars().take(number(digits)?).collect(),
        None => text.to_owned(),
    };
    let missing = width.saturating_sub(cut.chars().count());
    let left = match align {
        '<' => 0,
        '>' => missing,
        _ => missing / 2,
    };
    let fills = |count: usize| fill.to_string().repeat(count);
    Ok(format!("{}{cut}{}", fills(left), fills(missing - left)))
}
