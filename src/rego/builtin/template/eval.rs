//! What a template writes.

use regorus::Value;

use super::super::arguments::field;
use super::super::fault::Fault;
use super::function;
use super::parse::{Node, Operand, Pipe, Start};

/// Nodes that are rendered, and bytes that are written, at most.
const STEPS: u32 = 1_000_000;
const WRITTEN: usize = 4 << 20;

/// A value in a template.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// What Go writes as `<no value>`: a field that is not there.
    Missing,
    /// `null` is a value with no fields.
    Data(Value),
    /// Numbers of the template itself; those of the data are texts.
    Int(i64),
    Float(f64),
}

impl Item {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Data(Value::from(text.into()))
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::Data(Value::from(truth))
    }

    pub(super) fn true_(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Data(value) => match value {
                Value::Null | Value::Undefined => false,
                Value::Bool(truth) => *truth,
                Value::Number(_) => true,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => items.iter().next().is_some(),
                Value::Set(items) => !items.is_empty(),
                Value::Object(fields) => !fields.is_empty(),
            },
        }
    }

    /// As Go's `fmt` prints it.
    pub(super) fn printed(&self) -> String {
        match self {
            Self::Missing | Self::Data(Value::Null | Value::Undefined) => "<no value>".to_owned(),
            Self::Data(value) => printed(value),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
        }
    }
}

fn printed(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(" ");
    match value {
        Value::Null | Value::Undefined => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.format_decimal(),
        Value::String(text) => text.to_string(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(printed).collect())),
        Value::Set(items) => format!("[{}]", joined(items.iter_sorted().map(printed).collect())),
        Value::Object(fields) => {
            let pair = |(key, value): (&Value, &Value)| format!("{}:{}", printed(key), printed(value));
            format!("map[{}]", joined(fields.iter_sorted().map(pair).collect()))
        }
    }
}

pub(super) fn render(nodes: &[Node], data: &Value) -> Result<String, Fault> {
    let root = Item::Data(data.clone());
    let mut state = State {
        variables: vec![(String::new(), root.clone())],
        out: String::new(),
        left: STEPS,
    };
    state.list(nodes, &root)?;
    Ok(state.out)
}

/// How a list ended.
#[derive(PartialEq, Eq)]
enum Flow {
    Through,
    Break,
    Continue,
}

struct State {
    variables: Vec<(String, Item)>,
    out: String,
    left: u32,
}

fn wrong(said: &str) -> Fault {
    Fault::from(format!("template: template: {said}"))
}

