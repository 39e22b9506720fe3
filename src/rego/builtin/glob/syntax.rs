//! A pattern read into its parts, as gobwas reads it.

use super::super::fault::Fault;

/// Nested alternatives at most: each level is one of the stack.
const DEEPEST: usize = 64;
/// Parts of a pattern at most.
const PARTS: usize = 400;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Nothing,
    Pattern(Vec<Self>),
    AnyOf(Vec<Self>),
    /// `[abc]`, `[!abc]`
    List {
        not: bool,
        chars: String,
    },
    /// `[a-c]`
    Range {
        not: bool,
        low: char,
        high: char,
    },
    Text(String),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
}

/// Reads a pattern: the root is a `Pattern`.
pub(super) fn parse(pattern: &str) -> Result<Node, Fault> {
    // gobwas takes a NUL for the end, and refuses what Go decodes as a fault.
    let pattern = pattern.split('\0').next().unwrap_or_default();
    if pattern.contains('\u{fffd}') {
        return Err("could not read rune".into());
    }
    let mut reader = Reader {
        rest: pattern,
        open: Vec::new(),
        parts: Vec::new(),
        count: 0,
    };
    while !reader.rest.is_empty() {
        reader.part()?;
    }
    // What is left open ends with the pattern.
    while !reader.open.is_empty() {
        reader.close();
    }
    Ok(Node::Pattern(reader.parts))
}

struct Reader<'a> {
    rest: &'a str,
    /// For each open brace: the parts before it, and its alternatives so far.
    open: Vec<(Vec<Node>, Vec<Node>)>,
    /// The parts of the pattern that is read.
    parts: Vec<Node>,
    count: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        self.rest = letters.as_str();
        letter
    }

    fn part(&mut self) -> Result<(), Fault> {
        self.count += 1;
        if self.count > PARTS {
            return Err(Fault::Limit(format!("the pattern has more than {PARTS} parts")));
        }
        let whole = self.rest;
        let Some(letter) = self.next() else { return Ok(()) };
        match letter {
            '{' => {
                if self.open.len() >= DEEPEST {
                    return Err(Fault::Limit(format!(
                        "more than {DEEPEST} alternatives in each other"
                    )));
                }
                self.open.push((std::mem::take(&mut self.parts), Vec::new()));
            }
            ',' if !self.open.is_empty() => self.separate(),
            '}' if !self.open.is_empty() => self.close(),
            '[' => {
                let class = self.class()?;
                self.parts.push(class);
            }
            '?' => self.parts.push(Node::Single),
            '*' if self.peek() == Some('*') => {
                self.next();
                self.parts.push(Node::Super);
            }
            '*' => self.parts.push(Node::Any),
            _ => {
                self.rest = whole;
                let breakers: &[char] = if self.open.is_empty() {
                    &['?', '*', '[', '{']
                } else {
                    &['?', '*', '[', '{', '}', ',']
                };
                let text = self.text(breakers);
                if !text.is_empty() {
                    self.parts.push(Node::Text(text));
                }
            }
        }
        Ok(())
    }

    fn separate(&mut self) {
        if let Some((_, alternatives)) = self.open.last_mut() {
            alternatives.push(Node::Pattern(std::mem::take(&mut self.parts)));
        }
    }

    fn close(&mut self) {
        self.separate();
        if let Some((before, alternatives)) = self.open.pop() {
            self.parts = before;
            self.parts.push(Node::AnyOf(alternatives));
        }
    }

    /// Text up to a breaker. A backslash makes the next letter text; one at the end is nothing.
    fn text(&mut self, breakers: &[char]) -> String {
        let mut text = String::new();
        let mut escaped = false;
        while let Some(letter) = self.peek() {
            if !escaped && breakers.contains(&letter) {
                break;
            }
            self.next();
            escaped = !escaped && letter == '\\';
            if !escaped {
                text.push(letter);
            }
        }
        text
    }

    /// What follows `[`: a range of two letters, or a list of letters.
    fn class(&mut self) -> Result<Node, Fault> {
        let ended = || Fault::from("unexpected end of input");
        let not = self.peek() == Some('!');
        if not {
            self.next();
        }
        let whole = self.rest;
        let low = self.next().ok_or_else(ended)?;
        if self.peek() == Some('-') {
            self.next();
            let high = self.next().ok_or_else(ended)?;
            if self.next().ok_or_else(ended)? != ']' {
                return Err("expected close range character".into());
            }
            if high < low {
                let said = format!("hi character '{high}' should be greater than lo '{low}'");
                return Err(said.into());
            }
            return Ok(Node::Range { not, low, high });
        }
        self.rest = whole;
        let chars = self.text(&[']']);
        self.next().ok_or_else(ended)?;
        if chars.is_empty() {
            return Err("could not parse range".into());
        }
        Ok(Node::List { not, chars })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_gobwas_reads_them() {
        let text = |text: &str| Node::Text(text.to_owned());
        let root = |parts| Node::Pattern(parts);
        let read = |pattern: &str| parse(pattern).unwrap();
        assert_eq!(read(""), root(vec![]));
        assert_eq!(read("a,}\\*b\\"), root(vec![text("a,}*b")]));
        assert_eq!(read("**?*"), root(vec![Node::Super, Node::Single, Node::Any]));
        let either = Node::AnyOf(vec![root(vec![text("a")]), root(vec![])]);
        assert_eq!(read("x{a,}"), root(vec![text("x"), either.clone()]));
        assert_eq!(read("x{a,"), root(vec![text("x"), either]));
        let (not, low, high) = (true, 'a', 'c');
        assert_eq!(read("[!a-c]"), root(vec![Node::Range { not, low, high }]));
        for broken in ["[", "[a", "[]", "[!]", "[c-a]", "[a-c", "[a-cd]", "\u{fffd}"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
        assert!(matches!(parse(&"{".repeat(65)), Err(Fault::Limit(_))));
        assert!(matches!(parse(&"*?".repeat(201)), Err(Fault::Limit(_))));
    }
}
