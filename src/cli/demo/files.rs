//! The files of the demonstration. What is there already stays, so that a second start finds the same CA,
//! the same passwords and the same sign-ins.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{app::operate, policy};

/// The people of acme.
pub(super) const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// The cloud's own engineer, who comes in when everything else is down.
pub(super) const DUTY: &str = "duty";

/// The user of Keystone by whom people have their roles before they come, and lose them when they are let go.
pub(super) const MANAGER: &str = "fedgate-provision";

/// The configuration of a gateway that has a Keystone: without one nobody could be given anything there.
fn with_provision(text: &str) -> String {
    let admin = "    admin: { by: password,";
    let provision = format!(
        "    provision: {{ user: {MANAGER}, password: {{ file: keystone-manager.password }}, within_s: 30 }}\n{admin}"
    );
    text.replacen(admin, &provision, 1)
}

/// A prepared demonstration.
#[derive(Debug)]
pub(super) struct Demo {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// Where its parts listen.
    pub ports: super::Ports,
}

impl Demo {
    /// Makes what is missing.
    pub(super) fn prepare(folder: &Path, ports: super::Ports, openstack: bool) -> Result<Self, String> {
        for part in ["tls", "acme", "cloud-a", "log", "candidate/federation"] {
            let path = folder.join(part);
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|error| at(&path, &error))?;
        }
        let folder = folder.canonicalize().map_err(|error| at(folder, &error))?;
        let demo = Self { folder, ports };
        demo.certificates()?;
        for secret in [
            "acme/secret.key",
            "cloud-a/secret.key",
            "cloud-a/admin.token",
            "cloud-a-at-acme.secret",
            "demo-app.secret",
        ] {
            demo.once(secret, || Ok(operate::random_secret()))?;
        }
        demo.once("cloud-a/keystone-admin.password", || Ok("adminpw".to_owned()))?;
        demo.once("cloud-a/keystone-manager.password", || {
            Ok(operate::random_secret())
        })?;
        let homes = PEOPLE
            .map(|person| (person, "acme"))
            .into_iter()
            .chain([(DUTY, "cloud-a")]);
        for (person, home) in homes {
            let password = demo.once(&format!("{person}.password"), || {
                Ok(operate::random_secret()
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(12)
                    .collect())
            })?;
            demo.once(&format!("{home}/{person}.hash"), || {
                operate::hash_password(&password).map_err(|fault| fault.to_string())
            })?;
        }
        for (name, text) in [
            ("acme", include_str!("../../../config/demo/acme.yaml")),
            ("cloud-a", include_str!("../../../config/demo/cloud-a.yaml")),
        ] {
            let text = if openstack {
                with_provision(text)
            } else {
                text.to_owned()
            };
            demo.write(&format!("{name}/fedgate.yaml"), &demo.ported(&text))?;
        }
        demo.issuer()?;
        demo.candidate()?;
        demo.write("env", &super::words::environment(&demo)?)?;
        Ok(demo)
    }

    /// The CI system of acme: its key for `fedgate demo-job`, and what the cloud knows of it.
    fn issuer(&self) -> Result<(), String> {
        let path = self.path("ci.key");
        if !path.exists() {
            self.write_bytes("ci.key", &super::job::new_key()?)?;
        }
        let key = fs::read(&path).map_err(|error| at(&path, &error))?;
        self.write("ci.jwks", &super::job::jwks(&key)?)
    }

    /// Policies that would let carol in: the built-in ones of access, and one file more.
    fn candidate(&self) -> Result<(), String> {
        let access = "federation/access.rego";
        let built_in = policy::built_in(access).ok_or("there is no built-in federation/access.rego")?;
        self.write(&format!("candidate/{access}"), built_in)?;
        let guests = include_str!("../../../config/demo/guests.rego");
        self.write("candidate/federation/guests.rego", guests)?;
        // What acme says of carol, for `fedgate explain`.
        let carol = r#"{"sub": "carol", "preferred_username": "carol", "groups": []}"#;
        self.write("carol.claims.json", carol)
    }

    /// A text of the demonstration with the ports of this one.
    pub(super) fn ported(&self, text: &str) -> String {
        text.replace(":8443", &format!(":{}", self.ports.cloud))
            .replace(":8444", &format!(":{}", self.ports.home))
            .replace(":8435", &format!(":{}", self.ports.keystone))
    }

    /// A file's path.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file's text.
    pub(super) fn read(&self, name: &str) -> Result<String, String> {
        let path = self.path(name);
        fs::read_to_string(&path).map_err(|error| at(&path, &error))
    }

    fn once(&self, name: &str, make: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
        if self.path(name).exists() {
            return self.read(name);
        }
        let text = make()?;
        self.write(name, &text)?;
        Ok(text)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        self.write_bytes(name, text.as_bytes())
    }

    fn write_bytes(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let path = self.path(name);
        let mut open = fs::OpenOptions::new();
        let mut file = open
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| at(&path, &error))?;
        file.write_all(content).map_err(|error| at(&path, &error))
    }

    /// A CA of its own, and one certificate for `localhost`. The CA's key is not kept.
    fn certificates(&self) -> Result<(), String> {
        if self.path("tls/ca.pem").exists() && self.path("tls/localhost.key").exists() {
            return Ok(());
        }
        let wrong = |error: rcgen::Error| format!("a certificate could not be made: {error}");
        let ca_key = KeyPair::generate().map_err(wrong)?;
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name
            .push(DnType::CommonName, "fedgate demonstration CA");
        let ca_certificate = ca.self_signed(&ca_key).map_err(wrong)?;
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().map_err(wrong)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names).map_err(wrong)?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &issuer).map_err(wrong)?;
        self.write("tls/localhost.pem", &leaf.pem())?;
        self.write("tls/localhost.key", &key.serialize_pem())?;
        self.write("tls/ca.pem", &ca_certificate.pem())
    }
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
