//! From modules to an engine: read, resolve, check, lower, and hand over.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use regorus::Engine;

use super::{
    check,
    conflict::Rules,
    engine,
    fault::{EvalFault, Issue, Place},
    lower::{self, Names, Origin, Printed, Signatures},
    metadata,
    module::Module,
    snapshot::Options,
    syntax::{
        self,
        ast::{Pos, Tree},
    },
};

/// Modules as the engine has them.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) engine: Engine,
    pub(super) rules: Arc<Rules>,
    pub(super) signatures: Arc<Signatures>,
    pub(super) origins: Arc<Origins>,
    pub(super) packages: Arc<Vec<Vec<String>>>,
}

/// Where the engine's texts came from, by the names it has for them.
#[derive(Debug, Default)]
pub(super) struct Origins {
    files: BTreeMap<String, (String, Vec<Origin>)>,
}

impl Origins {
    /// The author's place of what the engine names.
    fn of(&self, place: &Place) -> Option<Place> {
        let (file, origins) = self.files.get(&place.file)?;
        let at = Pos {
            row: place.row,
            col: place.col,
        };
        let next = origins.partition_point(|origin| origin.written <= at);
        let author = next
            .checked_sub(1)
            .and_then(|index| origins.get(index))
            .map_or(Pos { row: 1, col: 1 }, |origin| origin.author);
        Some(Place {
            file: file.clone(),
            row: author.row,
            col: author.col,
        })
    }

    /// The author's file of the engine's name.
    pub(super) fn file(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|(file, _)| file.as_str())
    }

    /// The issue at its author's place.
    pub(super) fn issue(&self, mut issue: Issue) -> Issue {
        if let Some(place) = &issue.place {
            issue.place = self.of(place);
        }
        issue
    }

    pub(super) fn fault(&self, fault: EvalFault) -> EvalFault {
        match fault {
            EvalFault::Failed(issues) => {
                EvalFault::Failed(issues.into_iter().map(|issue| self.issue(issue)).collect())
            }
            EvalFault::Timeout | EvalFault::Panicked | EvalFault::TooLarge(_) | EvalFault::BadQuery(_) => {
                fault
            }
        }
    }
}

/// Everything that is wrong, of all modules.
pub(super) fn load(modules: &[Arc<Module>], options: &Options) -> Result<Loaded, Vec<Issue>> {
    let mut issues = Vec::new();
    let mut trees = Vec::with_capacity(modules.len());
    for module in modules {
        match syntax::module(&module.id, &module.text, module.version) {
            Ok(tree) => trees.push(tree),
            Err(issue) => issues.push(issue),
        }
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    let packages = Names::packages(trees.iter());
    for (module, tree) in modules.iter().zip(&mut trees) {
        let names = Names::of(tree, &packages);
        issues.extend(check::names(module, tree, &names, options));
        lower::resolve(tree, &names);
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    metadata::annotate(modules, &mut trees)?;
    let signatures = Signatures::of(&trees);
    let plain: Vec<Tree> = trees.iter().map(|tree| lower::lower(tree, &signatures)).collect();
    let found = check::issues(modules, &trees, &plain, &signatures, options);
    if !found.is_empty() {
        return Err(found);
    }
    hand_over(modules, &trees, plain, signatures)
}

/// Writes the plain trees for the engine.
fn hand_over(
    modules: &[Arc<Module>],
    trees: &[Tree],
    mut plain: Vec<Tree>,
    signatures: Signatures,
) -> Result<Loaded, Vec<Issue>> {
    let mut issues = Vec::new();
    let packages: Vec<Vec<String>> = trees.iter().map(|tree| tree.package.clone()).collect();
    lower::place(&mut plain, &packages);
    let printed: Vec<Vec<Printed>> = plain.iter().map(lower::print).collect();
    let texts: Vec<&str> = printed.iter().flatten().map(|part| part.text.as_str()).collect();
    let mut engine = engine::bounded(&texts);
    let mut origins = Origins::default();
    for (module, parts) in modules.iter().zip(printed) {
        for (at, printed) in parts.into_iter().enumerate() {
            // The parts of one module need names of their own.
            let name = if at == 0 {
                module.id.clone()
            } else {
                format!("{}\u{1}{at}", module.id)
            };
            let added = catch_unwind(AssertUnwindSafe(|| {
                engine.add_policy(name.clone(), printed.text.clone())
            }));
            origins.files.insert(name, (module.id.clone(), printed.origins));
            match added {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => issues.push(origins.issue(parse_issue(&error.to_string(), module))),
                Err(_) => issues.push(parse_issue("the engine's reader panicked", module)),
            }
        }
    }
    if issues.is_empty() {
        Ok(Loaded {
            engine,
            rules: Arc::new(Rules::of(modules, trees)),
            signatures: Arc::new(signatures),
            origins: Arc::new(origins),
            packages: Arc::new(packages),
        })
    } else {
        Err(issues)
    }
}

fn parse_issue(text: &str, module: &Module) -> Issue {
    let mut issue = Issue::from_engine(text);
    issue.code = "rego_parse_error";
    issue.place.get_or_insert_with(|| Place {
        file: module.id.clone(),
        row: 1,
        col: 1,
    });
    issue
}
