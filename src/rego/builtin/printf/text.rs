//! Texts.

use std::fmt::Write as _;

use super::{Flags, quote};

/// Whether the verb is one for texts.
pub(super) fn print(out: &mut String, text: &str, verb: char, flags: &Flags) -> bool {
    match verb {
        'v' | 's' => flags.pad(out, cut(text, flags)),
        'q' => {
            let text = cut(text, flags);
            let backquoted = flags.sharp && quote::can_backquote(text);
            let quoted = if backquoted {
                format!("`{text}`")
            } else {
                quote::text(text, flags.plus)
            };
            flags.pad(out, &quoted);
        }
        'x' | 'X' => hexadecimal(out, text, verb, flags),
        _ => return false,
    }
    true
}

/// As many letters as the precision has.
fn cut<'a>(text: &'a str, flags: &Flags) -> &'a str {
    let end = flags.precision.and_then(|most| text.char_indices().nth(most));
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn hexadecimal(out: &mut String, text: &str, verb: char, flags: &Flags) {
    let bytes = text.bytes().take(flags.precision.unwrap_or(usize::MAX));
    let prefix = match (flags.sharp, verb) {
        (false, _) => "",
        (true, 'X') => "0X",
        (true, _) => "0x",
    };
    let mut written = String::new();
    for (at, byte) in bytes.enumerate() {
        if at > 0 && flags.space {
            written.push(' ');
        }
        if at == 0 || flags.space {
            written.push_str(prefix);
        }
        // Writing into a String does not fail.
        let _ = if verb == 'X' {
            write!(written, "{byte:02X}")
        } else {
            write!(written, "{byte:02x}")
        };
    }
    flags.pad(out, &written);
}
