//! What is configured: tenants, upstreams, targets, clients. Immutable; replaced as a whole.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::domain::{
    access::TargetKind,
    client::ClientSettings,
    fault::{Code, Fault},
    ids::{ClientId, TargetId, TenantId, UpstreamId},
    mapping::{Mapping, MappingSettings},
    tenant::Tenant,
};
use crate::port::{
    target::{Target, TargetFacts},
    upstream::{TokenLogin, Upstream},
};

/// An upstream with the mapping of its claims.
#[derive(Clone)]
pub struct Source {
    /// The adapter.
    pub upstream: Arc<dyn Upstream>,
    /// How its claims become an identity.
    pub mapping: MappingSettings,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Source")
            .field("upstream", self.upstream.id())
            .finish_non_exhaustive()
    }
}

/// All that is configured and that use-cases look up.
pub struct Directory {
    issuer: String,
    name: String,
    tenants: BTreeMap<TenantId, Tenant>,
    sources: BTreeMap<UpstreamId, Source>,
    mappings: BTreeMap<UpstreamId, Mapping>,
    targets: BTreeMap<TargetId, Arc<dyn Target>>,
    clients: BTreeMap<ClientId, ClientSettings>,
}

/// Where a request for a token leads: the target whose rules decide, and the audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The target asked of policy: a configured one, `gateway`, or the client's own id.
    pub target: TargetId,
    /// What kind of place it is.
    pub kind: TargetKind,
    /// The one audience.
    pub audience: String,
    /// The longest life there.
    pub ceiling: Duration,
}

impl Goal {
    /// A configured target, with its own ceiling.
    #[must_use]
    pub fn at(facts: &TargetFacts) -> Self {
        Self {
            target: facts.id.clone(),
            kind: facts.kind,
            audience: facts.audience.clone(),
            ceiling: facts.ceilings.lifetime,
        }
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Directory")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Directory {
    /// Takes over what was configured. `config::check` has refused duplicates and dangling names.
    #[must_use]
    pub fn new(
        (issuer, name): (String, String),
        tenants: Vec<Tenant>,
        sources: Vec<Source>,
        targets: Vec<Arc<dyn Target>>,
        clients: Vec<ClientSettings>,
    ) -> Self {
        let compiled = sources.iter().map(|source| {
            (
                source.upstream.id().clone(),
                Mapping::compile(source.mapping.clone()),
            )
        });
        Self {
            mappings: compiled.collect(),
            issuer,
            name,
            tenants: tenants
                .into_iter()
                .map(|tenant| (tenant.id.clone(), tenant))
                .collect(),
            sources: sources
                .into_iter()
                .map(|source| (source.upstream.id().clone(), source))
                .collect(),
            targets: targets
                .into_iter()
                .map(|target| (target.facts().id.clone(), target))
                .collect(),
            clients: clients
                .into_iter()
                .map(|client| (client.id.clone(), client))
                .collect(),
        }
    }

    /// Our issuer URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What this cloud is called on pages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A tenant.
    #[must_use]
    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    /// An upstream with its mapping.
    pub fn source(&self, id: &UpstreamId) -> Result<&Source, Fault> {
        self.sources
            .get(id)
            .ok_or_else(|| Fault::new(Code::NotFound, format!("no upstream '{id}'")))
    }

    /// The compiled mapping of an upstream.
    #[must_use]
    pub fn mapping(&self, id: &UpstreamId) -> Option<&Mapping> {
        self.mappings.get(id)
    }

    /// All upstreams.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// A target.
    #[must_use]
    pub fn target(&self, id: &TargetId) -> Option<&Arc<dyn Target>> {
        self.targets.get(id)
    }

    /// The target whose tokens have this audience; there is one at most.
    #[must_use]
    pub fn at_audience(&self, audience: &str) -> Option<&Arc<dyn Target>> {
        self.targets
            .values()
            .find(|target| target.facts().audience == audience)
    }

    /// The issuer of tokens for an audience.
    #[must_use]
    pub fn issuer_at(&self, audience: &str) -> &str {
        let issuer = self.at_audience(audience).and_then(|target| target.ways().issuer);
        issuer.map_or(self.issuer.as_str(), |issuer| issuer.issuer())
    }

    /// All targets.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<dyn Target>> {
        self.targets.values()
    }