impl State {
    fn list(&mut self, nodes: &[Node], dot: &Item) -> Result<Flow, Fault> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => self.write(text)?,
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    self.declare(pipe, &value)?;
                    if pipe.variables.is_empty() {
                        self.write(&value.printed())?
                    } else {
                        Flow::Through
                    }
                }
                Node::If(pipe, body, otherwise) => self.scoped(pipe, dot, |state, value| {
                    if value.true_() {
                        state.list(body, dot)
                    } else {
                        state.list(otherwise, dot)
                    }
                })?,
                Node::With(pipe, body, otherwise) => self.scoped(pipe, dot, |state, value| {
                    if value.true_() {
                        state.list(body, value)
                    } else {
                        state.list(otherwise, dot)
                    }
                })?,
                Node::Range(pipe, body, otherwise) => self.range(pipe, body, otherwise, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Through {
                return Ok(flow);
            }
        }
        Ok(Flow::Through)
    }

    fn step(&mut self) -> Result<(), Fault> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| Fault::Limit(format!("more than {STEPS} steps in a template")))?;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<Flow, Fault> {
        if self.out.len() + text.len() > WRITTEN {
            return Err(Fault::Limit(format!(
                "a template writes more than {WRITTEN} bytes"
            )));
        }
        self.out.push_str(text);
        Ok(Flow::Through)
    }

    fn scoped(
        &mut self,
        pipe: &Pipe,
        dot: &Item,
        then: impl FnOnce(&mut Self, &Item) -> Result<Flow, Fault>,
    ) -> Result<Flow, Fault> {
        let mark = self.variables.len();
        let value = self.pipe(pipe, dot)?;
        self.declare(pipe, &value)?;
        let flow = then(self, &value);
        self.variables.truncate(mark);
        flow
    }

    fn declare(&mut self, pipe: &Pipe, value: &Item) -> Result<(), Fault> {
        for name in &pipe.variables {
            if pipe.declares {
                self.variables.push((name.clone(), value.clone()));
                continue;
            }
            let known = self.variables.iter_mut().rev().find(|(own, _)| own == name);
            let (_, place) = known.ok_or_else(|| wrong(&format!("undefined variable \"${name}\"")))?;
            *place = value.clone();
        }
        Ok(())
    }

    fn range(&mut self, pipe: &Pipe, body: &[Node], otherwise: &[Node], dot: &Item) -> Result<Flow, Fault> {
        let value = self.pipe(pipe, dot)?;
        let pairs = pairs(&value)?;
        if pairs.is_empty() {
            return self.list(otherwise, dot);
        }
        let mark = self.variables.len();
        for (index, element) in pairs {
            self.step()?;
            match pipe.variables.as_slice() {
                [only] => self.variables.push((only.clone(), element.clone())),
                [first, second] => {
                    self.variables.push((first.clone(), index));
                    self.variables.push((second.clone(), element.clone()));
                }
                _ => {}
            }
            let flow = self.list(body, &element)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Through)
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Item) -> Result<Item, Fault> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        last.ok_or_else(|| wrong("missing value for command"))
    }

    fn command(&mut self, command: &[Operand], dot: &Item, last: Option<Item>) -> Result<Item, Fault> {
        self.step()?;
        let Some((first, rest)) = command.split_first() else {
            return Err(wrong("missing value for command"));
        };
        if matches!(first, Operand::Nil) {
            return Err(wrong("nil is not a command"));
        }
        let Operand::Function(name) = first else {
            if !rest.is_empty() || last.is_some() {
                return Err(wrong("can't give argument to non-function"));
            }
            return self.operand(first, dot);
        };
        let mut items = Vec::new();
        for operand in rest {
            let item = self.operand(operand, dot)?;
            // What is decided already is not evaluated further.
            let decided = match name.as_str() {
                "and" => !item.true_(),
                "or" => item.true_(),
                _ => false,
            };
            items.push(item);
            if decided {
                return items.pop().ok_or_else(|| wrong("missing value for command"));
            }
        }
        items.extend(last);
        function::call(name, items)
    }

    fn operand(&mut self, operand: &Operand, dot: &Item) -> Result<Item, Fault> {
        let (start, fields) = match operand {
            Operand::Text(text) => return Ok(Item::text(text.as_str())),
            Operand::Int(number) => return Ok(Item::Int(*number)),
            Operand::Float(number) => return Ok(Item::Float(*number)),
            Operand::Bool(truth) => return Ok(Item::truth(*truth)),
            Operand::Nil => return Ok(Item::Data(Value::Null)),
            Operand::Function(name) => return function::call(name, Vec::new()),
            Operand::Chain(start, fields) => (start, fields),
        };
        let mut item = match start {
            Start::Dot => dot.clone(),
            Start::Pipe(pipe) => self.pipe(pipe, dot)?,
            Start::Variable(name) => {
                let known = self.variables.iter().rev().find(|(own, _)| own == name);
                let (_, item) = known.ok_or_else(|| wrong(&format!("undefined variable \"${name}\"")))?;
                item.clone()
            }
        };
        for name in fields {
            item = member(&item, name)?;
        }
        Ok(item)
    }
}

fn member(item: &Item, name: &str) -> Result<Item, Fault> {
    if let Item::Missing = item {
        return Ok(Item::Missing);
    }
    if let Item::Data(Value::Null) = item {
        return Err(wrong(&format!("nil pointer evaluating interface {{}}.{name}")));
    }
    let Item::Data(Value::Object(fields)) = item else {
        return Err(wrong(&format!(
            "can't evaluate field {name} in a value that is no map"
        )));
    };
    Ok(field(fields, name).cloned().map_or(Item::Missing, Item::Data))
}

fn pairs(item: &Item) -> Result<Vec<(Item, Item)>, Fault> {
    let numbered = |items: Vec<Item>| (0..).map(Item::Int).zip(items).collect();
    match item {
        Item::Missing | Item::Data(Value::Null) => Ok(Vec::new()),
        Item::Data(Value::Array(items)) => Ok(numbered(items.iter().cloned().map(Item::Data).collect())),
        Item::Data(Value::Set(items)) => Ok(numbered(items.iter_sorted().cloned().map(Item::Data).collect())),
        Item::Data(Value::Object(fields)) => {
            let pair = |(key, value): (&Value, &Value)| (Item::Data(key.clone()), Item::Data(value.clone()));
            Ok(fields.iter_sorted().map(pair).collect())
        }
        Item::Int(most) if *most > i64::from(STEPS) => Err(Fault::Limit(format!(
            "a range of more than {STEPS} in a template"
        ))),
        Item::Int(most) => Ok((0..*most).map(|at| (Item::Int(at), Item::Int(at))).collect()),
        Item::Float(_) | Item::Data(_) => Err(wrong("range can't iterate over this value")),
    }
}
