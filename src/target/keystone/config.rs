//! A Keystone, as configured.

use std::{borrow::Cow, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::transport::uwsgi;
use crate::domain::{
    ids::{TargetId, TenantId},
    secret::SecretRef,
};
use crate::outbound::{self, Outbound, OutboundFault};

/// How identity headers begin where nothing else is configured.
const USUAL_PREFIX: &str = "OIDC-";

/// A Keystone, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in rules, links and logs.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// The audience of bearer tokens that are good for logging in here.
    pub audience: String,
    /// Where Keystone listens for this gateway alone, without `/v3`: `uwsgi:///path/of/the/socket` or
    /// `uwsgi://host:port` for the binary protocol of uWSGI, whose identity keys no HTTP client can forge; or
    /// `https://` or `http://`. Without TLS (http, uwsgi with a port) only on a network of their own.
    pub url: Url,
    /// CA certificate of Keystone (PEM file). Absent: the public roots.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The identity provider's id in Keystone.
    #[serde(default = "fedgate")]
    pub identity_provider: String,
    /// The protocol's id in Keystone. It must stand in Keystone's `[auth] methods`.
    #[serde(default = "openid")]
    pub protocol: String,
    /// The remote id in Keystone. Absent: the gateway's issuer URL with `/keystone` after it.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// Which schema of Keystone's mapping rules is used. `3.0` needs Keystone 2026.1 (29) or newer: each sign-in sets
    /// exactly the projects and roles of the rules. `1.0` is for older ones, such as Debian 12's Keystone 22: roles
    /// come by groups that `fedgate keystone setup` makes from `access`, each tenant has an identity provider of its
    /// own (`identity_provider` with `-` and the tenant's id), and a role that was taken away ends 15 minutes later
    /// (and Keystone's `[role] cache_time`). Not with `provision`.
    #[serde(default)]
    pub mapping_schema: MappingSchema,
    /// Over HTTP: how the identity headers begin; ends with `-`. Keystone's `assertion_prefix` is the same in upper
    /// case with `_` for `-` and `HTTP_` before it. A random prefix for each deployment is one more wall. Absent:
    /// `OIDC-`. Over uwsgi there are no such headers, and the keys begin with `FEDGW_`.
    #[serde(default)]
    pub header_prefix: Option<String>,
    /// Keystone's `[token] expiration` in seconds. No permit for this target lives longer.
    #[serde(default = "one_hour")]
    pub lifetime_s: u64,
    /// How long Keystone may take to answer, in seconds.
    #[serde(default = "ten_seconds")]
    pub timeout_s: u64,
    /// Most logins that Keystone works on at once. More wait two seconds, then are told to try again.
    #[serde(default = "sixteen")]
    pub concurrency: usize,
    /// Most other requests that are passed on to Keystone at once. More wait two seconds, then are told to try again.
    #[serde(default = "many")]
    pub relayed: usize,
    /// Dashboards that sign their people in here (WebSSO).
    #[serde(default)]
    pub dashboards: Vec<Dashboard>,
    /// Makes people, groups, projects and roles before the first sign-in, and takes them away from who was let go.
    /// Absent: they come with sign-ins alone.
    #[serde(default)]
    pub provision: Option<super::provision::Config>,
    /// The administrator, for `fedgate keystone setup`. The gateway itself never uses it.
    #[serde(default)]
    pub admin: Option<AdminConfig>,
}

/// A schema of Keystone's mapping rules that this gateway writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MappingSchema {
    /// Roles by groups: every Keystone knows it.
    #[serde(rename = "1.0")]
    Groups,
    /// Roles by `projects_json`.
    #[default]
    #[serde(rename = "3.0")]
    Projects,
}

impl MappingSchema {
    /// The version, as Keystone writes it.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Groups => "1.0",
            Self::Projects => "3.0",
        }
    }
}

/// A dashboard (Horizon, Skyline), or the callback of a command line (`v3websso`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// What people read.
    pub name: String,
    /// Where it takes Keystone's token, compared as an exact string. The same must stand in Keystone's
    /// `trusted_dashboard`.
    pub origin: String,
    /// Where signing out may return to (`/logout?next=`), compared as exact strings.
    #[serde(default)]
    pub logout_returns: Vec<String>,
}

/// Who sets Keystone up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminConfig {
    /// A local user with a password, scoped to a project.
    Password {
        /// User name.
        user: String,
        /// The user's domain.
        #[serde(default = "default_domain")]
        user_domain: String,
        /// The project.
        project: String,
        /// The project's domain.
        #[serde(default = "default_domain")]
        project_domain: String,
        /// Where the password is.
        password: SecretRef,
    },
    /// A Keystone token.
    Token {
        /// Where the token is.
        token: SecretRef,
    },
}

fn fedgate() -> String {
    "fedgate".into()
}
fn openid() -> String {
    "openid".into()
}
fn default_domain() -> String {
    "Default".into()
}
fn one_hour() -> u64 {
    3600
}
fn ten_seconds() -> u64 {
    10
}
fn sixteen() -> usize {
    16
}
fn many() -> usize {
    256
}

