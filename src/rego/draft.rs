//! The next state of a store while it is edited: policies by id, the data tree, and what bundles own.

use std::{collections::BTreeMap, sync::Arc};

use regorus::Value;

use super::{
    bundle::{Bundle, Manifest},
    document::{self, Patch},
    fault::ChangeFault,
    module::{Module, Version},
    syntax::package,
};

/// An edit in progress. Cheap to copy: its parts are shared.
#[derive(Debug, Clone)]
pub struct Draft {
    policies: BTreeMap<String, Arc<Module>>,
    bundles: BTreeMap<String, Active>,
    root: Value,
    touched: Touched,
}

#[derive(Debug, Clone)]
struct Active {
    manifest: Manifest,
    modules: Vec<Arc<Module>>,
}

/// What has to be built again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Touched {
    pub(super) policies: bool,
    pub(super) data: bool,
}

impl Draft {
    pub(super) fn empty() -> Self {
        Self {
            policies: BTreeMap::new(),
            bundles: BTreeMap::new(),
            root: Value::new_object(),
            touched: Touched::default(),
        }
    }

    pub(super) const fn touched(&self) -> Touched {
        self.touched
    }

    pub(super) fn settle(&mut self) {
        self.touched = Touched::default();
    }

    pub(super) const fn root(&self) -> &Value {
        &self.root
    }

    /// Bundles' modules carry the bundle's name before their own, so that no policy can take their place.
    pub(super) fn modules(&self) -> Vec<Arc<Module>> {
        let bundled = self.bundles.values().flat_map(|active| &active.modules);
        self.policies.values().chain(bundled).cloned().collect()
    }

    /// Puts a policy; `false` if it is there with the same text.
    pub fn put_policy(&mut self, id: &str, text: &str, version: Version) -> Result<bool, ChangeFault> {
        self.may_name(id)?;
        let same = |there: &&Arc<Module>| there.text == text && there.version == version;
        if self.policies.get(id).filter(same).is_some() {
            return Ok(false);
        }
        if let Some(package) = package(text) {
            self.may_write(&package)?;
        }
        let module = Module {
            id: id.to_owned(),
            text: text.to_owned(),
            version,
        };
        self.policies.insert(id.to_owned(), Arc::new(module));
        self.touched.policies = true;
        Ok(true)
    }

    /// Takes a policy away. The rest must still load.
    pub fn remove_policy(&mut self, id: &str) -> Result<(), ChangeFault> {
        self.may_name(id)?;
        let gone = self.policies.remove(id);
        gone.ok_or_else(|| ChangeFault::NotFound(format!("policy id {id:?}")))?;
        self.touched.policies = true;
        Ok(())
    }

