//! `fedgate demo`: everything a first look needs, on loopback, ended by Ctrl-C.

mod files;
pub(super) mod job;
mod processes;
mod words;

use std::{net::TcpListener, path::PathBuf};

use processes::{Running, Stop};

/// Where the parts of the demonstration listen on this machine.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Ports {
    /// The port of the cloud's gateway.
    #[arg(long = "cloud-port", default_value_t = 8443)]
    pub cloud: u16,
    /// The port of the home organisation.
    #[arg(long = "home-port", default_value_t = 8444)]
    pub home: u16,
    /// The port of Keystone, which listens for the cloud's gateway alone.
    #[arg(long = "keystone-port", default_value_t = 8435)]
    pub keystone: u16,
}

/// What is wanted of the demonstration.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Where its files are kept: certificates, secrets, databases, logs.
    #[arg(long, default_value = "target/demo")]
    folder: PathBuf,
    /// Also run a real Keystone behind the cloud's gateway.
    #[arg(long)]
    openstack: bool,
    #[command(flatten)]
    ports: Ports,
}

/// Runs until Ctrl-C.
pub(super) fn run(wanted: &Wanted) -> Result<(), String> {
    say("1/4  certificates, secrets and configuration");
    let demo = files::Demo::prepare(&wanted.folder, wanted.ports, wanted.openstack)?;
    say("2/4  ports");
    let mut ports = vec![
        (wanted.ports.home, "the home organisation", "--home-port"),
        (wanted.ports.cloud, "the cloud's gateway", "--cloud-port"),
    ];
    if wanted.openstack {
        ports.push((wanted.ports.keystone, "Keystone", "--keystone-port"));
    }
    let taken: Vec<String> = ports.into_iter().filter_map(taken).collect();
    if !taken.is_empty() {
        return Err(taken.join("\n"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(serve(wanted, &demo))
}

/// Says plainly which port is taken.
fn taken((port, whose, flag): (u16, &str, &str)) -> Option<String> {
    let error = TcpListener::bind(("127.0.0.1", port)).err()?;
    Some(format!(
        "port {port} ({whose}) is taken on 127.0.0.1 ({error}). Perhaps another demonstration runs: end it with \
         Ctrl-C. Who has the port: ss -ltnp 'sport = :{port}'. Another port: fedgate demo {flag} NUMBER"
    ))
}

async fn serve(wanted: &Wanted, demo: &files::Demo) -> Result<(), String> {
    // Before anything runs: what was started must not be left behind, whenever Ctrl-C comes.
    let mut stop = Stop::listen()?;
    let mut running = Running::default();
    say("3/4  gateways");
    let started = tokio::select! {
        outcome = start(wanted, demo, &mut running) => Some(outcome),
        () = stop.told() => None,
    };
    let outcome = match started {
        Some(Ok(())) => {
            say("4/4  ready");
            say(&words::next_steps(demo, wanted.openstack));
            running.until_ended(&mut stop).await
        }
        Some(Err(problem)) => Err(problem),
        None => Ok(()),
    };
    say("stopping; once more Ctrl-C does not wait for what is under way");
    running.end(&mut stop).await;
    outcome
}

async fn start(wanted: &Wanted, demo: &files::Demo, running: &mut Running) -> Result<(), String> {
    if wanted.openstack {
        say("     Keystone (the first start takes half a minute)");
        running.keystone(demo, demo.ports.keystone).await?;
        for line in running.set_up_keystone(demo).await? {
            say(&format!("     {line}"));
        }
        running.make_manager(demo).await?;
    }
    running.gateway(demo, "acme", demo.ports.home).await?;
    running.gateway(demo, "cloud-a", demo.ports.cloud).await
}

#[expect(
    clippy::print_stdout,
    reason = "the demonstration talks to a person at a terminal"
)]
fn say(text: &str) {
    println!("{text}");
}
