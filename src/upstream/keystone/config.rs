//! The settings of a partner's Keystone.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        ids::{TenantId, UpstreamId},
        mapping::MappingSettings,
        time::{Day, Timestamp},
    },
    upstream::xml::certificate::{self, Certificate},
};

/// Most certificates of one partner: each is tried.
const MOST_CERTIFICATES: usize = 8;
/// So many days before a certificate ends the operator is told.
const SOON_DAYS: i64 = 30;

/// A partner's Keystone that sends its users here (Keystone-to-Keystone).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in the path that the partner's `sp_url` names: `<our issuer>/saml/ecp/<id>`.
    pub id: UpstreamId,
    /// What operators read.
    pub name: String,
    /// The tenant whose people they are, and no other.
    pub tenant: TenantId,
    /// The partner's `[saml] idp_entity_id`, letter for letter.
    pub entity_id: String,
    /// Files (PEM) with the certificates of the keys that the partner signs with: `[saml] certfile` there. One to eight,
    /// and each is tried, so that a new key can be added before it is used.
    pub certificates: Vec<PathBuf>,
    /// The day (UTC) from which RSA-SHA1 counts no longer. Absent: it does not count. Keystone signs in no other way
    /// yet. SHA-1 is broken for whoever can choose what is signed, so this is for this partner alone, and ends.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub sha1_until: Option<Day>,
    /// How its claims become an identity. `preferred_username` is `user@domain`; groups are `domain/group`, roles
    /// `domain/project/role` in `openstack_project_roles`, each part percent-encoded.
    #[serde(default)]
    pub mapping: MappingSettings,
}

impl Config {
    /// What is wrong with it beyond its shape: which key, what was found, and what should stand there.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String, String)> {
        let mut wrong = Vec::new();
        let odd = |letter: char| letter.is_whitespace() || letter.is_control();
        if self.entity_id.is_empty() || self.entity_id.len() > 1024 || self.entity_id.contains(odd) {
            let found = format!("'{}'", self.entity_id);
            wrong.push((
                "entity_id".to_owned(),
                found,
                "a URI, as in the partner's [saml]".to_owned(),
            ));
        }
        if let Err(problem) = self.read() {
            wrong.push(problem);
        }
        wrong
    }

    /// The certificates; or which key is wrong, what was found and what should stand there.
    pub(super) fn read(&self) -> Result<Vec<Certificate>, (String, String, String)> {
        let mut all = Vec::new();
        for (at, path) in self.certificates.iter().enumerate() {
            let read = std::fs::read(path)
                .map_err(|error| error.to_string())
                .and_then(|pem| certificate::read(&pem));
            all.extend(read.map_err(|why| {
                let found = format!("'{}': {why}", path.display());
                let expected =
                    "a PEM file with certificates of RSA keys of at least 2048 bits, or ECDSA keys";
                (format!("certificates[{at}]"), found, expected.to_owned())
            })?);
        }
        if all.is_empty() || all.len() > MOST_CERTIFICATES {
            let found = format!("{} certificates", all.len());
            return Err(("certificates".to_owned(), found, "one to eight".to_owned()));
        }
        Ok(all)
    }

    /// Whether SHA-1 counts now.
    #[must_use]
    pub fn sha1(&self, now: Timestamp) -> bool {
        self.sha1_until.is_some_and(|until| now < until.begins())
    }

    /// What works and should be looked at, or has ended: a line each. It does not stop a start, as what one partner let
    /// end must not end everybody's gateway.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        match self.sha1_until {
            Some(until) if self.sha1(now) => lines.push(format!(
                "sha1_until: signatures with SHA-1 count until {until}; they can be forged by whoever chooses what is signed"
            )),
            Some(until) => lines.push(format!(
                "sha1_until: {until} has passed, so signatures with SHA-1 are refused; Keystone makes no others. Take the key out, \
                 or name a later day"
            )),
            None => {}
        }
        for one in self.read().unwrap_or_default() {
            let end = one.ends.rfc3339();
            if !one.counts(now) {
                let begin = one.begins.rfc3339();
                lines.push(format!(
                    "certificates: '{}' counts from {begin} to {end}, not now: its signatures are refused",
                    one.subject
                ));
            } else if one.ends.0 - now.0 < SOON_DAYS * 86_400 {
                lines.push(format!("certificates: '{}' ends at {end}", one.subject));
            }
        }
        lines
    }
}
