//! Every door leads through here: assertion → identity → policy → permit.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
    time::Duration,
};

use crate::domain::{
    access::{self, AccessRequest, Answer, Asked, Ceilings, Permit},
    assertion::UpstreamAssertion,
    audit::What,
    fault::{Code, Fault},
    identity::Identity,
    ids::{ClientId, TargetId},
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    policy::{Context, Policy, Question, Subject, Wanted},
};

use super::{
    Caller,
    directory::{Directory, Goal},
};

/// How long the answer for a client that acts for itself is kept. Its question does not change between
/// requests but for the time, so this bounds how late a rule with a date takes effect.
const CLIENT_ANSWER_KEPT: Duration = Duration::from_secs(5);

/// Asks policy, and makes permits by `decide` alone.
pub struct Door {
    directory: Arc<Directory>,
    policy: Arc<dyn Policy>,
    audit: Arc<dyn Audit>,
    clock: Arc<dyn Clock>,
    client_answers: RwLock<BTreeMap<(ClientId, TargetId), Kept>>,
}

struct Kept {
    answer: Answer,
    revision: String,
    until: Timestamp,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Door")
    }
}

impl Door {
    /// A door with its policy.
    #[must_use]
    pub fn new(
        directory: Arc<Directory>,
        policy: Arc<dyn Policy>,
        audit: Arc<dyn Audit>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            directory,
            policy,
            audit,
            clock,
            client_answers: RwLock::new(BTreeMap::new()),
        }
    }

    /// Who an assertion is, by the mapping of its upstream as configured now. An upstream that was removed,
    /// or now speaks for another tenant, has no identities any more.
    pub fn identify(&self, assertion: &UpstreamAssertion) -> Result<Identity, Fault> {
        let facts = assertion.facts();
        let source = self
            .directory
            .source(&facts.upstream)
            .map_err(|fault| Fault::new(Code::SessionEnded, fault.detail))?;
        if source.upstream.tenant() != &facts.tenant {
            return Err(Fault::new(
                Code::SessionEnded,
                "the upstream speaks for another tenant now",
            ));
        }
        source
            .mapping
            .identify(assertion)
            .map_err(|fault| Fault::new(Code::MappingFailed, fault.to_string()))
    }

    /// What `identity` may have at `goal`. A refusal is audited; so is nothing else here, as what is done
    /// with a permit is audited where it is done.
    pub async fn permit(
        &self,
        identity: &Identity,
        goal: &Goal,
        asked: Asked,
        (client, caller): (Option<&ClientId>, &Caller),
    ) -> Result<Permit, Fault> {
        let outcome = self.weigh(identity, goal, asked, (client, caller));
        if let Err(fault) = &outcome
            && fault.code == Code::NoAccess
        {
            let what = What::AccessDenied {
                target: goal.target.clone(),
                reasons: fault.reasons.clone(),
            };
            self.audit
                .record(caller.event(self.clock.now(), Some(identity), what))
                .await?;
        }
        outcome
    }

    /// As `permit`, without a trace: for pages that show what would be allowed.
    pub fn weigh(
        &self,
        identity: &Identity,
        goal: &Goal,
        asked: Asked,
        (client, caller): (Option<&ClientId>, &Caller),
    ) -> Result<Permit, Fault> {
        let tenant = self
            .directory
            .tenant(identity.tenant())
            .ok_or_else(|| Fault::new(Code::SessionEnded, "the tenant is not configured any more"))?;
        let now = self.clock.now();
        let request = AccessRequest {
            identity,
            tenant,
            target: goal.target.clone(),
            kind: goal.kind,
            audience: goal.audience.clone(),
            asked,
            ceilings: Ceilings {
                lifetime: goal.ceiling,
            },
            now,
        };
        let answer = match client {
            Some(client) if identity.upstream().is_none() => self.client_answer(&request, client, caller)?,
            Some(_) | None => self.ask(&request, client, caller)?,
        };
        Ok(access::decide(&request, answer)?)
    }

    fn ask(
        &self,
        request: &AccessRequest<'_>,
        client: Option<&ClientId>,
        caller: &Caller,
    ) -> Result<Answer, Fault> {
        let identity = request.identity;
        let address = caller.address.map(|address| address.to_string());
        let question = Question {
            v: 1,
            subject: Subject {
                tenant: identity.tenant().as_str(),
                upstream: identity.upstream().map(|upstream| upstream.as_str()),
                issuer: identity.issuer(),
                id: identity.key(),
                username: identity.username(),
                groups: identity.groups(),
                acr: identity.assurance().acr.as_deref(),
                amr: &identity.assurance().amr,
                authenticated_at: identity.assurance().authenticated_at.0,
                client: identity.upstream().is_none(),
            },
            context: Context {
                time_s: request.now.0,
                client_ip: address.as_deref(),
                reference: &caller.reference.0,
            },
            request: Wanted {
                target: request.target.as_str(),
                kind: request.kind,
                client: client.map(ClientId::as_str),
                only: match &request.asked {
                    Asked::Everything => None,
                    Asked::Only(entitlements) => Some(entitlements.iter().collect()),
                },
            },
        };
        Ok(self.policy.ask(&question)?)
    }

    fn client_answer(
        &self,
        request: &AccessRequest<'_>,
        client: &ClientId,
        caller: &Caller,
    ) -> Result<Answer, Fault> {
        let key = (client.clone(), request.target.clone());
        let revision = self.policy.revision();
        if let Ok(kept) = self.client_answers.read()
            && let Some(kept) = kept.get(&key)
            && kept.revision == revision
            && request.now < kept.until
        {
            return Ok(kept.answer.clone());
        }
        let answer = self.ask(request, Some(client), caller)?;
        if let Ok(mut kept) = self.client_answers.write() {
            let until = request.now.plus(CLIENT_ANSWER_KEPT);
            kept.insert(
                key,
                Kept {
                    answer: answer.clone(),
                    revision,
                    until,
                },
            );
        }
        Ok(answer)
    }
}
