//! Policies and data from files and folders, as `opa run --server` takes them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::rego::{
    ChangeFault, Draft, Store, Value, Version,
    bundle::{self, Bundle, File, Limits, Verification},
};

use super::super::build::StartFault;

/// Deepest folder, and most files: a link back up must not read for ever.
const DEEPEST: usize = 32;
const MOST: usize = 20_000;

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
            gather(path, path, &mut pieces, DEEPEST)?;
        }
        let mut bundles = Vec::new();
        for path in &self.bundles {
            bundles.push((path.display().to_string(), read_bundle(path, &self.signatures)?));
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
            .map_err(|fault| StartFault(fault.to_string()))
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

fn gather(root: &Path, path: &Path, pieces: &mut Vec<Piece>, depth: usize) -> Result<(), StartFault> {
    let wrong = |what: &str| StartFault(format!("{}: {what}", path.display()));
    if pieces.len() > MOST || depth == 0 {
        return Err(wrong("there are too many files or folders in one another"));
    }
    let kind = fs::metadata(path).map_err(|error| wrong(&error.to_string()))?;
    if !kind.is_dir() {
        return single(root, path, pieces);
    }
    let entries = fs::read_dir(path).map_err(|error| wrong(&error.to_string()))?;
    let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    for name in names {
        let hidden = name
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            gather(root, &name, pieces, depth - 1)?;
        }
    }
    Ok(())
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
    let below = path.parent().and_then(|folder| folder.strip_prefix(root).ok());
    let at = below
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    pieces.push(Piece::Data { at, value });
    Ok(())
}

fn read_bundle(path: &Path, signatures: &Signatures) -> Result<Bundle, StartFault> {
    let wrong = |what: String| StartFault(format!("{}: {what}", path.display()));
    let mut files = Vec::new();
    if path.is_dir() {
        content(path, path, &mut files, DEEPEST)?;
    } else {
        let archive = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        files = bundle::unpack(&archive, &Limits::default()).map_err(|fault| wrong(fault.to_string()))?;
    }
    let read = match signatures {
        Signatures::None => bundle::assemble(files, None),
        Signatures::By(verification) => bundle::assemble(files, Some(verification)),
        Signatures::Ignored => {
            files.retain(|file| !bundle::is_signature(&file.path));
            bundle::assemble(files, None)
        }
    };
    read.map_err(|fault| wrong(fault.to_string()))
}

/// The files of a folder that stands for a bundle.
fn content(root: &Path, folder: &Path, files: &mut Vec<File>, depth: usize) -> Result<(), StartFault> {
    let wrong = |what: &str| StartFault(format!("{}: {what}", folder.display()));
    if files.len() > MOST || depth == 0 {
        return Err(wrong("there are too many files or folders in one another"));
    }
    let entries = fs::read_dir(folder).map_err(|error| wrong(&error.to_string()))?;
    let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    for path in names {
        if path.is_dir() {
            content(root, &path, files, depth - 1)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let bytes = fs::read(&path).map_err(|error| wrong(&error.to_string()))?;
        files.push(File { path: name, bytes });
    }
    Ok(())
}
