//! Files of policies and data below what a command names, for the engine that runs alone and for an author's commands.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::files::Signatures;
use crate::rego::bundle::{self, Bundle, File, Limits};

/// Deepest folder, and most files: a link back up must not read for ever.
const DEEPEST: usize = 32;
const MOST: usize = 20_000;

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct Unread {
    path: PathBuf,
    what: String,
}

impl Unread {
    /// For this path.
    pub fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }
}

/// What is left out of a folder, by its path.
pub type Left<'a> = &'a dyn Fn(&Path) -> bool;

/// A name that begins with a dot, or no name at all.
#[must_use]
pub fn hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

/// A file, or all files below a folder, in order.
pub fn files(path: &Path, left: Left<'_>) -> Result<Vec<PathBuf>, Unread> {
    let mut found = Vec::new();
    let kind = fs::metadata(path).map_err(|error| Unread::new(path, error))?;
    if kind.is_dir() {
        descend(path, left, &mut found, DEEPEST)?;
    } else {
        found.push(path.to_owned());
    }
    Ok(found)
}

fn descend(folder: &Path, left: Left<'_>, found: &mut Vec<PathBuf>, depth: usize) -> Result<(), Unread> {
    if depth == 0 {
        return Err(Unread::new(folder, "there are too many folders in one another"));
    }
    let entries = fs::read_dir(folder).map_err(|error| Unread::new(folder, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| !left(path)) {
        let kind = fs::metadata(&path).map_err(|error| Unread::new(&path, error))?;
        if kind.is_dir() {
            descend(&path, left, found, depth - 1)?;
        } else if found.len() < MOST {
            found.push(path);
        } else {
            return Err(Unread::new(folder, format!("there are more than {MOST} files")));
        }
    }
    Ok(())
}

/// The names of the folders between a root and a file below it: where the file's data stands.
#[must_use]
pub fn below(root: &Path, path: &Path) -> Vec<String> {
    let folder = path.parent().and_then(|folder| folder.strip_prefix(root).ok());
    folder
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// A bundle: an archive, or a folder with a bundle's content.
pub fn read_bundle(path: &Path, signatures: &Signatures, left: Left<'_>) -> Result<Bundle, Unread> {
    let mut content = if path.is_dir() {
        content(path, left)?
    } else {
        let archive = fs::read(path).map_err(|error| Unread::new(path, error))?;
        bundle::unpack(&archive, &Limits::default()).map_err(|fault| Unread::new(path, fault))?
    };
    let by = match signatures {
        Signatures::None => None,
        Signatures::By(verification) => Some(verification),
        Signatures::Ignored => {
            content.retain(|file| !bundle::is_signature(&file.path));
            None
        }
    };
    bundle::assemble(content, by).map_err(|fault| Unread::new(path, fault))
}

fn content(root: &Path, left: Left<'_>) -> Result<Vec<File>, Unread> {
    // A bundle's own files are hidden ones.
    let left = |path: &Path| {
        let own = path
            .file_name()
            .is_some_and(|name| name == ".manifest" || name == ".signatures.json");
        !own && left(path)
    };
    let paths = files(root, &left)?;
    let read = paths.into_iter().map(|path| {
        let bytes = fs::read(&path).map_err(|error| Unread::new(&path, error))?;
        let path = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        Ok(File { path, bytes })
    });
    read.collect()
}
