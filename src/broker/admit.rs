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
    policy::{
        self, ClaimFacts, Context, ExchangeFacts, ExchangeQuestion, IntrospectionQuestion, LoginQuestion,
        Policy, Question, Subject, Wanted,
    },
};

use super::{
    Caller,
    directory::{Directory, Goal},
    refine::{Refinements, claim_facts},
};

/// How long the answer for a client that acts for itself is kept. Its question does not change between
/// requests but for the time, so this bounds how late a rule with a date takes effect.
const CLIENT_ANSWER_KEPT: Duration = Duration::from_secs(5);

/// Asks policy, and makes permits by `decide` alone.
pub struct Door {
    directory: Arc<Directory>,
    policy: Arc<dyn Policy>,
    /// The same policy, asked by who only looks: what it says is not written into the decision log.
    quiet: Arc<dyn Policy>,
    audit: Arc<dyn Audit>,
    clock: Arc<dyn Clock>,
    client_answers: RwLock<BTreeMap<(ClientId, TargetId), Kept>>,
    refinements: Refinements,
}

/// What is asked beside the access.
enum Beside<'a> {
    Nothing,
    Login(ClaimFacts<'a>),
    Exchange(ExchangeFacts<'a>),
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
            quiet: Arc::clone(&policy),
            policy,
            audit,
            clock,
            client_answers: RwLock::new(BTreeMap::new()),
            refinements: Refinements::default(),
        }
    }

    /// Asks another engine where somebody only looks.
    #[must_use]
    pub fn looking_by(self, quiet: Arc<dyn Policy>) -> Self {
        Self { quiet, ..self }
    }

    /// Who an assertion is, by the mapping of its upstream as configured now and what policy makes of it. An
    /// upstream that was removed, or now speaks for another tenant, has no identities any more.
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
        let identity = self
            .directory
            .mapping(&facts.upstream)
            .ok_or_else(|| Fault::new(Code::SessionEnded, "the upstream has no mapping any more"))?
            .identify(assertion)
            .map_err(|fault| Fault::new(Code::MappingFailed, fault.to_string()))?;
        self.refinements.of(&*self.policy, identity, facts)
    }

    /// Whether somebody may sign in here, and until when: asked before a session is opened.
    pub async fn admit(
        &self,
        identity: &Identity,
        assertion: &UpstreamAssertion,
        caller: &Caller,
    ) -> Result<Permit, Fault> {
        let goal = self.directory.gateway();
        let beside = Beside::Login(claim_facts(identity, assertion.facts()));
        let question = (Asked::Everything, beside);
        let outcome = self.outcome(&*self.policy, (identity, &goal), question, (None, caller));
        self.recorded((identity, &goal), caller, outcome).await
    }

    /// What a session's token may be exchanged for at `goal`.
    pub async fn exchange(
        &self,
        identity: &Identity,
        goal: &Goal,
        facts: ExchangeFacts<'_>,
        (client, caller): (&ClientId, &Caller),
    ) -> Result<Permit, Fault> {
        let beside = Beside::Exchange(facts);
        let question = (Asked::Everything, beside);
        let outcome = self.outcome(&*self.policy, (identity, goal), question, (Some(client), caller));
        self.recorded((identity, goal), caller, outcome).await
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
        let question = (asked, Beside::Nothing);
        let outcome = self.outcome(&*self.policy, (identity, goal), question, (client, caller));
        self.recorded((identity, goal), caller, outcome).await
    }

    /// Puts on the trail what policy refused, and what it allowed under obligations.
    async fn recorded(
        &self,
        (identity, goal): (&Identity, &Goal),
        caller: &Caller,
        outcome: Result<Permit, Fault>,
    ) -> Result<Permit, Fault> {
        let target = goal.target.clone();
        let what = match &outcome {
            Err(fault) if fault.code == Code::NoAccess => What::AccessDenied {
                target,
                reasons: fault.reasons.clone(),
            },
            Ok(permit) if !permit.obligations().is_empty() => {
                let obligations = permit.obligations().to_vec();
                tracing::warn!(
                    reference = %caller.reference,
                    target = %target,
                    obligations = obligations.join(","),
                    "policy allowed it under obligations"
                );
                What::Obliged { target, obligations }
            }
            Ok(_) | Err(_) => return outcome,
        };
        self.audit
            .record(caller.event(self.clock.now(), Some(identity), what))
            .await?;
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
        let question = (asked, Beside::Nothing);
        self.outcome(&*self.quiet, (identity, goal), question, (client, caller))
    }

    fn outcome(
        &self,
        policy: &dyn Policy,
        (identity, goal): (&Identity, &Goal),
        (asked, beside): (Asked, Beside<'_>),
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
        let answer = match (client, &beside) {
            (Some(client), Beside::Nothing) if identity.upstream().is_none() => {
                self.client_answer(policy, &request, (client, caller))?
            }
            _ => Self::ask(policy, &request, beside, (client, caller))?,
        };
        Ok(access::decide(&request, answer)?)
    }

    fn ask(
        policy: &dyn Policy,
        request: &AccessRequest<'_>,
        beside: Beside<'_>,
        (client, caller): (Option<&ClientId>, &Caller),
    ) -> Result<Answer, Fault> {
        let address = caller.address.map(|address| address.to_string());
        let access = Question {
            v: policy::VERSION,
            subject: Subject::of(request.identity),
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
        Ok(match beside {
            Beside::Nothing => policy.ask(&access)?,
            Beside::Login(login) => policy::answer(policy, &LoginQuestion { access, login })?,
            Beside::Exchange(exchange) => policy::answer(policy, &ExchangeQuestion { access, exchange })?,
        })
    }

    fn client_answer(
        &self,
        policy: &dyn Policy,
        request: &AccessRequest<'_>,
        (client, caller): (&ClientId, &Caller),
    ) -> Result<Answer, Fault> {
        let key = (client.clone(), request.target.clone());
        let revision = policy.revision();
        if let Ok(kept) = self.client_answers.read()
            && let Some(kept) = kept.get(&key)
            && kept.revision == revision
            && request.now < kept.until
        {
            return Ok(kept.answer.clone());
        }
        let answer = Self::ask(policy, request, Beside::Nothing, (Some(client), caller))?;
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

    /// Which policy decides now.
    pub(super) fn revision(&self) -> String {
        self.policy.revision()
    }

    /// Whether a client may know about a token: policy's verdict, which nothing here widens.
    pub(super) fn verdict(&self, question: &IntrospectionQuestion<'_>) -> Result<bool, Fault> {
        Ok(policy::answer(&*self.policy, question)?.allow)
    }
}
