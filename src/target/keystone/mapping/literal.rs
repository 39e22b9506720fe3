//! `ast.literal_eval`, as far as a list of texts and numbers needs it: Keystone reads group lists with it.

use serde_json::{Map, Number, Value};

use super::MapFault;

/// Most nesting: Python's own parser gives up at 200.
const DEEPEST: usize = 100;

/// `_ast_literal_eval`: the items of a Python list, or the whole text as the one item.
pub(super) fn items(text: &str) -> Result<Vec<Value>, MapFault> {
    let whole = || vec![Value::String(text.to_owned())];
    let mut reader = Reader {
        rest: text.trim_start_matches([' ', '\t']),
        unhashable: false,
    };
    match reader.value(0) {
        Ok(read) => {
            reader.space();
            if reader.unhashable && reader.rest.is_empty() {
                return Err(MapFault::Crash("TypeError: unhashable type in a literal".into()));
            }
            let Read::List(items) = read else {
                return Ok(whole());
            };
            if !reader.rest.is_empty() {
                return Ok(whole());
            }
            let items = items.into_iter().map(Read::json).collect::<Option<_>>();
            items.ok_or_else(|| MapFault::Unsupported("a list with Python objects in it".into()))
        }
        Err(NotLiteral) => Ok(whole()),
    }
}

/// SyntaxError or ValueError.
struct NotLiteral;

enum Read {
    Text(String),
    Number(Number),
    Constant(Value),
    List(Vec<Read>),
    Dict(Map<String, Value>),
    /// A tuple, a set, a dict or number that JSON cannot say.
    Other,
}

impl Read {
    fn json(self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::String(text)),
            Self::Number(number) => Some(Value::Number(number)),
            Self::Constant(value) => Some(value),
            Self::List(items) => items
                .into_iter()
                .map(Self::json)
                .collect::<Option<_>>()
                .map(Value::Array),
            Self::Dict(members) => Some(Value::Object(members)),
            Self::Other => None,
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    /// A list or dict stands where Python wants something hashable: an error that Keystone does not catch.
    unhashable: bool,
}

