//! RP-Initiated Logout: ends the session, and says where the browser goes.

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
    directory::Directory,
    session::{Live, SessionDesk},
};

/// Signs out.
#[derive(Clone)]
pub struct Logouts {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
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
    /// To our page.
    Here,
}

#[derive(Serialize, Deserialize)]
struct Back {
    logout_to: Option<String>,
    upstream: String,
    made: Timestamp,
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
        self.sealer
            .open(Purpose::Form, proof)
            .and_then(|text| String::from_utf8(text).ok())
            .and_then(|text| {
                text.strip_prefix(&format!("end\n{}\n", live.sid))?
                    .parse::<i64>()
                    .ok()
            })
            .is_some_and(|made| self.clock.now().0.saturating_sub(made) < 3600)
    }

    /// Ends a session with its families. `None` where it had ended before.
    pub async fn end(
        &self,
        live: Option<&Live>,
        to: Option<String>,
        caller: &Caller,
    ) -> Result<Onward, Fault> {
        let upstream = match live {
            Some(live) => {
                self.desk.end(live, "relying party", caller).await?;
                self.upstream(live, to.as_deref())?
            }
            None => None,
        };
        Ok(match (upstream, to) {
            (Some((url, name)), _) => Onward::Upstream(url, name),
            (None, Some(to)) => Onward::Party(to),
            (None, None) => Onward::Here,
        })
    }

    /// The address that ends the upstream's own session and comes back to `/logout/done`, and the upstream's
    /// name for people; none where it has no such address.
    pub fn upstream(&self, live: &Live, to: Option<&str>) -> Result<Option<(String, String)>, Fault> {
        let Some(id) = live.identity.upstream() else {
            return Ok(None);
        };
        let source = self.directory.source(id)?;
        let Some(logout) = source.upstream.ways().logout else {
            return Ok(None);
        };
        let name = source.upstream.display_name().to_owned();
        let hint = live
            .session
            .upstream_hint
            .as_deref()
            .and_then(|sealed| self.sealer.open(Purpose::UpstreamHint, sealed))
            .and_then(|hint| String::from_utf8(hint).ok());
        let back = Back {
            logout_to: to.map(str::to_owned),
            upstream: name.clone(),
            made: self.clock.now(),
        };
        let text =
            serde_json::to_vec(&back).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        let state = self.sealer.seal(Purpose::Notice, &text);
        let back_to = format!("{}/logout/done", self.directory.issuer());
        Ok(logout
            .begin(hint.as_deref(), &back_to, &state)
            .map(|url| (url, name)))
    }

    /// Coming back from the upstream's logout: where to go, and which upstream it was. A state that is not
    /// ours, or older than an hour, leads nowhere.
    #[must_use]
    pub fn done(&self, state: &str) -> Option<(Option<String>, String)> {
        let back: Back = serde_json::from_slice(&self.sealer.open(Purpose::Notice, state)?).ok()?;
        let fresh = self.clock.now().0.saturating_sub(back.made.0) < 3600;
        fresh.then_some((back.logout_to, back.upstream))
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
