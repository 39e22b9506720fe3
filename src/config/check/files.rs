//! Files, folders and secrets that the tree names must be there, and be readable for this process.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{domain::secret::SecretRef, port::secrets::Secrets as _};

use super::super::{
    Environment, Problem,
    load::Source,
    secret::{SecretSources, plain},
    shape::{join, shown},
};

/// Keys whose text names a file that is only read.
const READ: [&str; 5] = ["ca", "certificate", "client_ca", "jwks_file", "key_file"];
/// Least length of the secret that everything is sealed with.
const LEAST_SECRET: usize = 32;

pub(super) fn check(source: &Source, environment: &Environment, problems: &mut Vec<Problem>) {
    let look = Look {
        source,
        secrets: SecretSources::new(environment.clone()),
    };
    look.at(&source.tree, "", problems);
}

struct Look<'a> {
    source: &'a Source,
    secrets: SecretSources,
}

impl Look<'_> {
    fn at(&self, tree: &Value, path: &str, problems: &mut Vec<Problem>) {
        if let Some(reference) = reference(tree) {
            self.secret(&reference, path, problems);
            return;
        }
        match tree {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.at(item, &format!("{path}[{index}]"), problems);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    let below = join(path, key);
                    match value.as_str() {
                        Some(text) if READ.contains(&key.as_str()) || below == "people.path" => {
                            self.file(text, &below, problems);
                        }
                        Some(text) if matches!(below.as_str(), "policy.folder" | "policy.rest.folder") => {
                            self.folder(text, &below, problems);
                        }
                        Some(_) | None => self.at(value, &below, problems),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn secret(&self, reference: &SecretRef, path: &str, problems: &mut Vec<Problem>) {
        match self.secrets.read(reference) {
            Err(missing) => {
                problems.push(
                    self.source
                        .problem(path, missing.to_string(), "a secret that can be read"),
                );
            }
            Ok(secret) if path == "secret_key" && secret.reveal().len() < LEAST_SECRET => {
                let found = format!("a secret of {} characters", secret.reveal().len());
                let expected = "at least 32 characters (`openssl rand -base64 48`)";
                problems.push(self.source.problem(path, found, expected));
            }
            Ok(_) => {}
        }
    }

    fn file(&self, text: &str, path: &str, problems: &mut Vec<Problem>) {
        if let Err(error) = fs::File::open(text) {
            let found = format!("'{text}', which cannot be read ({})", plain(&error));
            problems.push(self.source.problem(path, found, "a file that can be read"));
        }
    }

    fn folder(&self, text: &str, path: &str, problems: &mut Vec<Problem>) {
        if !Path::new(text).is_dir() {
            let found = shown(&Value::String(text.to_owned()));
            problems.push(
                self.source
                    .problem(path, found, "a folder with policies (*.rego)"),
            );
        }
    }
}

/// A mapping with the one key `file` or `env` is a reference to a secret, wherever it stands.
fn reference(tree: &Value) -> Option<SecretRef> {
    let map = tree.as_object().filter(|map| map.len() == 1)?;
    let (key, value) = map.iter().next()?;
    match (key.as_str(), value.as_str()?) {
        (_, "") => None,
        ("file", text) => Some(SecretRef::File(text.into())),
        ("env", text) => Some(SecretRef::Env(text.to_owned())),
        _ => None,
    }
}
