//! Signing out: ends the session with what it handed out, and says where the browser goes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{
    client::ClientSettings,
    fault::{Code, Fault},
    ids::ClientId,
    time::Timestamp,
};
use crate::port::{
    clock::Clock,
    signer::{Purpose, Sealer, Signer},
};

use super::{
    Caller,
    dashboards::{Dashboards, Left},
    directory::Directory,
    opened,
    session::{Live, SessionDesk},
};

/// Signs out.
#[derive(Clone)]
pub struct Logouts {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// What sessions have handed to dashboards.
    pub dashboards: Arc<Dashboards>,
    /// Where dashboards may be returned to (`/logout?next=`), compared as exact strings.
    pub returns: Arc<[String]>,
    /// Our keys.
    pub signer: Arc<dyn Signer>,
    /// Seals what comes back from the upstream.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Logouts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Logouts")
    }
}

/// What a relying party sends (RP-Initiated Logout §2).
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// An ID token of ours, expired or not.
    pub id_token_hint: Option<String>,
    /// The client, where the hint does not say it.
    pub client_id: Option<String>,
    /// Where to go afterwards: one of the client's, as an exact string.
    pub post_logout_redirect_uri: Option<String>,
    /// Comes back unchanged.
    pub state: Option<String>,
}

/// A wish whose parts have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The `sid` of the hint.
    pub sid: Option<String>,
    /// Where to go afterwards, with `state`.
    pub to: Option<String>,
}

/// Where the browser goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onward {
    /// To the upstream's logout; its name for people. It comes back to `/logout/done`.
    Upstream(String, String),
    /// To the relying party.
    Party(String),
    /// To our page, which says what was closed.
    Here(Ended),
}

/// What a sign-out has closed so far. Sealed on its way through the upstream's logout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Where to go at once afterwards: a relying party's registered address.
    to: Option<String>,
    /// Where the page leads on to: a dashboard's registered address.
    pub next: Option<String>,
    /// The upstream whose own session was closed.
    pub upstream: Option<String>,
    /// The upstream whose own session stays open, as it cannot be closed from here.
    pub upstream_open: Option<String>,
    /// Tokens at dashboards.
    pub left: Left,
    made: Timestamp,
}

impl Ended {
    /// Where to go at once.
    #[must_use]
    pub fn to(&self) -> Option<&str> {
        self.to.as_deref()
    }
}

impl Logouts {
    /// Checks a wish. Nothing is redirected that is not the client's own address.
    pub fn check(&self, wish: &Wish) -> Result<Checked, Fault> {
        let hint = wish
            .id_token_hint
            .as_deref()
            .map(|hint| self.signer.verify_hint(hint))
            .transpose()?;
        let text = |name: &str| {
            let claim = hint.as_ref()?.get(name)?;
            claim.as_str().map(str::to_owned)
        };
        let client = match (text("aud"), &wish.client_id) {
            (Some(audience), Some(id)) if audience != *id => {
                return Err(Fault::new(
                    Code::BadRequest,
                    "client_id is not the id_token_hint's audience",
                ));
            }
            (Some(id), _) => Some(self.client(&id)?),
            (None, Some(id)) => Some(self.client(id)?),
            (None, None) => None,
        };
        let to = match (&wish.post_logout_redirect_uri, client) {
            (None, _) => None,
            (Some(uri), Some(client)) if client.post_logout_redirect_uris.contains(uri) => {
                Some(with_state(uri, wish.state.as_deref()))
            }
            (Some(_), _) => {
                return Err(Fault::new(
                    Code::BadClient,
                    "post_logout_redirect_uri is not registered for the client",
                ));
            }
        };
        Ok(Checked { sid: text("sid"), to })
    }

    fn client(&self, id: &str) -> Result<&ClientSettings, Fault> {
        ClientId::parse(id)
            .ok()
            .and_then(|id| self.directory.client(&id))
            .ok_or_else(|| Fault::new(Code::BadClient, "no such client"))
    }

