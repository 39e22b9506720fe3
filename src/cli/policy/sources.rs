//! Policies and data from files, folders and bundles, as OPA's commands take them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{author::End, data};
use crate::{
    app::opa::{Signatures, walk},
    rego::{Issue, Module, Options, Snapshot, Value, Version, bundle::Bundle},
};

/// What a command names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// Files and folders.
    pub(super) files: &'a [PathBuf],
    /// Archives, and folders with a bundle's content.
    pub(super) bundles: &'a [PathBuf],
    /// Names of files and folders to leave out: a name, or a pattern with `*`.
    pub(super) ignore: &'a [String],
    pub(super) version: Version,
    /// Whether data files are read.
    pub(super) data: bool,
}

/// Files and bundles of a command whose paths are all the one or all the other (`--bundle`).
pub(super) fn split(paths: &[PathBuf], bundle: bool) -> (&[PathBuf], &[PathBuf]) {
    if bundle { (&[], paths) } else { (paths, &[]) }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) modules: Vec<Arc<Module>>,
    data: serde_json::Map<String, serde_json::Value>,
}

impl Loaded {
    pub(super) fn read(named: &Named<'_>) -> Result<Self, End> {
        let mut loaded = Self::default();
        for path in named.files {
            for file in walk::files(path, &|path| ignored(path, named.ignore))? {
                loaded.file(named, path, &file)?;
            }
        }
        for path in named.bundles {
            loaded.bundle(named, path)?;
        }
        Ok(loaded)
    }

    /// A snapshot of it; `more` modules beside it.
    pub(super) fn build(&self, options: &Options, more: Vec<Arc<Module>>) -> Result<Snapshot, Vec<Issue>> {
        let modules = self.modules.iter().cloned().chain(more).collect();
        Snapshot::build(modules, self.value(), options).map_err(|refused| refused.0)
    }

    fn value(&self) -> Value {
        data::value(serde_json::Value::Object(self.data.clone()))
    }

    /// The texts of the modules, by their files.
    pub(super) fn texts(&self) -> BTreeMap<&str, &str> {
        let modules = self.modules.iter();
        modules
            .map(|module| (module.id.as_str(), module.text.as_str()))
            .collect()
    }

    fn file(&mut self, named: &Named<'_>, root: &Path, path: &Path) -> Result<(), End> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let read = || fs::read_to_string(path).map_err(|error| wrong(path, &error));
        match extension {
            Some("rego") => {
                let id = path.display().to_string();
                let id = id.strip_prefix("./").unwrap_or(&id).to_owned();
                self.modules.push(Arc::new(Module {
                    id,
                    text: read()?,
                    version: named.version,
                }));
                Ok(())
            }
            Some("json" | "yaml" | "yml") => {
                if !named.data {
                    return Ok(());
                }
                let value = data::parse(path, &read()?).map_err(|what| wrong(path, &what))?;
                let below = walk::below(root, path);
                data::merge(&mut self.data, &below, value).map_err(|what| wrong(path, &what))
            }
            // Whatever else lies in a folder is left; a file that was named is not.
            _ if path == root => {
                let what = "expected a file *.rego, *.json or *.yaml, or a folder with such";
                Err(wrong(path, &what))
            }
            _ => Ok(()),
        }
    }

    fn bundle(&mut self, named: &Named<'_>, path: &Path) -> Result<(), End> {
        let read = walk::read_bundle(path, &Signatures::None, &|path| ignored(path, named.ignore));
        let Bundle { modules, data, .. } = read?;
        for module in modules {
            self.modules.push(Arc::new(Module {
                id: format!("{}/{}", path.display(), module.id.trim_start_matches('/')),
                ..module
            }));
        }
        let data = serde_json::to_value(&data)?;
        data::merge(&mut self.data, &[], data).map_err(|what| wrong(path, &what))
    }
}

/// The Rego files below a path, in order.
pub(super) fn rego_files(path: &Path, ignore: &[String]) -> Result<Vec<PathBuf>, End> {
    let mut found = walk::files(path, &|path| ignored(path, ignore))?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rego"));
    Ok(found)
}

/// Hidden names, and those that the command line leaves out.
fn ignored(path: &Path, patterns: &[String]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    walk::hidden(path) || patterns.iter().any(|pattern| fits(pattern, &name))
}

/// `*` stands for any letters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(first) else {
        return false;
    };
    let mut starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    starts.any(|at| name.get(at..).is_some_and(|tail| fits(rest, tail)))
}

fn wrong(path: &Path, what: &dyn std::fmt::Display) -> End {
    End::Lines(vec![format!("{}: {what}", path.display())])
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, wanted) in [
            ("*_test.rego", "a_test.rego", true),
            ("*_test.rego", "a.rego", false),
            ("a*", "abc", true),
            ("*", "", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
