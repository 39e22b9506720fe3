//! The device grant (RFC 8628): a device asks, a person answers in a browser, the device fetches.
//!
//! The person is signed in before a code is looked up, so guesses have a name and are counted.

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
    audit::Audit,
    clock::Clock,
    entropy::Entropy,
    limits::{Limits, Quota, Verdict},
    tickets::{TicketKind, Tickets},
};

use super::{
    Caller,
    session::{Live, SessionDesk},
};

/// How long a person may take.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// Shortest time between two polls (RFC 8628 §3.2).
pub const INTERVAL: Duration = Duration::from_secs(5);
/// Consonants that are neither a digit's twin nor make words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// 20^8 codes, at most 10 guesses in ten minutes for one person.
const GUESSES: Quota = Quota {
    times: 10,
    within: LIFETIME,
};

/// What a device asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Granted scopes, space separated.
    pub scope: String,
    /// Audience of the access token.
    pub audience: String,
    /// `User-Agent` of the request: a claim, shown as one.
    pub program: Option<String>,
}

/// A device that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The client that asked.
    pub client: ClientId,
    /// What for.
    pub wish: Wish,
    /// The code as the person reads it, `BCDF-GHJK`.
    pub user_code: String,
    /// From where.
    pub address: Option<String>,
    /// When.
    pub asked: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    polled: Option<Timestamp>,
    answer: Option<Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Answer {
    Allowed { sid: String },
    Refused,
}

/// What a device gets to know.
#[derive(Debug)]
pub enum Poll {
    /// Nobody has answered: `authorization_pending`.
    Pending,
    /// Asked too early: `slow_down`.
    TooSoon,
    /// The person refused: `access_denied`.
    Refused,
    /// Unknown, used, expired or another client's: `expired_token` or `invalid_grant`.
    Unknown,
    /// Let in, once: a session of its own and what was asked for.
    Allowed(Box<Live>, Wish),
}

/// Devices.
pub struct DeviceDesk {
    /// Opens the device's own session.
    pub desk: Arc<SessionDesk>,
    /// Keeps what waits.
    pub tickets: Arc<dyn Tickets>,
    /// Counts guesses.
    pub limits: Arc<dyn Limits>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for DeviceDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DeviceDesk")
    }
}

impl DeviceDesk {
    /// A device asks. Answers its device code and what it shows.
    pub async fn ask(
        &self,
        client: &ClientSettings,
        wish: Wish,
        caller: &Caller,
    ) -> Result<(String, Device), Fault> {
        let now = self.clock.now();
        let device_code = self.entropy.token();
        let letters = self.letters();
        let device = Device {
            client: client.id.clone(),
            wish: Wish {
                program: wish
                    .program
                    .map(|text| text.chars().filter(|c| !c.is_control()).take(120).collect()),
                ..wish
            },
            user_code: shown(&letters),
            address: caller.address.map(|address| address.to_string()),
            asked: now,
            ends: now.plus(LIFETIME),
            polled: None,
            answer: None,
        };
        // The device first: a user code never points to nothing.
        self.tickets
            .put(TicketKind::Device, &device_code, &packed(&device)?, LIFETIME)
            .await?;
        if !self
            .tickets
            .put(TicketKind::UserCode, &letters, device_code.as_bytes(), LIFETIME)
            .await?
        {
            return Err(Fault::new(Code::Internal, "a user code came twice"));
        }
        Ok((device_code, device))
    }

    /// What waits under a code that a signed-in person typed.
    pub async fn look(&self, typed: &str, live: &Live) -> Result<Device, Fault> {
        let key = format!("usercode:{}", live.identity.key());
        if let Verdict::Wait(_) = self.limits.hit(&key, GUESSES).await? {
            return Err(Fault::new(Code::TooManyAttempts, "too many user codes"));
        }
        let device_code = self
            .tickets
            .peek(TicketKind::UserCode, &plain(typed))
            .await?
            .ok_or_else(unknown)?;
        let (_, device) = self.waiting(&device_code).await?.ok_or_else(unknown)?;
        self.limits.clear(&key).await?;
        Ok(device)
    }

