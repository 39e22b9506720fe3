//! What can go wrong, and with which exit code. The texts are in [`super::texts`].

use thiserror::Error;

use crate::wire::cloud::{HeldRole, Missing};

/// Everything that ends a command.
#[derive(Debug, Error)]
pub enum Problem {
    /// On the way to the gateway, or in its answer.
    #[error(transparent)]
    Network(#[from] Network),
    /// With the person or the session.
    #[error(transparent)]
    SignIn(#[from] SignIn),
    /// On this machine.
    #[error(transparent)]
    Local(#[from] Local),
    /// With a cloud, or a project there.
    #[error(transparent)]
    Cloud(#[from] Cloud),
}

/// On the way to the gateway, or in its answer.
#[derive(Debug, Error)]
pub enum Network {
    /// No answer, or not in time.
    #[error("no answer from {url}: {why}")]
    Unreachable { url: String, why: String },
    /// The gateway said no, in the protocol's words.
    #[error("{code}: {description}")]
    Refused {
        code: String,
        description: String,
        about: About,
        reference: Option<String>,
    },
    /// The answer is not what the protocol says.
    #[error("{url} answered with something else: {why}")]
    Garbage {
        url: String,
        why: String,
        reference: Option<String>,
    },
    /// The discovery document speaks for somebody else.
    #[error("{asked} says that it is {told}")]
    WrongIssuer { asked: String, told: String },
    /// The discovery document lacks an endpoint.
    #[error("the gateway has no {0}")]
    NoEndpoint(&'static str),
    /// Tokens would travel in the clear.
    #[error("{0} is not https")]
    NotSecure(String),
}

/// What the gateway says beyond the protocol's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its stable code (`CONDITION_FAILED`).
    pub code: Option<String>,
    /// What exactly was missing or did not fit.
    pub reasons: Vec<String>,
}

/// With the person or the session.
#[derive(Debug, Error)]
pub enum SignIn {
    /// Nobody is signed in.
    #[error("not signed in at {issuer}")]
    Missing { issuer: String },
    /// The gateway no longer takes the session.
    #[error("the session has ended")]
    Ended {
        issuer: String,
        reference: Option<String>,
    },
    /// Nobody came back in time.
    #[error("the sign-in took too long")]
    TimedOut,
    /// The answer of the browser or the ID token fails this check.
    #[error("the answer does not belong to this sign-in: {0}")]
    Mismatch(&'static str),
}

/// On this machine.
#[derive(Debug, Error)]
pub enum Local {
    /// `--issuer` is missing.
    #[error("no gateway named")]
    NoIssuer,
    /// The cache file can be read by others.
    #[error("{path} can be read by others")]
    CacheOpen { path: String, mode: u32 },
    /// The cache file is a link, or not a file.
    #[error("{0} is not a plain file")]
    CacheLink(String),
    /// A file cannot be read or written.
    #[error("{path}: {why}")]
    File { path: String, why: String },
    /// `KUBERNETES_EXEC_INFO` is not usable.
    #[error("KUBERNETES_EXEC_INFO: {0}")]
    ExecInfo(String),
    /// kubectl sends no credentials over http.
    #[error("cluster {id} is at {server}")]
    PlainServer { id: String, server: String },
    /// No such cluster for this person.
    #[error("no cluster {0}")]
    NoCluster(String),
    /// The program cannot work here.
    #[error("{0}")]
    Runtime(String),
}

/// With a cloud, or a project there.
#[derive(Debug, Error)]
pub enum Cloud {
    /// No such cloud behind this gateway, or several and none named.
    #[error("no cloud {asked}")]
    Unknown { asked: String, known: Vec<String> },
    /// The cloud has no client for the device grant.
    #[error("cloud {0} has no client for the device grant")]
    NoDevice(String),
    /// The person has nothing in this project.
    #[error("no access to project {project}")]
    NoProject {
        project: String,
        domain: Option<String>,
        missing: Vec<Missing>,
    },
    /// Several domains have such a project.
    #[error("several projects {project}")]
    Ambiguous { project: String, domains: Vec<String> },
    /// The person lacks the role that was asked for.
    #[error("project {project}: lacks role {needed}")]
    RoleDenied {
        project: String,
        held: Vec<HeldRole>,
        needed: String,
        missing: Vec<Missing>,
    },
    /// Keystone, or the gateway in front of it, did not do what it was asked for.
    #[error("Keystone answered {status}: {message}")]
    Keystone { status: u16, message: String },
    /// The program cannot be started.
    #[error("{name}: {why}")]
    Program { name: String, why: String, code: u8 },
    /// The file with a workload's token cannot be used.
    #[error("{path}: {why}")]
    TokenFile { path: String, why: String },
}

impl Cloud {
    /// The code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "CLOUD_UNKNOWN",
            Self::NoDevice(_) => "NO_DEVICE_CLIENT",
            Self::NoProject { .. } => "NO_ACCESS",
            Self::Ambiguous { .. } => "PROJECT_AMBIGUOUS",
            Self::RoleDenied { .. } => "ROLE_DENIED",
            Self::Keystone { .. } => "KEYSTONE_FAILED",
            Self::Program { .. } => "PROGRAM_FAILED",
            Self::TokenFile { .. } => "TOKEN_FILE",
        }
    }

    /// What is missing, as codes.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::NoProject { missing, .. } | Self::RoleDenied { missing, .. } => {
                missing.iter().map(|missing| missing.code.clone()).collect()
            }
            Self::Unknown { .. }
            | Self::NoDevice(_)
            | Self::Ambiguous { .. }
            | Self::Keystone { .. }
            | Self::Program { .. }
            | Self::TokenFile { .. } => Vec::new(),
        }
    }
}

impl Problem {
    /// The gateway's stable code, or ours.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Network(Network::Refused { about, .. }) => about.code.as_deref(),
            Self::Cloud(cloud) => Some(cloud.code()),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) => None,
        }
    }

    /// What exactly was missing or did not fit.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Network(Network::Refused { about, .. }) => about.reasons.clone(),
            Self::Cloud(cloud) => cloud.reasons(),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) => Vec::new(),
        }
    }

    /// 1 refused or failed, 2 wrong usage, 3 not signed in.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::SignIn(SignIn::Missing { .. } | SignIn::Ended { .. }) => 3,
            Self::Local(Local::NoIssuer) => 2,
            Self::Cloud(Cloud::Unknown { .. } | Cloud::Ambiguous { .. }) => 2,
            Self::Cloud(Cloud::Program { code, .. }) => *code,
            Self::SignIn(SignIn::TimedOut | SignIn::Mismatch(_))
            | Self::Network(_)
            | Self::Local(_)
            | Self::Cloud(_) => 1,
        }
    }

    /// The request's id in the gateway's log, if the gateway said it.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Network(Network::Refused { reference, .. } | Network::Garbage { reference, .. })
            | Self::SignIn(SignIn::Ended { reference, .. }) => reference.as_deref(),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) | Self::Cloud(_) => None,
        }
    }

    /// The code of an OAuth error, if it is one.
    pub fn oauth_code(&self) -> Option<&str> {
        match self {
            Self::Network(Network::Refused { code, .. }) => Some(code),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) | Self::Cloud(_) => None,
        }
    }
}
