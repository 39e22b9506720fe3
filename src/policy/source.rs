//! Where the Rego files come from: a folder, or those built in.

use std::{collections::BTreeSet, fs, path::Path};

use aws_lc_rs::digest;

use super::{builtin::BUILT_IN, config::Config, fault::Problem};

/// Most files of a policy folder.
const MOST_FILES: usize = 1_000;

/// One Rego file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Its path inside the folder.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
}

impl Source {
    /// Whether it holds tests: such files are checked and run, and never decide.
    pub(super) fn is_test(&self) -> bool {
        Self::holds_tests(&self.name)
    }

    /// The same by its name.
    pub(super) fn holds_tests(name: &str) -> bool {
        name.ends_with("_test.rego")
    }
}

/// All files, sorted by name.
pub(super) fn read(config: &Config) -> Result<Vec<Source>, Problem> {
    let Some(folder) = &config.folder else {
        return Ok(BUILT_IN
            .into_iter()
            .map(|(name, text)| Source {
                name: name.to_owned(),
                text: text.to_owned(),
            })
            .collect());
    };
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    Ok(completed(files))
}

/// These files with what they leave to the built-in policies, sorted by name.
pub(super) fn completed(mut files: Vec<Source>) -> Vec<Source> {
    complete(&mut files);
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

/// Adds the built-in policies of the packages that the folder does not define, so that a folder written for some
/// decisions leaves the others answered as before. `federation.access` is never added: a folder without it is
/// most likely the wrong one.
fn complete(files: &mut Vec<Source>) {
    let own: BTreeSet<String> = files.iter().filter_map(|file| package(&file.text)).collect();
    let missing = BUILT_IN.into_iter().filter(|(name, text)| {
        let package = package(text).unwrap_or_default();
        !name.ends_with("_test.rego") && package != "federation.access" && !own.contains(&package)
    });
    files.extend(missing.map(|(name, text)| Source {
        name: format!("built-in:{name}"),
        text: text.to_owned(),
    }));
}

fn package(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("package "))?;
    Some(line.split('#').next()?.trim().to_owned())
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) -> Result<(), Problem> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Problem::setting(
            "folder",
            format!("{} cannot be read: {error}", path.display()),
            "name a readable folder with Rego files, or leave the key out for the built-in policies",
        )
    };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|end| end == "rego") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push(Source { name, text });
        }
        if files.len() > MOST_FILES {
            let what = format!("more than {MOST_FILES} Rego files");
            return Err(Problem::setting(
                "folder",
                what,
                "name the folder of the policies alone",
            ));
        }
    }
    Ok(())
}

/// The revision: a short SHA-256 over everything that decides.
pub(super) fn revision(files: &[Source], data: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    let texts = files
        .iter()
        .filter(|file| !file.is_test())
        .flat_map(|file| [file.name.as_str(), file.text.as_str()]);
    for text in texts.chain([data]) {
        // The length first, so that no text can pass for the end of another.
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let hex: String = hash
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hex.chars().take(12).collect()
}