    /// The person's answer. A code is answered once.
    pub async fn answer(
        &self,
        typed: &str,
        allowed: bool,
        live: &Live,
        caller: &Caller,
    ) -> Result<Device, Fault> {
        let key = format!("usercode:{}", live.identity.key());
        if let Verdict::Wait(_) = self.limits.hit(&key, GUESSES).await? {
            return Err(Fault::new(Code::TooManyAttempts, "too many user codes"));
        }
        let device_code = self
            .tickets
            .take(TicketKind::UserCode, &plain(typed))
            .await?
            .ok_or_else(unknown)?;
        let answer = if allowed {
            let branch = self.desk.branch(live).await?;
            Answer::Allowed { sid: branch.sid }
        } else {
            Answer::Refused
        };
        // The device polls meanwhile, which also changes its ticket: try again a few times.
        for _ in 0..8 {
            let (old, device) = self.waiting(&device_code).await?.ok_or_else(unknown)?;
            let answered = Device {
                answer: Some(answer.clone()),
                ..device
            };
            let name = String::from_utf8_lossy(&device_code);
            if self
                .tickets
                .swap(TicketKind::Device, &name, &old, &packed(&answered)?)
                .await?
            {
                let what = What::DeviceAnswered {
                    client: answered.client.clone(),
                    allowed,
                };
                self.audit
                    .record(caller.event(self.clock.now(), Some(&live.identity), what))
                    .await?;
                return Ok(answered);
            }
        }
        Err(Fault::new(
            Code::StoreDown,
            "the device's ticket changed all the time",
        ))
    }

    /// A device asks whether the person has answered.
    pub async fn poll(&self, client: &ClientId, device_code: &str) -> Result<Poll, Fault> {
        let Some((old, device)) = self.waiting(device_code.as_bytes()).await? else {
            return Ok(Poll::Unknown);
        };
        // Another client's code looks like none, and stays usable for its owner.
        if device.client != *client {
            return Ok(Poll::Unknown);
        }
        let Some(answer) = device.answer.clone() else {
            return self.waiting_poll(device_code, &old, device).await;
        };
        // Of parallel polls exactly one gets it.
        if self
            .tickets
            .take(TicketKind::Device, device_code)
            .await?
            .is_none()
        {
            return Ok(Poll::Unknown);
        }
        match answer {
            Answer::Refused => Ok(Poll::Refused),
            Answer::Allowed { sid } => {
                let live = self.desk.by_sid(&sid).await?;
                Ok(Poll::Allowed(Box::new(live), device.wish))
            }
        }
    }

    async fn waiting_poll(&self, device_code: &str, old: &[u8], device: Device) -> Result<Poll, Fault> {
        let now = self.clock.now();
        // Whole seconds: a device that keeps the interval may seem one second early.
        let early = device
            .polled
            .is_some_and(|last| last.until(now) + Duration::from_secs(1) < INTERVAL);
        let polled = Device {
            polled: Some(now),
            ..device
        };
        self.tickets
            .swap(TicketKind::Device, device_code, old, &packed(&polled)?)
            .await?;
        Ok(if early { Poll::TooSoon } else { Poll::Pending })
    }

    async fn waiting(&self, device_code: &[u8]) -> Result<Option<(Vec<u8>, Device)>, Fault> {
        let name = String::from_utf8_lossy(device_code);
        let Some(old) = self.tickets.peek(TicketKind::Device, &name).await? else {
            return Ok(None);
        };
        let device: Device =
            serde_json::from_slice(&old).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        Ok((self.clock.now() < device.ends).then_some((old, device)))
    }

    fn letters(&self) -> String {
        let mut letters = String::with_capacity(8);
        let mut bytes = [0; 32];
        while letters.len() < 8 {
            self.entropy.fill(&mut bytes);
            // 240 = 12 · 20: above it the first letters would be likelier.
            let fair = bytes.iter().filter(|byte| **byte < 240);
            letters.extend(
                fair.filter_map(|byte| LETTERS.get(usize::from(byte % 20)))
                    .map(|letter| char::from(*letter))
                    .take(8 - letters.len()),
            );
        }
        letters
    }
}

fn unknown() -> Fault {
    Fault::new(Code::DeviceCodeUnknown, "no device waits under that code")
}

fn packed(device: &Device) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(device).map_err(|error| Fault::new(Code::Internal, error.to_string()))
}

/// Letters only, in capitals: hyphens, blanks and case do not matter (RFC 8628 §6.1).
fn plain(typed: &str) -> String {
    typed
        .chars()
        .filter(char::is_ascii_alphabetic)
        .take(16)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn shown(letters: &str) -> String {
    match letters.split_at_checked(4) {
        Some((first, second)) => format!("{first}-{second}"),
        None => letters.to_owned(),
    }
}
