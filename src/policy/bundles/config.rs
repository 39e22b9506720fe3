//! `policy.bundles` and `policy.keys` of the configuration, in OPA's words.

use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::secret::SecretRef,
    policy::{Config, Problem},
    port::secrets::Secrets,
    rego::bundle::{self, Bundle, BundleFault, Key, Limits, Verification},
};

/// A source of one bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BundleConfig {
    /// The service (below `policy.services`) that has it.
    pub service: Option<String>,
    /// Where below the service; or `file:///…`, an archive or a folder on this machine. Absent: `bundles/NAME`.
    pub resource: Option<String>,
    /// Keep the last good archive below `policy.persistence_directory`, for a start without the server.
    pub persist: bool,
    /// Most bytes of the unpacked bundle.
    #[schemars(range(min = 1))]
    pub size_limit_bytes: u64,
    /// When to look.
    pub polling: PollingConfig,
    /// What its signature must be. Without it, and where `policy.keys` has keys: signed by any of them.
    pub signing: Option<SigningConfig>,
}

/// When to look for a new bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollingConfig {
    /// Least time between two looks, in seconds.
    #[schemars(range(min = 1))]
    pub min_delay_seconds: u64,
    /// Most time between two looks, also after failures.
    #[schemars(range(min = 1))]
    pub max_delay_seconds: u64,
    /// How long the server may hold the request until there is something new. Absent: no long polling.
    #[schemars(range(min = 1, max = 3600))]
    pub long_polling_timeout_seconds: Option<u64>,
}

/// What a bundle's signature must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SigningConfig {
    /// The only key that counts. Absent: the one that the signature names, of those below `policy.keys`.
    pub keyid: Option<String>,
    /// What it must be signed for. Absent: what the key says.
    pub scope: Option<String>,
    /// Files that need not be signed, as patterns.
    pub exclude_files: Vec<String>,
}

/// A key that bundles are checked by: exactly one of `key`, `key_file` and `secret`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyConfig {
    /// A public key or certificate in PEM.
    pub key: Option<String>,
    /// A file with one.
    pub key_file: Option<PathBuf>,
    /// For HS256, HS384 and HS512: where the shared secret is to be read.
    pub secret: Option<SecretRef>,
    /// RS, PS, ES or HS with 256, 384 or 512. Absent: RS256.
    pub algorithm: Option<String>,
    /// What must have been signed for, where the bundle does not say.
    pub scope: String,
}

impl Default for BundleConfig {
    fn default() -> Self {
        Self {
            service: None,
            resource: None,
            persist: false,
            size_limit_bytes: Limits::default().unpacked,
            polling: PollingConfig::default(),
            signing: None,
        }
    }
}

impl Default for PollingConfig {
    fn default() -> Self {
        Self {
            min_delay_seconds: 60,
            max_delay_seconds: 120,
            long_polling_timeout_seconds: None,
        }
    }
}

impl PollingConfig {
    pub(super) fn delays(self) -> (Duration, Duration) {
        (
            Duration::from_secs(self.min_delay_seconds),
            Duration::from_secs(self.max_delay_seconds),
        )
    }
}

impl BundleConfig {
    /// How much it may be. An archive is at most as large as what is in it.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            archive: usize::try_from(self.size_limit_bytes).unwrap_or(usize::MAX),
            unpacked: self.size_limit_bytes,
            ..Limits::default()
        }
    }

    /// A path on this machine, if that is the source.
    pub(super) fn path(&self) -> Option<Result<PathBuf, String>> {
        let resource = self.resource.as_deref()?;
        resource.starts_with("file:").then(|| {
            url::Url::parse(resource)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| format!("'{resource}' is no file URL; write file:///path"))
        })
    }
}

/// How the bundle named so is checked; none where there are no keys.
pub fn verification(
    config: &Config,
    name: &str,
    secrets: &dyn Secrets,
) -> Result<Option<Verification>, String> {
    let signing = config.bundles.get(name).and_then(|bundle| bundle.signing.clone());
    if signing.is_none() && config.keys.is_empty() {
        return Ok(None);
    }
    let keys = config
        .keys
        .iter()
        .map(|(id, key)| {
            let key = open(key, secrets).map_err(|why| format!("policy.keys.{id}: {why}"))?;
            Ok((id.clone(), key))
        })
        .collect::<Result<_, String>>()?;
    let signing = signing.unwrap_or_default();
    Ok(Some(Verification {
        keys,
        key_id: signing.keyid,
        scope: signing.scope,
        exclude_files: signing.exclude_files,
    }))
}