    /// The session that a hint names; none if it has ended.
    pub async fn hinted(&self, checked: &Checked) -> Result<Option<Live>, Fault> {
        let Some(sid) = &checked.sid else {
            return Ok(None);
        };
        match self.desk.by_sid(sid).await {
            Ok(live) => Ok(Some(live)),
            Err(fault) if fault.code == Code::SessionEnded => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A form's proof that it was made for this session.
    #[must_use]
    pub fn proof(&self, live: &Live) -> String {
        let text = format!("end\n{}\n{}", live.sid, self.clock.now().0);
        self.sealer.seal(Purpose::Form, text.as_bytes())
    }

    /// Whether a form was made for this session within the last hour.
    #[must_use]
    pub fn proved(&self, live: &Live, proof: &str) -> bool {
        opened(&*self.sealer, Purpose::Form, proof)
            .and_then(|text| {
                text.strip_prefix(&format!("end\n{}\n", live.sid))?
                    .parse::<i64>()
                    .ok()
            })
            .is_some_and(|made| self.clock.now().0.saturating_sub(made) < 3600)
    }

    /// Ends a session with its families and with what it handed to dashboards.
    pub async fn end(
        &self,
        live: Option<&Live>,
        to: Option<String>,
        caller: &Caller,
    ) -> Result<Onward, Fault> {
        let Some(live) = live else {
            return Ok(to.map_or_else(|| Onward::Here(self.nothing(None)), Onward::Party));
        };
        let ended = self.close(live, "relying party", caller).await?;
        self.onward(live, Ended { to, ..ended })
    }

    /// The same, asked for by the person here, or coming from a dashboard.
    pub async fn leave(&self, live: &Live, next: Option<String>, caller: &Caller) -> Result<Onward, Fault> {
        let ended = self.close(live, "person", caller).await?;
        self.onward(live, Ended { next, ..ended })
    }

    /// `next`, if a dashboard is registered with it.
    pub fn returns(&self, next: &str) -> Result<String, Fault> {
        self.returns
            .iter()
            .find(|own| *own == next)
            .cloned()
            .ok_or_else(|| {
                Fault::new(
                    Code::BadClient,
                    "'next' is no registered return address of a dashboard",
                )
            })
    }

    /// Nothing was closed, as nobody was signed in.
    #[must_use]
    pub fn nothing(&self, next: Option<String>) -> Ended {
        Ended {
            to: None,
            next,
            upstream: None,
            upstream_open: None,
            left: Left::default(),
            made: self.clock.now(),
        }
    }

    /// Ends a session with everything that hangs on it.
    pub(super) async fn close(&self, live: &Live, by: &str, caller: &Caller) -> Result<Ended, Fault> {
        // The session first: it must not hand out another token while its tokens are revoked.
        self.desk.end(live, by, caller).await?;
        Ok(Ended {
            left: self.dashboards.leave(live, caller).await,
            ..self.nothing(None)
        })
    }

    fn onward(&self, live: &Live, mut ended: Ended) -> Result<Onward, Fault> {
        if let Some((url, name)) = self.upstream(live, &mut ended)? {
            return Ok(Onward::Upstream(url, name));
        }
        Ok(match ended.to.clone() {
            Some(to) => Onward::Party(to),
            None => Onward::Here(ended),
        })
    }

    /// The upstream's logout, which comes back to `/logout/done`; its name for people.
    fn upstream(&self, live: &Live, ended: &mut Ended) -> Result<Option<(String, String)>, Fault> {
        let Some(id) = live.identity.upstream() else {
            return Ok(None);
        };
        let source = self.directory.source(id)?;
        let ways = source.upstream.ways();
        let name = source.upstream.display_name().to_owned();
        let hint = live
            .session
            .upstream_hint
            .as_deref()
            .and_then(|sealed| opened(&*self.sealer, Purpose::UpstreamHint, sealed));
        ended.upstream = Some(name.clone());
        let text =
            serde_json::to_vec(&ended).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        let state = self.sealer.seal(Purpose::Notice, &text);
        let back_to = format!("{}/logout/done", self.directory.issuer());
        let url = ways
            .logout
            .and_then(|logout| logout.begin(hint.as_deref(), &back_to, &state));
        if url.is_none() {
            ended.upstream = None;
            ended.upstream_open = ways.browser.is_some().then(|| name.clone());
        }
        Ok(url.map(|url| (url, name)))
    }

    /// Coming back from the upstream's logout. A state that is not ours, or older than an hour, is nothing.
    #[must_use]
    pub fn done(&self, state: &str) -> Option<Ended> {
        let ended: Ended = serde_json::from_slice(&self.sealer.open(Purpose::Notice, state)?).ok()?;
        let fresh = self.clock.now().0.saturating_sub(ended.made.0) < 3600;
        fresh.then_some(ended)
    }
}

/// A registered URI with `state`; the URI may have a query of its own.
fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else {
        return uri.to_owned();
    };
    let pair: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", state)
        .finish();
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{pair}")
}
