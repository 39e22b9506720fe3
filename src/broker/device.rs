//! Device authorization (RFC 8628): a device without a browser asks, a person with one answers.
//!
//! A link alone approves nothing: the person sees client, scopes and origin, and answers. Guesses of user
//! codes are throttled by address. The device's secret is never stored: its ticket has another name.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::domain::{
    audit::What,
    client::ClientSettings,
    fault::{Code, Fault},
    ids::ClientId,
    time::Timestamp,
};
use crate::port::{
    limits::{Limits, Quota, Verdict},
    signer::Purpose,
    tickets::TicketKind,
};

use super::{Caller, hashed, session::Live, token::TokenDesk};

/// Life of both codes.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// Least seconds between two polls.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// User codes have 20 letters to choose from: no vowels, so no words.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a user code: 20^8, about 34 bits; with the quota nobody guesses one in its life.
const LENGTH: usize = 8;
/// Guesses of user codes by one address.
const GUESSES: Quota = Quota {
    times: 20,
    within: Duration::from_secs(600),
};
/// Attempts to swap a ticket that a poll changes at the same time.
const SWAPS: usize = 4;

/// The side of the person, and the start.
#[derive(Clone)]
pub struct DeviceDesk {
    /// Grants.
    pub tokens: Arc<TokenDesk>,
    /// Against guessing.
    pub limits: Arc<dyn Limits>,
}

impl std::fmt::Debug for DeviceDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DeviceDesk")
    }
}

/// What the device is told.
#[derive(Clone)]
pub struct Begun {
    /// The device's secret.
    pub device_code: String,
    /// What the person types, with its dash.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the user code in it.
    pub verification_uri_complete: String,
    /// Life of both codes in seconds.
    pub expires_in: u64,
    /// Least seconds between two polls.
    pub interval: u64,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Begun")
    }
}

/// What the person must see before they answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// As the device shows it.
    pub user_code: String,
    /// The client's id.
    pub client: ClientId,
    /// The client's name.
    pub client_name: String,
    /// Scopes asked for.
    pub scope: Vec<String>,
    /// The audience of the access token.
    pub audience: String,
    /// From where the device asked.
    pub address: Option<String>,
    /// When it asked.
    pub started: Timestamp,
}

/// A device's request, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) client: ClientId,
    pub(super) scope: String,
    pub(super) audience: String,
    pub(super) challenge: Option<String>,
    pub(super) user_code: String,
    pub(super) address: Option<String>,
    pub(super) started: Timestamp,
    pub(super) polled: Option<Timestamp>,
    pub(super) answer: Answer,
}

/// What the person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Nothing yet.
    Pending,
    /// No; or policy did.
    Denied,
    /// Yes: the session made for the device.
    Allowed(String),
}

/// The ticket's name for a device code.
pub(super) fn ticket(device_code: &str) -> String {
    hashed(device_code)
}

/// A user code as compared: without case, dash and blanks; none if it cannot be one.
fn canonical(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let code: String = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    (code.len() == LENGTH && code.bytes().all(|b| LETTERS.contains(&b))).then_some(code)
}

/// `BCDF-GHJK`
fn shown(code: &str) -> String {
    let (left, right) = code.split_at_checked(LENGTH / 2).unwrap_or((code, ""));
    format!("{left}-{right}")
}

fn unknown() -> Fault {
    Fault::new(Code::DeviceCodeUnknown, "no device waits for this user code")
}

fn encode(kept: &Kept) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(kept).map_err(|error| Fault::new(Code::Internal, error.to_string()))
}

fn decode(text: &[u8]) -> Result<Kept, Fault> {
    serde_json::from_slice(text).map_err(|error| Fault::new(Code::Internal, error.to_string()))
}

impl DeviceDesk {
    /// Starts for a client that may use the grant; scope and audience have been checked.
    pub async fn start(
        &self,
        client: &ClientSettings,
        (scope, audience): (String, String),
        challenge: Option<String>,
        caller: &Caller,
    ) -> Result<Begun, Fault> {
        let desk = &self.tokens;
        let now = desk.clock.now();
        let body = format!("{}.{}", desk.entropy.token(), now.plus(LIFETIME).0);
        let tag = desk.sealer.tag(Purpose::Device, &body);
        let device_code = format!("{body}.{tag}");
        let name = ticket(&device_code);
        let user_code = self.user_code(&name).await?;
        let kept = Kept {
            client: client.id.clone(),
            scope,
            audience,
            challenge,
            user_code: user_code.clone(),
            address: caller.address.map(|address| address.to_string()),
            started: now,
            polled: None,
            answer: Answer::Pending,
        };
        desk.tickets
            .put(TicketKind::Device, &name, &encode(&kept)?, LIFETIME)
            .await?;
        let user_code = shown(&user_code);
        let verification_uri = format!("{}/device", desk.directory.issuer());
        Ok(Begun {
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            device_code,
            user_code,
            verification_uri,
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL.as_secs(),
        })
    }