    /// A client.
    #[must_use]
    pub fn client(&self, id: &ClientId) -> Option<&ClientSettings> {
        self.clients.get(id)
    }

    /// All clients.
    pub fn clients(&self) -> impl Iterator<Item = &ClientSettings> {
        self.clients.values()
    }

    /// The upstreams of the organisation that somebody named: by tenant id, name, alias, or the mail domain
    /// of an address. Empty if there is none; callers answer the same page in the same way then.
    #[must_use]
    pub fn organisation(&self, text: &str) -> Vec<&Source> {
        let text = text.trim().to_lowercase();
        let domain = text.rsplit_once('@').map_or(text.as_str(), |(_, domain)| domain);
        let found = self.tenants.values().find(|tenant| {
            tenant.id.as_str() == domain
                || tenant.name.to_lowercase() == domain
                || tenant.aliases.iter().any(|alias| alias.to_lowercase() == domain)
        });
        found
            .map(|tenant| self.sources_of(&tenant.id))
            .unwrap_or_default()
    }

    /// The upstreams of a tenant that people sign in through.
    #[must_use]
    pub fn sources_of(&self, tenant: &TenantId) -> Vec<&Source> {
        self.for_people()
            .filter(|source| source.upstream.tenant() == tenant)
            .collect()
    }

    /// All upstreams that people choose to sign in through: none that takes tokens of workloads, and none whose people
    /// come from their own Keystone.
    pub fn for_people(&self) -> impl Iterator<Item = &Source> {
        self.sources.values().filter(|source| {
            let ways = source.upstream.ways();
            ways.token.is_none() && ways.envelope.is_none()
        })
    }

    /// The upstreams that take tokens of this issuer, each with its way to do so.
    pub fn for_tokens_of<'a>(
        &'a self,
        issuer: &str,
    ) -> impl Iterator<Item = (&'a Source, &'a dyn TokenLogin)> {
        self.sources
            .values()
            .filter_map(|source| Some((source, source.upstream.ways().token?)))
            .filter(move |(_, way)| way.issuer() == issuer)
    }

    /// A sign-in at this gateway itself.
    #[must_use]
    pub fn gateway(&self) -> Goal {
        Goal {
            target: gateway_id(),
            kind: TargetKind::Gateway,
            audience: self.issuer.clone(),
            ceiling: Duration::from_secs(24 * 3600),
        }
    }

    /// Where a token for `audience`, asked by `client`, leads.
    #[must_use]
    pub fn goal(&self, client: &ClientSettings, audience: &str) -> Option<Goal> {
        if let Some(target) = self.at_audience(audience) {
            return Some(Goal::at(target.facts()));
        }
        if audience != self.issuer {
            return None;
        }
        // A client that may exchange a session acts for the gateway itself (`fedctl`);
        // any other signs people in to a tool of its own.
        if client.exchange.is_empty() {
            Some(Goal {
                target: TargetId::parse(client.id.as_str()).ok()?,
                kind: TargetKind::RelyingParty,
                audience: self.issuer.clone(),
                ceiling: client.token_lifetime(),
            })
        } else {
            Some(self.gateway())
        }
    }

    /// The audience of a client's tokens: the one asked for, if it may name it, else its first.
    #[must_use]
    pub fn audience(&self, client: &ClientSettings, asked: Option<&str>) -> Option<String> {
        match asked {
            None => Some(client.audiences.first().unwrap_or(&self.issuer).clone()),
            Some(asked) => {
                let own = client.audiences.iter().any(|audience| audience == asked)
                    || (client.audiences.is_empty() && asked == self.issuer);
                own.then(|| asked.to_owned())
            }
        }
    }
}

/// The implicit target of a sign-in here.
#[must_use]
pub fn gateway_id() -> TargetId {
    TargetId::literal("gateway")
}
