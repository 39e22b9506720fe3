//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Sign in at a fedgate gateway and use its tokens.
#[derive(Debug, Parser)]
#[command(
    name = "fedctl",
    version,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not signed in.\n\
                  `openstack exec` ends as its program does (128 and the signal's number after a signal; 126, 127 if it cannot be started)."
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
    /// OpenStack: clouds.yaml, programs with a token, tokens
    #[command(subcommand)]
    Openstack(OpenstackCommand),
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
    /// Exchange this token of a CI job or pod, instead of a person's session
    #[arg(long, value_name = "FILE", env = "FEDGATE_SUBJECT_TOKEN_FILE")]
    pub subject_token_file: Option<PathBuf>,
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

/// `fedctl openstack …`
#[derive(Debug, Subcommand)]
pub enum OpenstackCommand {
    /// Print a clouds.yaml for the stock clients; it holds no secret
    Config(CloudsYaml),
    /// Run a program with a short-lived token of one project in its environment
    Exec(Exec),
    /// Print a token of one project
    Token(ProjectToken),
}

/// `fedctl openstack config`
#[derive(Debug, clap::Args)]
pub struct CloudsYaml {
    /// Only this cloud; may be repeated
    #[arg(long, value_name = "ID")]
    pub cloud: Vec<String>,
    /// Name of the project to work in; without it one entry for each of your projects (asks for your session)
    #[arg(long)]
    pub project: Option<String>,
    /// Domain of the project
    #[arg(long, requires = "project")]
    pub domain: Option<String>,
    /// Merge into this file instead of printing
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// Which project, and who asks.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Name of the project
    #[arg(long, env = "FEDCTL_PROJECT")]
    pub project: String,
    /// Domain of the project; not needed where only one of yours has such a project
    #[arg(long, env = "FEDCTL_PROJECT_DOMAIN")]
    pub domain: Option<String>,
    /// Which cloud, where there are several
    #[arg(long, value_name = "ID")]
    pub cloud: Option<String>,
    /// Do not go on without this role in the project
    #[arg(long)]
    pub role: Option<String>,
    /// Exchange this token of a CI job or pod, instead of a person's session; read again for each renewal
    #[arg(long, value_name = "FILE", env = "FEDGATE_SUBJECT_TOKEN_FILE")]
    pub subject_token_file: Option<PathBuf>,
}

/// `fedctl openstack exec`
#[derive(Debug, clap::Args)]
pub struct Exec {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// Set OS_CLOUD instead of OS_TOKEN: for programs that read clouds.yaml again, which is renewed
    #[arg(long)]
    pub clouds_yaml: bool,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<std::ffi::OsString>,
}

/// `fedctl openstack token`
#[derive(Debug, clap::Args)]
pub struct ProjectToken {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// No line end after the token
    #[arg(long)]
    pub raw: bool,
}
