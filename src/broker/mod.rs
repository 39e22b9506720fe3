//! The one pipeline and its use-cases. Knows ports, not adapters; speaks no protocol.
//!
//! Start at [`admit`]: every door leads through it. A front end parses, makes one call here, renders.

pub mod admit;
pub mod bearer;
pub mod clients;
pub mod dashboards;
pub mod departed;
pub mod device;
pub mod directory;
pub mod endings;
pub mod login;
pub mod logout;
pub mod overview;
pub mod partners;
pub mod recheck;
mod refine;
pub mod remember;
pub mod session;
mod spelling;
pub mod token;

use std::net::IpAddr;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::domain::{
    audit::{Event, Personal, What},
    fault::{Code, Fault},
    identity::Identity,
    ids::Reference,
    time::Timestamp,
};
use crate::port::{
    policy::PolicyFault,
    records::RecordFault,
    signer::{KeyFault, Purpose, Sealer},
    target::CallerFacts,
    tickets::TicketFault,
};

/// Who asks, for the limits, the audit trail and the log.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The request's reference.
    pub reference: Reference,
    /// The caller's address, as far as it can be trusted.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// An audit event of this request.
    fn event(&self, at: Timestamp, identity: Option<&Identity>, what: What) -> Event {
        Event {
            at,
            reference: self.reference.clone(),
            address: self.address.map(|address| Personal(address.to_string())),
            subject: identity.map(|identity| Personal(identity.key().to_owned())),
            tenant: identity.map(|identity| identity.tenant().clone()),
            what,
        }
    }

    /// The address as text, for keys of limits.
    fn address_text(&self) -> String {
        self.address
            .map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }
}

/// SHA-256 in hex: the name of what must not be stored itself.
fn hashed(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sealed text; none if it is not ours, or was sealed for something else.
fn opened(sealer: &dyn Sealer, purpose: Purpose, sealed: &str) -> Option<String> {
    String::from_utf8(sealer.open(purpose, sealed)?).ok()
}

/// What a JWT claims of itself before anybody has checked it: only good for choosing who checks it, by which keys.
fn unchecked(jwt: &str) -> Option<Map<String, Value>> {
    let mut parts = jwt.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

impl From<&CallerFacts> for Caller {
    fn from(facts: &CallerFacts) -> Self {
        Self {
            reference: facts.reference.clone(),
            address: facts.address.as_deref().and_then(|address| address.parse().ok()),
        }
    }
}

impl From<RecordFault> for Fault {
    fn from(fault: RecordFault) -> Self {
        Self::new(Code::StoreDown, fault.to_string())
    }
}
impl From<TicketFault> for Fault {
    fn from(fault: TicketFault) -> Self {
        Self::new(Code::StoreDown, fault.to_string())
    }
}
impl From<PolicyFault> for Fault {
    fn from(fault: PolicyFault) -> Self {
        Self::new(Code::PolicyFailed, fault.to_string())
    }
}
impl From<KeyFault> for Fault {
    fn from(fault: KeyFault) -> Self {
        match fault {
            KeyFault::Invalid(_) => Self::new(Code::TokenInvalid, fault.to_string()),
            KeyFault::NoKey(_) | KeyFault::Broken(_) => Self::new(Code::Internal, fault.to_string()),
        }
    }
}
