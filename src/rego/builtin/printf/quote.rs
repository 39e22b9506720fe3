//! Quoting as Go's package `strconv` does it.

use std::fmt::Write as _;

/// In double quotes; with `ascii` nothing else is left.
pub(super) fn text(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        escaped(&mut out, letter, '"', ascii);
    }
    out.push('"');
    out
}

/// One letter, in single quotes.
pub(super) fn letter(letter: char, ascii: bool) -> String {
    let mut out = "'".to_owned();
    escaped(&mut out, letter, '\'', ascii);
    out.push('\'');
    out
}

fn escaped(out: &mut String, letter: char, quote: char, ascii: bool) {
    let short = match letter {
        '\u{7}' => Some('a'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{b}' => Some('v'),
        '\\' => Some('\\'),
        letter if letter == quote => Some(quote),
        _ => None,
    };
    let point = u32::from(letter);
    // Writing into a String does not fail.
    let _ = match short {
        Some(short) => write!(out, "\\{short}"),
        None if is_print(letter) && (!ascii || letter.is_ascii()) => write!(out, "{letter}"),
        None if letter < ' ' || letter == '\u{7f}' => write!(out, "\\x{point:02x}"),
        None if point < 0x1_0000 => write!(out, "\\u{point:04x}"),
        None => write!(out, "\\U{point:08x}"),
    };
}

/// Whether it can be seen. Rust escapes what cannot, and marks that only make sense behind a letter.
pub(super) fn is_print(letter: char) -> bool {
    if letter == ' ' {
        return true;
    }
    if letter.is_whitespace() || letter.is_control() {
        return false;
    }
    let quoted = letter.is_ascii() || letter.escape_debug().count() == 1;
    quoted || is_mark(letter)
}

/// Marks, which Rust's `escape_debug` escapes when they stand alone.
fn is_mark(letter: char) -> bool {
    format!("a{letter}").escape_debug().count() == 2
}

/// Whether it can stand between backquotes on one line.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars().all(|letter| {
        letter != '`' && letter != '\u{feff}' && (letter >= ' ' || letter == '\t') && letter != '\u{7f}'
    })
}
