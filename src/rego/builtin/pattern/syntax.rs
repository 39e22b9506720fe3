//! A pattern of Go's `regexp/syntax` (flags `Perl`) said in the words of the crate `regex`.
//!
//! Where both read a sign differently it is written so that only Go's meaning is left; what Go refuses is refused.

use std::iter::Peekable;
use std::str::Chars;

/// Times that Go repeats something at most.
const REPEATED: u32 = 1000;

pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Reader {
        signs: pattern.chars().peekable(),
    };
    let mut out = String::with_capacity(pattern.len() + 16);
    // Whether the last thing was a repetition: Go refuses a second one, the crate takes it.
    let mut repeated = false;
    while let Some(sign) = reader.signs.next() {
        let repeats = match sign {
            '*' | '+' | '?' => {
                out.push(sign);
                true
            }
            '{' => match reader.counted()? {
                Some(count) => {
                    out.push_str(&count);
                    true
                }
                None => {
                    out.push_str(r"\{");
                    false
                }
            },
            '}' => {
                out.push_str(r"\}");
                false
            }
            '[' => {
                out.push_str(&reader.class()?);
                false
            }
            '(' => {
                out.push_str(&reader.group()?);
                false
            }
            '\\' => {
                out.push_str(&reader.escape()?);
                false
            }
            other => {
                out.push(other);
                false
            }
        };
        if repeats {
            if repeated {
                return Err("invalid nested repetition operator".to_owned());
            }
            if reader.signs.next_if_eq(&'?').is_some() {
                out.push('?');
            }
        }
        repeated = repeats;
    }
    Ok(out)
}

#[derive(Debug)]
struct Reader<'a> {
    signs: Peekable<Chars<'a>>,
}

/// Signs without meaning outside of a class, as the crate takes them.
fn literal(sign: char) -> String {
    format!(r"\x{{{:x}}}", u32::from(sign))
}

/// `\d` and its like are ASCII in Go; the text of what stands in the class.
fn perl(sign: char) -> Option<&'static str> {
    match sign {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some(r"\t\n\x0c\r "),
        _ => None,
    }
}

