//! The use-cases of a gateway, wired as a configuration says; again for each configuration that is read.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use crate::{
    broker::{
        admit::Door,
        bearer::Bearer,
        clients::ClientDesk,
        dashboards::Dashboards,
        departed::Departed,
        device::DeviceDesk,
        directory::{Directory, Source},
        endings::Ender,
        login::Logins,
        logout::Logouts,
        overview::Overview,
        partners::Partners,
        recheck::Rechecks,
        remember::Remember,
        session::SessionDesk,
        token::{Remembered, TokenDesk},
    },
    config::Config,
    domain::ids::TargetId,
    http::{kubernetes::Asking, opa::Meter},
    keys::Rings,
    port::{
        audit::Audit,
        clock::Clock,
        entropy::Entropy,
        policy::Policy,
        policy_care::PolicyCare,
        secrets::Secrets,
        signer::{Sealer, Signer},
        upstream::Upstream,
    },
    store, target,
    telemetry::Metrics,
    upstream,
};

use super::{
    build::StartFault,
    callers::{admin_token, asking, proofs},
    lacks,
    policies::Policies,
    provision::{self, Keeper},
};

/// Everything the front ends are made of.
pub(super) struct Parts {
    pub directory: Arc<Directory>,
    pub policy: Arc<dyn Policy>,
    pub care: Arc<dyn PolicyCare>,
    pub ring: Arc<Rings>,
    pub sealer: Arc<dyn Sealer>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub desk: Arc<SessionDesk>,
    pub logins: Arc<Logins>,
    pub overview: Arc<Overview>,
    pub clients: Arc<ClientDesk>,
    pub bearer: Arc<Bearer>,
    pub tokens: Arc<TokenDesk>,
    pub devices: Arc<DeviceDesk>,
    pub logouts: Arc<Logouts>,
    /// None where no partner's Keystone sends its users.
    pub partners: Option<Arc<Partners>>,
    pub metrics: Arc<Metrics>,
    /// What the doors of the policy engine count.
    pub rest_meter: Option<Arc<Meter>>,
    pub proxies: Arc<[IpAddr]>,
    pub admin_token: Option<[u8; 32]>,
    pub asking: BTreeMap<TargetId, Asking>,
}

/// What is opened once and outlives every configuration.
pub(super) struct World {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub sealer: Arc<dyn Sealer>,
    pub ring: Arc<Rings>,
    pub policies: Policies,
    pub keeper: Arc<Keeper>,
    pub metrics: Arc<Metrics>,
    /// What the doors of the policy engine count.
    pub rest_meter: Option<Arc<Meter>>,
}

/// The gateway that runs, while the next one is made.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub config: &'a Config,
    pub directory: &'a Directory,
}

impl Before<'_> {
    /// The upstream that is declared as it was: it knows its provider's keys, also while that does not answer.
    fn upstream(&self, declared: &upstream::Declared) -> Option<Arc<dyn Upstream>> {
        let source = self.directory.source(declared.id()).ok()?;
        let same = self.config.upstreams.contains(declared);
        same.then(|| Arc::clone(&source.upstream))
    }
}