fn open(config: &KeyConfig, secrets: &dyn Secrets) -> Result<Key, String> {
    let text = match (&config.key, &config.key_file, &config.secret) {
        (Some(text), None, None) => text.clone(),
        (None, Some(path), None) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        (None, None, Some(secret)) => secrets
            .read(secret)
            .map_err(|fault| fault.to_string())?
            .reveal()
            .to_owned(),
        _ => return Err("give exactly one of key, key_file and secret".to_owned()),
    };
    let key = Key {
        key: text,
        algorithm: config.algorithm.clone().unwrap_or_else(|| "RS256".to_owned()),
        scope: config.scope.clone(),
    };
    if key.algorithm.starts_with("HS") != config.secret.is_some() {
        return Err(
            "a shared secret goes with HS256, HS384 and HS512, a public key with the others".to_owned(),
        );
    }
    key.check()?;
    Ok(key)
}

/// Reads an archive as a configured bundle would be read: for the command line.
pub fn read_archive(archive: &[u8], verification: Option<&Verification>) -> Result<Bundle, BundleFault> {
    bundle::read(archive, &Limits::default(), verification)
}

/// What contradicts itself in `services`, `bundles`, `keys` and `decision_logs`.
#[must_use]
pub fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    found.extend(nobody_asks(config));
    let mut say = |key: String, what: String, instead: &str| {
        found.push(Problem::setting(&key, what, instead));
    };
    let services: Vec<&str> = config.services.keys().map(String::as_str).collect();
    let known = format!("name a service below policy.services ({})", services.join(", "));
    for (name, bundle) in &config.bundles {
        let at = |key: &str| format!("bundles.{name}.{key}");
        match (bundle.path(), &bundle.service) {
            (Some(Err(why)), _) => say(
                at("resource"),
                why,
                "for example file:///etc/fedgate/bundle.tar.gz",
            ),
            (Some(Ok(_)), Some(_)) => say(at("service"), "a service for a file".into(), "leave it out"),
            (Some(Ok(_)), None) => {}
            (None, None) => say(at("service"), "no service".into(), &known),
            (None, Some(service)) if !config.services.contains_key(service) => {
                say(at("service"), format!("there is no service '{service}'"), &known);
            }
            (None, Some(_)) => {}
        }
        if !is_name(name) {
            let what = format!("'{name}' is no name of a bundle");
            say("bundles".into(), what, "use letters, digits, '.', '_' and '-'");
        }
        if bundle.polling.max_delay_seconds < bundle.polling.min_delay_seconds {
            let what = "max_delay_seconds is less than min_delay_seconds".to_owned();
            say(at("polling"), what, "let it be at least as much");
        }
        if bundle.persist && config.persistence_directory.is_none() {
            let what = "persist, and there is no policy.persistence_directory".to_owned();
            say(at("persist"), what, "name a folder that this user may write to");
        }
        let wanted = bundle.signing.as_ref().and_then(|signing| signing.keyid.as_ref());
        if let Some(id) = wanted.filter(|id| !config.keys.contains_key(*id)) {
            let what = format!("key id {id} not found");
            say(at("signing.keyid"), what, "name a key below policy.keys");
        }
    }
    found.extend(of_log(config, &known));
    found
}

/// Bundles are for the policies that are asked over REST: without a door there they would do nothing.
fn nobody_asks(config: &Config) -> Option<Problem> {
    let rest = config.rest.decisions.is_some() || config.rest.management.is_some();
    let what = "bundles, and no door where they are asked";
    let instead = "set policy.rest.decisions or policy.rest.management, or take the bundles away; the gateway's own \
                   policies come from policy.folder";
    (!config.bundles.is_empty() && !rest).then(|| Problem::setting("bundles", what, instead))
}

fn of_log(config: &Config, known: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let log = &config.decision_logs;
    let service = log.service.as_ref();
    if let Some(service) = service.filter(|name| !config.services.contains_key(*name)) {
        let what = format!("there is no service '{service}'");
        found.push(Problem::setting("decision_logs.service", what, known));
    }
    if log.reporting.max_delay_seconds < log.reporting.min_delay_seconds {
        let what = "max_delay_seconds is less than min_delay_seconds";
        let instead = "let it be at least as much";
        found.push(Problem::setting("decision_logs.reporting", what, instead));
    }
    found
}

/// The name is a file name below the persistence directory.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 128
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
