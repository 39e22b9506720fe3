//! People known to this gateway itself: argon2id hashes from the configuration. Also the break-glass way in.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use tokio::sync::Semaphore;

use crate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
        ids::{TenantId, UpstreamId},
        mapping::MappingSettings,
        secret::SecretRef,
    },
    port::{
        clock::Clock,
        limits::{Limits, Quota, Verdict},
        upstream::{Health, PasswordLogin, Upstream, Ways},
    },
};

use super::Wiring;

/// Longer passwords are refused unread: argon2 over megabytes is a gift to whoever floods us.
const LONGEST_PASSWORD: usize = 1024;
/// Wrong passwords of one user from one address.
const BY_USER: Quota = Quota {
    times: 10,
    within: Duration::from_secs(300),
};
/// Attempts of one address, whoever it tries to be.
const BY_ADDRESS: Quota = Quota {
    times: 60,
    within: Duration::from_secs(300),
};
/// One hash takes about 19 MiB and tens of milliseconds: this bounds what a flood can take of both.
const AT_ONCE: usize = 2;

/// People known to this gateway itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub id: UpstreamId,
    /// What people read.
    pub name: String,
    /// The tenant its people belong to.
    pub tenant: TenantId,
    /// The people.
    pub users: Vec<User>,
    /// How their claims (`preferred_username`, `name`, `email`, `groups`) become an identity.
    #[serde(default)]
    pub mapping: MappingSettings,
    /// Every sign-in is logged as a warning: for accounts that are used when everything else is down.
    #[serde(default)]
    pub break_glass: bool,
    /// Longest session, in seconds.
    #[serde(default = "eight_hours")]
    pub session_lifetime_s: u64,
}

fn eight_hours() -> u64 {
    8 * 3600
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What they type.
    pub username: String,
    /// Where the argon2id hash of their password is (`fedgate hash-password` makes one).
    pub password_hash: SecretRef,
    /// Stable id. Absent: the user name. Give one where names may be reused.
    #[serde(default)]
    pub subject: Option<String>,
    /// Display name.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address; taken as verified.
    #[serde(default)]
    pub email: Option<String>,
    /// Claim `groups`.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// The adapter.
pub struct Local {
    config: Config,
    issuer: String,
    hashes: BTreeMap<String, (String, usize)>,
    /// Verified when the user is unknown, so that the answer takes the same time. What comes out is not used.
    decoy: String,
    turns: Arc<Semaphore>,
    limits: Arc<dyn Limits>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Local")
            .field("id", &self.config.id)
            .finish_non_exhaustive()
    }
}

/// The argon2id hash of a password in PHC format, for the configuration.
pub fn hash_password(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

impl Local {
    pub(super) fn open(config: Config, wiring: &Wiring<'_>) -> Result<Self, String> {
        let mut hashes = BTreeMap::new();
        for (at, user) in config.users.iter().enumerate() {
            let hash = wiring
                .secrets
                .read(&user.password_hash)
                .map_err(|missing| format!("users[{at}].password_hash: {missing}"))?;
            let text = hash.reveal().to_owned();
            let parsed = PasswordHash::new(&text);
            let usable = |hash: PasswordHash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some();
            if !parsed.is_ok_and(usable) {
                return Err(format!(
                    "users[{at}].password_hash: found no argon2id hash; make one with `fedgate hash-password`"
                ));
            }
            if hashes.insert(user.username.clone(), (text, at)).is_some() {
                return Err(format!(
                    "users[{at}].username: '{}' is there twice",
                    user.username
                ));
            }
        }
        // Of the people's own cost, which need not be ours.
        let decoy = match hashes.values().next() {
            Some((hash, _)) => hash.clone(),
            None => hash_password(&wiring.entropy.token())?,
        };
        Ok(Self {
            decoy,
            issuer: wiring.issuer.clone(),
            hashes,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            limits: Arc::clone(&wiring.limits),
            clock: Arc::clone(&wiring.clock),
            config,
        })
    }

    async fn throttle(&self, key: &str, quota: Quota) -> Result<(), Fault> {
        match self.limits.hit(key, quota).await {
            Ok(Verdict::Free) => Ok(()),
            Ok(Verdict::Wait(wait)) => Err(Fault::new(
                Code::TooManyAttempts,
                format!("throttled for {} s", wait.as_secs()),
            )),
            Err(fault) => Err(Fault::new(Code::StoreDown, fault.to_string())),
        }
    }

    fn assertion(&self, user: &User) -> Result<UpstreamAssertion, Fault> {
        let now = self.clock.now();
        let mut claims = Map::new();
        claims.insert("preferred_username".into(), json!(user.username));
        claims.insert("groups".into(), json!(user.groups));
        if let Some(name) = &user.name {
            claims.insert("name".into(), json!(name));
        }
        if let Some(email) = &user.email {
            claims.insert("email".into(), json!(email));
            claims.insert("email_verified".into(), json!(true));
        }
        UpstreamAssertion::verified(Verified {
            upstream: self.config.id.clone(),
            tenant: self.config.tenant.clone(),
            issuer: self.issuer.clone(),
            subject: user.subject.clone().unwrap_or_else(|| user.username.clone()),
            claims,
            authenticated_at: now,
            acr: None,
            amr: vec!["pwd".into()],
            not_after: now.plus(Duration::from_secs(self.config.session_lifetime_s)),
            upstream_session: None,
        })
        .map_err(|fault| Fault::new(Code::ProofInvalid, fault.to_string()))
    }
}

impl Upstream for Local {
    fn id(&self) -> &UpstreamId {
        &self.config.id
    }
    fn display_name(&self) -> &str {
        &self.config.name
    }
    fn tenant(&self) -> &TenantId {
        &self.config.tenant
    }
    fn health(&self) -> Health {
        Health::Ready
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            password: Some(self),
            ..Ways::default()
        }
    }
}

#[async_trait]
impl PasswordLogin for Local {
    async fn verify(
        &self,
        username: &str,
        password: &str,
        address: &str,
    ) -> Result<UpstreamAssertion, Fault> {
        let wrong = || Fault::new(Code::BadCredentials, "unknown user or wrong password");
        if password.len() > LONGEST_PASSWORD || username.len() > 255 {
            return Err(wrong());
        }
        let by_user = format!("password:{}:{username}:{address}", self.config.id);
        self.throttle(&format!("password:{}::{address}", self.config.id), BY_ADDRESS)
            .await?;
        self.throttle(&by_user, BY_USER).await?;
        let known = self.hashes.get(username);
        let hash = known.map_or_else(|| self.decoy.clone(), |(hash, _)| hash.clone());
        let typed = zeroize::Zeroizing::new(password.to_owned());
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| Fault::new(Code::Internal, "the password workers are gone"))?;
        let right = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(typed.as_bytes(), &hash).is_ok())
        })
        .await
        .map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        let user = known
            .filter(|_| right)
            .and_then(|(_, at)| self.config.users.get(*at))
            .ok_or_else(wrong)?;
        if let Err(fault) = self.limits.clear(&by_user).await {
            tracing::warn!(%fault, "the count of wrong passwords could not be cleared");
        }
        if self.config.break_glass {
            tracing::warn!(upstream = %self.config.id, "a break-glass account was used");
        }
        self.assertion(user)
    }
}
