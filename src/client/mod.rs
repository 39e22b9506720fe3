//! `fedctl`: a person's way from a terminal to the gateway and on to clusters and clouds.
//!
//! It may use the room `wire` and nothing else of ours: no SQL, no policy engine, no server. It alone (with
//! `outbound`) builds HTTP clients, and it alone in this room reads the environment and the clock
//! ([`clock`]). Tokens appear on stdout where they are asked for, and nowhere else.
//!
//! Start with [`args`] (the commands), then [`session`] (what is kept between runs and how it is renewed).
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not signed in (or no longer).

pub mod args;
pub mod cache;
pub mod clock;
pub mod device;
pub mod exchange;
pub mod http;
pub mod kube;
pub mod login;
pub mod logout;
pub mod loopback;
pub mod openstack;
pub mod problem;
pub mod session;
pub mod terminal;
pub mod texts;
pub mod whoami;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command, KubeCommand, OpenstackCommand};
use problem::{Local, Problem};
use session::Context;
use terminal::Terminal;

/// Runs one command of `fedctl`; its texts are written, its exit code is returned.
pub fn run() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::of(&args);
    // Fails only if a provider is set already, which is then the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return terminal.fail(&Local::Runtime(error.to_string()).into()),
    };
    let outcome = runtime.block_on(perform(&args, &terminal));
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(problem) => terminal.fail(&problem),
    }
}

async fn perform(args: &Args, terminal: &Terminal) -> Result<ExitCode, Problem> {
    if let Command::Kube(KubeCommand::Credential(ask)) = &args.command {
        return kube::credential::run(args, ask, terminal).await;
    }
    let context = Context::of(args, terminal)?;
    match &args.command {
        Command::Login(ask) => login::run(&context, ask).await,
        Command::Whoami => whoami::run(&context).await,
        Command::Token(ask) => exchange::run(&context, ask).await,
        Command::Logout => logout::run(&context).await,
        Command::Openstack(OpenstackCommand::Config(ask)) => openstack::config::run(&context, ask).await,
        Command::Openstack(OpenstackCommand::Exec(ask)) => openstack::exec::run(&context, ask).await,
        Command::Openstack(OpenstackCommand::Token(ask)) => openstack::token::run(&context, ask).await,
        Command::Kube(KubeCommand::Config(ask)) => kube::config::run(&context, ask).await,
        Command::Kube(KubeCommand::Credential(ask)) => kube::credential::run(args, ask, terminal).await,
    }
}
