//! Rules: head, body, else.

use super::{Stop, Writer, Written, literals};
use crate::rego::format::tree::{Head, Literal, Loc, Otherwise, Rule, Value};

/// A rule or an `else`, as far as both are written alike.
struct Block<'a> {
    loc: Loc,
    /// The row on which the head ends.
    head_end: usize,
    default: bool,
    body: Option<&'a [Literal]>,
    otherwise: Option<&'a Otherwise>,
    head: Option<&'a Head>,
    is_else: bool,
}

impl Writer<'_> {
    pub(super) fn rule(&mut self, rule: &Rule) -> Written {
        self.start_line();
        if rule.default {
            self.write("default ");
        }
        let block = Block {
            loc: rule.loc,
            head_end: self.end_row(rule.head.loc),
            default: rule.default,
            body: rule.body.as_deref(),
            otherwise: rule.otherwise.as_deref(),
            head: Some(&rule.head),
            is_else: false,
        };
        let constant = is_constant(&block);
        self.final_line = constant;
        let head = self.head(rule, constant);
        self.behind_head(head, &block, constant)
    }

    fn behind_head(&mut self, head: Written, block: &Block<'_>, constant: bool) -> Written {
        let unexpected = match head {
            Ok(()) => false,
            Err(Stop::Comment) => true,
            Err(fatal) => return Err(fatal),
        };
        let Some(body) = block.body.filter(|_| !constant) else {
            self.end_line();
            return Ok(());
        };
        self.final_line = true;
        let item = block.head.is_some_and(|head| head.item.is_some());
        let uses_if = self.style.ifs && (self.style.contains || !item);
        if uses_if {
            self.write(" if");
            if let [single] = body
                && single.loc.row == block.head_end
                && !literals::is_set(single)
            {
                self.write(" ");
                self.literal(single)?;
                self.end_line();
                return self.otherwise(block);
            }
        }
        if unexpected && self.next < self.comments.len() {
            self.write(" { ");
        } else {
            self.write(" {");
            self.end_line();
        }
        if uses_if
            && !block.is_else
            && let Some(first) = body.first()
        {
            self.mark_union(first);
        }
        self.level += 1;
        super::modules::lenient(self.body(body))?;
        self.insert_comments(self.closing_brace(block))?;
        self.level = self.level.saturating_sub(1);
        self.start_line();
        self.write("}");
        self.otherwise(block)
    }

    fn closing_brace(&self, block: &Block<'_>) -> Option<usize> {
        let head = block.head;
        let skip = if head.is_some_and(|head| head.args.as_ref().is_some_and(|args| !args.is_empty())) {
            Some(('(', ')'))
        } else if head.is_some_and(|head| head.item.is_some() || has_key(head)) {
            Some(('[', ']'))
        } else {
            None
        };
        self.closing(block.loc, '{', '}', skip)
    }

    fn otherwise(&mut self, block: &Block<'_>) -> Written {
        let Some(other) = block.otherwise else {
            return Ok(());
        };
        let line = self
            .slice(block.loc)
            .split('\n')
            .nth(other.loc.row.saturating_sub(block.loc.row))
            .unwrap_or_default();
        let inline = other.loc.row > block.loc.row && !line.trim().starts_with("else");
        let above = self.next_row().is_some_and(|row| row < other.loc.row) || self.before_end.is_some();
        if !above && inline {
            self.write(" ");
        } else {
            self.blank_line();
            self.start_line();
        }
        self.insert_comments(Some(other.loc.row))?;
        if above && !inline {
            self.start_line();
        }
        let next = Block {
            loc: other.loc,
            head_end: self.end_row(other.head),
            default: false,
            body: other.body.as_deref(),
            otherwise: other.otherwise.as_deref(),
            head: None,
            is_else: true,
        };
        let constant = is_constant(&next);
        self.final_line = constant;
        let head = self.else_head(other, constant);
        self.behind_head(head, &next, constant)
    }

    fn else_head(&mut self, other: &Otherwise, constant: bool) -> Written {
        self.insert_comments(Some(other.loc.row))?;
        self.write("else");
        let Some(value) = &other.value else {
            return Ok(());
        };
        if value.is_true() && !constant {
            return Ok(());
        }
        self.write(if other.assign || self.style.v1 {
            " := "
        } else {
            " = "
        });
        // OPA takes the place of the `else` for that of its value.
        let mut value = value.clone();
        value.loc.row = other.loc.row;
        self.term(&value)
    }

    fn head(&mut self, rule: &Rule, constant: bool) -> Written {
        let head = &rule.head;
        self.path(head)?;
        if let Some(args) = head.args.as_ref().filter(|args| !args.is_empty()) {
            self.write("(");
            let close = self.closing(head.loc, '(', ')', None);
            let written = self.list(args, head.loc, close, false);
            self.write(")");
            written?;
        }
        if let Some(item) = &head.item {
            if self.style.contains {
                self.write(" contains ");
                return self.term(item);
            }
            self.write("[");
            self.term(item)?;
            self.write("]");
            return Ok(());
        }
        self.value(rule, constant)
    }

    fn path(&mut self, head: &Head) -> Written {
        if self.style.reference_heads || head.path.len() == 1 {
            return self.reference(&head.path);
        }
        let [name, key] = head.path.as_slice() else {
            return self.reference(&head.path);
        };
        if self.next_row() == Some(key.loc.row) {
            self.unformatted(head.loc)?;
            return Err(Stop::Comment);
        }
        let name = self.slice(name.loc).to_owned();
        self.write(&name);
        self.write("[");
        let key = match &key.value {
            Value::Text(quoted, content) if !quoted.starts_with(['"', '`']) => {
                serde_json::Value::from(content.as_str()).to_string()
            }
            _ => self.slice(key.loc).to_owned(),
        };
        self.write(&key);
        self.write("]");
        Ok(())
    }

    fn value(&mut self, rule: &Rule, constant: bool) -> Written {
        let head = &rule.head;
        let no_args = head.args.as_ref().is_none_or(Vec::is_empty);
        let Some(value) = &head.value else {
            // Without a value it is `true`, and only said where nothing else makes it a rule.
            let says = if rule.body.is_some() {
                head.path.len() != 2 || !no_args || (self.style.v1 && !has_key(head))
            } else {
                no_args && !has_key(head) && (self.style.v1 || head.path.len() > 2)
            };
            if constant && says {
                self.write(if self.style.v1 { " := true" } else { " = true" });
            }
            return Ok(());
        };
        if has_key(head) || !value.is_true() || constant || rule.default {
            self.write(if head.assign || self.style.v1 {
                " := "
            } else {
                " = "
            });
            self.term(value)?;
        }
        Ok(())
    }
}

/// Whether the last part of the head is a key of an object that the rule makes.
fn has_key(head: &Head) -> bool {
    let [_, key] = head.path.as_slice() else {
        return false;
    };
    head.args.is_none() && !matches!(key.value, Value::Text(..) | Value::Scalar(_))
}

/// `x := 1` and `x := 1 if true` are the same to OPA.
fn is_constant(block: &Block<'_>) -> bool {
    if block.otherwise.is_some() || block.default {
        return block.default;
    }
    match block.body {
        None => true,
        Some([single]) => literals::is_true(single),
        Some(_) => false,
    }
}
