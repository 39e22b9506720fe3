//! A partner's Keystone as upstream: it signs who its users are, and their own client carries that here
//! (Keystone-to-Keystone, SAML 2.0 with the ECP envelope). The partner needs nothing but its own unpatched Keystone.
//!
//! Start at [`Keystone::accept`](EnvelopeLogin::accept): `gate` looks at the message, `upstream::xml` at its signature,
//! `claims` reads it, and last it is used up. All three look at one tree.

mod claims;
mod config;
mod gate;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{
    Wiring,
    xml::{
        Document, Flaw,
        certificate::{Certificate, Key},
        signature::{self, Algorithm},
    },
};
use crate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
        ids::{TenantId, UpstreamId},
        time::Timestamp,
    },
    port::{
        clock::Clock,
        tickets::{TicketKind, Tickets},
        upstream::{Brought, EnvelopeLogin, Health, Upstream, Ways},
    },
};

use gate::{Expected, Misfit};

pub use config::Config;

/// Messages that are looked at at once: one may have a megabyte, and whoever floods us needs no key for that.
const AT_ONCE: usize = 2;

/// The adapter.
#[derive(Clone)]
pub struct Keystone {
    partner: Arc<Partner>,
    turns: Arc<Semaphore>,
    tickets: Arc<dyn Tickets>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Keystone {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keystone")
            .field("id", &self.partner.config.id)
            .finish_non_exhaustive()
    }
}

/// What is known of the partner; and reading its messages, without a clock and without a store.
pub struct Partner {
    config: Config,
    certificates: Vec<Certificate>,
    recipient: String,
    audience: String,
}

impl std::fmt::Debug for Partner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Partner({})", self.config.id)
    }
}

/// What a message says, its signature verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who it is.
    pub facts: Verified,
    /// The assertion's ID.
    pub id: String,
    /// How it was signed.
    pub algorithm: Algorithm,
    counts_until: Timestamp,
}

impl Partner {
    /// The partner of a configuration, at the gateway of that issuer.
    pub fn open(config: Config, issuer: &str) -> Result<Self, String> {
        if let Some((key, found, expected)) = config.problems().into_iter().next() {
            return Err(format!("{key}: found {found}, expected {expected}"));
        }
        let certificates = config.read();
        Ok(Self {
            certificates: certificates.map_err(|(key, found, _)| format!("{key}: found {found}"))?,
            recipient: format!("{issuer}/saml/ecp/{}", config.id),
            audience: issuer.to_owned(),
            config,
        })
    }

    /// Reads a message and verifies it, as of now.
    pub fn read(&self, envelope: &[u8], now: Timestamp) -> Result<Message, Fault> {
        self.message(envelope, now).map_err(|misfit| {
            let reason = misfit.to_string();
            let code = if misfit == Misfit::Flaw(Flaw::TooLong) {
                Code::TooLarge
            } else {
                Code::ProofInvalid
            };
            let detail = format!("a message for upstream '{}': {reason}", self.config.id);
            Fault::new(code, detail).because(vec![reason])
        })
    }

    fn message(&self, envelope: &[u8], now: Timestamp) -> Result<Message, Misfit> {
        let document = Document::parse(envelope)?;
        let expected = Expected {
            issuer: &self.config.entity_id,
            recipient: &self.recipient,
            audience: &self.audience,
            now,
        };
        let stated = gate::pass(&document, &expected)?;
        let algorithm = self.verify(stated.assertion, now)?;
        Ok(Message {
            facts: Verified {
                upstream: self.config.id.clone(),
                tenant: self.config.tenant.clone(),
                issuer: self.config.entity_id.clone(),
                subject: claims::subject(&stated)?,
                claims: claims::claims(&stated)?,
                authenticated_at: stated.signed_in.min(now),
                // A password, an application credential, a token of a token: the partner's Keystone does not say what
                // it was, whatever its message claims. No second factor comes over this way.
                acr: None,
                amr: Vec::new(),
                not_after: stated.ends,
                upstream_session: None,
            },
            id: stated.id.to_owned(),
            algorithm,
            counts_until: stated.counts_until,
        })
    }

