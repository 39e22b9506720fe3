//! A partner's messages, made as its Keystone makes them and signed by the real xmlsec1 with keys that openssl made.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A key with its certificate, in PEM files.
#[derive(Clone)]
pub struct Pair {
    pub key: PathBuf,
    pub certificate: PathBuf,
}

impl Pair {
    /// Makes one, as the documentation tells a partner to.
    pub fn make(folder: &Path, name: &str) -> Self {
        let pair = Self {
            key: folder.join(format!("{name}.key")),
            certificate: folder.join(format!("{name}.pem")),
        };
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj",
            ])
            .arg(format!("/CN={name}.example"))
            .arg("-keyout")
            .arg(&pair.key)
            .arg("-out")
            .arg(&pair.certificate)
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{made:?}");
        pair
    }
}

pub const SHA1: [&str; 2] = [
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2000/09/xmldsig#sha1",
];
pub const SHA256: [&str; 2] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256",
];

/// What a message says.
#[derive(Clone)]
pub struct Draft {
    pub issuer: String,
    pub recipient: String,
    pub user: String,
    pub domain: String,
    pub groups: Vec<String>,
    pub roles: Vec<String>,
    pub status: &'static str,
    /// Of the signature and of the digest.
    pub algorithms: [&'static str; 2],
    /// Seconds from now until it ends.
    pub life: i64,
}

/// A name that no message had before. Keystone's begin with a digit too.
pub fn fresh() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("1f6bdb9249b241dd99e7{next:012x}")
}

/// A moment, so many seconds from now.
pub fn moment(seconds: i64) -> String {
    let at = chrono::Utc::now() + chrono::Duration::seconds(seconds);
    at.format("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn attribute(name: &str, values: &[String]) -> String {
    let values: String = values
        .iter()
        .map(|value| format!("<saml:AttributeValue xsi:type=\"xs:string\">{value}</saml:AttributeValue>"))
        .collect();
    format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
}

impl Draft {
    /// The envelope with a signature to be filled in. Values go in as they are: XML.
    pub fn template(&self) -> String {
        let (id, response) = (fresh(), fresh());
        let Self {
            issuer,
            recipient,
            user,
            domain,
            ..
        } = self;
        let [signature, digest] = self.algorithms;
        let (now, end) = (moment(0), moment(self.life));
        let attributes: String = [
            ("openstack_user", vec![user.clone()]),
            ("openstack_roles", self.roles.clone()),
            ("openstack_project", vec!["genome".to_owned()]),
            ("openstack_project_domain", vec![domain.clone()]),
            ("openstack_user_domain", vec![domain.clone()]),
            ("openstack_groups", self.groups.clone()),
        ]
        .iter()
        .map(|(name, values)| attribute(name, values))
        .collect();
        let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
        format!(
            "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><soap:Header/><soap:Body>\
             <samlp:Response ID=\"{response}\" Version=\"2.0\" IssueInstant=\"{now}\" Destination=\"{recipient}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{status}\"/></samlp:Status>\
             <saml:Assertion Version=\"2.0\" ID=\"{id}\" IssueInstant=\"{now}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <ds:Signature><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/><ds:SignatureMethod Algorithm=\"{signature}\"/>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"{exclusive}\"/></ds:Transforms><ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue/></ds:Reference>\
             </ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>\
             <saml:Subject><saml:NameID>{user}</saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData NotOnOrAfter=\"{end}\" Recipient=\"{recipient}\"/></saml:SubjectConfirmation></saml:Subject>\
             <saml:AuthnStatement AuthnInstant=\"{now}\" SessionIndex=\"1\" SessionNotOnOrAfter=\"{end}\"><saml:AuthnContext>\
             <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
             <saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response></soap:Body></soap:Envelope>",
            status = self.status,
        )
    }

    /// The message, signed by this key.
    pub fn signed(&self, by: &Pair) -> String {
        let both = format!("{},{}", by.key.display(), by.certificate.display());
        sign(&self.template(), &["--privkey-pem", &both])
    }
}

/// Fills the first signature in.
pub fn sign(template: &str, key: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message.xml");
    std::fs::write(&path, template).unwrap();
    let signed = Command::new("xmlsec1")
        .arg("--sign")
        .args(key)
        .args(["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"])
        .arg(&path)
        .output()
        .expect("xmlsec1 is not installed: run tests/parts/system.sh test");
    assert!(
        signed.status.success(),
        "{}",
        String::from_utf8_lossy(&signed.stderr)
    );
    String::from_utf8(signed.stdout).unwrap()
}

/// What stands before an element, the element itself, and what follows: the first of that name.
pub fn cut<'t>(text: &'t str, name: &str) -> (&'t str, &'t str, &'t str) {
    let start = text.find(&format!("<{name}")).unwrap();
    let close = format!("</{name}>");
    let end = text.rfind(&close).unwrap() + close.len();
    (&text[..start], &text[start..end], &text[end..])
}
