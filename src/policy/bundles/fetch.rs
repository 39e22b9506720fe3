//! One look at a source.

use std::{fs, io::Read as _, path::PathBuf, time::Duration};

use aws_lc_rs::digest;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::folder;
use crate::{
    policy::services::{Extra, Service},
    rego::bundle::{File, Limits, unpack},
};

/// What the server's answer must be called, if it can hold a request (OPA's word for it).
const HOLDS: &str = "application/vnd.openpolicyagent.bundles";

/// Where a bundle comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// An archive or a folder on this machine.
    Path(PathBuf),
    /// A resource of a service.
    Service(Box<Service>, String),
}

/// What a look gave.
#[derive(Debug)]
pub(super) enum Seen {
    /// Nothing new since the state named so.
    Same,
    /// Something new.
    New(Arrived),
}

/// A bundle as it arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    /// Its files.
    pub(super) files: Vec<File>,
    /// The archive, if it was one.
    pub(super) archive: Option<Vec<u8>>,
    /// The source's name for this state; empty if it has none.
    pub(super) etag: String,
    /// Whether the server can hold a request until there is something new.
    pub(super) holds: bool,
}

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchFault {
    #[error("server replied with {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Other(String),
}

impl Source {
    /// Looks. `wait` asks a server to hold the request until there is something new.
    pub(super) async fn look(
        &self,
        etag: &str,
        limits: Limits,
        wait: Option<Duration>,
    ) -> Result<Seen, FetchFault> {
        match self {
            Self::Path(path) => {
                let (path, etag) = (path.clone(), etag.to_owned());
                tokio::task::spawn_blocking(move || local(&path, &etag, &limits))
                    .await
                    .map_err(|error| FetchFault::Other(error.to_string()))?
                    .map_err(FetchFault::Other)
            }
            Self::Service(service, resource) => remote(service, resource, etag, (limits, wait)).await,
        }
    }
}

fn local(path: &PathBuf, etag: &str, limits: &Limits) -> Result<Seen, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut hash = digest::Context::new(&digest::SHA256);
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        let files = folder::read(path, limits)?;
        for file in &files {
            for part in [file.path.as_bytes(), &file.bytes] {
                hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(part);
            }
        }
        return Ok(seen(etag, hash, |etag| Arrived {
            files,
            archive: None,
            etag,
            holds: false,
        }));
    }
    let most = u64::try_from(limits.archive).unwrap_or(u64::MAX);
    let mut archive = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut archive))
        .map_err(unreadable)?;
    hash.update(&archive);
    let files = unpack(&archive, limits).map_err(|fault| fault.to_string())?;
    Ok(seen(etag, hash, |etag| Arrived {
        files,
        archive: Some(archive),
        etag,
        holds: false,
    }))
}

fn seen(etag: &str, hash: digest::Context, arrived: impl FnOnce(String) -> Arrived) -> Seen {
    let now: String = hash
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if now == etag {
        Seen::Same
    } else {
        Seen::New(arrived(now))
    }
}

async fn remote(
    service: &Service,
    resource: &str,
    etag: &str,
    (limits, wait): (Limits, Option<Duration>),
) -> Result<Seen, FetchFault> {
    let prefer = wait.map_or_else(
        || "modes=snapshot".to_owned(),
        |wait| format!("modes=snapshot;wait={}", wait.as_secs()),
    );
    let mut extra = Extra {
        headers: Vec::new(),
        wait: wait.unwrap_or_default(),
    };
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            extra.headers.push((name, value));
        }
    };
    say(HeaderName::from_static("prefer"), &prefer);
    if !etag.is_empty() {
        say(header::IF_NONE_MATCH, etag);
    }
    let answer = service
        .get(resource, extra)
        .await
        .map_err(|fault| FetchFault::Other(format!("request failed: {fault}")))?;
    match answer.status {
        StatusCode::NOT_MODIFIED => Ok(Seen::Same),
        StatusCode::OK => {
            let text = |name: HeaderName| {
                let value = answer.headers.get(name);
                value
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned()
            };
            let (etag, kind) = (text(header::ETAG), text(header::CONTENT_TYPE));
            let archive = Vec::from(answer.body);
            let unpacked = tokio::task::spawn_blocking(move || {
                let files = unpack(&archive, &limits);
                (archive, files)
            });
            let (archive, files) = unpacked
                .await
                .map_err(|error| FetchFault::Other(error.to_string()))?;
            Ok(Seen::New(Arrived {
                files: files.map_err(|fault| FetchFault::Other(fault.to_string()))?,
                archive: Some(archive),
                etag,
                holds: kind == HOLDS,
            }))
        }
        status => Err(FetchFault::Status(status)),
    }
}