    fn verify(&self, assertion: super::xml::Element<'_>, now: Timestamp) -> Result<Algorithm, Misfit> {
        let counting = self.certificates.iter().filter(|one| one.counts(now));
        let keys: Vec<&Key> = counting.map(|one| &one.key).collect();
        if keys.is_empty() {
            return Err(Misfit::Certificate);
        }
        signature::verify(assertion, &keys, self.config.sha1(now)).map_err(|flaw| {
            match (flaw, self.config.sha1_until) {
                (Flaw::Sha1, Some(until)) => Misfit::Sha1Ended(until.to_string()),
                (flaw, _) => Misfit::Flaw(flaw),
            }
        })
    }
}

impl Keystone {
    /// Opens it. Its partner is never asked: what counts is what it has signed.
    pub(super) fn open(config: Config, wiring: &Wiring<'_>) -> Result<Self, String> {
        let partner = Partner::open(config, &wiring.issuer)?;
        for warning in partner.config.warnings(wiring.clock.now()) {
            tracing::warn!(upstream = %partner.config.id, warning, "a partner's Keystone needs attention");
        }
        Ok(Self {
            partner: Arc::new(partner),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            tickets: Arc::clone(&wiring.tickets),
            clock: Arc::clone(&wiring.clock),
        })
    }

    /// Uses the message up. There is no audience in it, so beside its recipient this is all that makes a copy worthless;
    /// the same assertion in another envelope is the same message.
    async fn use_up(&self, message: &Message) -> Result<(), Fault> {
        let name = format!("keystone {} {}", self.partner.config.id, message.id);
        let until = message
            .counts_until
            .plus(Duration::from_secs(gate::SKEW.unsigned_abs() + 1));
        let ttl = self.clock.now().until(until);
        let first = self.tickets.put(TicketKind::Seen, &name, b"1", ttl).await;
        match first {
            Ok(true) => Ok(()),
            Ok(false) => Err(
                Fault::new(Code::TokenReplayed, "a partner's message came a second time")
                    .because(vec!["saml_replayed".to_owned()]),
            ),
            Err(fault) => Err(Fault::new(Code::StoreDown, fault.to_string())),
        }
    }
}

impl Upstream for Keystone {
    fn id(&self) -> &UpstreamId {
        &self.partner.config.id
    }
    fn display_name(&self) -> &str {
        &self.partner.config.name
    }
    fn tenant(&self) -> &TenantId {
        &self.partner.config.tenant
    }
    fn health(&self) -> Health {
        let now = self.clock.now();
        if self.partner.certificates.iter().any(|one| one.counts(now)) {
            Health::Ready
        } else {
            Health::Down {
                reason: "no certificate of the partner counts now".to_owned(),
            }
        }
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            envelope: Some(self),
            ..Ways::default()
        }
    }
}

#[async_trait]
impl EnvelopeLogin for Keystone {
    async fn accept(&self, envelope: Bytes) -> Result<Brought, Fault> {
        let gone = |_| Fault::new(Code::Internal, "the readers of messages are gone");
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(gone)?;
        let (partner, now) = (Arc::clone(&self.partner), self.clock.now());
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            partner.read(&envelope, now)
        });
        let message = read
            .await
            .map_err(|error| Fault::new(Code::Internal, error.to_string()))??;
        let assertion = UpstreamAssertion::verified(message.facts.clone()).map_err(|fault| {
            Fault::new(Code::ProofInvalid, fault.to_string()).because(vec!["saml_subject".to_owned()])
        })?;
        self.use_up(&message).await?;
        Ok(Brought {
            assertion,
            document: message.id,
            algorithm: message.algorithm.as_str(),
        })
    }
}
