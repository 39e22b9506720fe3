//! `fedctl openstack exec`: runs any program with a token of one project in its environment.
//!
//! A program's environment cannot be changed while it runs. So the token also lies in two files that are renewed as
//! long as the program lives: `clouds.yaml` and the token alone. Signals go through to the program, and its exit code
//! comes back. The token is not revoked when the program ends: what it has begun in the cloud may still need it.

use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::client::args::Exec;
use crate::client::clock;
use crate::client::problem::{Cloud as CloudProblem, Local, Problem};
use crate::client::session::Context;
use crate::wire::cloud::Cloud;

use super::folder::Folder;
use super::keystone::Scoped;
use super::login;

/// Shortest time between two tries to renew.
const PAUSE: Duration = Duration::from_secs(5);
/// A token is renewed this many seconds before it ends, or a fifth of its life where that is less.
const EARLY: i64 = 300;
/// A renewal that is under way when the program has ended may take so long yet.
const FINISH: Duration = Duration::from_secs(3);

/// Runs the program to its end.
pub async fn run(context: &Context, ask: &Exec) -> Result<ExitCode, Problem> {
    let (cloud, scoped) = login::scoped(context, &ask.place).await?;
    // From now on a signal no longer ends this program: the other one decides, and the folder goes in any case.
    let mut signals = Signals::listen()?;
    let folder = Folder::make()?;
    folder.write(context, &cloud, &scoped)?;
    let mut child = start(context, ask, (&cloud, &scoped), &folder)?;
    let renewals = Renewals {
        context,
        ask,
        folder: &folder,
        underway: AtomicBool::new(false),
    };
    // It goes on beside all else: signals neither put it off nor wait for it.
    let mut renewal = std::pin::pin!(renewals.next((until_renewal(scoped.ends), scoped.ends)));
    loop {
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(|error| Local::Runtime(error.to_string()))?;
                if renewals.underway.load(Ordering::Relaxed) {
                    // A session's refresh token may just be changing hands: dropped now, the new one would be lost.
                    let _given_up = tokio::time::timeout(FINISH, &mut renewal).await;
                }
                return Ok(code_of(status));
            }
            number = signals.next() => pass_on(&child, number),
            next = &mut renewal => renewal.set(renewals.next(next)),
        }
    }
}

/// Renews what lies in the files.
struct Renewals<'a> {
    context: &'a Context,
    ask: &'a Exec,
    folder: &'a Folder,
    /// Whether one has begun and not ended.
    underway: AtomicBool,
}

impl Renewals<'_> {
    /// Waits, and renews the token that ends then; how long to wait for the next, and when that ends.
    async fn next(&self, (wait, ends): (Duration, i64)) -> (Duration, i64) {
        tokio::time::sleep(wait).await;
        self.underway.store(true, Ordering::Relaxed);
        let outcome = self.renewed().await;
        self.underway.store(false, Ordering::Relaxed);
        match outcome {
            Ok(fresh) => (until_renewal(fresh), fresh),
            Err(problem) => {
                complain(self.context, &problem, ends);
                ((until_renewal(ends) / 2).max(PAUSE), ends)
            }
        }
    }

    async fn renewed(&self) -> Result<i64, Problem> {
        let (cloud, scoped) = login::scoped(self.context, &self.ask.place).await?;
        self.folder.write(self.context, &cloud, &scoped)?;
        Ok(scoped.ends)
    }
}

fn until_renewal(ends: i64) -> Duration {
    let life = (ends - clock::now()).max(0);
    let wait = life - EARLY.min(life / 5);
    Duration::from_secs(u64::try_from(wait).unwrap_or(0)).max(PAUSE)
}

/// The program goes on: what it does with an old token is its own business.
fn complain(context: &Context, problem: &Problem, ends: i64) {
    let terminal = context.terminal;
    let told = crate::client::texts::explain(problem, terminal);
    let until = clock::rfc3339(ends);
    terminal.say(&terminal.pick(
        format!(
            "fedctl: the token could not be renewed, it ends {until}. {} {}",
            told.what, told.why
        ),
        format!(
            "fedctl: Das Token ließ sich nicht erneuern, es endet {until}. {} {}",
            told.what, told.why
        ),
    ));
}

