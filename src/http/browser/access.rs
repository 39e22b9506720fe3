//! My access: who the cloud takes the person for, what they may use, until when, and why.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use http::StatusCode;

use crate::{
    broker::{overview::Reach, session::Live},
    domain::{
        access::{Entitlement, Grant, TargetKind},
        fault::Code,
    },
    http::page::view::{
        Command, DroppedLine, GroupLine, HeldLine, MyAccess, Person, ProjectLine, TargetLine,
    },
};

use super::{Ask, Front, see_other, somebody, with_cookies};

/// `GET /`
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let live = match front.live(&ask).await {
        Ok(Some(live)) => live,
        Ok(None) => return see_other("/login"),
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    let mut reaches = front.overview.of(&live, &ask.caller);
    reaches.extend(front.overview.tools(&live, &ask.caller));
    // A policy engine that fails has not refused: the page must not say "no access".
    let broken = reaches
        .iter()
        .filter_map(|reach| reach.outcome.as_ref().err())
        .find(|fault| fault.code != Code::NoAccess);
    if let Some(fault) = broken {
        return front.failed(&ask, fault, None);
    }
    let mut targets: Vec<TargetLine> = reaches.iter().map(|reach| line(&live, reach)).collect();
    look(&front, &reaches, &mut targets).await;
    let (browser, set) = front.browser(&ask);
    let view = MyAccess {
        person: person(&front, &live),
        groups: live
            .identity
            .groups()
            .iter()
            .map(|group| HeldLine {
                name: group.name.clone(),
                rule: group.rule.clone(),
            })
            .collect(),
        commands: commands(front.directory().issuer(), &targets),
        targets,
        contact: live.tenant.contact.clone(),
        policy_revision: front.policy.revision(),
        form: front.form(&browser, "/logout"),
    };
    with_cookies(front.pages.show(&front.frame(&ask), StatusCode::OK, &view), set)
}

/// What the targets themselves lack of what policy gives, as far as they say so within a moment.
async fn look(front: &Front, reaches: &[Reach], lines: &mut [TargetLine]) {
    let looks = reaches.iter().map(async |reach| {
        let permit = reach.outcome.as_ref().ok()?;
        let target = front.directory().target(&reach.facts.id)?;
        let lacks = target.ways().looks?.lacks(permit).await;
        if let Err(why) = &lacks {
            tracing::info!(target = %reach.facts.id, %why, "what a target lacks is not known");
        }
        Some(lacks)
    });
    let found = futures_util::future::join_all(looks).await;
    for (line, found) in lines.iter_mut().zip(found) {
        match found {
            Some(Ok(lacks)) => line.lacks = lacks.iter().map(ToString::to_string).collect(),
            Some(Err(_)) => line.unlooked = true,
            None => {}
        }
    }
}

fn person(front: &Front, live: &Live) -> Person {
    let identity = &live.identity;
    let upstream = identity
        .upstream()
        .and_then(|id| front.directory().source(id).ok())
        .map(|source| source.upstream.display_name().to_owned());
    let assurance = identity.assurance();
    Person {
        somebody: somebody(live),
        email: identity.email().map(str::to_owned),
        email_verified: identity.email_verified(),
        upstream: upstream.unwrap_or_default(),
        issuer: identity.issuer().to_owned(),
        subject: identity.subject().to_owned(),
        sub: identity.key().to_owned(),
        authenticated_at: assurance.authenticated_at,
        acr: assurance.acr.clone(),
        amr: assurance.amr.clone(),
        ends: live.session.ends,
    }
}

fn line(live: &Live, reach: &Reach) -> TargetLine {
    let facts = &reach.facts;
    let mut line = TargetLine {
        id: facts.id.to_string(),
        name: facts.name.clone(),
        kind: facts.kind,
        allowed: reach.outcome.is_ok(),
        audience: facts.audience.clone(),
        until: None,
        policy_rule: String::new(),
        projects: Vec::new(),
        groups: Vec::new(),
        session_rule: None,
        dropped: Vec::new(),
        reasons: Vec::new(),
        lacks: Vec::new(),
        unlooked: false,
    };
    match &reach.outcome {
        Ok(permit) => {
            line.until = Some(permit.expires());
            line.policy_rule = permit.policy_rule().to_owned();
            line.projects = projects(permit.grants());
            for grant in permit.grants() {
                match &grant.entitlement {
                    Entitlement::Project { .. } => {}
                    Entitlement::Group { group } => line.groups.push(GroupLine {
                        shown: match facts.kind {
                            TargetKind::Kubernetes => facts.group_prefix.apply(live.identity.tenant(), group),
                            TargetKind::Gateway | TargetKind::RelyingParty | TargetKind::Keystone => {
                                group.clone()
                            }
                        },
                        rule: grant.rule.clone(),
                    }),
                    Entitlement::Session => line.session_rule = Some(grant.rule.clone()),
                }
            }
            line.dropped = permit
                .dropped()
                .iter()
                .map(|dropped| DroppedLine {
                    what: words(&dropped.grant.entitlement),
                    rule: dropped.grant.rule.clone(),
                    reason: dropped.reason.to_owned(),
                })
                .collect();
        }
        Err(fault) => line.reasons = fault.reasons.clone(),
    }
    line
}

fn projects(grants: &[Grant]) -> Vec<ProjectLine> {
    let mut projects: BTreeMap<(&str, &str), Vec<HeldLine>> = BTreeMap::new();
    for grant in grants {
        if let Entitlement::Project {
            domain,
            project,
            role,
        } = &grant.entitlement
        {
            projects.entry((domain, project)).or_default().push(HeldLine {
                name: role.clone(),
                rule: grant.rule.clone(),
            });
        }
    }
    projects
        .into_iter()
        .map(|((domain, project), roles)| ProjectLine {
            domain: domain.to_owned(),
            project: project.to_owned(),
            roles,
        })
        .collect()
}

fn words(entitlement: &Entitlement) -> String {
    match entitlement {
        Entitlement::Project {
            domain,
            project,
            role,
        } => format!("{domain}/{project}: {role}"),
        Entitlement::Group { group } => group.clone(),
        Entitlement::Session => "sign-in".to_owned(),
    }
}

fn commands(issuer: &str, targets: &[TargetLine]) -> Vec<Command> {
    let command = |what, about: &str, line: String| Command {
        what,
        about: about.to_owned(),
        line,
    };
    let mut commands = vec![
        command("login", "", format!("fedctl login --issuer {issuer}")),
        command("whoami", "", "fedctl whoami".to_owned()),
    ];
    for target in targets.iter().filter(|target| target.allowed) {
        match target.kind {
            TargetKind::Kubernetes => commands.push(command(
                "kube",
                &target.name,
                format!("fedctl kube config --cluster {}", target.id),
            )),
            TargetKind::Keystone => commands.push(command(
                "token",
                &target.name,
                format!("fedctl token --audience {}", target.audience),
            )),
            TargetKind::Gateway | TargetKind::RelyingParty => {}
        }
    }
    commands
}
