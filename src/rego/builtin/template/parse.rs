//! A template as a tree.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::super::fault::Fault;
use super::lex::{Part, Word, parts};

/// Blocks and parentheses inside of one another at most.
const DEPTH: u32 = 50;

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// `$a, $b := command | command`.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    pub(super) declares: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug)]
pub(super) enum Operand {
    /// What it begins with, and the fields that are taken of it.
    Chain(Start, Vec<String>),
    Function(String),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Nil,
}

#[derive(Debug)]
pub(super) enum Start {
    Dot,
    Variable(String),
    Pipe(Box<Pipe>),
}

fn wrong(said: &str) -> Fault {
    Fault::from(format!("template: template: {said}"))
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Fault> {
    let mut parser = Parser {
        parts: parts(text)?.into_iter(),
        depth: 0,
    };
    let (nodes, end) = parser.list(false)?;
    match end {
        Ended::Text => Ok(nodes),
        Ended::Closed | Ended::Else(_) => Err(wrong("unexpected {{end}} or {{else}}")),
    }
}

/// What ended a list.
enum Ended {
    Text,
    Closed,
    /// With the words of `else if` or `else with`.
    Else(Vec<Word>),
}

struct Parser<'t> {
    parts: IntoIter<Part<'t>>,
    depth: u32,
}

impl Parser<'_> {
    fn list(&mut self, looped: bool) -> Result<(Vec<Node>, Ended), Fault> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let words = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Part::Action(words) => words,
            };
            let words = trimmed(words);
            let Some(Word::Name(keyword)) = words.first() else {
                nodes.push(Node::Action(pipe(words)?));
                continue;
            };
            let keyword = keyword.clone();
            let rest = || words.iter().skip(1).cloned().collect::<Vec<_>>();
            match keyword.as_str() {
                "end" => return Ok((nodes, Ended::Closed)),
                "else" => return Ok((nodes, Ended::Else(trimmed(rest())))),
                "if" | "with" | "range" => nodes.push(self.block(&keyword, rest(), looped)?),
                "break" | "continue" if !looped => {
                    return Err(wrong(&format!("{{{{{keyword}}}}} outside {{{{range}}}}")));
                }
                "break" => nodes.push(Node::Break),
                "continue" => nodes.push(Node::Continue),
                "define" | "template" | "block" => {
                    return Err(wrong(&format!("{{{{{keyword}}}}} is not supported here")));
                }
                _ => nodes.push(Node::Action(pipe(words)?)),
            }
        }
        Ok((nodes, Ended::Text))
    }

    fn block(&mut self, keyword: &str, words: Vec<Word>, looped: bool) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::Limit(format!("blocks deeper than {DEPTH} in a template")));
        }
        let condition = pipe(words)?;
        let ranges = keyword == "range";
        let (body, end) = self.list(looped || ranges)?;
        let otherwise = match end {
            Ended::Text => return Err(wrong("unexpected EOF")),
            Ended::Closed => Vec::new(),
            Ended::Else(words) => self.otherwise(keyword, words, looped)?,
        };
        self.depth -= 1;
        Ok(match keyword {
            "if" => Node::If(condition, body, otherwise),
            "with" => Node::With(condition, body, otherwise),
            _ => Node::Range(condition, body, otherwise),
        })
    }

    fn otherwise(&mut self, keyword: &str, words: Vec<Word>, looped: bool) -> Result<Vec<Node>, Fault> {
        let mut words = words.into_iter();
        match words.next() {
            None => match self.list(looped)? {
                (nodes, Ended::Closed) => Ok(nodes),
                _ => Err(wrong("expected {{end}}")),
            },
            // `{{else if}}` shares the `{{end}}` of the block that it stands in.
            Some(Word::Name(again)) if again == keyword && keyword != "range" => {
                Ok(vec![self.block(keyword, words.collect(), looped)?])
            }
            Some(_) => Err(wrong("unexpected words in {{else}}")),
        }
    }
}