impl<'t> Reader<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let next = letters.next();
        self.rest = letters.as_str();
        next
    }

    fn word(&mut self) -> &'t str {
        let end = self
            .rest
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn value(&mut self, depth: usize) -> Result<Read, NotLiteral> {
        if depth > DEEPEST {
            return Err(NotLiteral);
        }
        self.space();
        match self.rest.chars().next().ok_or(NotLiteral)? {
            '[' => {
                self.next();
                self.sequence(']', depth).map(|(items, _)| Read::List(items))
            }
            '(' => {
                self.next();
                let (mut items, comma) = self.sequence(')', depth)?;
                match items.pop() {
                    Some(one) if items.is_empty() && !comma => Ok(one),
                    _ => Ok(Read::Other),
                }
            }
            '{' => {
                self.next();
                self.braces(depth)
            }
            '\'' | '"' => self.texts(),
            '+' | '-' => {
                let negative = self.next() == Some('-');
                self.space();
                let word = self.word();
                number(word, negative)
            }
            letter if letter.is_ascii_digit() || letter == '.' => {
                let word = self.word();
                number(word, false)
            }
            _ => self.named(),
        }
    }

    /// Items up to the closing bracket, and whether the last had a comma behind it.
    fn sequence(&mut self, close: char, depth: usize) -> Result<(Vec<Read>, bool), NotLiteral> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            self.space();
            if self.rest.starts_with(close) {
                self.next();
                return Ok((items, comma));
            }
            if !items.is_empty() && !comma {
                return Err(NotLiteral);
            }
            items.push(self.value(depth + 1)?);
            self.space();
            comma = self.take(",");
        }
    }

    /// A dict or a set.
    fn braces(&mut self, depth: usize) -> Result<Read, NotLiteral> {
        let mut members = Some(Map::new());
        let mut comma = true;
        loop {
            self.space();
            if self.take("}") {
                return Ok(members.map_or(Read::Other, Read::Dict));
            }
            if !comma {
                return Err(NotLiteral);
            }
            let key = self.value(depth + 1)?;
            self.unhashable |= matches!(key, Read::List(_) | Read::Dict(_));
            self.space();
            let value = if self.take(":") {
                Some(self.value(depth + 1)?)
            } else {
                None
            };
            members = match (members, key, value.and_then(Read::json)) {
                (Some(mut members), Read::Text(key), Some(value)) => {
                    members.insert(key, value);
                    Some(members)
                }
                _ => None,
            };
            self.space();
            comma = self.take(",");
        }
    }

    fn named(&mut self) -> Result<Read, NotLiteral> {
        let before = self.rest;
        let word = self.word();
        match word {
            "True" => Ok(Read::Constant(Value::Bool(true))),
            "False" => Ok(Read::Constant(Value::Bool(false))),
            "None" => Ok(Read::Constant(Value::Null)),
            "u" | "U" | "r" | "R" if self.rest.starts_with(['\'', '"']) => {
                self.rest = before;
                self.texts()
            }
            _ => Err(NotLiteral),
        }
    }

    /// One text, or several side by side, which Python joins.
    fn texts(&mut self) -> Result<Read, NotLiteral> {
        let mut whole = String::new();
        loop {
            let raw = self.take("r") || self.take("R");
            if !raw {
                let _prefix = self.take("u") || self.take("U");
            }
            self.text(raw, &mut whole)?;
            self.space();
            let mut ahead = self.rest.chars();
            let more = match ahead.next() {
                Some('\'' | '"') => true,
                Some('u' | 'U' | 'r' | 'R') => matches!(ahead.next(), Some('\'' | '"')),
                Some(_) | None => false,
            };
            if !more {
                return Ok(Read::Text(whole));
            }
        }
    }

    fn text(&mut self, raw: bool, whole: &mut String) -> Result<(), NotLiteral> {
        let quote = self
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))
            .ok_or(NotLiteral)?;
        let triple = quote.to_string().repeat(2);
        let close = if self.take(&triple) {
            if !self.rest.starts_with(quote) {
                // Two quotes: the empty text.
                return Ok(());
            }
            self.next();
            quote.to_string().repeat(3)
        } else {
            quote.to_string()
        };
        loop {
            if self.take(&close) {
                return Ok(());
            }
            match self.next().ok_or(NotLiteral)? {
                '\n' if close.len() == 1 => return Err(NotLiteral),
                '\\' if raw => {
                    whole.push('\\');
                    whole.push(self.next().ok_or(NotLiteral)?);
                }
                '\\' => self.escaped(whole)?,
                letter => whole.push(letter),
            }
        }
    }

    fn escaped(&mut self, whole: &mut String) -> Result<(), NotLiteral> {
        let letter = self.next().ok_or(NotLiteral)?;
        match letter {
            '\n' => {}
            '\\' | '\'' | '"' => whole.push(letter),
            'n' => whole.push('\n'),
            'r' => whole.push('\r'),
            't' => whole.push('\t'),
            'a' => whole.push('\u{7}'),
            'b' => whole.push('\u{8}'),
            'f' => whole.push('\u{c}'),
            'v' => whole.push('\u{b}'),
            'x' => whole.push(self.code(2)?),
            'u' => whole.push(self.code(4)?),
            'U' => whole.push(self.code(8)?),
            '0'..='7' => {
                let mut value = letter.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    self.next();
                }
                whole.push(char::from_u32(value).ok_or(NotLiteral)?);
            }
            'N' => return Err(NotLiteral),
            other => {
                whole.push('\\');
                whole.push(other);
            }
        }
        Ok(())
    }

    /// A letter by exactly so many hexadecimal digits.
    fn code(&mut self, count: usize) -> Result<char, NotLiteral> {
        let mut value = 0;
        for _ in 0..count {
            let digit = self
                .next()
                .and_then(|letter| letter.to_digit(16))
                .ok_or(NotLiteral)?;
            value = value * 16 + digit;
        }
        char::from_u32(value).ok_or(NotLiteral)
    }
}

fn number(word: &str, negative: bool) -> Result<Read, NotLiteral> {
    let plain: String = word.chars().filter(|letter| *letter != '_').collect();
    let signed = if negative {
        format!("-{plain}")
    } else {
        plain.clone()
    };
    if plain.chars().all(|digit| digit.is_ascii_digit()) {
        // Python refuses 007.
        if plain.len() > 1 && plain.starts_with('0') && plain.contains(|digit| digit != '0') {
            return Err(NotLiteral);
        }
        return Ok(signed
            .parse::<i64>()
            .map_or(Read::Other, |number| Read::Number(number.into())));
    }
    let decimal = plain.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.')
        && plain
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E'));
    match signed.parse::<f64>() {
        Ok(number) if decimal => Ok(Number::from_f64(number).map_or(Read::Other, Read::Number)),
        _ => Err(NotLiteral),
    }
}
