//! The text of a Python string and list: `repr`, as `str([…])` uses it.

use std::fmt::Write as _;

/// `str(list)`.
pub(super) fn list(values: &[String]) -> String {
    let items: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", items.join(", "))
}

/// `repr(text)`.
pub(super) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::new();
    out.push(quote);
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter == quote => {
                out.push('\\');
                out.push(letter);
            }
            letter if printable(letter) => out.push(letter),
            letter => escape(letter, &mut out),
        }
    }
    out.push(quote);
    out
}

/// `ascii`: a `repr` with everything beyond ASCII escaped.
pub(super) fn ascii(repr: &str) -> String {
    let mut out = String::new();
    for letter in repr.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            escape(letter, &mut out);
        }
    }
    out
}

fn escape(letter: char, out: &mut String) {
    let code = u32::from(letter);
    // Writing to a String does not fail.
    let _ = if code <= 0xff {
        write!(out, "\\x{code:02x}")
    } else if code <= 0xffff {
        write!(out, "\\u{code:04x}")
    } else {
        write!(out, "\\U{code:08x}")
    };
}

/// `str.isprintable`, but for letters that Unicode has not assigned: controls, formats, separators and
/// private letters are not.
fn printable(letter: char) -> bool {
    let code = u32::from(letter);
    let format = matches!(code,
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e
        | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
        | 0xe0001 | 0xe0020..=0xe007f);
    let private = matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff);
    letter == ' ' || !(letter.is_control() || letter.is_whitespace() || format || private)
}