impl Reader<'_> {
    /// `{n}`, `{n,}` or `{n,m}` after the brace; anything else leaves the brace a plain sign.
    fn counted(&mut self) -> Result<Option<String>, String> {
        let ahead: String = self.signs.clone().take(12).collect();
        let Some((inside, _)) = ahead.split_once('}') else {
            return Ok(None);
        };
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
        let plain = |text: &str| digits(text) && (text.len() == 1 || !text.starts_with('0'));
        if least.is_empty() || !plain(least) || !(most.is_empty() || plain(most)) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= REPEATED);
        let fits = match (number(least), most.is_empty(), number(most)) {
            (Some(_), true, _) => true,
            (Some(least), false, Some(most)) => least <= most,
            _ => false,
        };
        if !fits {
            return Err("invalid repeat count".to_owned());
        }
        self.signs.by_ref().take(inside.len() + 1).for_each(drop);
        Ok(Some(format!("{{{inside}}}")))
    }

    /// After `(`: the flags that Go knows, or a name.
    fn group(&mut self) -> Result<String, String> {
        if self.signs.next_if_eq(&'?').is_none() {
            return Ok("(".to_owned());
        }
        let ahead: String = self.signs.clone().take(2).collect();
        if ahead == "P<" || (ahead.starts_with('<') && !matches!(ahead.as_str(), "<=" | "<!")) {
            return Ok("(?".to_owned());
        }
        let mut flags = "(?".to_owned();
        for sign in self.signs.by_ref() {
            flags.push(sign);
            match sign {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => return Ok(flags),
                // Such as `x`, which Go does not have, and the crate's `u` and `R`.
                _ => break,
            }
        }
        Err("invalid or unsupported Perl syntax".to_owned())
    }

    /// After a backslash, outside of a class.
    fn escape(&mut self) -> Result<String, String> {
        let sign = self
            .signs
            .next()
            .ok_or("trailing backslash at end of expression")?;
        match sign {
            'A' | 'z' => Ok(format!("\\{sign}")),
            'b' | 'B' => Ok(format!("(?-u:\\{sign})")),
            'Q' => Ok(self.quoted()),
            'p' | 'P' => self.property(sign),
            'D' | 'W' | 'S' | 'd' | 'w' | 's' => {
                let not = if sign.is_ascii_uppercase() { "^" } else { "" };
                let signs = perl(sign.to_ascii_lowercase()).unwrap_or_default();
                Ok(format!("[{not}{signs}]"))
            }
            other => self.escaped(other).map(literal),
        }
    }

    /// `\Q…\E`: everything is literal.
    fn quoted(&mut self) -> String {
        let mut out = String::new();
        while let Some(sign) = self.signs.next() {
            if sign == '\\' && self.signs.next_if_eq(&'E').is_some() {
                break;
            }
            out.push_str(&literal(sign));
        }
        out
    }

    /// `\pN`, `\p{Name}`, `\p{^Name}`: names only, not the crate's `key=value`.
    fn property(&mut self, sign: char) -> Result<String, String> {
        let wrong = || "invalid character class range".to_owned();
        let name = match self.signs.next().ok_or_else(wrong)? {
            '{' => {
                let mut name = String::new();
                loop {
                    match self.signs.next() {
                        Some('}') => break name,
                        Some(part) => name.push(part),
                        None => return Err(wrong()),
                    }
                }
            }
            one => one.to_string(),
        };
        let bare = name.strip_prefix('^');
        let negative = (sign == 'P') != bare.is_some();
        let bare = bare.unwrap_or(&name);
        if !bare.starts_with(|first: char| first.is_ascii_uppercase())
            || !bare
                .chars()
                .all(|part| part.is_ascii_alphanumeric() || part == '_')
        {
            return Err(wrong());
        }
        Ok(format!("\\{}{{{bare}}}", if negative { 'P' } else { 'p' }))
    }

    /// The sign that stands after a backslash, in and out of classes.
    fn escaped(&mut self, sign: char) -> Result<char, String> {
        match sign {
            'a' => Ok('\u{7}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\u{b}'),
            'x' => self.hexadecimal(),
            '0' => Ok(self.octal(0, 2)),
            // One digit alone would be a back reference, which Go does not have.
            '1'..='7' if self.signs.peek().is_some_and(|next| ('0'..='7').contains(next)) => {
                Ok(self.octal(sign.to_digit(8).unwrap_or_default(), 2))
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok(other),
            other => Err(format!("invalid escape sequence: `\\{other}`")),
        }
    }

    fn octal(&mut self, mut value: u32, digits: usize) -> char {
        for _ in 0..digits {
            let Some(digit) = self.signs.peek().and_then(|next| next.to_digit(8)) else {
                break;
            };
            self.signs.next();
            value = value * 8 + digit;
        }
        char::from_u32(value).unwrap_or_default()
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let wrong = || "invalid escape sequence: `\\x`".to_owned();
        let digits: String = if self.signs.next_if_eq(&'{').is_some() {
            let mut digits = String::new();
            loop {
                match self.signs.next() {
                    Some('}') => break digits,
                    Some(digit) => digits.push(digit),
                    None => return Err(wrong()),
                }
            }
        } else {
            self.signs.by_ref().take(2).collect()
        };
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = u32::from_str_radix(&digits, 16).ok().filter(|_| all);
        value.and_then(char::from_u32).ok_or_else(wrong)
    }

    /// After `[`: the class without the crate's nesting and set operations.
    fn class(&mut self) -> Result<String, String> {
        let missing = || "missing closing ]".to_owned();
        let mut out = "[".to_owned();
        if self.signs.next_if_eq(&'^').is_some() {
            out.push('^');
        }
        let mut first = true;
        loop {
            let sign = self.signs.next().ok_or_else(missing)?;
            match sign {
                ']' if !first => break,
                '[' if self.signs.peek() == Some(&':') => match self.posix() {
                    Some(name) => out.push_str(&name?),
                    None => self.range('[', &mut out)?,
                },
                '\\' => self.class_escape(&mut out)?,
                // Between two others Go wants a range, at the ends a plain sign.
                '-' if !first && !matches!(self.signs.peek(), Some(']')) => {
                    return Err("invalid character class range".to_owned());
                }
                other => self.range(other, &mut out)?,
            }
            first = false;
        }
        out.push(']');
        Ok(out)
    }

    fn class_escape(&mut self, out: &mut String) -> Result<(), String> {
        let sign = self
            .signs
            .next()
            .ok_or("trailing backslash at end of expression")?;
        match sign {
            'd' | 'w' | 's' => out.push_str(perl(sign).unwrap_or_default()),
            'D' | 'W' | 'S' => {
                let signs = perl(sign.to_ascii_lowercase()).unwrap_or_default();
                out.push_str(&format!("[^{signs}]"));
            }
            'p' | 'P' => out.push_str(&self.property(sign)?),
            other => {
                let first = self.escaped(other)?;
                self.range(first, out)?;
            }
        }
        Ok(())
    }

    /// One sign of a class, or the range that it begins.
    fn range(&mut self, first: char, out: &mut String) -> Result<(), String> {
        let mut ahead = self.signs.clone();
        let ranges = ahead.next() == Some('-') && ahead.next().is_some_and(|end| end != ']');
        out.push_str(&literal(first));
        if !ranges {
            return Ok(());
        }
        self.signs.next();
        let wrong = || "invalid character class range".to_owned();
        let last = match self.signs.next().ok_or_else(wrong)? {
            '\\' => {
                let sign = self.signs.next().ok_or_else(wrong)?;
                self.escaped(sign)?
            }
            other => other,
        };
        if last < first {
            return Err(wrong());
        }
        out.push('-');
        out.push_str(&literal(last));
        Ok(())
    }

    /// `[:name:]` after the bracket; `None` if there is no `:]`.
    fn posix(&mut self) -> Option<Result<String, String>> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "word", "xdigit",
        ];
        let ahead: String = self.signs.clone().collect();
        let (name, _) = ahead.strip_prefix(':')?.split_once(":]")?;
        let bare = name.strip_prefix('^').unwrap_or(name);
        if !NAMES.contains(&bare) {
            return Some(Err("invalid character class range".to_owned()));
        }
        self.signs.by_ref().take(name.chars().count() + 3).for_each(drop);
        Some(Ok(format!("[:{name}:]")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::translate;

    fn matches(pattern: &str, text: &str) -> bool {
        build(&translate(pattern).unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn classes_are_ascii() {
        assert!(matches(r"^\d\w\s\b$", "1a\t") || matches(r"^\d\w\s$", "1a\t"));
        assert!(!matches(r"^\d$", "\u{663}"), "an Arabic digit");
        assert!(!matches(r"^\w$", "ä") && matches(r"^\W$", "ä") && matches(r"^[\W]$", "ä"));
        assert!(!matches(r"^\s$", "\u{b}"), "a vertical tab is no space in Go");
        assert!(matches(r"\bö", "aö") && !matches(r"\ba", "ba"));
    }

    #[test]
    fn what_the_crate_reads_differently() {
        assert!(matches(r"^\<a\>$", "<a>"));
        assert!(matches("^[a&&b]$", "&") && matches("^[[a]$", "[") && matches("^[!~~]$", "~"));
        assert!(matches("^x{,2}$", "x{,2}") && matches("^{$", "{") && matches("^x{1,2}$", "xx"));
        assert!(matches(r"^\Qa.b\E.$", "a.bc") && !matches(r"^\Qa.b\E$", "axb"));
        assert!(matches(r"^[]a-]+$", "]a-") && matches(r"^\101$", "A"));
        assert!(matches("^[[:alpha:][:^digit:]]$", "!"));
    }

    #[test]
    fn what_go_refuses() {
        for pattern in [
            "a**",
            "a{1001}",
            "(?x)a",
            "(?u)a",
            r"\u0041",
            r"[a-\d]",
            r"\1",
            "[b-a]",
            r"\p{Script=Greek}",
            "(?=a)",
        ] {
            let built = translate(pattern).map(|text| build(&text).is_ok());
            assert!(!matches!(built, Ok(true)), "{pattern}");
        }
    }
}
