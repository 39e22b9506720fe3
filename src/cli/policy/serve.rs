//! `fedgate policy serve`: a drop-in for `opa run --server`.

use std::{net::SocketAddr, path::PathBuf};

use clap::ValueEnum;

use crate::{
    app::opa::{Alone, Signatures, Sources},
    config::secret::SecretSources,
    rego::{
        Version,
        bundle::{Key, Verification},
    },
    telemetry,
};

use super::super::{Failed, runtime, say};

/// The command line, with OPA's names where OPA has the flag.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// Address and port of OPA's whole interface. Port 0 takes a free one, and says which.
    #[arg(long, short, default_value = "127.0.0.1:8181")]
    addr: SocketAddr,
    /// Address and port for decisions alone: each answer is 200, and a failure is a denial.
    #[arg(long)]
    decisions_addr: Option<SocketAddr>,
    /// A bundle: a .tar.gz, or a folder with a bundle's content.
    #[arg(long, short)]
    bundle: Vec<PathBuf>,
    /// What bundles are signed with: the path of a public key or certificate (PEM), or such a text, or the secret of
    /// an HS algorithm. With it every bundle must be signed.
    #[arg(long, requires = "bundle")]
    verification_key: Option<String>,
    /// The name of that key.
    #[arg(long, default_value = "default")]
    verification_key_id: String,
    /// What bundles must be signed for.
    #[arg(long, default_value = "")]
    scope: String,
    /// The algorithm of the signature: RS, PS, ES or HS with 256, 384 or 512.
    #[arg(long, default_value = "RS256")]
    signing_alg: String,
    /// Files of bundles that need not be signed, as patterns.
    #[arg(long)]
    exclude_files_verify: Vec<String>,
    /// Take bundles as they are, signed or not.
    #[arg(long, conflicts_with = "verification_key")]
    skip_verify: bool,
    /// How callers say who they are: `token` takes the bearer token as `input.identity`.
    #[arg(long, default_value = "off")]
    authentication: Authentication,
    /// Do not ask data.system.authz.allow about each request. On loopback only.
    #[arg(long)]
    no_authorization: bool,
    /// The certificate with its chain (PEM).
    #[arg(long, requires = "tls_private_key_file")]
    tls_cert_file: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
    /// The authority of client certificates (PEM). With it, a client without a certificate gets no connection.
    #[arg(long, requires = "tls_cert_file")]
    tls_ca_cert_file: Option<PathBuf>,
    /// Policies are Rego version 0.
    #[arg(long)]
    v0_compatible: bool,
    /// Which log lines are written: error, warn, info, debug.
    #[arg(long, short = 'l', default_value = "info")]
    log_level: String,
    /// Rego, JSON and YAML files, and folders with such.
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Authentication {
    Off,
    Token,
}

impl Wanted {
    /// How bundles are checked; none without a key.
    fn verification(&self) -> Result<Option<Verification>, Failed> {
        let Some(given) = &self.verification_key else {
            return Ok(None);
        };
        let wrong = |why: String| Failed(vec![format!("--verification-key: {why}")]);
        let path = std::path::Path::new(given);
        let text = if path.exists() {
            std::fs::read_to_string(path).map_err(|error| wrong(format!("{given}: {error}")))?
        } else {
            given.clone()
        };
        let key = Key {
            key: text,
            algorithm: self.signing_alg.clone(),
            scope: self.scope.clone(),
        };
        key.check().map_err(wrong)?;
        Ok(Some(Verification {
            keys: [(self.verification_key_id.clone(), key)].into(),
            key_id: Some(self.verification_key_id.clone()),
            scope: Some(self.scope.clone()),
            exclude_files: self.exclude_files_verify.clone(),
        }))
    }
}

pub(super) fn run(wanted: Wanted) -> Result<(), Failed> {
    let verification = wanted.verification()?;
    telemetry::start_log(&telemetry::Config {
        filter: wanted.log_level,
        ..telemetry::Config::default()
    })?;
    let tls = wanted.tls_cert_file.zip(wanted.tls_private_key_file);
    let client_ca = wanted.tls_ca_cert_file;
    let alone = Alone {
        address: wanted.addr,
        decisions: wanted.decisions_addr,
        tls: tls.map(|(certificate, key)| (certificate, key, client_ca)),
        token: wanted.authentication == Authentication::Token,
        authorization: !wanted.no_authorization,
        sources: Sources {
            files: wanted.files,
            bundles: wanted.bundle,
            signatures: if wanted.skip_verify {
                Signatures::Ignored
            } else {
                verification.map_or(Signatures::None, Signatures::By)
            },
            version: if wanted.v0_compatible {
                Version::V0
            } else {
                Version::V1
            },
        },
    };
    runtime()?.block_on(alone.serve(&SecretSources::default(), |bound| {
        // Standard output may be closed; the engine serves all the same.
        let _closed = say(&format!("listening on {}", bound.address));
        if let Some(address) = bound.decisions {
            let _closed = say(&format!("decisions on {address}"));
        }
    }))?;
    Ok(())
}