fn start(
    context: &Context,
    ask: &Exec,
    (cloud, scoped): (&Cloud, &Scoped),
    folder: &Folder,
) -> Result<Child, Problem> {
    let Some((program, arguments)) = ask.command.split_first() else {
        return Err(Local::Runtime("no program".into()).into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    // Nothing of another cloud's settings may mix with these.
    for name in foreign() {
        command.env_remove(name);
    }
    for (name, value) in environment(context, ask, (cloud, scoped), folder) {
        command.env(name, value);
    }
    command.spawn().map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        CloudProblem::Program {
            name: program.to_string_lossy().into_owned(),
            why: error.to_string(),
            // As a shell says it.
            code: if missing { 127 } else { 126 },
        }
        .into()
    })
}

fn foreign() -> Vec<std::ffi::OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("OS_"))
        .collect()
}

fn environment(
    context: &Context,
    ask: &Exec,
    (cloud, scoped): (&Cloud, &Scoped),
    folder: &Folder,
) -> Vec<(&'static str, String)> {
    let text = |path: &std::path::Path| path.display().to_string();
    let mut all = vec![
        ("FEDCTL_TOKEN_FILE", text(&folder.token())),
        ("FEDCTL_CLOUDS_YAML", text(&folder.clouds_yaml())),
    ];
    if ask.clouds_yaml {
        all.push(("OS_CLIENT_CONFIG_FILE", text(&folder.clouds_yaml())));
        all.push(("OS_CLOUD", cloud.id.clone()));
        return all;
    }
    all.extend([
        ("OS_AUTH_TYPE", "v3token".to_owned()),
        ("OS_AUTH_URL", cloud.auth_url.clone()),
        ("OS_IDENTITY_API_VERSION", "3".to_owned()),
        ("OS_TOKEN", scoped.token.clone()),
        // By id alone: some clients refuse a project that has both id and name.
        ("OS_PROJECT_ID", scoped.project.id.clone()),
        ("OS_INTERFACE", "public".to_owned()),
    ]);
    if let Some(ca) = folder.ca(context) {
        all.push(("OS_CACERT", ca));
    }
    if let [region] = scoped.regions.as_slice() {
        all.push(("OS_REGION_NAME", region.clone()));
    }
    all
}

/// As a shell has it: 128 and the signal's number for a program that a signal ended.
fn code_of(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|number| 128 + number))
        .and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

/// The signals that a program may want to hear.
struct Signals {
    all: [(Number, Signal); 7],
    at_terminal: bool,
}

impl Signals {
    fn listen() -> Result<Self, Problem> {
        let on = |number: Number, kind: SignalKind| {
            signal(kind)
                .map(|signal| (number, signal))
                .map_err(|error| Local::Runtime(error.to_string()))
        };
        Ok(Self {
            all: [
                on(Number::INT, SignalKind::interrupt())?,
                on(Number::TERM, SignalKind::terminate())?,
                on(Number::HUP, SignalKind::hangup())?,
                on(Number::QUIT, SignalKind::quit())?,
                on(Number::USR1, SignalKind::user_defined1())?,
                on(Number::USR2, SignalKind::user_defined2())?,
                on(Number::WINCH, SignalKind::window_change())?,
            ],
            at_terminal: std::io::stdin().is_terminal(),
        })
    }

    /// The next one to pass on.
    async fn next(&mut self) -> Number {
        loop {
            let [int, term, hup, quit, usr1, usr2, winch] = &mut self.all;
            let number = tokio::select! {
                _ = int.1.recv() => int.0,
                _ = term.1.recv() => term.0,
                _ = hup.1.recv() => hup.0,
                _ = quit.1.recv() => quit.0,
                _ = usr1.1.recv() => usr1.0,
                _ = usr2.1.recv() => usr2.0,
                _ = winch.1.recv() => winch.0,
            };
            // Ctrl-C, Ctrl-\ and a new size go from the terminal to the program as well: not twice.
            let twice = [Number::INT, Number::QUIT, Number::WINCH].contains(&number);
            if !(self.at_terminal && twice) {
                return number;
            }
        }
    }
}

fn pass_on(child: &Child, number: Number) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id.and_then(Pid::from_raw) {
        // It may have ended just now.
        let _gone = kill_process(id, number);
    }
}
