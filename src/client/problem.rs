//! What can go wrong, and with which exit code. The texts are in [`super::texts`].

use thiserror::Error;

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

impl Problem {
    /// 1 refused or failed, 2 wrong usage, 3 not signed in.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::SignIn(SignIn::Missing { .. } | SignIn::Ended { .. }) => 3,
            Self::Local(Local::NoIssuer) => 2,
            Self::SignIn(SignIn::TimedOut | SignIn::Mismatch(_)) | Self::Network(_) | Self::Local(_) => 1,
        }
    }

    /// The request's id in the gateway's log, if the gateway said it.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Network(Network::Refused { reference, .. } | Network::Garbage { reference, .. })
            | Self::SignIn(SignIn::Ended { reference, .. }) => reference.as_deref(),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) => None,
        }
    }

    /// The code of an OAuth error, if it is one.
    pub fn oauth_code(&self) -> Option<&str> {
        match self {
            Self::Network(Network::Refused { code, .. }) => Some(code),
            Self::Network(_) | Self::SignIn(_) | Self::Local(_) => None,
        }
    }
}
