//! `fedgate demo`: everything a first look needs, on loopback, ended by Ctrl-C.

mod files;
mod processes;
mod words;

use std::{net::TcpListener, path::PathBuf};

use processes::Running;

/// The home organisation's port.
const HOME_PORT: u16 = 8444;
/// The cloud's port.
const CLOUD_PORT: u16 = 8443;
/// The Keystone's port; it listens for the cloud's gateway alone.
const KEYSTONE_PORT: u16 = 8435;

/// What is wanted of the demonstration.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Where its files are kept: certificates, secrets, databases, logs.
    #[arg(long, default_value = "target/demo")]
    folder: PathBuf,
    /// Also run a real Keystone behind the cloud's gateway.
    #[arg(long)]
    openstack: bool,
}

/// Runs until Ctrl-C.
pub(super) fn run(wanted: &Wanted) -> Result<(), String> {
    say("1/4  certificates, secrets and configuration");
    let demo = files::Demo::prepare(&wanted.folder)?;
    say("2/4  ports");
    let mut ports = vec![
        (HOME_PORT, "the home organisation"),
        (CLOUD_PORT, "the cloud's gateway"),
    ];
    if wanted.openstack {
        ports.push((KEYSTONE_PORT, "Keystone"));
    }
    for (port, whose) in ports {
        free(port, whose)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(serve(wanted, &demo))
}

/// Says plainly which port is taken.
fn free(port: u16, whose: &str) -> Result<(), String> {
    TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        format!(
            "port {port} ({whose}) is taken on 127.0.0.1 ({error}). Perhaps another demonstration runs: end it with \
             Ctrl-C, or find out who has the port with: ss -ltnp 'sport = :{port}'"
        )
    })
}

async fn serve(wanted: &Wanted, demo: &files::Demo) -> Result<(), String> {
    let mut running = Running::default();
    say("3/4  gateways");
    let outcome = start(wanted, demo, &mut running).await;
    let outcome = match outcome {
        Ok(()) => {
            say("4/4  ready");
            say(&words::next_steps(demo, wanted.openstack));
            running.until_ended().await
        }
        Err(problem) => Err(problem),
    };
    running.end().await;
    outcome
}

async fn start(wanted: &Wanted, demo: &files::Demo, running: &mut Running) -> Result<(), String> {
    if wanted.openstack {
        say("     Keystone (the first start takes half a minute)");
        running.keystone(demo, KEYSTONE_PORT).await?;
        for line in running.set_up_keystone(demo).await? {
            say(&format!("     {line}"));
        }
    }
    running.gateway(demo, "acme", HOME_PORT).await?;
    running.gateway(demo, "cloud-a", CLOUD_PORT).await
}

#[expect(
    clippy::print_stdout,
    reason = "the demonstration talks to a person at a terminal"
)]
fn say(text: &str) {
    println!("{text}");
}
