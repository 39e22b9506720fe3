//! Browser and password sign-ins, as steps that keep nothing before they have succeeded.
//!
//! What a pending sign-in must remember travels sealed in the browser's own cookie, so a flood of
//! abandoned sign-ins costs no storage, and a restart in the middle loses none.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    fault::{Code, Fault},
    ids::UpstreamId,
    time::Timestamp,
};
use crate::port::{
    clock::Clock,
    entropy::Entropy,
    signer::{Purpose, Sealer},
    tickets::{TicketKind, Tickets},
    upstream::{Answered, Finished, LoginAsk},
};

use super::{
    Caller,
    directory::Directory,
    session::{Live, SessionDesk},
};

/// A person may take this long at their organisation, MFA and lost phones included.
const PENDING_LIFETIME: Duration = Duration::from_secs(3600);
/// Where a sign-in returns to, with all parameters; more would not fit the cookie (4,096 bytes, RFC 6265 §6.1).
pub const LONGEST_RETURN: usize = 2048;

/// Sign-ins.
pub struct Logins {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Opens the session.
    pub desk: Arc<SessionDesk>,
    /// Seals what the browser keeps.
    pub sealer: Arc<dyn Sealer>,
    /// Remembers finished flows.
    pub tickets: Arc<dyn Tickets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Logins")
    }
}

/// Where a sign-in returns to on this gateway, and what it must fulfil. Sealed on its way through the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// Path and query on this gateway; begins with one `/`.
    pub path: String,
    /// The person must prove it anew: a session older than this does not do.
    pub not_before: Option<Timestamp>,
    /// `acr_values` asked for.
    pub acr_values: Option<String>,
    /// `login_hint` asked for.
    pub login_hint: Option<String>,
    /// When it was sealed.
    pub made: Timestamp,
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where the browser goes.
    pub redirect: String,
    /// `state`: names the cookie, so that several tabs do not mix.
    pub state: String,
    /// The cookie's value.
    pub sealed: String,
}

#[derive(Serialize, Deserialize)]
struct Pending {
    upstream: UpstreamId,
    callback: String,
    state: String,
    fresh: bool,
    acr_values: Option<String>,
    memory: Value,
    back: Return,
    began: Timestamp,
}

/// How a person wants to sign in.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Through which upstream.
    pub upstream: UpstreamId,
    /// Where to go afterwards.
    pub back: Return,
    /// Page language, passed on (`ui_locales`).
    pub language: Option<String>,
}

impl Logins {
    /// A plain return to a path of ours.
    #[must_use]
    pub fn return_to(&self, path: &str) -> Return {
        Return {
            path: path.to_owned(),
            not_before: None,
            acr_values: None,
            login_hint: None,
            made: self.clock.now(),
        }
    }

    /// Seals a return target for a URL. Only paths of ours: `//host` and `/\host` would leave the site.
    pub fn seal_return(&self, back: &Return) -> Result<String, Fault> {
        let own = back.path.starts_with('/')
            && !back.path.starts_with("//")
            && !back.path.starts_with("/\\")
            && back.path.len() <= LONGEST_RETURN;
        if !own {
            return Err(Fault::new(
                Code::BadRequest,
                "the return path is too long or not ours",
            ));
        }
        let text = serde_json::to_vec(back).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        Ok(self.sealer.seal(Purpose::Return, &text))
    }

    /// Opens a sealed return target; one that is not ours or too old is none.
    #[must_use]
    pub fn open_return(&self, sealed: &str) -> Option<Return> {
        let back: Return = serde_json::from_slice(&self.sealer.open(Purpose::Return, sealed)?).ok()?;
        (self.clock.now() < back.made.plus(PENDING_LIFETIME)).then_some(back)
    }

