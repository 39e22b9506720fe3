//! The operator's command line: `fedgate serve`, and what one does beside it.
//!
//! It parses, calls `app`, prints. Exit codes: 0 done, 1 it failed (the reason is on standard error),
//! 2 the command line is wrong, 3 it was done and found something to look at (`policy impact`).

mod demo;
mod doctor;
mod explain;
mod keystone;
mod keystone_kolla;
mod keystone_map;
mod policy;

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, TcpStream},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    app::{build, operate, policies::Hangups, serve},
    config::{self, Config, secret::SecretSources},
    domain::key::Algorithm,
    telemetry::{self, Metrics},
};

/// How long a healthy gateway may take to accept a connection.
const HEALTH_PATIENCE: Duration = Duration::from_secs(3);

/// The identity federation gateway.
#[derive(Debug, Parser)]
#[command(name = "fedgate", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT, then finish running requests and stop.
    Serve(Place),
    /// Say everything that is wrong with the configuration; change nothing.
    Check(Place),
    /// Whether the gateway of this configuration accepts connections: exit code 0 or 1, for containers.
    Health(Place),
    /// What somebody with these claims would get at a target, and why: mapping rules hit, every policy rule that
    /// fired or failed, the result, and what the target's Keystone lacks of it. Changes nothing.
    Explain(explain::Wanted),
    /// Look at a live deployment: what is wrong, why it matters, and what mends it. Changes nothing that lasts.
    Doctor(doctor::Wanted),
    /// The JSON schema of the configuration, for editors.
    Schema,
    /// Signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// An OpenStack Keystone behind this gateway.
    #[command(subcommand)]
    Keystone(keystone::Keystone),
    /// Let somebody go: their sessions, tokens, roles and application credentials end, and they cannot sign in. Says when
    /// each went. Exit code 3: something waits until a target answers.
    Offboard(keystone::Offboard),
    /// Policies: writing them, the engine by itself, and those of a running gateway.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Read a password from standard input and print its argon2id hash, for a local user.
    HashPassword,
    /// Two gateways on loopback: a home organisation and the cloud that trusts it.
    Demo(demo::Wanted),
    /// Print a token as a CI job of the demonstration's home organisation has it.
    DemoJob(demo::job::Job),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The configuration file.
    #[arg(long, short, env = "FEDGATE_CONFIG", default_value = "fedgate.yaml")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// List them with their stage: pending, active, retiring.
    List(Place),
    /// Publish successors. They sign once every cached JWKS must have ended (6 minutes).
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Only keys of this algorithm.
        #[arg(long)]
        algorithm: Option<Named>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Named {
    #[value(name = "ES256")]
    Es256,
    #[value(name = "RS256")]
    Rs256,
}

/// What went wrong, a line each.
#[derive(Debug)]
struct Failed(Vec<String>);

