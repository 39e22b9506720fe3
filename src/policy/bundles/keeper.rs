//! One task for each bundle: look, read, take into use, wait.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use super::{
    config::{BundleConfig, verification},
    fetch::{Arrived, FetchFault, Seen, Source},
    keep::Shelf,
    status::{Board, Trouble},
};
use crate::{
    outbound::pauses::{back_off, between},
    policy::{Config, services::Service},
    port::{
        bundles::{BundleStatus, Bundles},
        clock::Clock,
        secrets::Secrets,
    },
    rego::{
        ChangeFault, Store,
        bundle::{Bundle, Verification, assemble, read},
    },
};

/// Takes a bundle into use, whole or not at all. Runs on a thread that may take its time.
pub type Activate = Arc<dyn Fn(&str, Bundle) -> Result<(), ChangeFault> + Send + Sync>;

/// How long the state before stays in memory after a change. The last reader of a state frees it, and that must
/// not be a request: tens of megabytes take milliseconds.
const LINGER: Duration = Duration::from_secs(2);
/// How often a file on this machine is looked at, where the configuration leaves it open.
const LOCAL_DELAY: Duration = Duration::from_secs(2);
/// Least time between two requests to a server that says it holds them and does not.
const LEAST_HOLD: Duration = Duration::from_secs(1);

/// What the keeper works with.
pub struct Wiring<'a> {
    /// Reads tokens and secrets.
    pub secrets: &'a dyn Secrets,
    /// Takes a bundle into use.
    pub activate: Activate,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Wiring<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Wiring(…)")
    }
}

/// Activation in a store.
#[must_use]
pub fn into_store(store: Arc<Store>) -> Activate {
    Arc::new(move |name, bundle| {
        let before = store.snapshot();
        let outcome = store.change(|draft| draft.activate(name, bundle));
        if outcome.is_ok() {
            std::thread::spawn(move || {
                std::thread::sleep(LINGER);
                drop(before);
            });
        }
        outcome
    })
}

/// The bundles of this process.
pub struct BundleKeeper {
    board: Arc<Board>,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for BundleKeeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "BundleKeeper({})", self.tasks.len())
    }
}

impl Drop for BundleKeeper {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Bundles for BundleKeeper {
    fn status(&self) -> BTreeMap<String, BundleStatus> {
        self.board.status()
    }

    fn activated(&self) -> bool {
        self.board.activated()
    }
}

impl BundleKeeper {
    /// Starts a task for each configured bundle; needs a tokio runtime. Bundles kept on disk are taken into use
    /// before it returns, so that a gateway does not answer without them for a moment.
    pub fn start(config: &Config, wiring: &Wiring<'_>) -> Result<Self, String> {
        let board = Arc::new(Board::new(config.bundles.keys()));
        let mut tasks = Vec::new();
        for (name, bundle) in &config.bundles {
            let wrong = |why: String| format!("policy.bundles.{name}: {why}");
            let mut one = One {
                name: name.clone(),
                config: bundle.clone(),
                source: source(config, (name, bundle), wiring.secrets).map_err(wrong)?,
                verification: verification(config, name, wiring.secrets).map_err(wrong)?,
                shelf: shelf(config.persistence_directory.as_ref(), bundle),
                activate: Arc::clone(&wiring.activate),
                board: Arc::clone(&board),
                clock: Arc::clone(&wiring.clock),
                etag: String::new(),
            };
            one.recall();
            tasks.push(tokio::spawn(one.run()));
        }
        Ok(Self { board, tasks })
    }
}

fn source(
    config: &Config,
    (name, bundle): (&str, &BundleConfig),
    secrets: &dyn Secrets,
) -> Result<Source, String> {
    if let Some(path) = bundle.path() {
        return path.map(Source::Path);
    }
    let service = bundle.service.as_deref().unwrap_or_default();
    let found = config
        .services
        .get(service)
        .ok_or_else(|| format!("service name {service:?} not found"))?;
    let service = Service::open(found, bundle.limits().archive, secrets)?;
    let resource = bundle
        .resource
        .clone()
        .unwrap_or_else(|| format!("bundles/{name}"));
    Ok(Source::Service(Box::new(service), resource))
}

fn shelf(directory: Option<&PathBuf>, bundle: &BundleConfig) -> Option<Shelf> {
    directory
        .filter(|_| bundle.persist)
        .map(|directory| Shelf::below(directory, "bundles"))
}

/// One bundle.
struct One {
    name: String,
    config: BundleConfig,
    source: Source,
    verification: Option<Verification>,
    shelf: Option<Shelf>,
    activate: Activate,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    /// The source's name for what is in use.
    etag: String,
}

impl One {
    fn file(&self) -> String {
        format!("{}.tar.gz", self.name)
    }