    /// A policy by its id; those of bundles are `bundle/file`.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&Arc<Module>> {
        self.policies().find(|module| module.id == id)
    }

    /// All policies, those of bundles last.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<Module>> {
        let bundled = self.bundles.values().flat_map(|active| &active.modules);
        self.policies.values().chain(bundled)
    }

    /// A base document.
    #[must_use]
    pub fn data(&self, path: &[String]) -> Option<&Value> {
        document::get(&self.root, path)
    }

    /// Writes a base document and the objects above it.
    pub fn put_data(&mut self, path: &[String], value: Value) -> Result<(), ChangeFault> {
        self.may_write(path)?;
        self.touched.data = true;
        document::put(&mut self.root, path, value)
    }

    /// Operations on the document at a path, in their order.
    pub fn patch(&mut self, path: &[String], operations: &[Patch]) -> Result<(), ChangeFault> {
        self.touched.data = true;
        for operation in operations {
            let (Patch::Add(below, _) | Patch::Replace(below, _) | Patch::Remove(below)) = operation;
            let whole: Vec<String> = path.iter().chain(below).cloned().collect();
            self.may_write(&whole)?;
            document::patch(&mut self.root, path, operation)?;
        }
        Ok(())
    }

    /// Takes a base document away.
    pub fn remove_data(&mut self, path: &[String]) -> Result<(), ChangeFault> {
        self.may_write(path)?;
        self.touched.data = true;
        document::remove(&mut self.root, path)
    }

    /// Takes a bundle into use in place of the one with this name. Outside its roots nothing changes.
    pub fn activate(&mut self, name: &str, bundle: Bundle) -> Result<(), ChangeFault> {
        let roots = split(&bundle.manifest.roots);
        for (other, active) in self.bundles.iter().filter(|(other, _)| *other != name) {
            let theirs = split(&active.manifest.roots);
            if roots
                .iter()
                .any(|root| theirs.iter().any(|their| overlap(root, their)))
            {
                return Err(ChangeFault::Conflict(format!(
                    "detected overlapping roots in manifests of the bundles {other} and {name}"
                )));
            }
        }
        for module in &bundle.modules {
            let inside = |path: &Vec<String>| roots.iter().any(|root| path.starts_with(root));
            if package(&module.text).is_some_and(|package| !inside(&package)) {
                let what = "manifest roots do not permit the package of";
                return Err(ChangeFault::Conflict(format!(
                    "bundle {name}: {what} {}",
                    module.id
                )));
            }
        }
        for policy in self.policies.values() {
            if package(&policy.text).is_some_and(|at| roots.iter().any(|root| at.starts_with(root))) {
                return Err(ChangeFault::Conflict(format!(
                    "bundle {name}: the policy {} stands in its roots",
                    policy.id
                )));
            }
        }
        if let Some(path) = stray(&bundle.data, &roots, &mut Vec::new()) {
            return Err(ChangeFault::Conflict(format!(
                "bundle {name}: manifest roots do not permit data at path '{path}'"
            )));
        }
        if self.bundles.contains_key(name) {
            self.deactivate(name)?;
        }
        for root in &roots {
            self.erase(root);
        }
        document::merge(&mut self.root, &bundle.data, &mut Vec::new())?;
        let modules = bundle.modules.into_iter().map(|module| {
            Arc::new(Module {
                id: format!("{name}/{}", module.id.trim_start_matches('/')),
                ..module
            })
        });
        let active = Active {
            manifest: bundle.manifest,
            modules: modules.collect(),
        };
        self.bundles.insert(name.to_owned(), active);
        self.touched = Touched {
            policies: true,
            data: true,
        };
        Ok(())
    }

    /// Takes a bundle out of use, with everything below its roots.
    pub fn deactivate(&mut self, name: &str) -> Result<(), ChangeFault> {
        let gone = self.bundles.remove(name);
        let gone = gone.ok_or_else(|| ChangeFault::NotFound(format!("bundle {name:?}")))?;
        for root in split(&gone.manifest.roots) {
            self.erase(&root);
        }
        self.touched = Touched {
            policies: true,
            data: true,
        };
        Ok(())
    }

    /// The bundles in use.
    pub fn bundles(&self) -> impl Iterator<Item = (&str, &Manifest)> {
        self.bundles
            .iter()
            .map(|(name, active)| (name.as_str(), &active.manifest))
    }

    /// Takes away what stands at a root, and the objects above it that it leaves empty.
    fn erase(&mut self, root: &[String]) {
        let Some((_, parents)) = root.split_last() else {
            self.root = Value::new_object();
            return;
        };
        if document::remove(&mut self.root, root).is_err() {
            return;
        }
        for depth in (1..=parents.len()).rev() {
            let above = parents.get(..depth).unwrap_or_default();
            let empty = |value: &Value| value.as_object().is_ok_and(regorus::value::Object::is_empty);
            if !document::get(&self.root, above).is_some_and(empty)
                || document::remove(&mut self.root, above).is_err()
            {
                break;
            }
        }
    }

    /// What a bundle owns is written by the bundle alone.
    pub fn may_write(&self, path: &[String]) -> Result<(), ChangeFault> {
        if path.is_empty() && !self.bundles.is_empty() {
            let what = "can't write to document root with bundle roots configured";
            return Err(ChangeFault::Owned(what.into()));
        }
        for (name, active) in &self.bundles {
            for root in split(&active.manifest.roots) {
                if root.is_empty() {
                    return Err(ChangeFault::Owned(format!("all paths owned by bundle {name:?}")));
                }
                if overlap(&root, path) {
                    let path = path.join("/");
                    return Err(ChangeFault::Owned(format!(
                        "path {path} is owned by bundle {name:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// A module of a bundle keeps its name: no policy takes its place.
    fn may_name(&self, id: &str) -> Result<(), ChangeFault> {
        let of_bundle = |(name, active): (&String, &Active)| {
            let found = active.modules.iter().find(|module| module.id == id)?;
            let path = package(&found.text).unwrap_or_default().join("/");
            Some(format!("path {path} is owned by bundle {name:?}"))
        };
        match self.bundles.iter().find_map(of_bundle) {
            Some(what) => Err(ChangeFault::Owned(what)),
            None => Ok(()),
        }
    }

    /// The bundles in use, with their revisions.
    pub(super) fn revisions(&self) -> BTreeMap<String, String> {
        let revisions = self.bundles.iter();
        revisions
            .map(|(name, active)| (name.clone(), active.manifest.revision.clone()))
            .collect()
    }
}

fn split(roots: &[String]) -> Vec<Vec<String>> {
    let roots = roots.iter().map(|root| {
        root.split('/')
            .filter(|key| !key.is_empty())
            .map(str::to_owned)
            .collect()
    });
    roots.collect()
}

fn overlap(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// A document outside the roots.
fn stray(data: &Value, roots: &[Vec<String>], at: &mut Vec<String>) -> Option<String> {
    if roots.iter().any(|root| at.starts_with(root)) {
        return None;
    }
    let above = roots.iter().any(|root| root.starts_with(at));
    match data {
        Value::Object(object) if above => object.iter().find_map(|(key, value)| {
            at.push(key.as_string().map(|name| name.to_string()).unwrap_or_default());
            let found = stray(value, roots, at);
            at.pop();
            found
        }),
        Value::Object(_)
        | Value::Array(_)
        | Value::Set(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Undefined => Some(at.join("/")),
    }
}