impl World {
    /// The use-cases as `config` wires them. Far sides that are down do not stop it.
    pub(super) fn parts(
        &self,
        (config, before): (&Config, Option<Before<'_>>),
        secrets: &dyn Secrets,
        opened: &store::Opened,
    ) -> Result<Parts, StartFault> {
        let audit: Arc<dyn Audit> = Arc::clone(&opened.audit) as Arc<dyn Audit>;
        let signer: Arc<dyn Signer> = Arc::clone(&self.ring) as Arc<dyn Signer>;
        let wiring = self.target_wiring((config, secrets), Arc::clone(&signer), opened)?;
        let directory = Arc::new(self.directory((config, before), secrets, opened, &wiring)?);
        let door = Arc::new(self.door(&directory, Arc::clone(&audit)));
        let desk = Arc::new(self.desk(config, opened, (&directory, Arc::clone(&door))));
        let bearer = Arc::new(Bearer {
            directory: Arc::clone(&directory),
            door: Arc::clone(&door),
            desk: Arc::clone(&desk),
            revocations: Arc::clone(&opened.revocations),
            ender: Arc::new(self.ender(&directory, opened)),
            signer,
            audit: Arc::clone(&audit),
            clock: Arc::clone(&self.clock),
        });
        let clients = ClientDesk::new(
            Arc::clone(&directory),
            Arc::clone(&opened.tickets),
            Arc::clone(&self.clock),
            proofs(&config.clients, secrets)?,
        );
        let logouts = Arc::new(self.logouts(&bearer, config, opened));
        let tokens = Arc::new(self.tokens(&logouts, &bearer, (opened, &wiring)));
        Ok(Parts {
            partners: self.partners(config, &bearer, opened),
            logins: Arc::new(self.logins(&directory, &desk, opened)),
            devices: Arc::new(DeviceDesk {
                tokens: Arc::clone(&tokens),
                limits: Arc::clone(&opened.limits),
            }),
            logouts,
            tokens,
            overview: Arc::new(Overview {
                directory: Arc::clone(&directory),
                door,
            }),
            clients: Arc::new(clients),
            directory,
            policy: Arc::clone(&self.policies.recorded),
            care: Arc::clone(&self.policies.live) as Arc<dyn PolicyCare>,
            ring: Arc::clone(&self.ring),
            sealer: Arc::clone(&self.sealer),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            desk,
            bearer,
            metrics: Arc::clone(&self.metrics),
            rest_meter: self.rest_meter.clone(),
            proxies: config.listen.proxies.clone().into(),
            admin_token: admin_token(config, secrets)?,
            asking: asking(config, secrets)?,
        })
    }

    fn door(&self, directory: &Arc<Directory>, audit: Arc<dyn Audit>) -> Door {
        Door::new(
            Arc::clone(directory),
            Arc::clone(&self.policies.recorded),
            audit,
            Arc::clone(&self.clock),
        )
        .looking_by(Arc::clone(&self.policies.quiet))
    }

    fn desk(
        &self,
        config: &Config,
        opened: &store::Opened,
        (directory, door): (&Arc<Directory>, Arc<Door>),
    ) -> SessionDesk {
        SessionDesk {
            directory: Arc::clone(directory),
            door,
            sessions: Arc::clone(&opened.sessions),
            bonds: Arc::clone(&opened.bonds),
            sealer: Arc::clone(&self.sealer),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            lifetime: Duration::from_secs(config.session.lifetime_s),
            remember: provision::needed(config).then(|| Remember {
                people: Arc::clone(&opened.people),
                bell: self.keeper.bell(),
            }),
        }
    }

    fn ender(&self, directory: &Arc<Directory>, opened: &store::Opened) -> Ender {
        Ender {
            directory: Arc::clone(directory),
            endings: Arc::clone(&opened.endings),
            sealer: Arc::clone(&self.sealer),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock: Arc::clone(&self.clock),
        }
    }

    /// Ends what the configuration of these parts has no place for.
    pub(super) fn departed(&self, parts: &Parts, opened: &store::Opened) -> Departed {
        Departed {
            directory: Arc::clone(&parts.directory),
            kept: Arc::clone(&opened.departures),
            sessions: Arc::clone(&opened.sessions),
            families: Arc::clone(&opened.families),
            ender: Arc::clone(&parts.bearer.ender),
            tickets: Arc::clone(&opened.tickets),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock: Arc::clone(&self.clock),
        }
    }

    fn logouts(&self, bearer: &Bearer, config: &Config, opened: &store::Opened) -> Logouts {
        let keystones = config.targets.iter().filter_map(target::Declared::as_keystone);
        Logouts {
            directory: Arc::clone(&bearer.directory),
            desk: Arc::clone(&bearer.desk),
            dashboards: Arc::new(Dashboards {
                directory: Arc::clone(&bearer.directory),
                door: Arc::clone(&bearer.door),
                ender: Arc::clone(&bearer.ender),
                tickets: Arc::clone(&opened.tickets),
                sealer: Arc::clone(&self.sealer),
                audit: Arc::clone(&bearer.audit),
                clock: Arc::clone(&self.clock),
            }),
            returns: keystones
                .flat_map(|keystone| &keystone.dashboards)
                .flat_map(|dashboard| dashboard.logout_returns.clone())
                .collect(),
            signer: Arc::clone(&bearer.signer),
            sealer: Arc::clone(&self.sealer),
            clock: Arc::clone(&self.clock),
        }
    }

    fn target_wiring(
        &self,
        (config, secrets): (&Config, &dyn Secrets),
        signer: Arc<dyn Signer>,
        opened: &store::Opened,
    ) -> Result<target::Wiring, StartFault> {
        Ok(target::Wiring {
            issuer: config.issuer.clone(),
            signer,
            entropy: Arc::clone(&self.entropy),
            given: Some(Arc::clone(&opened.given)),
            lookers: lacks::lookers(config, secrets, &self.clock)?,
            tenants: Arc::new(
                config
                    .tenants
                    .iter()
                    .map(|tenant| (tenant.id.clone(), tenant.clone()))
                    .collect(),
            ),
        })
    }

    fn directory(
        &self,
        (config, before): (&Config, Option<Before<'_>>),
        secrets: &dyn Secrets,
        opened: &store::Opened,
        targets: &target::Wiring,
    ) -> Result<Directory, StartFault> {
        let wiring = upstream::Wiring {
            issuer: config.issuer.clone(),
            secrets,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            limits: Arc::clone(&opened.limits),
            tickets: Arc::clone(&opened.tickets),
        };
        let mut sources = Vec::with_capacity(config.upstreams.len());
        for declared in &config.upstreams {
            let upstream = match before.and_then(|before| before.upstream(declared)) {
                Some(open) => open,
                None => upstream::open(declared.clone(), &wiring).map_err(StartFault::of)?,
            };
            let mapping = declared.mapping().clone();
            sources.push(Source { upstream, mapping });
        }
        let opened: Result<Vec<_>, _> = config
            .targets
            .iter()
            .map(|declared| target::open(declared.clone(), targets).map_err(StartFault::of))
            .collect();
        Ok(Directory::new(
            (config.issuer.clone(), config.name.clone()),
            config.tenants.clone(),
            sources,
            opened?,
            config.clients.clone(),
        ))
    }

    fn logins(&self, directory: &Arc<Directory>, desk: &Arc<SessionDesk>, opened: &store::Opened) -> Logins {
        Logins {
            directory: Arc::clone(directory),
            desk: Arc::clone(desk),
            sealer: Arc::clone(&self.sealer),
            tickets: Arc::clone(&opened.tickets),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        }
    }

    fn rechecks(&self, logouts: &Arc<Logouts>, opened: &store::Opened) -> Rechecks {
        Rechecks {
            directory: Arc::clone(&logouts.directory),
            logouts: Arc::clone(logouts),
            bonds: Arc::clone(&opened.bonds),
            tickets: Arc::clone(&opened.tickets),
            sealer: Arc::clone(&self.sealer),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock: Arc::clone(&self.clock),
        }
    }

    fn partners(
        &self,
        config: &Config,
        bearer: &Arc<Bearer>,
        opened: &store::Opened,
    ) -> Option<Arc<Partners>> {
        let sends = |declared: &upstream::Declared| matches!(declared, upstream::Declared::Keystone(_));
        config.upstreams.iter().any(sends).then(|| {
            Arc::new(Partners {
                bearer: Arc::clone(bearer),
                tickets: Arc::clone(&opened.tickets),
                sealer: Arc::clone(&self.sealer),
                entropy: Arc::clone(&self.entropy),
            })
        })
    }

    fn tokens(
        &self,
        logouts: &Arc<Logouts>,
        bearer: &Arc<Bearer>,
        (opened, wiring): (&store::Opened, &target::Wiring),
    ) -> TokenDesk {
        TokenDesk {
            directory: Arc::clone(&bearer.directory),
            door: Arc::clone(&bearer.door),
            desk: Arc::clone(&bearer.desk),
            rechecks: Arc::new(self.rechecks(logouts, opened)),
            bearer: Arc::clone(bearer),
            families: Arc::clone(&opened.families),
            revocations: Arc::clone(&opened.revocations),
            remembered: Remembered::default(),
            tickets: Arc::clone(&opened.tickets),
            mint: Arc::new(target::own::OwnTokens::new(wiring)),
            sealer: Arc::clone(&self.sealer),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        }
    }
}
