//! `regex.template_match`: patterns between delimiters in a text that is otherwise taken literally.

use regorus::Value;

use super::super::Answer;
use super::super::arguments::Arguments;
use super::super::fault::Fault;
use super::compiled;

pub(super) fn template_match(arguments: &Arguments<'_>) -> Answer {
    let (template, text) = (arguments.string(1)?, arguments.string(2)?);
    let start = delimiter("start", arguments.string(3)?)?;
    let end = delimiter("end", arguments.string(4)?)?;
    let pattern = pattern(template, start, end)?;
    Ok(Value::from(compiled(&pattern)?.is_match(text)))
}

fn delimiter(which: &str, text: &str) -> Result<char, Fault> {
    match text.as_bytes() {
        [one] => Ok(char::from(*one)),
        more => Err(Fault::from(format!(
            "{which} delimiter has to be exactly one character long but is {} long",
            more.len()
        ))),
    }
}

/// The whole template as one pattern. What stands between the delimiters must be a pattern by itself, so that
/// `)|(` cannot reach out of its place.
fn pattern(template: &str, start: char, end: char) -> Result<String, Fault> {
    let unbalanced = || Fault::from(format!("unbalanced braces in {template:?}"));
    let (mut whole, mut literal, mut inner, mut level) =
        ("^".to_owned(), String::new(), String::new(), 0_usize);
    for sign in template.chars() {
        if sign == start {
            level += 1;
            if level == 1 {
                continue;
            }
        } else if sign == end {
            level = level.checked_sub(1).ok_or_else(unbalanced)?;
            if level == 0 {
                compiled(&format!("^{inner}$"))?;
                whole.push_str(&format!("{}({inner})", quoted(&literal)));
                literal.clear();
                inner.clear();
                continue;
            }
        }
        if level == 0 {
            literal.push(sign);
        } else {
            inner.push(sign);
        }
    }
    if level != 0 {
        return Err(unbalanced());
    }
    whole.push_str(&quoted(&literal));
    whole.push('$');
    Ok(whole)
}

/// Go's `QuoteMeta`.
fn quoted(literal: &str) -> String {
    literal.chars().fold(String::new(), |mut quoted, sign| {
        if r"\.+*?()|[]{}^$".contains(sign) {
            quoted.push('\\');
        }
        quoted.push(sign);
        quoted
    })
}
