//! `fedctl kube config`: a kubeconfig for the person's clusters, without a secret.

use std::path::Path;
use std::process::ExitCode;

use serde_norway::Value;

use crate::client::args::{Config, Output};
use crate::client::cache::replace;
use crate::client::problem::{Local, Problem};
use crate::client::session::Context;
use crate::wire::kube::{
    Cluster, ClusterEntry, ClusterSettings, Clusters, ContextEntry, EXEC_EXTENSION, EXEC_V1, ExecEntry,
    Kubeconfig, NamedCluster, NamedContext, NamedExtension, NamedUser, UserEntry,
};

/// Name of the one user entry; which gateway it means stands with each cluster.
const USER: &str = "fedctl";

/// Prints the kubeconfig, or merges it into a file.
pub async fn run(context: &Context, ask: &Config) -> Result<ExitCode, Problem> {
    let clusters = chosen(fetched(context).await?, &ask.cluster)?;
    let ca = context.ca.as_deref().map(absolute).transpose()?;
    let ours = kubeconfig(context, clusters, ca.as_deref())?;
    let terminal = context.terminal;
    if let Some(path) = &ask.write {
        merge(path, &ours)?;
        terminal.say(&terminal.pick(
            format!(
                "Written to {}. Try: kubectl --kubeconfig {} get pods",
                path.display(),
                path.display()
            ),
            format!(
                "In {} geschrieben. Versuchen Sie: kubectl --kubeconfig {} get pods",
                path.display(),
                path.display()
            ),
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let text = match terminal.output {
        Output::Json => serde_json::to_string(&ours).map_err(|error| Local::Runtime(error.to_string()))?,
        Output::Text => serde_norway::to_string(&ours).map_err(|error| Local::Runtime(error.to_string()))?,
    };
    let written = terminal.answer(text.trim_end());
    written.map_err(|error| Local::File {
        path: "stdout".into(),
        why: error.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn fetched(context: &Context) -> Result<Vec<Cluster>, Problem> {
    let locked = context.lock()?;
    let mut record = context.kept(&locked)?;
    let access = context.access(&locked, &mut record, false).await?;
    let url = format!("{}/api/v1/clusters", context.issuer.trim_end_matches('/'));
    let found: Clusters = match context.http.get(&url, Some(&access)).await {
        Err(problem) if problem.oauth_code() == Some("invalid_token") => {
            let access = context.access(&locked, &mut record, true).await?;
            context.http.get(&url, Some(&access)).await?
        }
        other => other?,
    };
    Ok(found.clusters)
}

fn chosen(found: Vec<Cluster>, wanted: &[String]) -> Result<Vec<Cluster>, Problem> {
    if let Some(missing) = wanted
        .iter()
        .find(|id| found.iter().all(|cluster| cluster.id != **id))
    {
        return Err(Local::NoCluster(missing.clone()).into());
    }
    let chosen: Vec<Cluster> = found
        .into_iter()
        .filter(|cluster| wanted.is_empty() || wanted.contains(&cluster.id))
        .collect();
    if chosen.is_empty() {
        return Err(Local::NoCluster("(any)".into()).into());
    }
    // kubectl sends no credentials over http and does not even run the plugin: better said here.
    match chosen
        .iter()
        .find(|cluster| !cluster.server.starts_with("https://"))
    {
        Some(plain) => Err(Local::PlainServer {
            id: plain.id.clone(),
            server: plain.server.clone(),
        }
        .into()),
        None => Ok(chosen),
    }
}

fn kubeconfig(context: &Context, found: Vec<Cluster>, ca: Option<&str>) -> Result<Kubeconfig, Problem> {
    let contexts = found.iter().map(|cluster| NamedContext {
        name: cluster.id.clone(),
        context: ContextEntry {
            cluster: cluster.id.clone(),
            user: USER.into(),
        },
    });
    let exec = ExecEntry {
        api_version: EXEC_V1.into(),
        command: "fedctl".into(),
        args: vec!["kube".into(), "credential".into()],
        interactive_mode: "IfAvailable".into(),
        provide_cluster_info: true,
        install_hint: Some(format!(
            "fedctl is needed to sign in at {}; ask whoever runs it.",
            context.issuer
        )),
    };
    Ok(Kubeconfig {
        api_version: "v1".into(),
        kind: "Config".into(),
        current_context: found.first().map(|cluster| cluster.id.clone()),
        contexts: contexts.collect(),
        users: vec![NamedUser {
            name: USER.into(),
            user: UserEntry { exec },
        }],
        clusters: found
            .into_iter()
            .map(|cluster| entry(context, cluster, ca))
            .collect(),
    })
}

fn entry(context: &Context, cluster: Cluster, ca: Option<&str>) -> NamedCluster {
    let extension = ClusterSettings {
        gateway: context.issuer.clone(),
        audience: cluster.audience,
        client_id: Some(context.client_id.clone()),
        ca: ca.map(str::to_owned),
    };
    NamedCluster {
        name: cluster.id,
        cluster: ClusterEntry {
            server: cluster.server,
            certificate_authority_data: cluster.certificate_authority_data,
            extensions: vec![NamedExtension {
                name: EXEC_EXTENSION.into(),
                extension,
            }],
        },
    }
}

/// kubectl runs the plugin from any folder.
fn absolute(path: &Path) -> Result<String, Problem> {
    let fault = |why: String| Local::File {
        path: path.display().to_string(),
        why,
    };
    let full = std::path::absolute(path).map_err(|error| fault(error.to_string()))?;
    Ok(full.to_str().ok_or_else(|| fault("not UTF-8".into()))?.to_owned())
}

/// Puts our entries into an existing file in place of those of the same names; all else stays as it is.
fn merge(path: &Path, ours: &Kubeconfig) -> Result<(), Problem> {
    let fault = |why: String| {
        Problem::from(Local::File {
            path: path.display().to_string(),
            why,
        })
    };
    let ours = serde_norway::to_value(ours).map_err(|error| fault(error.to_string()))?;
    let existing = match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => {
            serde_norway::from_str(&text).map_err(|error| fault(error.to_string()))?
        }
        Ok(_) => Value::Null,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Value::Null,
        Err(error) => return Err(fault(error.to_string())),
    };
    let merged = match (existing, ours) {
        (Value::Null, ours) => ours,
        (Value::Mapping(mut old), Value::Mapping(new)) => {
            for (key, value) in new {
                let combined = combined(old.get(&key), value);
                old.insert(key, combined);
            }
            Value::Mapping(old)
        }
        (_, _) => return Err(fault("not a kubeconfig".into())),
    };
    let text = serde_norway::to_string(&merged).map_err(|error| fault(error.to_string()))?;
    // A kubeconfig that is a link (dotfiles) stays one: its target is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, text.as_bytes(), 0o600)
}

/// Lists are merged by `name`. Of single values the existing one stays (`current-context` is the person's).
fn combined(old: Option<&Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Sequence(old)), Value::Sequence(new)) => {
            let kept = old
                .iter()
                .filter(|entry| new.iter().all(|ours| name(ours) != name(entry)));
            Value::Sequence(kept.cloned().chain(new.clone()).collect())
        }
        (Some(Value::Null) | None, new) => new,
        (Some(Value::String(old)), new) if old.is_empty() => new,
        (Some(old), _) => old.clone(),
    }
}

fn name(entry: &Value) -> Option<&str> {
    entry.get("name").and_then(Value::as_str)
}
