//! Policies and data from files and folders, as `opa run --server` takes them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::rego::{ChangeFault, Draft, Store, Value, Version, bundle::Verification};

use super::{super::build::StartFault, walk};

/// What is asked of the signatures of bundles.
#[derive(Debug, Clone, Default)]
pub enum Signatures {
    /// No key is known: a signed bundle is refused, since nobody checks it.
    #[default]
    None,
    /// Every bundle must be signed so.
    By(Verification),
    /// They are not looked at.
    Ignored,
}

/// What an engine is loaded with.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Rego, JSON and YAML files, and folders with such. The data of `a/b/c.json` in a folder stands at
    /// `data.a.b`.
    pub files: Vec<PathBuf>,
    /// Bundles: archives (`.tar.gz`), or folders with a bundle's content.
    pub bundles: Vec<PathBuf>,
    /// How they are checked.
    pub signatures: Signatures,
    /// The language of the policies.
    pub version: Version,
}

enum Piece {
    Policy { id: String, text: String },
    Data { at: Vec<String>, value: Value },
}

impl Sources {
    /// Loads everything, or nothing.
    pub fn load(&self, store: &Arc<Store>) -> Result<(), StartFault> {
        let mut pieces = Vec::new();
        for path in &self.files {
            for file in walk::files(path, &walk::hidden).map_err(StartFault::of)? {
                single(path, &file, &mut pieces)?;
            }
        }
        let mut bundles = Vec::new();
        for path in &self.bundles {
            let bundle = walk::read_bundle(path, &self.signatures, &|_| false);
            bundles.push((path.display().to_string(), bundle.map_err(StartFault::of)?));
        }
        let version = self.version;
        store
            .change(|draft| {
                for (name, bundle) in bundles {
                    draft.activate(&name, bundle)?;
                }
                pieces
                    .into_iter()
                    .try_for_each(|piece| put(draft, piece, version))
            })
            .map_err(StartFault::of)
    }
}

fn put(draft: &mut Draft, piece: Piece, version: Version) -> Result<(), ChangeFault> {
    match piece {
        Piece::Policy { id, text } => draft.put_policy(&id, &text, version).map(drop),
        Piece::Data { at, value } => merge(draft, &mut at.clone(), value),
    }
}

/// Adds documents beside those of other files; two values for one path are a conflict.
fn merge(draft: &mut Draft, at: &mut Vec<String>, value: Value) -> Result<(), ChangeFault> {
    if at.is_empty() || draft.data(at).is_some() {
        let (Value::Object(members), true) = (
            &value,
            draft
                .data(at)
                .is_none_or(|there| matches!(there, Value::Object(_))),
        ) else {
            return Err(ChangeFault::Conflict(format!("/{}", at.join("/"))));
        };
        for (key, value) in members.iter() {
            let Value::String(key) = key else {
                return Err(ChangeFault::Conflict(format!(
                    "/{}: a key that is no text",
                    at.join("/")
                )));
            };
            at.push(key.to_string());
            merge(draft, at, value.clone())?;
            at.pop();
        }
        return Ok(());
    }
    draft.put_data(at, value)
}

fn single(root: &Path, path: &Path, pieces: &mut Vec<Piece>) -> Result<(), StartFault> {
    let wrong = |what: String| StartFault(format!("{}: {what}", path.display()));
    let extension = path.extension().and_then(|extension| extension.to_str());
    let read = || fs::read_to_string(path).map_err(|error| wrong(error.to_string()));
    let value = match extension {
        Some("rego") => {
            pieces.push(Piece::Policy {
                id: path.display().to_string(),
                text: read()?,
            });
            return Ok(());
        }
        Some("json") => serde_json::from_str(&read()?).map_err(|error| wrong(error.to_string()))?,
        Some("yaml" | "yml") => serde_norway::from_str(&read()?).map_err(|error| wrong(error.to_string()))?,
        // Whatever else lies in a folder is left; a file that was named is not.
        _ if path == root => {
            let what = "expected a file *.rego, *.json or *.yaml, or a folder with such";
            return Err(wrong(what.to_owned()));
        }
        _ => return Ok(()),
    };
    let at = walk::below(root, path);
    pieces.push(Piece::Data { at, value });
    Ok(())
}