    /// A user code that nobody has now, leading to the device's ticket.
    async fn user_code(&self, ticket: &str) -> Result<String, Fault> {
        for _ in 0..8 {
            let code = self.letters();
            let free = self
                .tokens
                .tickets
                .put(TicketKind::UserCode, &code, ticket.as_bytes(), LIFETIME)
                .await?;
            if free {
                return Ok(code);
            }
        }
        Err(Fault::new(Code::StoreDown, "no user code is free"))
    }

    fn letters(&self) -> String {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut bytes = [0; 16];
            self.tokens.entropy.fill(&mut bytes);
            // 240 is a multiple of 20: bytes beyond it would favour some letters.
            let letters = bytes
                .iter()
                .filter(|byte| **byte < 240)
                .filter_map(|byte| LETTERS.get(usize::from(byte % 20)).copied())
                .map(char::from);
            code.extend(letters.take(LENGTH - code.len()));
        }
        code
    }

    /// Who waits behind a user code. Counts as a guess.
    pub async fn look(&self, user_code: &str, caller: &Caller) -> Result<Waiting, Fault> {
        let (_, kept) = self.find(user_code, caller).await?;
        let client = self.tokens.directory.client(&kept.client).ok_or_else(unknown)?;
        if kept.answer != Answer::Pending {
            return Err(unknown());
        }
        Ok(Waiting {
            user_code: shown(&kept.user_code),
            client: client.id.clone(),
            client_name: client.name.clone(),
            scope: kept.scope.split(' ').map(str::to_owned).collect(),
            audience: kept.audience,
            address: kept.address,
            started: kept.started,
        })
    }

    async fn find(&self, user_code: &str, caller: &Caller) -> Result<(String, Kept), Fault> {
        let key = format!("device:{}", caller.address_text());
        match self.limits.hit(&key, GUESSES).await? {
            Verdict::Free => {}
            Verdict::Wait(span) => {
                return Err(Fault::new(
                    Code::TooManyAttempts,
                    format!("user codes: wait {} s", span.as_secs()),
                ));
            }
        }
        let code = canonical(user_code).ok_or_else(unknown)?;
        let tickets = &self.tokens.tickets;
        let name = tickets
            .peek(TicketKind::UserCode, &code)
            .await?
            .ok_or_else(unknown)?;
        let name = String::from_utf8(name).map_err(|_| unknown())?;
        let text = tickets
            .peek(TicketKind::Device, &name)
            .await?
            .ok_or_else(unknown)?;
        Ok((name, decode(&text)?))
    }

    /// The person's answer; returns the client's name. A yes is weighed by policy, whose refusal is the device's too.
    pub async fn answer(
        &self,
        user_code: &str,
        live: &Live,
        allow: bool,
        caller: &Caller,
    ) -> Result<String, Fault> {
        let (name, kept) = self.find(user_code, caller).await?;
        let desk = &self.tokens;
        let client = desk.directory.client(&kept.client).ok_or_else(unknown)?;
        let (answer, refused) = if allow {
            match self.admit(&kept, client, live, caller).await {
                Ok(sid) => (Answer::Allowed(sid), None),
                Err(fault) if fault.code == Code::NoAccess => (Answer::Denied, Some(fault)),
                Err(fault) => return Err(fault),
            }
        } else {
            (Answer::Denied, None)
        };
        self.settle(&name, answer.clone()).await?;
        // A user code counts once, whatever the answer.
        desk.tickets.take(TicketKind::UserCode, &kept.user_code).await?;
        let what = What::DeviceAnswered {
            client: client.id.clone(),
            allowed: matches!(answer, Answer::Allowed(_)),
        };
        desk.audit
            .record(caller.event(desk.clock.now(), Some(&live.identity), what))
            .await?;
        refused.map_or_else(|| Ok(client.name.clone()), Err)
    }

    /// The session of its own that the device gets.
    async fn admit(
        &self,
        kept: &Kept,
        client: &ClientSettings,
        live: &Live,
        caller: &Caller,
    ) -> Result<String, Fault> {
        let desk = &self.tokens;
        desk.allowed(live, client, &kept.audience, caller).await?;
        Ok(desk.desk.branch(live).await?.sid)
    }

    async fn settle(&self, name: &str, answer: Answer) -> Result<(), Fault> {
        let tickets = &self.tokens.tickets;
        for _ in 0..SWAPS {
            let old = tickets
                .peek(TicketKind::Device, name)
                .await?
                .ok_or_else(unknown)?;
            let mut kept = decode(&old)?;
            if kept.answer != Answer::Pending {
                return Err(unknown());
            }
            kept.answer = answer.clone();
            if tickets
                .swap(TicketKind::Device, name, &old, &encode(&kept)?)
                .await?
            {
                return Ok(());
            }
        }
        Err(Fault::new(
            Code::StoreDown,
            "the device polls too fast to be answered",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_are_compared_without_case_and_dash() {
        assert_eq!(canonical("bcdf-ghjk").as_deref(), Some("BCDFGHJK"));
        assert_eq!(canonical(" BCDF GHJK ").as_deref(), Some("BCDFGHJK"));
        assert_eq!(canonical("BCDF-GHJA"), None);
        assert_eq!(canonical("BCDF-GHJ"), None);
        assert_eq!(canonical(&"-".repeat(65)), None);
        assert_eq!(shown("BCDFGHJK"), "BCDF-GHJK");
    }
}
