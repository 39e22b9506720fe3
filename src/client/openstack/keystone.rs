//! As much of Keystone's Identity API as a login to a project needs, through the gateway.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::client::clock;
use crate::client::http::Answer;
use crate::client::problem::{Cloud as CloudProblem, Network, Problem};
use crate::client::session::Context;
use crate::wire::cloud::{Cloud, TOKEN_ENDS};
use crate::wire::keystone::{AUTH_TOKEN, ErrorBody, SUBJECT_TOKEN};

/// A token of a person or workload, not yet of a project. No `Debug`: it is a secret.
#[expect(missing_debug_implementations, reason = "tokens must not be printed")]
pub struct Unscoped {
    /// The token.
    pub token: String,
    /// When it ends, seconds since 1970.
    pub ends: i64,
}

/// A token of one project. No `Debug`: it is a secret.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "tokens must not be printed")]
pub struct Scoped {
    /// The token.
    pub token: String,
    /// When it ends, seconds since 1970.
    pub ends: i64,
    /// The project.
    pub project: Project,
    /// Names of the roles in it.
    pub roles: Vec<String>,
    /// The regions of the catalog, sorted.
    pub regions: Vec<String>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Keystone's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Id of its domain; absent where the domain stands beside it.
    #[serde(default)]
    pub domain_id: String,
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Domains {
    domains: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct TokenBody {
    token: TokenFields,
}

#[derive(Deserialize)]
struct TokenFields {
    expires_at: String,
    #[serde(default)]
    project: Option<Project>,
    #[serde(default)]
    roles: Vec<Named>,
    #[serde(default)]
    catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(default)]
    region_id: Option<String>,
}

/// Logs in with a token for the cloud.
pub async fn log_in(context: &Context, cloud: &Cloud, bearer: &str) -> Result<Unscoped, Problem> {
    let url = format!(
        "{}/OS-FEDERATION/identity_providers/{}/protocols/{}/auth",
        cloud.auth_url, cloud.identity_provider, cloud.protocol
    );
    let bearer = format!("Bearer {bearer}");
    let headers = [("authorization", bearer.as_str())];
    let answer = context.http.ask((Method::POST, &url), &headers, None).await?;
    if !answer.ok {
        return Err(refusal(&answer));
    }
    let (token, fields) = issued(&url, &answer)?;
    let limit = answer.header(TOKEN_ENDS).and_then(|ends| ends.parse().ok());
    let ends = clock::seconds(&fields.expires_at).unwrap_or_default();
    Ok(Unscoped {
        token,
        ends: limit.unwrap_or(ends).min(ends),
    })
}

/// The projects that somebody may work in, each with its domain's name.
pub async fn projects(
    context: &Context,
    cloud: &Cloud,
    unscoped: &Unscoped,
) -> Result<Vec<(Project, String)>, Problem> {
    let found: Projects = read(context, unscoped, &format!("{}/auth/projects", cloud.auth_url)).await?;
    let mut domains: Domains = read(context, unscoped, &format!("{}/auth/domains", cloud.auth_url))
        .await
        .unwrap_or(Domains { domains: Vec::new() });
    let mut named = Vec::new();
    for project in found.projects {
        let known = domains
            .domains
            .iter()
            .find(|domain| domain.id == project.domain_id);
        let domain = match known {
            Some(domain) => domain.name.clone(),
            None => {
                let name = domain_of(context, cloud, unscoped, &project).await?;
                // Its next project costs no token.
                domains.domains.push(Named {
                    id: project.domain_id.clone(),
                    name: name.clone(),
                });
                name
            }
        };
        named.push((project, domain));
    }
    named.sort_by(|(one, of_one), (other, of_other)| (of_one, &one.name).cmp(&(of_other, &other.name)));
    Ok(named)
}

/// A domain's name is told to nobody but its members: a token of the project says it.
async fn domain_of(
    context: &Context,
    cloud: &Cloud,
    unscoped: &Unscoped,
    project: &Project,
) -> Result<String, Problem> {
    let scope = json!({ "project": { "id": project.id } });
    let url = format!("{}/auth/tokens?nocatalog", cloud.auth_url);
    let answer = ask_for(context, &url, unscoped, &scope).await?;
    if !answer.ok {
        return Err(refusal(&answer));
    }
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let name = body
        .pointer("/token/project/domain/name")
        .and_then(|name| name.as_str());
    name.map(str::to_owned)
        .ok_or_else(|| garbage(&url, "no domain in it", &answer))
}

async fn read<T: serde::de::DeserializeOwned>(
    context: &Context,
    unscoped: &Unscoped,
    url: &str,
) -> Result<T, Problem> {
    let headers = [(AUTH_TOKEN, unscoped.token.as_str())];
    let answer = context.http.ask((Method::GET, url), &headers, None).await?;
    if !answer.ok {
        return Err(refusal(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| garbage(url, "not what Keystone answers", &answer))
}

/// A token of a project; none where Keystone says that there is no access.
pub async fn scope(
    context: &Context,
    cloud: &Cloud,
    unscoped: &Unscoped,
    (project, domain): (&str, &str),
) -> Result<Option<Scoped>, Problem> {
    let scope = json!({ "project": { "name": project, "domain": { "name": domain } } });
    let url = format!("{}/auth/tokens", cloud.auth_url);
    let answer = ask_for(context, &url, unscoped, &scope).await?;
    if answer.status == 401 {
        return Ok(None);
    }
    if !answer.ok {
        return Err(refusal(&answer));
    }
    let (token, fields) = issued(&url, &answer)?;
    let ends = clock::seconds(&fields.expires_at).unwrap_or_default();
    let mut regions: Vec<String> = fields
        .catalog
        .into_iter()
        .flat_map(|service| service.endpoints)
        .filter_map(|endpoint| endpoint.region_id)
        .collect();
    regions.sort();
    regions.dedup();
    Ok(Some(Scoped {
        token,
        ends: ends.min(unscoped.ends),
        project: fields
            .project
            .ok_or_else(|| garbage(&url, "no project in it", &answer))?,
        roles: fields.roles.into_iter().map(|role| role.name).collect(),
        regions,
    }))
}

async fn ask_for(
    context: &Context,
    url: &str,
    unscoped: &Unscoped,
    scope: &serde_json::Value,
) -> Result<Answer, Problem> {
    let body = json!({ "auth": {
        "identity": { "methods": ["token"], "token": { "id": unscoped.token } }, "scope": scope } });
    context.http.ask((Method::POST, url), &[], Some(&body)).await
}

fn issued(url: &str, answer: &Answer) -> Result<(String, TokenFields), Problem> {
    let token = answer
        .header(SUBJECT_TOKEN)
        .ok_or_else(|| garbage(url, "no token", answer))?;
    let body: TokenBody = serde_json::from_slice(&answer.body)
        .map_err(|_| garbage(url, "not what Keystone answers", answer))?;
    Ok((token.to_owned(), body.token))
}

fn garbage(url: &str, why: &str, answer: &Answer) -> Problem {
    Network::Garbage {
        url: url.to_owned(),
        why: why.to_owned(),
        reference: answer.reference.clone(),
    }
    .into()
}

/// Keystone's own sentence; the gateway's has the reference in it.
fn refusal(answer: &Answer) -> Problem {
    let message = serde_json::from_slice::<ErrorBody>(&answer.body)
        .map_or_else(|_| format!("status {}", answer.status), |body| body.error.message);
    CloudProblem::Keystone {
        status: answer.status,
        message,
    }
    .into()
}
