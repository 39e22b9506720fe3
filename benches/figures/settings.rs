//! The gateways that are measured: a home with one person and two clients, and a cloud that trusts it.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use fedgate::app::operate;

pub const PERSON: (&str, &str) = ("anna", "a-long-password-of-anna");
pub const SECRET: &str = "the-secret-of-both-clients-0123456789-0123456789";
/// Nothing listens there: walks stop before it.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";

const HOME: &str = r#"
issuer: http://127.0.0.1:HOME
name: Home
listen: { address: "127.0.0.1:HOME" }
secret_key: { file: secret.key }
store:
  records: RECORDS
tenants:
  - { id: acme, name: ACME, domains: [acme] }
upstreams:
  - kind: local
    id: people
    name: People
    tenant: acme
    users:
      - { username: anna, password_hash: { file: anna.hash }, groups: [developers] }
    mapping:
      groups:
        - { rule: all, claim: groups, accept: ["*"] }
clients:
  - id: batch
    name: A service
    auth: { method: secret, secret: { file: client.secret } }
    grants: [client_credentials]
    tenant: acme
  - id: app
    name: An application
    auth: { method: secret, secret: { file: client.secret } }
    grants: [authorization_code, refresh_token]
    redirect_uris: ["CALLBACK"]
  - id: cloud
    name: The cloud
    auth: { method: secret, secret: { file: client.secret } }
    grants: [authorization_code]
    redirect_uris: ["http://127.0.0.1:CLOUD/login/acme/callback"]
access:
  - { rule: sign-in, tenant: acme, group: developers, target: gateway, session: true }
  - { rule: use-the-app, tenant: acme, group: developers, target: app, groups: [developers] }
log: { format: json, filter: info }
"#;

const CLOUD: &str = r#"
issuer: http://127.0.0.1:CLOUD
name: Cloud
listen: { address: "127.0.0.1:CLOUD" }
secret_key: { file: secret.key }
store:
  records: RECORDS
tenants:
  - { id: acme, name: ACME, domains: [acme] }
upstreams:
  - kind: oidc
    id: acme
    name: ACME
    tenant: acme
    issuer: http://127.0.0.1:HOME
    client_id: cloud
    client_secret: { file: client.secret }
    addresses: loopback
    mapping: {}
clients:
  - id: app
    name: An application
    auth: { method: secret, secret: { file: client.secret } }
    grants: [authorization_code, refresh_token]
    redirect_uris: ["CALLBACK"]
log: { format: json, filter: info }
"#;

/// The ports of both; only those that are used need to be free.
#[derive(Clone, Copy)]
pub struct Ports {
    pub home: u16,
    pub cloud: u16,
}

/// Writes the home's settings. With a URL its records are in PostgreSQL, else in SQLite beside them.
pub fn home(folder: &Path, ports: Ports, postgres: Option<&str>) {
    write(folder, (HOME, ports), postgres);
}

/// Writes the cloud's settings.
pub fn cloud(folder: &Path, ports: Ports) {
    write(folder, (CLOUD, ports), None);
}

fn write(folder: &Path, (text, ports): (&str, Ports), postgres: Option<&str>) {
    let records = match postgres {
        None => "{ kind: sqlite, path: fedgate.db }",
        Some(url) => {
            keep(folder, "database.url", url);
            "{ kind: postgres, url: { file: database.url } }"
        }
    };
    let text = text
        .replace("HOME", &ports.home.to_string())
        .replace("CLOUD", &ports.cloud.to_string())
        .replace("CALLBACK", CALLBACK)
        .replace("RECORDS", records);
    keep(folder, "fedgate.yaml", &text);
    keep(folder, "secret.key", &operate::random_secret());
    keep(folder, "client.secret", SECRET);
    keep(folder, "anna.hash", &operate::hash_password(PERSON.1).unwrap());
}

fn keep(folder: &Path, name: &str, text: &str) {
    let mut open = std::fs::OpenOptions::new();
    let mut file = open
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(name))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
