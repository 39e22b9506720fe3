//! `regex.globs_match`: whether some text matches both of two simple patterns.
//!
//! The way of comparing is the one of the library that OPA uses (yashtewari/glob-intersection), step by step: its
//! answers are not always those of the theory, and policies depend on them.

use std::iter::Peekable;
use std::rc::Rc;
use std::str::Chars;

use regorus::Value;

use super::super::Answer;
use super::super::arguments::Arguments;
use super::super::fault::Fault;

/// Comparisons at most: `a*a*a*…` against itself would otherwise take time that doubles with each letter.
const STEPS: u32 = 200_000;

pub(super) fn globs_match(arguments: &Arguments<'_>) -> Answer {
    let (one, other) = (arguments.string(1)?, arguments.string(2)?);
    let (one, other) = (simple(tokens(one)?), simple(tokens(other)?));
    let mut comparison = Comparison { left: STEPS };
    let together = match trimmed(&one, &other) {
        Some((one, other)) => comparison.normal(one, other)?,
        None => false,
    };
    Ok(Value::from(together))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sign {
    One(char),
    Dot,
    /// Ranges in order, none touching another.
    Set(Rc<Vec<(char, char)>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Once,
    Plus,
    Star,
}

#[derive(Clone, Debug)]
struct Token {
    sign: Sign,
    repeat: Repeat,
}

impl Sign {
    fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dot, _) | (_, Self::Dot) => true,
            (Self::One(a), Self::One(b)) => a == b,
            (Self::One(one), Self::Set(set)) | (Self::Set(set), Self::One(one)) => {
                set.iter().any(|(first, last)| first <= one && one <= last)
            }
            (Self::Set(a), Self::Set(b)) => a
                .iter()
                .any(|(first, last)| b.iter().any(|(low, high)| first <= high && low <= last)),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut reader = Reader {
        text,
        signs: text.chars().peekable(),
        at: 0,
    };
    let mut tokens = Vec::new();
    while let Some((sign, escaped)) = reader.next()? {
        let sign = match sign {
            _ if escaped => Sign::One(sign),
            '.' => Sign::Dot,
            ']' => return Err(reader.wrong("set-close ']' with no preceding '['")),
            '[' => Sign::Set(Rc::new(reader.set()?)),
            '+' | '*' => {
                return Err(reader.wrong(&format!("flag '{sign}' must be preceded by a non-flag")));
            }
            other => Sign::One(other),
        };
        tokens.push(Token {
            sign,
            repeat: reader.repeat(),
        });
    }
    Ok(tokens)
}

#[derive(Debug)]
struct Reader<'a> {
    text: &'a str,
    signs: Peekable<Chars<'a>>,
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, said: &str) -> Fault {
        let (text, at) = (self.text, self.at);
        Fault::from(format!(
            "input:{text}, pos:{at}, {said}: the input provided is invalid"
        ))
    }

    /// The next sign, and whether a backslash made it an ordinary one.
    fn next(&mut self) -> Result<Option<(char, bool)>, Fault> {
        match self.signs.next() {
            Some('\\') => {
                let Some(sign) = self.signs.next() else {
                    return Err(self.wrong("input ends with a \\ (escape) character"));
                };
                self.at += 2;
                Ok(Some((sign, true)))
            }
            Some(sign) => {
                self.at += 1;
                Ok(Some((sign, false)))
            }
            None => Ok(None),
        }
    }

    fn repeat(&mut self) -> Repeat {
        let repeat = match self.signs.peek() {
            Some('+') => Repeat::Plus,
            Some('*') => Repeat::Star,
            _ => return Repeat::Once,
        };
        self.signs.next();
        self.at += 1;
        repeat
    }

    fn set(&mut self) -> Result<Vec<(char, char)>, Fault> {
        let (mut set, mut before) = (Vec::new(), None);
        while let Some((sign, escaped)) = self.next()? {
            match (sign, escaped, before) {
                (']', false, _) => return Ok(joined(set)),
                ('-', false, None) => {
                    return Err(self.wrong("range character '-' must be preceded by a Unicode character"));
                }
                ('-', false, Some(first)) => {
                    set.push((first, self.range_end(first)?));
                    before = None;
                }
                (sign, ..) => {
                    set.push((sign, sign));
                    before = Some(sign);
                }
            }
        }
        Err(self.wrong("found [ without matching ]"))
    }

    fn range_end(&mut self, first: char) -> Result<char, Fault> {
        // The closing bracket must still follow.
        if self.signs.clone().nth(1).is_none() {
            return Err(self.wrong("range character '-' must be followed by a Unicode character"));
        }
        match self.next()? {
            Some((']' | '-', false)) => {
                Err(self.wrong("range character '-' cannot be followed by a special symbol"))
            }
            Some((last, _)) if last < first => Err(self.wrong(&format!(
                "range is out of order: '{last}' comes before '{first}' in Unicode"
            ))),
            Some((last, _)) => Ok(last),
            None => Err(self.wrong("found [ without matching ]")),
        }
    }
}

