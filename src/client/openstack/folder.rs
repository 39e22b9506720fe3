//! Files that live as long as a program does: its `clouds.yaml` and its token, for its owner's eyes.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use serde_json::json;

use crate::client::cache::replace;
use crate::client::problem::{Local, Problem};
use crate::client::session::{Context, random};
use crate::wire::cloud::Cloud;

use super::keystone::Scoped;

/// A folder that goes with this value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one where the system keeps what belongs to a login, else among temporary files.
    pub fn make() -> Result<Self, Problem> {
        let base = dirs::runtime_dir().filter(|path| path.is_dir());
        let name: String = random()?.chars().take(16).collect();
        let path = base
            .unwrap_or_else(std::env::temp_dir)
            .join(format!("fedctl-{name}"));
        let mut builder = DirBuilder::new();
        // Fails where something of that name is there already: nobody can prepare it.
        builder.mode(0o700).create(&path).map_err(|error| Local::File {
            path: path.display().to_string(),
            why: error.to_string(),
        })?;
        Ok(Self(path))
    }

    /// The token alone.
    #[must_use]
    pub fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// For clients that read it.
    #[must_use]
    pub fn clouds_yaml(&self) -> PathBuf {
        self.0.join("clouds.yaml")
    }

    /// The gateway's CA, by its full path: the program may run anywhere.
    #[must_use]
    pub fn ca(&self, context: &Context) -> Option<String> {
        let path = context.ca.as_deref()?;
        let full = std::path::absolute(path).ok()?;
        Some(full.display().to_string())
    }

    /// Writes both, each replaced as a whole.
    pub fn write(&self, context: &Context, cloud: &Cloud, scoped: &Scoped) -> Result<(), Problem> {
        let mut entry = json!({
            "auth_type": "v3token",
            "auth": {
                "auth_url": cloud.auth_url,
                "token": scoped.token,
                "project_id": scoped.project.id,
            },
            "identity_api_version": "3",
            "interface": "public",
        });
        if let Some(entry) = entry.as_object_mut() {
            if let Some(ca) = self.ca(context) {
                entry.insert("cacert".into(), ca.into());
            }
            if let [region] = scoped.regions.as_slice() {
                entry.insert("region_name".into(), region.as_str().into());
            }
        }
        let text = serde_norway::to_string(&json!({ "clouds": { cloud.id.as_str(): entry } }))
            .map_err(|error| Local::Runtime(error.to_string()))?;
        replace(&self.clouds_yaml(), text.as_bytes(), 0o600)?;
        replace(&self.token(), scoped.token.as_bytes(), 0o600)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