fn trimmed(words: Vec<Word>) -> Vec<Word> {
    let mut words: Vec<Word> = words
        .into_iter()
        .skip_while(|word| *word == Word::Space)
        .collect();
    while words.last() == Some(&Word::Space) {
        words.pop();
    }
    words
}

fn pipe(words: Vec<Word>) -> Result<Pipe, Fault> {
    let mut reader = Reader {
        words: trimmed(words).into_iter().peekable(),
        depth: 0,
    };
    let pipe = reader.pipe()?;
    match reader.words.next() {
        None => Ok(pipe),
        Some(_) => Err(wrong("unexpected right paren")),
    }
}

struct Reader {
    words: Peekable<IntoIter<Word>>,
    depth: u32,
}

impl Reader {
    fn spaces(&mut self) {
        while self.words.next_if_eq(&Word::Space).is_some() {}
    }

    fn pipe(&mut self) -> Result<Pipe, Fault> {
        let (variables, declares) = self.variables()?;
        let mut commands = vec![Vec::new()];
        loop {
            self.spaces();
            match self.words.peek() {
                None | Some(Word::Close) => break,
                Some(Word::Pipe) => {
                    self.words.next();
                    commands.push(Vec::new());
                }
                Some(_) => {
                    let operand = self.operand()?;
                    if let Some(command) = commands.last_mut() {
                        command.push(operand);
                    }
                }
            }
        }
        if commands.iter().any(Vec::is_empty) {
            return Err(wrong("missing value for command"));
        }
        Ok(Pipe {
            variables,
            declares,
            commands,
        })
    }

    /// `$a :=`, `$a =` or `$i, $a :=`, if the words begin so.
    fn variables(&mut self) -> Result<(Vec<String>, bool), Fault> {
        let mut ahead = self.words.clone().filter(|word| *word != Word::Space);
        let mut names = Vec::new();
        loop {
            let Some(Word::Variable(name)) = ahead.next() else {
                return Ok((Vec::new(), false));
            };
            names.push(name);
            match ahead.next() {
                Some(Word::Comma) if names.len() < 2 => {}
                Some(Word::Declare) => break,
                Some(Word::Assign) if names.len() == 1 => break,
                _ => return Ok((Vec::new(), false)),
            }
        }
        loop {
            match self.words.next() {
                Some(Word::Declare) => return Ok((names, true)),
                Some(Word::Assign) => return Ok((names, false)),
                Some(_) => {}
                None => return Err(wrong("missing value for command")),
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, Fault> {
        let start = match self.words.next() {
            Some(Word::Dot(name)) if name.is_empty() => return Ok(Operand::Chain(Start::Dot, Vec::new())),
            Some(Word::Dot(name)) => return Ok(self.chain(Start::Dot, vec![name])),
            Some(Word::Variable(name)) => Start::Variable(name),
            Some(Word::Open) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err(Fault::Limit(format!(
                        "parentheses deeper than {DEPTH} in a template"
                    )));
                }
                let inner = self.pipe()?;
                self.depth -= 1;
                if self.words.next() != Some(Word::Close) {
                    return Err(wrong("unclosed left paren"));
                }
                Start::Pipe(Box::new(inner))
            }
            Some(Word::Name(name)) => {
                return Ok(match name.as_str() {
                    "true" => Operand::Bool(true),
                    "false" => Operand::Bool(false),
                    "nil" => Operand::Nil,
                    _ => Operand::Function(name),
                });
            }
            Some(Word::Text(text)) => return Ok(Operand::Text(text)),
            Some(Word::Int(number)) => return Ok(Operand::Int(number)),
            Some(Word::Float(number)) => return Ok(Operand::Float(number)),
            _ => return Err(wrong("unexpected word in operand")),
        };
        Ok(self.chain(start, Vec::new()))
    }

    /// The fields that follow without a space.
    fn chain(&mut self, start: Start, mut fields: Vec<String>) -> Operand {
        while let Some(Word::Dot(name)) = self
            .words
            .next_if(|word| matches!(word, Word::Dot(name) if !name.is_empty()))
        {
            fields.push(name);
        }
        Operand::Chain(start, fields)
    }
}
