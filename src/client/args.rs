//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Sign in at a fedgate gateway and use its tokens.
#[derive(Debug, Parser)]
#[command(
    name = "fedctl",
    version,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not signed in."
)]
pub struct Args {
    /// Address of the gateway, such as `https://login.example`
    #[arg(long, global = true, env = "FEDGATE_ISSUER")]
    pub issuer: Option<String>,
    /// PEM file with the gateway's CA; then no other CA is trusted
    #[arg(long, global = true, env = "FEDGATE_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Client id of this program at the gateway
    #[arg(long, global = true, env = "FEDGATE_CLIENT_ID", default_value = "fedctl")]
    pub client_id: String,
    /// Language of the texts; by default that of the terminal
    #[arg(long, global = true, value_enum)]
    pub language: Option<Language>,
    /// How answers and errors are written
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: Output,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Languages of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// English
    En,
    /// German
    De,
}

/// How answers and errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in, by browser or with a code
    Login(Login),
    /// Who the gateway takes you for
    Whoami,
    /// Print a token for one audience
    Token(Token),
    /// Kubernetes: credential plugin and kubeconfig
    #[command(subcommand)]
    Kube(KubeCommand),
    /// Sign out: end the session at the gateway and forget its tokens
    Logout,
}

/// `fedctl login`
#[derive(Debug, Default, clap::Args)]
pub struct Login {
    /// Show a code to type in a browser on any machine
    #[arg(long)]
    pub device: bool,
    /// Do not open a browser; only print the address
    #[arg(long)]
    pub no_browser: bool,
}

/// `fedctl token`
#[derive(Debug, clap::Args)]
pub struct Token {
    /// For whom the token is
    #[arg(long)]
    pub audience: String,
    /// Ask for less than everything: scopes, space separated
    #[arg(long)]
    pub scope: Option<String>,
    /// No line end after the token
    #[arg(long)]
    pub raw: bool,
}

/// `fedctl kube …`
#[derive(Debug, Subcommand)]
pub enum KubeCommand {
    /// Credential plugin; kubectl runs it
    Credential(Credential),
    /// Print a kubeconfig for your clusters; it holds no secret
    Config(Config),
}

/// `fedctl kube credential`
#[derive(Debug, clap::Args)]
pub struct Credential {
    /// Audience of the cluster, where the kubeconfig does not name it
    #[arg(long)]
    pub audience: Option<String>,
}

/// `fedctl kube config`
#[derive(Debug, clap::Args)]
pub struct Config {
    /// Only this cluster; may be repeated
    #[arg(long, value_name = "ID")]
    pub cluster: Vec<String>,
    /// Merge into this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}