    /// Begins a browser sign-in.
    pub async fn begin(&self, plan: Plan) -> Result<Started, Fault> {
        let source = self.directory.source(&plan.upstream)?;
        let way = source.upstream.ways().browser.ok_or_else(|| {
            Fault::new(
                Code::NotFound,
                format!("upstream '{}' has no browser sign-in", plan.upstream),
            )
        })?;
        let ask = LoginAsk {
            callback: format!("{}/login/{}/callback", self.directory.issuer(), plan.upstream),
            state: self.entropy.token(),
            fresh: plan.back.not_before.is_some(),
            acr_values: plan.back.acr_values.clone(),
            login_hint: plan.back.login_hint.clone(),
            language: plan.language,
        };
        let begin = way.begin(&ask).await?;
        let pending = Pending {
            upstream: plan.upstream,
            callback: ask.callback,
            state: ask.state.clone(),
            fresh: ask.fresh,
            acr_values: ask.acr_values,
            memory: begin.memory,
            back: plan.back,
            began: self.clock.now(),
        };
        let text =
            serde_json::to_vec(&pending).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        let sealed = self.sealer.seal(Purpose::PendingLogin, &text);
        Ok(Started {
            redirect: begin.redirect,
            state: ask.state,
            sealed,
        })
    }

    /// Finishes a browser sign-in at the callback of `upstream`. `sealed` is the cookie that `state` names.
    pub async fn finish(
        &self,
        upstream: &UpstreamId,
        sealed: Option<&str>,
        answered: &Answered,
        caller: &Caller,
    ) -> Result<(Live, Return), Fault> {
        let pending = self.pending(upstream, sealed, answered)?;
        let source = self.directory.source(upstream)?;
        let way = source.upstream.ways().browser.ok_or_else(|| {
            Fault::new(
                Code::NotFound,
                format!("upstream '{upstream}' has no browser sign-in"),
            )
        })?;
        // A callback counts once: a restored tab or a replayed URL starts nothing a second time.
        if !self
            .tickets
            .put(TicketKind::Finished, &pending.state, b"1", PENDING_LIFETIME)
            .await?
        {
            return Err(Fault::new(
                Code::SignInExpired,
                "this sign-in was already finished",
            ));
        }
        let ask = LoginAsk {
            callback: pending.callback,
            state: pending.state,
            fresh: pending.fresh,
            acr_values: pending.acr_values,
            login_hint: None,
            language: None,
        };
        let finished = way.finish(&ask, &pending.memory, answered).await?;
        let live = self.desk.open(finished, caller).await?;
        Ok((live, pending.back))
    }

    fn pending(
        &self,
        upstream: &UpstreamId,
        sealed: Option<&str>,
        answered: &Answered,
    ) -> Result<Pending, Fault> {
        // No cookie: another browser started this (login CSRF), or it waited too long.
        let sealed =
            sealed.ok_or_else(|| Fault::new(Code::SignInMismatch, "no pending sign-in in this browser"))?;
        let pending: Pending = self
            .sealer
            .open(Purpose::PendingLogin, sealed)
            .and_then(|text| serde_json::from_slice(&text).ok())
            .ok_or_else(|| Fault::new(Code::SignInExpired, "the pending sign-in does not open"))?;
        if pending.upstream != *upstream {
            // The callback of A on B: mix-up (RFC 9700 §4.4).
            return Err(Fault::new(
                Code::SignInMismatch,
                "the answer came back on another upstream's callback",
            ));
        }
        let mut states = answered.parameters.iter().filter(|(name, _)| name == "state");
        let same = states.next().is_some_and(|(_, state)| *state == pending.state) && states.next().is_none();
        if !same {
            return Err(Fault::new(
                Code::SignInMismatch,
                "state differs from the pending sign-in's",
            ));
        }
        if self.clock.now() >= pending.began.plus(PENDING_LIFETIME) {
            return Err(Fault::new(
                Code::SignInExpired,
                "the sign-in took longer than an hour",
            ));
        }
        Ok(pending)
    }

    /// Signs in by a password that we take ourselves.
    pub async fn password(
        &self,
        upstream: &UpstreamId,
        (username, password): (&str, &str),
        caller: &Caller,
    ) -> Result<Live, Fault> {
        let source = self.directory.source(upstream)?;
        let way = source.upstream.ways().password.ok_or_else(|| {
            Fault::new(
                Code::NotFound,
                format!("upstream '{upstream}' takes no password here"),
            )
        })?;
        let assertion = way.verify(username, password, &caller.address_text()).await?;
        self.desk.open(Finished::once(assertion), caller).await
    }
}
