//! A regular expression of Python (`re.search`), in the words of the engine that we have.
//!
//! The dialects differ where it shows: `$` matches before a last newline, `\Z` is the end, `[` and `&&` inside
//! a class are letters, a brace that is no repetition is a letter, unknown escapes are errors.

use fancy_regex::{Regex, RegexBuilder};

use super::MapFault;

/// Steps a search may take: Keystone has no limit here, but a mapping may not stop a gateway.
const MOST_STEPS: usize = 1_000_000;

pub(super) struct Pattern(Regex);

impl Pattern {
    /// Reads one pattern.
    pub(super) fn read(python: &str) -> Result<Self, MapFault> {
        let broken = |why: String| MapFault::Crash(format!("re.error: {why} in the pattern '{python}'"));
        let translated = Translator::new(python)
            .all()
            .map_err(|why| broken(why.to_owned()))?;
        RegexBuilder::new(&translated)
            .backtrack_limit(MOST_STEPS)
            .build()
            .map(Self)
            .map_err(|error| broken(error.to_string()))
    }

    /// `re.search`: anywhere, not anchored.
    pub(super) fn is_in(&self, value: &str) -> Result<bool, MapFault> {
        self.0
            .is_match(value)
            .map_err(|_| MapFault::Unsupported("a pattern that takes too many steps".into()))
    }
}

struct Translator {
    letters: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn new(python: &str) -> Self {
        Self {
            letters: python.chars().collect(),
            at: 0,
            out: String::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0);
        self.at += 1;
        next
    }

    fn all(mut self) -> Result<String, &'static str> {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '$' => self.out.push_str(r"(?=\n?\z)"),
                '{' if self.is_repetition() => self.out.push('{'),
                '{' => self.out.push_str(r"\{"),
                '}' if !self.closes_repetition() => self.out.push_str(r"\}"),
                other => self.out.push(other),
            }
        }
        Ok(self.out)
    }

    /// `{3}`, `{3,}`, `{,5}`, `{3,5}`; anything else is letters.
    fn is_repetition(&mut self) -> bool {
        let rest: String = self
            .letters
            .iter()
            .skip(self.at)
            .take_while(|letter| **letter != '}')
            .collect();
        let closed = self.peek(rest.chars().count()) == Some('}');
        let (least, most) = rest.split_once(',').unwrap_or((&rest, "0"));
        let digits = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
        let real = closed && digits(least) && digits(most) && (!least.is_empty() || rest.contains(','));
        if real && least.is_empty() {
            // Our engine wants the lower bound written.
            self.letters.insert(self.at, '0');
        }
        real
    }

    fn closes_repetition(&self) -> bool {
        self.out.rsplit_once('{').is_some_and(|(before, inside)| {
            !before.ends_with('\\')
                && !inside.is_empty()
                && inside
                    .chars()
                    .all(|letter| letter.is_ascii_digit() || letter == ',')
        })
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.next();
            self.out.push('^');
        }
        if self.peek(0) == Some(']') {
            self.next();
            self.out.push_str(r"\]");
        }
        loop {
            match self.next().ok_or("unterminated character set")? {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                letter @ ('[' | '&' | '~') => {
                    self.out.push('\\');
                    self.out.push(letter);
                }
                '-' if self.peek(0) == Some('-') => self.out.push_str(r"\-"),
                other => self.out.push(other),
            }
        }
    }

    fn escape(&mut self, in_class: bool) -> Result<(), &'static str> {
        let letter = self.next().ok_or("bad escape (end of pattern)")?;
        match letter {
            's' if in_class => self.out.push_str(r"\s\x1c-\x1f"),
            's' => self.out.push_str(r"[\s\x1c-\x1f]"),
            'd' | 'D' | 'w' | 'W' => self.shorthand(letter),
            'S' if in_class => self.shorthand(letter),
            'S' => self.out.push_str(r"[^\s\x1c-\x1f]"),
            'A' | 'B' | 'b' if !in_class => self.shorthand(letter),
            'Z' if !in_class => self.out.push_str(r"\z"),
            'a' => self.out.push_str(r"\x07"),
            'b' => self.out.push_str(r"\x08"),
            'f' => self.out.push_str(r"\x0c"),
            'v' => self.out.push_str(r"\x0b"),
            'n' | 'r' | 't' => self.shorthand(letter),
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            '0' => self.out.push_str(r"\x00"),
            '1'..='9' if !in_class => self.shorthand(letter),
            letter if letter.is_ascii_alphanumeric() => return Err("bad escape"),
            letter if letter.is_ascii_punctuation() => self.shorthand(letter),
            other => self.out.push(other),
        }
        Ok(())
    }

    fn shorthand(&mut self, letter: char) {
        self.out.push('\\');
        self.out.push(letter);
    }

    fn code(&mut self, count: usize) -> Result<(), &'static str> {
        let digits: String = (0..count).filter_map(|_| self.next()).collect();
        if digits.len() != count || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Err("incomplete escape");
        }
        self.out.push_str(&format!(r"\x{{{digits}}}"));
        Ok(())
    }
}