/// The same signs in as few ranges as possible, so that equal sets look equal.
fn joined(mut ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    ranges.sort_unstable();
    let mut joined: Vec<(char, char)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if u32::from(first) <= u32::from(*end) + 1 => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// Equal neighbours that repeat are one.
fn simple(tokens: Vec<Token>) -> Vec<Token> {
    let mut simple: Vec<Token> = Vec::new();
    for token in tokens {
        match simple.last_mut() {
            Some(last)
                if token.repeat != Repeat::Once && last.repeat != Repeat::Once && token.sign == last.sign =>
            {
                let plus = token.repeat == Repeat::Plus || last.repeat == Repeat::Plus;
                last.repeat = if plus { Repeat::Plus } else { Repeat::Star };
            }
            _ => simple.push(token),
        }
    }
    simple
}

/// Without the plain signs that both begin or end with; `None` if those differ.
fn trimmed<'a>(one: &'a [Token], other: &'a [Token]) -> Option<(&'a [Token], &'a [Token])> {
    let plain = |(a, b): &(&Token, &Token)| a.repeat == Repeat::Once && b.repeat == Repeat::Once;
    let mut start = 0;
    for (a, b) in one.iter().zip(other).take_while(plain) {
        if !a.sign.matches(&b.sign) {
            return None;
        }
        start += 1;
    }
    let (one, other) = (one.get(start.max(1) - 1..)?, other.get(start.max(1) - 1..)?);
    let mut end = 0_usize;
    for (a, b) in one.iter().rev().zip(other.iter().rev()).take_while(plain) {
        if !a.sign.matches(&b.sign) {
            return None;
        }
        end += 1;
    }
    let kept = |tokens: &'a [Token]| tokens.get(..tokens.len() - end.saturating_sub(1));
    Some((kept(one)?, kept(other)?))
}

#[derive(Debug)]
struct Comparison {
    left: u32,
}

impl Comparison {
    fn step(&mut self) -> Result<(), Fault> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Fault::Limit(format!("more than {STEPS} steps to compare the globs")))?;
        Ok(())
    }

    fn normal(&mut self, one: &[Token], other: &[Token]) -> Result<bool, Fault> {
        let (mut one, mut other) = (one, other);
        while let (Some((a, rest)), Some((b, other_rest))) = (one.split_first(), other.split_first()) {
            self.step()?;
            if a.repeat != Repeat::Once || b.repeat != Repeat::Once {
                return self.special(one, other);
            }
            if !a.sign.matches(&b.sign) {
                return Ok(false);
            }
            (one, other) = (rest, other_rest);
        }
        Ok(one.is_empty() && other.is_empty())
    }

    fn special(&mut self, one: &[Token], other: &[Token]) -> Result<bool, Fault> {
        match (
            one.first().map(|token| token.repeat),
            other.first().map(|token| token.repeat),
        ) {
            (Some(Repeat::Plus), _) => self.plus(one, other),
            (Some(Repeat::Star), _) => self.star(one, other),
            (_, Some(Repeat::Plus)) => self.plus(other, one),
            (_, Some(Repeat::Star)) => self.star(other, one),
            _ => Ok(false),
        }
    }

    fn plus(&mut self, plussed: &[Token], other: &[Token]) -> Result<bool, Fault> {
        self.step()?;
        let (Some((first, rest)), Some((second, other_rest))) = (plussed.split_first(), other.split_first())
        else {
            return Ok(false);
        };
        if !first.sign.matches(&second.sign) {
            return Ok(false);
        }
        Ok(self.star(plussed, other_rest)? || (second.repeat != Repeat::Once && self.normal(rest, other)?))
    }

    fn star(&mut self, starred: &[Token], other: &[Token]) -> Result<bool, Fault> {
        let Some((star, rest)) = starred.split_first() else {
            return Ok(false);
        };
        let mut left = other;
        while let Some((token, after)) = left.split_first() {
            self.step()?;
            if rest.first().is_some_and(|next| token.sign.matches(&next.sign)) && self.normal(rest, left)? {
                return Ok(true);
            }
            if !token.sign.matches(&star.sign) {
                return Ok(false);
            }
            left = after;
        }
        Ok(rest.is_empty())
    }
}
