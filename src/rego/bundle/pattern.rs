//! Two kinds of file patterns that OPA uses, as regular expressions (which end in linear time).

use regex::Regex;

/// Longest pattern.
const LONGEST: usize = 1_024;

/// A glob without separators: `*` also matches `/` (`file_rego_versions`).
pub(super) fn any(pattern: &str) -> Result<Regex, String> {
    compile(pattern, ".*", ".")
}

/// Go's `filepath.Match`: `*` and `?` stay inside one folder (`exclude_files`).
pub(super) fn in_folder(pattern: &str) -> Result<Regex, String> {
    compile(pattern, "[^/]*", "[^/]")
}

fn compile(pattern: &str, star: &str, one: &str) -> Result<Regex, String> {
    if pattern.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut out = String::from("(?s)^");
    let mut letters = pattern.chars().peekable();
    let mut open = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '*' => {
                while letters.next_if_eq(&'*').is_some() {}
                out.push_str(star);
            }
            '?' => out.push_str(one),
            '\\' => {
                let escaped = letters.next().ok_or("it ends with a backslash")?;
                out.push_str(&regex::escape(&escaped.to_string()));
            }
            '[' => {
                out.push('[');
                if letters.next_if(|next| matches!(next, '!' | '^')).is_some() {
                    out.push('^');
                }
                let mut closed = false;
                for inside in letters.by_ref() {
                    match inside {
                        ']' => {
                            closed = true;
                            break;
                        }
                        '-' => out.push('-'),
                        other => out.push_str(&regex::escape(&other.to_string())),
                    }
                }
                if !closed {
                    return Err("a [ is not closed".to_owned());
                }
                out.push(']');
            }
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    if open > 0 {
        return Err("a { is not closed".to_owned());
    }
    out.push('$');
    Regex::new(&out).map_err(|_| "it is no pattern".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_cross_folders_or_do_not() {
        assert!(any("*/p.rego").unwrap().is_match("/a/b/p.rego"));
        assert!(any("/{a,b}/?.rego").unwrap().is_match("/b/x.rego"));
        assert!(any("[!a]x").unwrap().is_match("bx") && !any("[!a]x").unwrap().is_match("ax"));
        assert!(in_folder("*.json").unwrap().is_match("data.json"));
        assert!(!in_folder("*.json").unwrap().is_match("a/data.json"));
        assert!(any("a.b").unwrap().is_match("a.b") && !any("a.b").unwrap().is_match("axb"));
        for wrong in ["[a", "{a", "a\\"] {
            assert!(any(wrong).is_err(), "{wrong}");
        }
    }
}
