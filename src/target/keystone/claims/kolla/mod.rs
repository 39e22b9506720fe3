//! What an operator of kolla-ansible or OSISM installs, so that the stock Apache and Keystone take this gateway's
//! people: `fedgate keystone kolla`. Nothing here is sent anywhere; the operator looks at it and deploys it.
//!
//! kolla renders these files as Jinja templates: none may hold `{{`, `{%` or `{#` but where kolla is meant to read it.

mod apache;
mod mapping;
mod settings;

use serde_json::json;
use url::Url;

use super::{super::encoded, Config, metadata};

/// The scopes that Apache asks for.
const SCOPES: &str = "openid profile email groups";
/// The path that mod_auth_openidc keeps for itself, as kolla sets it.
pub const REDIRECT_PATH: &str = "/redirect_uri";
/// The protocol's id in Keystone: kolla knows OpenID Connect alone, under this name.
const PROTOCOL: &str = "openid";

/// What the files are about.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The target.
    pub config: &'a Config,
    /// The gateway's issuer URL.
    pub gateway: &'a str,
    /// Apache's client at this gateway.
    pub client: &'a str,
    /// Its secret.
    pub secret: &'a crate::domain::secret::Secret,
    /// Keystone's public URL, without `/v3`.
    pub keystone: &'a str,
    /// The identity provider's id in Keystone.
    pub identity_provider: &'a str,
    /// The Keystone domains of all tenants; the first is the home of the identity provider.
    pub domains: &'a [String],
    /// Where Horizon is.
    pub horizon: Option<&'a Url>,
    /// Where Skyline's console is.
    pub skyline: Option<&'a Url>,
    /// Where the files will be on the machine that runs kolla-ansible.
    pub folder: &'a str,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// Whether it holds a secret.
    pub secret: bool,
}

impl Ask<'_> {
    fn issuer(&self) -> String {
        self.config.issuer(self.gateway)
    }

    /// Keystone's path of this identity provider's protocol.
    fn protocol_path(&self) -> String {
        format!(
            "identity_providers/{}/protocols/{PROTOCOL}",
            self.identity_provider
        )
    }

    /// Where mod_auth_openidc begins a sign-in with this gateway, without a page to choose among issuers.
    fn discover_url(&self) -> String {
        format!("{}{REDIRECT_PATH}?iss={}", self.keystone, encoded(&self.issuer()))
    }

    /// Where a sign-out at Apache and at this gateway returns to, Horizon's page for signing in; it must be one of the
    /// client's `post_logout_redirect_uris`.
    #[must_use]
    pub fn logout_return(&self) -> Option<String> {
        self.horizon
            .map(|url| format!("{}/auth/login/", url.as_str().trim_end_matches('/')))
    }
}

/// The files.
#[must_use]
pub fn files(ask: &Ask<'_>) -> Vec<File> {
    let stem = format!("metadata/{}", file_name(&ask.issuer()));
    let open = |path: String, text: String| File {
        path,
        text,
        secret: false,
    };
    let mut files = vec![
        open(
            format!("{stem}.provider"),
            pretty(&metadata(ask.gateway, &ask.issuer())),
        ),
        File {
            path: format!("{stem}.client"),
            text: pretty(&json!({ "client_id": ask.client, "client_secret": ask.secret.reveal() })),
            secret: true,
        },
        open(
            format!("{stem}.conf"),
            // S256, because this gateway gives no code without it.
            pretty(&json!({ "response_type": "code", "pkce_method": "S256", "scope": SCOPES })),
        ),
        open("metadata/fedgate-apache.conf".to_owned(), apache::snippet(ask)),
        open("mapping-2.0.json".to_owned(), pretty(&mapping::one_project(ask))),
        open("mapping-3.0.json".to_owned(), pretty(&mapping::all_projects(ask))),
        open("globals.yml".to_owned(), settings::globals(ask)),
        open("keystone.conf".to_owned(), settings::keystone_conf()),
    ];
    if ask.horizon.is_some() {
        files.push(open("horizon.py".to_owned(), settings::horizon(ask)));
    }
    if let Some(skyline) = ask.skyline {
        files.push(open("skyline.yaml".to_owned(), settings::skyline(ask, skyline)));
    }
    files
}

/// How mod_auth_openidc names the files of an issuer: without the scheme, everything else escaped.
fn file_name(issuer: &str) -> String {
    let bare = issuer.split_once("://").map_or(issuer, |(_, bare)| bare);
    encoded(bare)
}

/// Pretty, so that no two braces stand together: kolla renders the file as a Jinja template.
fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn written() -> Vec<File> {
        let config: Config = serde_json::from_value(json!({
            "id": "openstack", "name": "OpenStack", "audience": "openstack-north", "groups": ["developers"],
        }))
        .unwrap();
        let (secret, horizon) = (
            Secret::new("s3cret".to_owned()),
            Url::parse("https://horizon.north.example/").unwrap(),
        );
        files(&Ask {
            config: &config,
            gateway: "https://login.north.example",
            client: "keystone",
            secret: &secret,
            keystone: "https://keystone.north.example:5000",
            identity_provider: "fedgate",
            domains: &["acme".to_owned(), "beta".to_owned()],
            horizon: Some(&horizon),
            skyline: Some(&horizon),
            folder: "/etc/kolla/config/fedgate",
        })
    }

    #[test]
    fn files_are_named_as_the_module_looks_for_them() {
        let names: Vec<String> = written().into_iter().map(|file| file.path).collect();
        for end in [".provider", ".client", ".conf"] {
            let wanted = format!("metadata/login.north.example%2Fkeystone{end}");
            assert!(names.contains(&wanted), "{wanted}: {names:?}");
        }
        assert_eq!(
            file_name("https://localhost:8443/keystone"),
            "localhost%3A8443%2Fkeystone"
        );
    }

    #[test]
    fn only_the_clients_file_holds_the_secret_and_none_is_a_template() {
        for file in written() {
            assert_eq!(file.text.contains("s3cret"), file.secret, "{}", file.path);
            if file.path != "globals.yml" {
                for sign in ["{{", "{%", "{#"] {
                    assert!(!file.text.contains(sign), "{}: {}", file.path, file.text);
                }
            }
        }
    }

    #[test]
    fn globals_are_yaml() {
        let files = written();
        let globals = files.iter().find(|file| file.path == "globals.yml").unwrap();
        let tree: serde_json::Value = serde_norway::from_str(&globals.text).unwrap();
        assert_eq!(tree["keystone_federation_oidc_response_type"], "code");
        assert_eq!(
            tree["keystone_identity_providers"][0]["identifier"],
            "https://login.north.example/keystone"
        );
        assert_eq!(tree["keystone_identity_mappings"][0]["schema_version"], "2.0");
    }
}
