//! What is known to be wrong with Keystones, and the request that shows whether one believes strangers.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Client;
use serde_json::json;
use url::Url;

use super::{Config, MappingSchema, headers::name};
use crate::wire::keystone::{AUTH_TOKEN, SUBJECT_TOKEN};

/// Who the forged request claims to be. Where it succeeds, Keystone keeps a shadow user of this name.
pub const STRANGER: &str = "fedgate-doctor";
const PATIENCE: Duration = Duration::from_secs(15);

/// A flaw of some releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advisory {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// What mends it.
    pub fix: &'static str,
    /// The first release of each series without it; what is older than the first series has it, too.
    fixed: &'static [(u32, u32, u32)],
    /// The first revision of Debian 12's package without it (`22.0.2-0+deb12u3`): Debian mends what is old.
    debian_12: Option<u32>,
}

/// openstack.md §7: those that the release tells.
const ADVISORIES: [Advisory; 3] = [
    Advisory {
        name: "CVE-2026-44394 (LP 2150379)",
        effect: "a federated token can be rescoped for ever, each time to a fresh lifetime",
        fix: "update to 28.0.2, 29.0.2 or later; until then keep [token] expiration short",
        fixed: &[(28, 0, 2), (29, 0, 2)],
        debian_12: Some(3),
    },
    Advisory {
        name: "LP 2119031",
        effect: "group memberships of federated users stay after they changed at the identity provider",
        fix: "update to 29.0.0 or later",
        fixed: &[(29, 0, 0)],
        debian_12: None,
    },
    Advisory {
        name: "LP 2146771",
        effect: "accents in group names arrive broken over WSGI",
        fix: "update to 30.0.0 or later, or name groups in ASCII alone",
        fixed: &[(30, 0, 0)],
        debian_12: None,
    },
];

/// `30.0.0`, or Debian's `2:22.0.2-0+deb12u6`: the release, and the revision of Debian 12's package.
fn release(version: &str) -> Option<((u32, u32, u32), Option<u32>)> {
    let version = version.trim();
    let version = version
        .split_once(':')
        .map_or(version, |(_epoch, version)| version);
    let (upstream, package) = version.split_once('-').unwrap_or((version, ""));
    let mut parts = upstream.split('.').map(|part| part.parse::<u32>().ok());
    let release = (
        parts.next()??,
        parts.next()??,
        parts.next().flatten().unwrap_or(0),
    );
    let revision = package
        .split_once("deb12u")
        .and_then(|(_, revision)| revision.parse().ok());
    Some((release, revision))
}

/// The flaws of a release, `30.0.0`; none if this is no release.
#[must_use]
pub fn advisories(version: &str) -> Option<Vec<Advisory>> {
    let (release, package) = release(version)?;
    let has = |advisory: &&Advisory| {
        if let (Some(package), Some(mended)) = (package, advisory.debian_12)
            && package >= mended
        {
            return false;
        }
        let own = advisory.fixed.iter().find(|fixed| fixed.0 == release.0);
        match own {
            Some(fixed) => release < *fixed,
            None => advisory.fixed.iter().all(|fixed| release.0 < fixed.0),
        }
    };
    Some(ADVISORIES.iter().filter(has).copied().collect())
}

/// Whether a release knows a mapping schema; an unknown one may.
#[must_use]
pub fn knows(version: &str, schema: MappingSchema) -> bool {
    schema == MappingSchema::Groups || release(version).is_none_or(|(release, _)| release.0 >= 29)
}

/// What became of a forged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgery {
    /// It was refused, with this status.
    Refused(u16),
    /// A token was issued to nobody. It has been revoked.
    Believed,
    /// There was no answer.
    Silent(String),
}

/// Sends `POST /v3/auth/tokens` with identity headers and no proof, as anybody could. `prefix` is how the names
/// begin; they are tried in both spellings, since servers read `-` and `_` alike.
pub async fn forge(
    client: &Client,
    base: &Url,
    (config, prefix): (&Config, &str),
    (issuer, domain): (&str, &str),
) -> Forgery {
    let remote_id = config.remote_id(issuer);
    let projects = json!([{ "name": STRANGER, "roles": [{ "name": "reader" }] }]).to_string();
    let facts = [
        (name::ISS, remote_id.as_str()),
        (name::SUB, STRANGER),
        (name::PREFERRED_USERNAME, STRANGER),
        (name::EMAIL, "fedgate-doctor@invalid.example"),
        (name::DOMAIN, domain),
        (name::PROJECTS, &projects),
        ("OPENSTACK-USER-DOMAIN", domain),
        ("GROUPS", STRANGER),
    ];
    let mut outcome = Forgery::Silent(String::new());
    for between in ["-", "_"] {
        let headers = facts.iter().filter_map(|(end, value)| {
            let name = HeaderName::try_from(format!("{prefix}{}", end.replace('-', between))).ok()?;
            Some((name, HeaderValue::try_from(*value).ok()?))
        });
        outcome = send(client, base, config, headers.collect()).await;
        if outcome == Forgery::Believed {
            break;
        }
    }
    outcome
}

async fn send(client: &Client, base: &Url, config: &Config, headers: HeaderMap) -> Forgery {
    let base = base.as_str().trim_end_matches('/').trim_end_matches("/v3");
    let url = format!("{base}/v3/auth/tokens");
    let body = json!({"auth": {"identity": {
        "methods": [config.protocol],
        config.protocol.clone(): {
            "identity_provider": config.identity_provider, "protocol": config.protocol,
        },
    }}});
    let request = client.post(&url).timeout(PATIENCE).headers(headers).json(&body);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(fault) => return Forgery::Silent(fault.without_url().to_string()),
    };
    let issued = answer.status().as_u16() == 201;
    let Some(token) = answer.headers().get(SUBJECT_TOKEN).filter(|_| issued) else {
        return Forgery::Refused(answer.status().as_u16());
    };
    let request = client.delete(&url).timeout(PATIENCE).header(AUTH_TOKEN, token);
    let ended = request.header(SUBJECT_TOKEN, token).send().await;
    // If it cannot be revoked it ends by itself; it belongs to nobody.
    drop(ended);
    Forgery::Believed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_the_flaws_of_its_series() {
        let names = |version| -> Vec<&str> {
            advisories(version)
                .unwrap()
                .iter()
                .map(|advisory| advisory.name)
                .collect()
        };
        assert_eq!(names("30.0.0"), [""; 0]);
        assert_eq!(names("29.0.2"), ["LP 2146771"]);
        assert_eq!(names("29.0.1").len(), 2);
        assert_eq!(names("28.0.2"), ["LP 2119031", "LP 2146771"]);
        assert_eq!(names("22.0.0").len(), 3);
        // Debian mended the first of them, and not before its third update.
        assert_eq!(names("2:22.0.2-0+deb12u6"), ["LP 2119031", "LP 2146771"]);
        assert_eq!(names("22.0.2-0+deb12u2").len(), 3);
        assert_eq!(advisories("yoga"), None);
        assert!(knows("29.0.0", MappingSchema::Projects) && knows("22.0.2", MappingSchema::Groups));
        assert!(!knows("2:22.0.2-0+deb12u6", MappingSchema::Projects));
    }
}