impl Config {
    /// What is wrong with the settings, in the operator's words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.speaks_uwsgi() {
            if !uwsgi::is_place(&self.url) {
                problems.push("'url' must be uwsgi://host:port or uwsgi:///path/of/the/socket".to_owned());
            }
            for (key, set) in [
                ("header_prefix", self.header_prefix.is_some()),
                ("ca", self.ca.is_some()),
            ] {
                if set {
                    problems.push(format!("'{key}' does nothing over uwsgi: leave it out"));
                }
            }
        } else if !matches!(self.url.scheme(), "http" | "https") || self.url.query().is_some() {
            problems.push("'url' must be an https, http or uwsgi URL without a query".to_owned());
        }
        if self.url.path().trim_end_matches('/').ends_with("/v3") {
            problems.push("'url' is Keystone's address without '/v3'".to_owned());
        }
        let named = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if !named(&self.identity_provider) || !named(&self.protocol) {
            problems.push(
                "'identity_provider' and 'protocol' are letters, digits, '-' and '_': they stand in a path"
                    .to_owned(),
            );
        }
        let prefix = self.header_prefix();
        let spelled = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if prefix.len() < 3 || !prefix.ends_with('-') || !spelled {
            problems.push("'header_prefix' is letters, digits and '-', and ends with '-'".to_owned());
        }
        if let Some(provision) = &self.provision {
            problems.extend(provision.problems());
            if self.mapping_schema == MappingSchema::Groups {
                problems.push(
                    "'provision' needs 'mapping_schema: \"3.0\"': leave it out before a Keystone that knows 1.0 alone"
                        .to_owned(),
                );
            }
        }
        for dashboard in &self.dashboards {
            problems.extend(dashboard.problems());
        }
        if self.lifetime_s == 0 || self.timeout_s == 0 || self.concurrency == 0 || self.relayed == 0 {
            problems.push("'lifetime_s', 'timeout_s', 'concurrency' and 'relayed' must not be 0".to_owned());
        }
        problems
    }

    /// The remote id: the one issuer that Keystone ever sees.
    #[must_use]
    pub fn remote_id(&self, issuer: &str) -> String {
        self.remote_id
            .clone()
            .unwrap_or_else(|| format!("{issuer}/keystone"))
    }

    /// The settings that hold for the people of one tenant. By schema 1.0 Keystone puts a user into the domain of the
    /// identity provider, whatever a rule says: so each tenant has one, and its remote id, which must be unique.
    #[must_use]
    pub fn of_tenant(&self, tenant: &TenantId, issuer: &str) -> Cow<'_, Self> {
        match self.mapping_schema {
            MappingSchema::Projects => Cow::Borrowed(self),
            MappingSchema::Groups => Cow::Owned(Self {
                identity_provider: format!("{}-{tenant}", self.identity_provider),
                remote_id: Some(format!("{}/{tenant}", self.remote_id(issuer))),
                ..self.clone()
            }),
        }
    }

    /// The path of the federation URL that makes tokens.
    #[must_use]
    pub fn auth_path(&self) -> String {
        format!(
            "/v3/OS-FEDERATION/identity_providers/{}/protocols/{}/auth",
            self.identity_provider, self.protocol
        )
    }

    /// The path by which browsers sign in for a dashboard; Keystone's own.
    #[must_use]
    pub fn websso_path(&self) -> String {
        format!(
            "/v3/auth/OS-FEDERATION/identity_providers/{}/protocols/{}/websso",
            self.identity_provider, self.protocol
        )
    }

    /// The same for dashboards that know no identity provider.
    #[must_use]
    pub fn global_websso_path(&self) -> String {
        format!("/v3/auth/OS-FEDERATION/websso/{}", self.protocol)
    }

    /// How it is called, by logins, by the front and by its setup alike: with its own CA, and wherever it
    /// stands, for it is the operator's own and may be on this machine. No redirect is followed: an identity
    /// header must never travel on to another host.
    pub fn client(&self) -> Result<reqwest::Client, OutboundFault> {
        Outbound::streaming(&outbound::Config {
            ca: self.ca.clone(),
            addresses: outbound::Addresses::Loopback,
            ..outbound::Config::default()
        })
    }

    /// Whether Keystone is reached by the binary protocol of uWSGI.
    #[must_use]
    pub fn speaks_uwsgi(&self) -> bool {
        self.url.scheme() == "uwsgi"
    }

    /// How identity headers begin over HTTP.
    #[must_use]
    pub fn header_prefix(&self) -> &str {
        self.header_prefix.as_deref().unwrap_or(USUAL_PREFIX)
    }

    /// How Keystone sees what it is told: its `assertion_prefix`.
    #[must_use]
    pub fn assertion_prefix(&self) -> String {
        self.key("")
    }

    /// The WSGI key of one thing that Keystone is told.
    #[must_use]
    pub fn key(&self, end: &str) -> String {
        let end = end.replace('-', "_");
        if self.speaks_uwsgi() {
            format!("{}{end}", uwsgi::KEY_PREFIX)
        } else {
            format!("HTTP_{}{end}", self.header_prefix())
                .to_uppercase()
                .replace('-', "_")
        }
    }
}

impl Dashboard {
    fn problems(&self) -> Vec<String> {
        let address = |text: &str| {
            let plain = !text.contains(['"', '<', '>', '\'', ' ']) && text.is_ascii();
            plain && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        let mut problems = Vec::new();
        if !address(&self.origin) {
            problems.push(format!(
                "'dashboards': the origin of '{}' must be its whole http or https URL, such as \
                 https://horizon.example/auth/websso/",
                self.name
            ));
        }
        if !self.logout_returns.iter().all(|text| address(text)) {
            problems.push(format!(
                "'dashboards': 'logout_returns' of '{}' are http or https URLs",
                self.name
            ));
        }
        problems
    }
}
