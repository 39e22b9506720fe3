//! `fedctl openstack config`: `clouds.yaml` for the stock clients. They sign in with a code that the person confirms in
//! a browser, so the file holds no secret and can be handed around.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::client::args::{CloudsYaml, Output};
use crate::client::cache::replace;
use crate::client::problem::{Cloud as CloudProblem, Local, Problem};
use crate::client::session::Context;
use crate::wire::cloud::Cloud;

use super::{keystone, login};

/// Prints the file, or merges it into one.
pub async fn run(context: &Context, ask: &CloudsYaml) -> Result<ExitCode, Problem> {
    let mut entries = Map::new();
    for cloud in chosen(login::clouds(context).await?, &ask.cloud)? {
        for (name, project) in places(context, ask, &cloud).await? {
            entries.insert(name, entry(context, &cloud, project)?);
        }
    }
    let terminal = context.terminal;
    if let Some(path) = &ask.write {
        let first = entries.keys().next().cloned().unwrap_or_default();
        merge(path, entries)?;
        let path = path.display();
        terminal.say(&terminal.pick(
            format!("Written to {path}. Try: OS_CLIENT_CONFIG_FILE={path} openstack --os-cloud {first} token issue"),
            format!("In {path} geschrieben. Versuchen Sie: OS_CLIENT_CONFIG_FILE={path} openstack --os-cloud {first} token issue"),
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let whole = json!({ "clouds": entries });
    let text = match terminal.output {
        Output::Json => whole.to_string(),
        Output::Text => serde_norway::to_string(&whole).map_err(|error| Local::Runtime(error.to_string()))?,
    };
    terminal.answer(text.trim_end()).map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn chosen(found: Vec<Cloud>, wanted: &[String]) -> Result<Vec<Cloud>, Problem> {
    let known: Vec<String> = found.iter().map(|cloud| cloud.id.clone()).collect();
    let missing = wanted.iter().find(|id| !known.contains(id));
    if missing.is_some() || found.is_empty() {
        let asked = missing.cloned().unwrap_or_default();
        return Err(CloudProblem::Unknown { asked, known }.into());
    }
    Ok(found
        .into_iter()
        .filter(|cloud| wanted.is_empty() || wanted.contains(&cloud.id))
        .collect())
}

/// The entries of one cloud: name, and project with domain. Without `--project` the person's own.
async fn places(
    context: &Context,
    ask: &CloudsYaml,
    cloud: &Cloud,
) -> Result<Vec<(String, (String, String))>, Problem> {
    if let (Some(project), Some(domain)) = (&ask.project, &ask.domain) {
        return Ok(vec![(cloud.id.clone(), (project.clone(), domain.clone()))]);
    }
    let unscoped = login::unscoped(context, cloud, None).await?;
    let mut all = keystone::projects(context, cloud, &unscoped).await?;
    if let Some(project) = &ask.project {
        all.retain(|(own, _)| own.name == *project);
        return match all.as_slice() {
            [(own, domain)] => Ok(vec![(cloud.id.clone(), (own.name.clone(), domain.clone()))]),
            [] => Err(CloudProblem::NoProject {
                project: project.clone(),
                domain: None,
                missing: Vec::new(),
            }
            .into()),
            _ => Err(CloudProblem::Ambiguous {
                project: project.clone(),
                domains: all.into_iter().map(|(_, domain)| domain).collect(),
            }
            .into()),
        };
    }
    let twice = |name: &str| all.iter().filter(|(own, _)| own.name == name).count() > 1;
    Ok(all
        .iter()
        .map(|(project, domain)| {
            let name = if twice(&project.name) {
                format!("{}-{domain}-{}", cloud.id, project.name)
            } else {
                format!("{}-{}", cloud.id, project.name)
            };
            (name, (project.name.clone(), domain.clone()))
        })
        .collect())
}

fn entry(context: &Context, cloud: &Cloud, (project, domain): (String, String)) -> Result<Value, Problem> {
    let client_id = cloud
        .client_id
        .as_ref()
        .ok_or_else(|| CloudProblem::NoDevice(cloud.id.clone()))?;
    let issuer = context.issuer.trim_end_matches('/');
    let mut entry = json!({
        "auth_type": "v3oidcdeviceauthz",
        "auth": {
            "auth_url": cloud.auth_url,
            "identity_provider": cloud.identity_provider,
            "protocol": cloud.protocol,
            "discovery_endpoint": format!("{issuer}/.well-known/openid-configuration"),
            "client_id": client_id,
            "code_challenge_method": "S256",
            "project_name": project,
            "project_domain_name": domain,
        },
        "identity_api_version": "3",
    });
    if let (Some(path), Some(entry)) = (&context.ca, entry.as_object_mut()) {
        let full = std::path::absolute(path).map_err(|error| Local::File {
            path: path.display().to_string(),
            why: error.to_string(),
        })?;
        entry.insert("cacert".into(), full.display().to_string().into());
    }
    Ok(entry)
}

/// Puts our entries in place of those of the same names; all else of the file stays as it is.
fn merge(path: &std::path::Path, ours: Map<String, Value>) -> Result<(), Problem> {
    let fault = |why: String| {
        Problem::from(Local::File {
            path: path.display().to_string(),
            why,
        })
    };
    let mut whole: serde_norway::Mapping = match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => {
            serde_norway::from_str(&text).map_err(|error| fault(error.to_string()))?
        }
        Ok(_) => serde_norway::Mapping::new(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => serde_norway::Mapping::new(),
        Err(error) => return Err(fault(error.to_string())),
    };
    let mut clouds = match whole.remove("clouds") {
        Some(serde_norway::Value::Mapping(clouds)) => clouds,
        None => serde_norway::Mapping::new(),
        Some(_) => return Err(fault("not a clouds.yaml".into())),
    };
    for (name, entry) in ours {
        let entry = serde_norway::to_value(entry).map_err(|error| fault(error.to_string()))?;
        clouds.insert(name.into(), entry);
    }
    whole.insert("clouds".into(), serde_norway::Value::Mapping(clouds));
    let text = serde_norway::to_string(&whole).map_err(|error| fault(error.to_string()))?;
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, text.as_bytes(), 0o600)
}
