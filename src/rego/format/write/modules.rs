//! Package, imports, and rules one after the other.

use std::ops::Range;

use super::{Stop, Style, Writer, Written};
use crate::rego::{
    format::tree::{Head, Import, Loc, Rule, Term, Tree, Value},
    module::Version,
    syntax::names::is_name,
};

/// Words that are keywords in every module, and those that version 1 adds.
const KEYWORDS: [&str; 11] = [
    "as", "default", "else", "false", "import", "not", "null", "package", "some", "true", "with",
];
const KEYWORDS_V1: [&str; 4] = ["contains", "every", "if", "in"];

pub(super) fn style(tree: &Tree, version: Version) -> Style {
    let v1 = version == Version::V1;
    let imported = |word: &str| {
        tree.imports
            .iter()
            .any(|import| match import.path.names().as_slice() {
                ["rego", "v1"] | ["future", "keywords"] => true,
                ["future", "keywords", name] => *name == word,
                _ => false,
            })
    };
    let later = KEYWORDS_V1.iter().filter(|word| v1 || imported(word));
    Style {
        v1,
        ifs: v1 || imported("if"),
        contains: v1 || imported("contains"),
        drops_keywords: tree
            .imports
            .iter()
            .any(|import| import.path.names() == ["rego", "v1"]),
        keywords: KEYWORDS.iter().chain(later).map(ToString::to_string).collect(),
        reference_heads: tree.rules.iter().any(|rule| long(&rule.head)),
    }
}

fn long(head: &Head) -> bool {
    head.path.len() > 2 || (head.path.len() == 2 && head.item.is_some())
}

impl Writer<'_> {
    pub(super) fn module(&mut self, tree: &Tree) -> Written {
        self.insert_comments(Some(tree.at.row))?;
        self.start_line();
        self.write("package ");
        self.package(&tree.package)?;
        self.blank_line();
        let mut rules = tree.rules.iter().peekable();
        let mut imports = tree.imports.iter().peekable();
        loop {
            let next_rule = rules.peek().map_or(usize::MAX, |rule| rule.loc.start);
            let mut group: Vec<&Import> = Vec::new();
            while let Some(import) = imports.next_if(|import| import.loc.start < next_rule) {
                group.push(import);
            }
            if self.style.drops_keywords {
                group.retain(|import| !names_keywords(import));
            }
            self.imports(&group)?;
            let next_import = imports.peek().map_or(usize::MAX, |import| import.loc.start);
            let mut batch: Vec<&Rule> = Vec::new();
            while let Some(rule) = rules.next_if(|rule| rule.loc.start < next_import) {
                batch.push(rule);
            }
            if batch.is_empty() && imports.peek().is_none() {
                break;
            }
            self.rules(&batch)?;
        }
        let rest: Range<usize> = self.next..self.comments.len();
        for at in rest.clone() {
            let text = self.comment(at);
            self.write_line(&text);
            if at + 1 == rest.end {
                self.write("\n");
            }
        }
        Ok(())
    }

    fn package(&mut self, path: &Term) -> Written {
        match &path.value {
            Value::Ref(parts) => self.reference(parts),
            Value::Var(name) => {
                self.write(name);
                Ok(())
            }
            _ => Err(Stop::Fatal("its package has no name".to_owned())),
        }
    }

    fn imports(&mut self, imports: &[&Import]) -> Written {
        if imports.is_empty() {
            return Ok(());
        }
        // A comment behind an import goes with it, wherever sorting puts it.
        let mut behind = Vec::new();
        let rows: Vec<usize> = imports.iter().map(|import| import.loc.row).collect();
        let mut at = self.next;
        while let Some(row) = self.comment_row(at) {
            if rows.contains(&row) {
                behind.push(self.comments.remove(at));
            } else {
                at += 1;
            }
        }
        let mut groups: Vec<Vec<&Import>> = Vec::new();
        for import in imports {
            match groups.last_mut() {
                Some(group)
                    if group
                        .last()
                        .is_some_and(|last| import.loc.row <= last.loc.row + 1) =>
                {
                    group.push(import);
                }
                _ => groups.push(vec![import]),
            }
        }
        for mut group in groups {
            self.insert_comments(group.first().map(|import| import.loc.row))?;
            group.sort_by_key(|import| {
                let names: Vec<String> = import.path.names().iter().map(ToString::to_string).collect();
                (names, import.alias.clone().unwrap_or_default())
            });
            for import in group {
                self.start_line();
                self.import(import)?;
                if let Some(comment) = behind.iter().find(|comment| comment.row == import.loc.row) {
                    let text = format!(" #{}", comment.text);
                    self.write(&text);
                }
                self.end_line();
            }
            self.blank_line();
        }
        Ok(())
    }

    fn import(&mut self, import: &Import) -> Written {
        self.write("import ");
        match &import.path.value {
            Value::Ref(parts) => self.reference(parts)?,
            Value::Var(name) => self.write(name),
            _ => return Err(Stop::Fatal("an import has no name".to_owned())),
        }
        if let Some(alias) = &import.alias {
            self.write(" as ");
            self.write(alias);
        }
        Ok(())
    }

    fn rules(&mut self, rules: &[&Rule]) -> Written {
        for (at, rule) in rules.iter().enumerate() {
            lenient(self.insert_comments(Some(rule.loc.row)))?;
            lenient(self.rule(rule))?;
            if let Some(next) = rules.get(at + 1)
                && self.groupable(rule)
                && self.groupable(next)
                && next.loc.row == rule.loc.row + 1
            {
                continue;
            }
            self.blank_line();
        }
        Ok(())
    }

    /// Whether a rule is written on one line, so that it may stand right above another.
    fn groupable(&self, rule: &Rule) -> bool {
        let body = rule.body.as_deref().unwrap_or_default();
        if body.len() > 1 || rule.default || rule.otherwise.is_some() {
            return false;
        }
        if body.first().is_some_and(super::literals::is_set) {
            return false;
        }
        self.style.ifs && (self.style.contains || rule.head.item.is_none())
    }

    /// A name as it stands behind others: `.name`, or in brackets where it must.
    pub(super) fn name_part(&mut self, quoted: &str, content: &str, loc: Loc) {
        let plain = is_name(content);
        let keyword = self.style.keywords.iter().any(|word| word == content);
        let written_quoted = self.slice(loc).starts_with('"');
        if !plain || (keyword && written_quoted) {
            self.write("[");
            let text = if quoted.starts_with('"') {
                quoted.to_owned()
            } else {
                serde_json::Value::from(content).to_string()
            };
            self.write(&text);
            self.write("]");
        } else {
            self.write(".");
            self.write(content);
        }
    }
}

fn names_keywords(import: &Import) -> bool {
    matches!(import.path.names().as_slice(), ["future", "keywords", ..])
}

/// OPA goes on where two comments met.
pub(super) fn lenient(written: Written) -> Written {
    match written {
        Err(Stop::Comment) => Ok(()),
        other => other,
    }
}