    /// Takes the archive on disk into use. It is checked as any other.
    fn recall(&mut self) {
        let Some(shelf) = &self.shelf else {
            return;
        };
        let archive = match shelf.get(&self.file()) {
            Ok(Some(archive)) => archive,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(bundle = %self.name, %error, "the bundle on disk cannot be read");
                return;
            }
        };
        let began = self.clock.now_ns();
        let outcome = read(&archive, &self.config.limits(), self.verification.as_ref())
            .map_err(|fault| Trouble::said(fault.to_string()))
            .and_then(|bundle| {
                let revision = bundle.manifest.revision.clone();
                (self.activate)(&self.name, bundle).map_err(|fault| Trouble::of(&fault))?;
                Ok(revision)
            });
        match outcome {
            Ok(revision) => {
                let size = (revision.as_str(), Some(archive.len()));
                self.board.in_use(&self.name, size, (began, self.clock.now_ns()));
                tracing::info!(bundle = %self.name, revision, "the bundle on disk is in use until its source answers");
            }
            Err(trouble) => {
                tracing::error!(bundle = %self.name, why = %trouble.message, "the bundle on disk is not taken into use");
                self.board.failed(&self.name, trouble);
            }
        }
    }

    async fn run(mut self) {
        let (least, most) = self.config.polling.delays();
        let (mut failures, mut holds) = (0_u32, true);
        loop {
            let wait = self.config.polling.long_polling_timeout_seconds;
            let wait = wait.filter(|_| holds).map(Duration::from_secs);
            let began = self.clock.now_ns();
            let outcome = self.turn(wait, &mut holds).await;
            let delay = match outcome {
                Ok(()) => {
                    failures = 0;
                    let took = u64::try_from(self.clock.now_ns().saturating_sub(began)).unwrap_or(0);
                    match (wait, &self.source) {
                        (Some(_), Source::Service(..)) if holds => {
                            LEAST_HOLD.saturating_sub(Duration::from_nanos(took))
                        }
                        (_, Source::Path(_)) => least.min(LOCAL_DELAY),
                        (_, Source::Service(..)) => between(least, most),
                    }
                }
                Err(trouble) => {
                    tracing::error!(
                        bundle = %self.name,
                        why = %trouble.message,
                        errors = %serde_json::Value::Array(trouble.errors.clone()),
                        "the bundle is not taken into use; what was in use goes on"
                    );
                    self.board.failed(&self.name, trouble);
                    let delay = back_off(failures, most);
                    failures = failures.saturating_add(1);
                    delay
                }
            };
            tokio::time::sleep(delay).await;
        }
    }

    async fn turn(&mut self, wait: Option<Duration>, holds: &mut bool) -> Result<(), Trouble> {
        let began = self.clock.now_ns();
        self.board.asked(&self.name, began);
        let seen = self.source.look(&self.etag, self.config.limits(), wait).await;
        let arrived = match seen {
            Ok(Seen::Same) => {
                self.board.answered(&self.name, (began, self.clock.now_ns()));
                self.board.unchanged(&self.name);
                return Ok(());
            }
            Ok(Seen::New(arrived)) => arrived,
            Err(FetchFault::Status(status)) => {
                return Err(Trouble {
                    http_code: Some(status.as_u16()),
                    ..Trouble::said(format!("server replied with {status}"))
                });
            }
            Err(fault @ FetchFault::Other(_)) => return Err(Trouble::said(fault.to_string())),
        };
        self.board.answered(&self.name, (began, self.clock.now_ns()));
        self.board.arrived(&self.name, self.clock.now_ns());
        *holds = arrived.holds;
        self.take(arrived).await
    }

    async fn take(&mut self, arrived: Arrived) -> Result<(), Trouble> {
        let began = self.clock.now_ns();
        let Arrived {
            files,
            archive,
            etag,
            holds: _,
        } = arrived;
        let (name, verification, activate) = (
            self.name.clone(),
            self.verification.clone(),
            Arc::clone(&self.activate),
        );
        let taken = tokio::task::spawn_blocking(move || {
            let bundle =
                assemble(files, verification.as_ref()).map_err(|fault| Trouble::said(fault.to_string()))?;
            let revision = bundle.manifest.revision.clone();
            activate(&name, bundle).map_err(|fault| Trouble::of(&fault))?;
            Ok(revision)
        });
        let revision = taken.await.map_err(|error| Trouble::said(error.to_string()))??;
        self.etag = etag;
        let size = archive.as_ref().map(Vec::len);
        self.board
            .in_use(&self.name, (&revision, size), (began, self.clock.now_ns()));
        tracing::info!(bundle = %self.name, revision, "a bundle is in use");
        if let (Some(shelf), Some(archive)) = (&self.shelf, archive)
            && let Err(error) = shelf.put(&self.file(), &archive)
        {
            // It is in use; only a start without the server would be without it.
            tracing::error!(bundle = %self.name, %error, "the bundle cannot be kept on disk");
        }
        Ok(())
    }
}
