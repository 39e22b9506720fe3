//! The way to a token of one project, and what is said where it ends early.

use std::path::Path;

use crate::client::args::Place;
use crate::client::exchange::{token, workload};
use crate::client::problem::{Cloud as CloudProblem, Problem};
use crate::client::session::Context;
use crate::wire::cloud::{Access, Cloud, Clouds};

use super::keystone::{self, Scoped, Unscoped};

/// The clouds behind the gateway.
pub async fn clouds(context: &Context) -> Result<Vec<Cloud>, Problem> {
    let url = format!("{}/api/v1/clouds", context.issuer.trim_end_matches('/'));
    let found: Clouds = context.http.get(&url, None).await?;
    Ok(found.clouds)
}

/// The one that is meant.
pub fn chosen(clouds: Vec<Cloud>, wanted: Option<&str>) -> Result<Cloud, Problem> {
    let known: Vec<String> = clouds.iter().map(|cloud| cloud.id.clone()).collect();
    let mut fitting = clouds
        .into_iter()
        .filter(|cloud| wanted.is_none_or(|wanted| cloud.id == wanted));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (_, _) => Err(CloudProblem::Unknown {
            asked: wanted.unwrap_or_default().to_owned(),
            known,
        }
        .into()),
    }
}

/// A bearer token for the cloud: of the session that is kept, or out of a workload's own token.
async fn bearer(context: &Context, cloud: &Cloud, subject: Option<&Path>) -> Result<String, Problem> {
    let held = match subject {
        Some(path) => workload(context, path, (&cloud.audience, None)).await?,
        None => token(context, &cloud.audience, None, None).await?,
    };
    Ok(held.token)
}

/// Logs in at a cloud without a project.
pub async fn unscoped(context: &Context, cloud: &Cloud, subject: Option<&Path>) -> Result<Unscoped, Problem> {
    let bearer = bearer(context, cloud, subject).await?;
    keystone::log_in(context, cloud, &bearer).await
}

/// A token of the project, with the role that was asked for, or the reason why not.
pub async fn scoped(context: &Context, place: &Place) -> Result<(Cloud, Scoped), Problem> {
    let cloud = chosen(clouds(context).await?, place.cloud.as_deref())?;
    let subject = place.subject_token_file.as_deref();
    let bearer = bearer(context, &cloud, subject).await?;
    let unscoped = keystone::log_in(context, &cloud, &bearer).await?;
    let project = place.project.as_str();
    let domain = match &place.domain {
        Some(domain) => domain.clone(),
        None => domain_of(context, &cloud, &unscoped, project).await?,
    };
    let explain = async |role: Option<&str>| {
        let question = Question {
            cloud: &cloud,
            bearer: &bearer,
            place: (project, &domain),
            role,
        };
        access(context, &question, subject.is_some()).await
    };
    let wanted = place.role.as_deref();
    match keystone::scope(context, &cloud, &unscoped, (project, &domain)).await? {
        Some(scoped) => match wanted.filter(|role| !scoped.roles.iter().any(|own| own == role)) {
            None => Ok((cloud, scoped)),
            Some(role) => {
                let access = explain(Some(role)).await?;
                Err(CloudProblem::RoleDenied {
                    project: project.to_owned(),
                    held: access.roles,
                    needed: role.to_owned(),
                    missing: access.missing,
                }
                .into())
            }
        },
        None => {
            let access = explain(wanted).await?;
            Err(CloudProblem::NoProject {
                project: project.to_owned(),
                domain: Some(domain),
                missing: access.missing,
            }
            .into())
        }
    }
}

/// The domain of the one project of that name.
async fn domain_of(
    context: &Context,
    cloud: &Cloud,
    unscoped: &Unscoped,
    project: &str,
) -> Result<String, Problem> {
    let all = keystone::projects(context, cloud, unscoped).await?;
    let mut domains: Vec<String> = all
        .into_iter()
        .filter(|(own, _)| own.name == project)
        .map(|(_, domain)| domain)
        .collect();
    match (domains.pop(), domains.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            domains.push(last);
            Err(CloudProblem::Ambiguous {
                project: project.to_owned(),
                domains,
            }
            .into())
        }
        (None, _) => Err(CloudProblem::NoProject {
            project: project.to_owned(),
            domain: None,
            missing: Vec::new(),
        }
        .into()),
    }
}

struct Question<'a> {
    cloud: &'a Cloud,
    bearer: &'a str,
    place: (&'a str, &'a str),
    role: Option<&'a str>,
}

/// What the gateway says of the project. A person asks with the session's token: the cloud's may be too narrow.
async fn access(context: &Context, question: &Question<'_>, workload: bool) -> Result<Access, Problem> {
    let base = context.issuer.trim_end_matches('/');
    let (project, domain) = question.place;
    let url = format!("{base}/api/v1/clouds/{}/access", question.cloud.id);
    let mut url = crate::client::http::secure(&url)?;
    url.query_pairs_mut()
        .append_pair("domain", domain)
        .append_pair("project", project);
    if let Some(role) = question.role {
        url.query_pairs_mut().append_pair("role", role);
    }
    let session = if workload {
        question.bearer.to_owned()
    } else {
        let locked = context.lock()?;
        let mut record = context.kept(&locked)?;
        context.access(&locked, &mut record, false).await?
    };
    context.http.get(url.as_str(), Some(&session)).await
}
