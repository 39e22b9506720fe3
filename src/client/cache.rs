//! What is kept between runs: one file per (gateway, client id), for its owner's eyes, replaced as a whole,
//! under a lock that lets one process renew while the others wait and then read its result.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::problem::{Local, Problem};

/// The session and the tokens made from it. No `Debug`: it is all secrets.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_debug_implementations, reason = "tokens must not be printed")]
pub struct Record {
    /// The gateway.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// The person, by the ID token.
    pub sub: String,
    /// For the gateway itself.
    pub access: Held,
    /// Rotates with every use.
    pub refresh_token: Option<String>,
    /// By audience and scope.
    #[serde(default)]
    pub tokens: BTreeMap<String, Held>,
}

/// One token.
#[derive(Clone, Serialize, Deserialize)]
#[expect(missing_debug_implementations, reason = "tokens must not be printed")]
pub struct Held {
    /// The token.
    pub token: String,
    /// When it ends, seconds since 1970.
    pub expires: i64,
    /// From when on it is renewed.
    pub renew: i64,
    /// The latest processes that were given it by the credential plugin.
    #[serde(default)]
    pub given_to: Vec<u32>,
    /// Renewals that were asked for before time, seconds since 1970.
    #[serde(default)]
    pub forced: Vec<i64>,
}

/// A session's file while we hold its lock; the lock ends with it.
#[derive(Debug)]
pub struct Locked {
    _lock: File,
    path: PathBuf,
}

/// Takes the lock of one session; waits for whoever has it.
pub fn lock(issuer: &str, client_id: &str) -> Result<Locked, Problem> {
    let folder = folder()?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| file(&folder, &error))?;
    let found = folder.symlink_metadata().map_err(|error| file(&folder, &error))?;
    if !found.is_dir() {
        return Err(Local::CacheLink(folder.display().to_string()).into());
    }
    if found.mode() & 0o022 != 0 {
        let mode = found.mode() & 0o777;
        return Err(Local::CacheOpen {
            path: folder.display().to_string(),
            mode,
        }
        .into());
    }
    let digest = Sha256::digest(format!("{issuer}\n{client_id}").as_bytes());
    let stem: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("{stem}.lock"));
    plain(&path)?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let lock = options.open(&path).map_err(|error| file(&path, &error))?;
    lock.lock().map_err(|error| file(&path, &error))?;
    Ok(Locked {
        _lock: lock,
        path: folder.join(format!("{stem}.json")),
    })
}

impl Locked {
    /// The session, if there is one. A file that others can read or that is a link is refused, never used.
    pub fn read(&self) -> Result<Option<Record>, Problem> {
        if !plain(&self.path)? {
            return Ok(None);
        }
        let mut opened = File::open(&self.path).map_err(|error| file(&self.path, &error))?;
        let found = opened.metadata().map_err(|error| file(&self.path, &error))?;
        if found.mode() & 0o077 != 0 {
            let mode = found.mode() & 0o777;
            return Err(Local::CacheOpen {
                path: self.path.display().to_string(),
                mode,
            }
            .into());
        }
        let mut text = String::new();
        opened
            .read_to_string(&mut text)
            .map_err(|error| file(&self.path, &error))?;
        // What cannot be read (another version, a full disk) is the same as no session.
        Ok(serde_json::from_str(&text).ok())
    }

    /// Replaces the session as a whole; on return it is on disk.
    pub fn write(&self, record: &Record) -> Result<(), Problem> {
        plain(&self.path)?;
        let text = serde_json::to_vec(record).map_err(|error| Local::Runtime(error.to_string()))?;
        replace(&self.path, &text, 0o600)
    }

    /// Forgets the session.
    pub fn remove(&self) -> Result<(), Problem> {
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(file(&self.path, &error)),
        }
    }
}

/// Writes beside `path` and renames: a reader sees the old content or the new, never a part.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), Problem> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(mode);
    let written = options.open(&beside).and_then(|mut out| {
        out.write_all(content)?;
        out.sync_all()?;
        std::fs::rename(&beside, path)
    });
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        file(path, &error)
    })
}

/// Whether the file exists; an error if it is anything but a plain file.
fn plain(path: &Path) -> Result<bool, Problem> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(Local::CacheLink(path.display().to_string()).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file(path, &error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a command line reads its environment")]
fn folder() -> Result<PathBuf, Problem> {
    if let Some(named) = std::env::var_os("FEDCTL_CACHE").filter(|value| !value.is_empty()) {
        return Ok(named.into());
    }
    let base = dirs::cache_dir().ok_or_else(|| Local::File {
        path: "~/.cache".into(),
        why: "no home folder; set FEDCTL_CACHE".into(),
    })?;
    Ok(base.join("fedgate"))
}

fn file(path: &Path, error: &std::io::Error) -> Problem {
    Local::File {
        path: path.display().to_string(),
        why: error.to_string(),
    }
    .into()
}