impl<E: std::fmt::Display> From<E> for Failed {
    fn from(fault: E) -> Self {
        Self(vec![fault.to_string()])
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // One crypto provider for the whole process. It can only have been set by ourselves.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match dispatch(arguments.command) {
        Ok(code) => code,
        Err(Failed(lines)) => {
            let mut out = std::io::stderr().lock();
            for line in lines {
                // Standard error may be closed; there is nobody left to tell then.
                let _closed = writeln!(out, "fedgate: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failed> {
    let done = match command {
        // These have more to say than that it was done.
        Command::Keystone(command) => return keystone::run(command),
        Command::Offboard(wanted) => return keystone::offboard(&wanted),
        Command::Policy(command) => return policy::run(command),
        Command::Serve(place) => serve_until_told(&place),
        Command::Check(place) => {
            for warning in operate::warnings(&load(&place)?) {
                say(&format!("warning: {warning}"))?;
            }
            say(&format!("{}: nothing is wrong", place.config.display()))
        }
        Command::Health(place) => {
            let mut address = load(&place)?.listen.address;
            if address.ip().is_unspecified() {
                // "All addresses" is where to listen, not where to call.
                address.set_ip(if address.is_ipv4() {
                    Ipv4Addr::LOCALHOST.into()
                } else {
                    Ipv6Addr::LOCALHOST.into()
                });
            }
            TcpStream::connect_timeout(&address, HEALTH_PATIENCE)?;
            Ok(())
        }
        Command::Explain(wanted) => explain::run(&wanted),
        Command::Doctor(wanted) => doctor::run(wanted),
        Command::Schema => say(&serde_json::to_string_pretty(&config::schema())?),
        Command::Keys(Keys::List(place)) => keys(&place, None),
        Command::Keys(Keys::Rotate { place, algorithm }) => keys(
            &place,
            Some(algorithm.map(|named| match named {
                Named::Es256 => Algorithm::Es256,
                Named::Rs256 => Algorithm::Rs256,
            })),
        ),
        Command::HashPassword => {
            let mut password = String::new();
            std::io::stdin().lock().take(4096).read_to_string(&mut password)?;
            say(&operate::hash_password(password.trim_end_matches(['\r', '\n']))?)
        }
        Command::Demo(wanted) => demo::run(&wanted).map_err(|problem| Failed(vec![problem])),
        Command::DemoJob(job) => demo::job::run(&job).map_err(|problem| Failed(vec![problem])),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn load(place: &Place) -> Result<Config, Failed> {
    Config::load(&place.config).map_err(|problems| Failed(problems.iter().map(ToString::to_string).collect()))
}

fn serve_until_told(place: &Place) -> Result<(), Failed> {
    let config = load(place)?;
    telemetry::start_log(&config.log)?;
    let metrics = Metrics::install()?;
    runtime()?.block_on(async {
        let hangups = Hangups::listen();
        let mut app = build::build(config, &SecretSources::default(), metrics).await?;
        app.reread_on_hangup(place.config.clone(), hangups);
        serve::serve(app).await?;
        Ok(())
    })
}

fn keys(place: &Place, rotate: Option<Option<Algorithm>>) -> Result<(), Failed> {
    let config = load(place)?;
    let (keys, made) = runtime()?.block_on(operate::keys(&config, &SecretSources::default(), rotate))?;
    let mut lines = vec![format!(
        "{:<44} {:<6} {:<9} {:<21} until",
        "kid", "alg", "stage", "signs from"
    )];
    for key in keys {
        let until = key
            .life
            .signs_until
            .map_or_else(|| "-".to_owned(), |until| until.rfc3339());
        let issuer = key
            .issuer
            .map_or_else(String::new, |issuer| format!("  {issuer}"));
        lines.push(format!(
            "{:<44} {:<6} {:<9} {:<21} {until}{issuer}",
            key.kid,
            key.algorithm.as_str(),
            format!("{:?}", key.stage).to_lowercase(),
            key.life.signs_from.rfc3339(),
        ));
    }
    for kid in made {
        lines.push(format!(
            "{kid} was published; it signs when every cached key set has ended"
        ));
    }
    say(&lines.join("\n"))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// How something is said: for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

/// Says it in the form that was asked for.
fn show<T: Serialize + ?Sized>(form: Form, value: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failed> {
    match form {
        Form::Json => say(&serde_json::to_string_pretty(value)?),
        Form::Text => say(&text(value)),
    }
}

/// It was done; exit code 3 if there is something to look at.
fn looked_at(something: bool) -> ExitCode {
    ExitCode::from(if something { 3 } else { 0 })
}

/// A whole text file, no larger than `largest` bytes; `expected` says what it should be.
fn read_at_most(path: &Path, largest: u64, expected: &str) -> Result<String, Failed> {
    let place = path.display();
    let file = File::open(path).map_err(|error| format!("{place}: {error}"))?;
    let mut bytes = Vec::new();
    let size = file
        .take(largest.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{place}: {error}"))?;
    if u64::try_from(size).is_ok_and(|size| size > largest) {
        return Err(format!("{place}: found more than {largest} bytes; expected at most that many").into());
    }
    String::from_utf8(bytes).map_err(|error| format!("{place}: {error}; expected {expected}").into())
}

fn say(text: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}
