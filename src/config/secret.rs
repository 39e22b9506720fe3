//! Reads the secrets that the configuration refers to.

use std::{fs, io::Read as _, path::Path};

use crate::{
    domain::secret::{Secret, SecretRef},
    port::secrets::{MissingSecret, Secrets},
};

use super::Environment;

/// Longest secret: a private key with room to spare. `/dev/zero` must not fill the memory.
const LONGEST: u64 = 1024 * 1024;

/// Secrets in files and in environment variables.
#[derive(Clone)]
pub struct SecretSources {
    environment: Environment,
}

impl std::fmt::Debug for SecretSources {
    // The environment may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SecretSources")
    }
}

impl SecretSources {
    /// Files, and the variables of that environment.
    #[must_use]
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }
}

impl Default for SecretSources {
    /// Files, and this process's environment.
    fn default() -> Self {
        Self::new(Environment::of_process())
    }
}

impl Secrets for SecretSources {
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret> {
        match from {
            SecretRef::File(path) => {
                let text = read_file(path)?;
                usable(text, &format!("the file '{}'", path.display()))
            }
            SecretRef::Env(name) => {
                let text = self.environment.get(name).ok_or_else(|| {
                    MissingSecret(format!("the environment variable '{name}', which is not set"))
                })?;
                usable(text.to_owned(), &format!("the environment variable '{name}'"))
            }
        }
    }
}

/// The secret without one trailing line break (editors add it), if anything is left.
fn usable(mut text: String, what: &str) -> Result<Secret, MissingSecret> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.trim().is_empty() {
        return Err(MissingSecret(format!("{what}, which is empty")));
    }
    Ok(Secret::new(text))
}

fn read_file(path: &Path) -> Result<String, MissingSecret> {
    let shown = path.display();
    let unreadable = |error: &std::io::Error| {
        MissingSecret(format!(
            "the file '{shown}', which cannot be read ({})",
            plain(error)
        ))
    };
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    if about.is_dir() {
        return Err(MissingSecret(format!("'{shown}', which is a folder")));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = about.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(MissingSecret(format!(
                "the file '{shown}', which every user of this machine may open (mode {:04o}; \
                 `chmod o-rwx {shown}`)",
                mode & 0o7777
            )));
        }
    }
    let mut text = String::new();
    let taken = file
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    if u64::try_from(taken).unwrap_or(u64::MAX) > LONGEST {
        return Err(MissingSecret(format!(
            "the file '{shown}', which is longer than 1 MiB"
        )));
    }
    Ok(text)
}

/// The system's words without its number.
pub(super) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn with_mode(text: &str, mode: u32) -> (tempfile::TempDir, SecretRef) {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, SecretRef::File(path))
    }

    fn read(from: &SecretRef) -> Result<String, String> {
        SecretSources::new(Environment::from_pairs([("SET", "s3cret\r\n"), ("EMPTY", "")]))
            .read(from)
            .map(|secret| secret.reveal().to_owned())
            .map_err(|missing| missing.to_string())
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_it() {
        let (_folder, file) = with_mode(" a b \n\n", 0o640);
        assert_eq!(read(&file).unwrap(), " a b \n");
        assert_eq!(read(&SecretRef::Env("SET".into())).unwrap(), "s3cret");
    }

    #[test]
    fn empty_or_absent_is_refused() {
        let (_folder, file) = with_mode("\n", 0o600);
        assert!(read(&file).unwrap_err().contains("is empty"));
        assert!(
            read(&SecretRef::Env("EMPTY".into()))
                .unwrap_err()
                .contains("is empty")
        );
        assert!(
            read(&SecretRef::Env("UNSET".into()))
                .unwrap_err()
                .contains("not set")
        );
        assert!(
            read(&SecretRef::File("/does/not/exist".into()))
                .unwrap_err()
                .contains("no such file")
        );
    }

    #[test]
    fn a_file_that_every_user_may_open_is_refused_without_showing_it() {
        for mode in [0o604, 0o602, 0o644] {
            let (_folder, file) = with_mode("hunter2", mode);
            let said = read(&file).unwrap_err();
            assert!(
                said.contains("every user") && said.contains("chmod o-rwx"),
                "{said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
