//! The OpenID upstream: against the certified provider, and against one that lies in every way we know of.

mod certified;
mod forger;
mod hostile;
mod reach;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fedgate::{
    domain::{
        secret::{Secret, SecretRef},
        time::Timestamp,
    },
    keys::SystemEntropy,
    port::{
        clock::Clock,
        secrets::{MissingSecret, Secrets},
        upstream::{Answered, Begin, Health, LoginAsk, Upstream},
    },
    store::memory::MemoryLimits,
    upstream::{Declared, Wiring},
};
use serde_json::{Value, json};

pub const CALLBACK: &str = "https://gateway.example/login/acme/callback";
pub const SECRET: &str = "a client secret: with + and & and %41";

/// A clock that tests move.
pub struct Moving(AtomicI64);

impl Moving {
    pub fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(seconds)))
    }

    /// The wall clock's time now, for providers that look at theirs.
    pub fn at_present() -> Arc<Self> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self::at(i64::try_from(since.unwrap().as_secs()).unwrap())
    }

    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Secrets by the name of a variable.
pub struct Named(pub HashMap<&'static str, String>);

impl Secrets for Named {
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret> {
        match from {
            SecretRef::Env(name) => self.0.get(name.as_str()).cloned().map(Secret::new),
            SecretRef::File(_) => None,
        }
        .ok_or_else(|| MissingSecret("nothing of that name".into()))
    }
}

/// Opens an upstream with the client secret `secret`.
pub fn open(declared: Declared, secret: &str, clock: &Arc<Moving>) -> Arc<dyn Upstream> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let secrets = Named(HashMap::from([("SECRET", secret.to_owned())]));
    let wiring = Wiring {
        issuer: "https://gateway.example".into(),
        secrets: &secrets,
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        limits: Arc::new(MemoryLimits::new(100, clock.clone())),
    };
    fedgate::upstream::open(declared, &wiring).expect("a usable configuration")
}

/// The settings of the provider at `issuer`, with `more` on top.
pub fn declared(issuer: &str, ca: &Path, more: Value) -> Declared {
    let mut settings = json!({
        "kind": "oidc", "id": "acme", "name": "ACME", "tenant": "acme", "issuer": issuer,
        "client_id": "cloud-a", "client_secret": { "env": "SECRET" }, "ca": ca, "addresses": "loopback",
    });
    let (Value::Object(all), Value::Object(more)) = (&mut settings, more) else {
        unreachable!()
    };
    all.extend(more);
    serde_json::from_value(settings).expect("settings of an OpenID provider")
}

pub fn ask() -> LoginAsk {
    LoginAsk {
        callback: CALLBACK.into(),
        state: "the-state-of-this-browser".into(),
        ..LoginAsk::default()
    }
}

/// A parameter of the URL that the browser is sent to.
pub fn sent(begin: &Begin, name: &str) -> Option<String> {
    let url = url::Url::parse(&begin.redirect).unwrap();
    url.query_pairs()
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

pub fn answered(parameters: &[(&str, &str)]) -> Answered {
    Answered {
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// Waits until the upstream's health is as wanted.
pub async fn becomes(upstream: &dyn Upstream, wanted: impl Fn(&Health) -> bool) -> Health {
    for _ in 0..600 {
        let health = upstream.health();
        if wanted(&health) {
            return health;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still {:?} after 30 s", upstream.health());
}
