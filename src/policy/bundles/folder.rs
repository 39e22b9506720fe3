//! A folder as a bundle: for development, and for what another tool has unpacked.

use std::{fs, path::Path};

use crate::rego::bundle::{File, Limits};

/// All plain files below a folder, sorted by path. Links are not followed: a folder is what is in it.
pub fn read(root: &Path, limits: &Limits) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    let mut total = 0_u64;
    collect(root, &mut Vec::new(), limits, (&mut files, &mut total))?;
    files.sort_by(|one: &File, other: &File| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(
    folder: &Path,
    below: &mut Vec<String>,
    limits: &Limits,
    (files, total): (&mut Vec<File>, &mut u64),
) -> Result<(), String> {
    let unreadable =
        |path: &Path, error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    if below.len() >= limits.depth {
        return Err(format!("{} is in too deep a folder", folder.display()));
    }
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let entry = entry.map_err(|error| unreadable(folder, error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&path, error))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| format!("{} is not UTF-8", path.display()))?;
        if kind.is_dir() {
            below.push(name);
            collect(&path, below, limits, (&mut *files, &mut *total))?;
            below.pop();
        } else if kind.is_file() {
            let size = entry.metadata().map_err(|error| unreadable(&path, error))?.len();
            *total = total.saturating_add(size);
            if *total > limits.unpacked || files.len() >= limits.files {
                return Err(format!(
                    "{} holds more than {} bytes or {} files",
                    folder.display(),
                    limits.unpacked,
                    limits.files
                ));
            }
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            let parents: String = below.iter().map(|parent| format!("/{parent}")).collect();
            files.push(File {
                path: format!("{parents}/{name}"),
                bytes,
            });
        }
    }
    Ok(())
}
