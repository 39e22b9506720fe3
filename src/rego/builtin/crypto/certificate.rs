//! A certificate as the document that OPA makes of Go's `x509.Certificate`.

use std::net::IpAddr;

use regorus::Value;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::extensions::{
    AuthorityInfoAccess, CRLDistributionPoints, DistributionPointName, ExtendedKeyUsage, GeneralName,
    ParsedExtension, X509Extension,
};
use x509_parser::time::ASN1Time;

use super::super::key::PublicKey;
use super::super::uri::Uri;
use super::document::{big, bytes, key_algorithm, list, name, object, oid, public_key};
use super::input::signature_algorithm;
use super::names::Constraints;

/// What the extensions say, by field of the document.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) basic: Option<(bool, Option<u32>)>,
    pub(super) usage: u16,
    pub(super) extended: Vec<u32>,
    pub(super) extended_unknown: Vec<Oid<'a>>,
    subject_key: Option<&'a [u8]>,
    authority_key: Option<&'a [u8]>,
    pub(super) names: Vec<GeneralName<'a>>,
    pub(super) constraints: Constraints,
    constraints_critical: bool,
    revocation: Vec<String>,
    access: [Vec<String>; 2],
    policies: Vec<Oid<'a>>,
    mappings: Vec<(Oid<'a>, Oid<'a>)>,
    inhibit_any: Option<u32>,
    pub(super) explicit: Option<u32>,
    inhibit_mapping: Option<u32>,
    pub(super) unhandled: Vec<Oid<'a>>,
}

pub(super) fn said<'a>(certificate: &X509Certificate<'a>) -> Said<'a> {
    let mut said = Said::default();
    for extension in certificate.extensions() {
        if !said.take(extension) && extension.critical {
            said.unhandled.push(extension.oid.clone());
        }
    }
    said
}

impl<'a> Said<'a> {
    /// Whether the extension was understood wholly.
    fn take(&mut self, extension: &X509Extension<'a>) -> bool {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                self.basic = Some((basic.ca, basic.path_len_constraint));
            }
            ParsedExtension::KeyUsage(usage) => self.usage = usage.flags,
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended = numbers(usage);
                self.extended_unknown = unknown(usage);
            }
            ParsedExtension::SubjectKeyIdentifier(key) => self.subject_key = Some(key.0),
            ParsedExtension::AuthorityKeyIdentifier(key) => {
                self.authority_key = key.key_identifier.as_ref().map(|key| key.0);
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names.clone_from(&names.general_names);
                return names.general_names.iter().any(known);
            }
            ParsedExtension::NameConstraints(constraints) => {
                self.constraints_critical = extension.critical;
                self.constraints = Constraints::of(constraints);
                return self.constraints.whole;
            }
            ParsedExtension::CRLDistributionPoints(points) => self.revocation = locations(points),
            ParsedExtension::AuthorityInfoAccess(access) => self.access = accesses(access),
            ParsedExtension::CertificatePolicies(policies) => {
                self.policies = policies.iter().map(|policy| policy.policy_id.clone()).collect();
            }
            ParsedExtension::PolicyMappings(mappings) => {
                let pairs = mappings.mappings.iter();
                self.mappings = pairs
                    .map(|pair| {
                        (
                            pair.issuer_domain_policy.clone(),
                            pair.subject_domain_policy.clone(),
                        )
                    })
                    .collect();
            }
            ParsedExtension::PolicyConstraints(constraints) => {
                self.explicit = constraints.require_explicit_policy;
                self.inhibit_mapping = constraints.inhibit_policy_mapping;
            }
            ParsedExtension::InhibitAnyPolicy(inhibit) => self.inhibit_any = Some(inhibit.skip_certs),
            ParsedExtension::UnsupportedExtension { .. }
            | ParsedExtension::ParseError { .. }
            | ParsedExtension::IssuerAlternativeName(_)
            | ParsedExtension::SubjectInfoAccess(_)
            | ParsedExtension::NSCertType(_)
            | ParsedExtension::NsCertComment(_)
            | ParsedExtension::IssuingDistributionPoint(_)
            | ParsedExtension::CRLNumber(_)
            | ParsedExtension::ReasonCode(_)
            | ParsedExtension::InvalidityDate(_)
            | ParsedExtension::SCT(_)
            | ParsedExtension::Unparsed => return false,
        }
        true
    }
}

fn known(name: &GeneralName<'_>) -> bool {
    matches!(
        name,
        GeneralName::DNSName(_)
            | GeneralName::RFC822Name(_)
            | GeneralName::URI(_)
            | GeneralName::IPAddress(_)
    )
}

/// Go's numbers of the usages that it knows.
fn numbers(usage: &ExtendedKeyUsage<'_>) -> Vec<u32> {
    let known = [
        (usage.any, 0),
        (usage.server_auth, 1),
        (usage.client_auth, 2),
        (usage.code_signing, 3),
        (usage.email_protection, 4),
        (usage.time_stamping, 8),
        (usage.ocsp_signing, 9),
    ];
    let known = known
        .into_iter()
        .filter(|(used, _)| *used)
        .map(|(_, number)| number);
    known.chain(usage.other.iter().filter_map(rare)).collect()
}

fn rare(id: &Oid<'_>) -> Option<u32> {
    match id.to_id_string().as_str() {
        "1.3.6.1.5.5.7.3.5" => Some(5),
        "1.3.6.1.5.5.7.3.6" => Some(6),
        "1.3.6.1.5.5.7.3.7" => Some(7),
        "1.3.6.1.4.1.311.10.3.3" => Some(10),
        "2.16.840.1.113730.4.1" => Some(11),
        "1.3.6.1.4.1.311.2.1.22" => Some(12),
        "1.3.6.1.4.1.311.61.1.1" => Some(13),
        _ => None,
    }
}

fn unknown<'a>(usage: &ExtendedKeyUsage<'a>) -> Vec<Oid<'a>> {
    usage
        .other
        .iter()
        .filter(|id| rare(id).is_none())
        .cloned()
        .collect()
}

fn locations(points: &CRLDistributionPoints<'_>) -> Vec<String> {
    let names = points
        .points
        .iter()
        .filter_map(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => Some(names),
            Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => None,
        });
    names.flatten().filter_map(location).collect()
}

fn location(name: &GeneralName<'_>) -> Option<String> {
    let GeneralName::URI(uri) = name else { return None };
    Some((*uri).to_owned())
}

/// Where revocation is asked for, and where the issuer's certificate is.
fn accesses(access: &AuthorityInfoAccess<'_>) -> [Vec<String>; 2] {
    ["1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"].map(|method| {
        let of = access
            .iter()
            .filter(|each| each.access_method.to_id_string() == method);
        of.filter_map(|each| location(&each.access_location)).collect()
    })
}

/// The document; `uri_strings` adds OPA's own field.
pub(super) fn document(certificate: &X509Certificate<'_>, uri_strings: bool) -> Value {
    let said = said(certificate);
    let key = PublicKey::of(certificate.public_key()).unwrap_or(PublicKey::Other);
    let validity = certificate.validity();
    let parts = [
        object([
            ("Raw", bytes(certificate.as_raw())),
            ("RawTBSCertificate", bytes(certificate.tbs_certificate.as_ref())),
            ("RawSubjectPublicKeyInfo", bytes(certificate.public_key().raw)),
            ("RawSubject", bytes(certificate.subject().as_raw())),
            ("RawIssuer", bytes(certificate.issuer().as_raw())),
            ("Signature", bytes(&certificate.signature_value.data)),
            (
                "SignatureAlgorithm",
                Value::from(signature_algorithm(&certificate.signature_algorithm)),
            ),
            ("PublicKeyAlgorithm", Value::from(key_algorithm(&key))),
            ("PublicKey", public_key(&key)),
            ("Version", Value::from(certificate.version().0 + 1)),
            ("SerialNumber", big(&certificate.tbs_certificate.serial)),
            ("Issuer", name(certificate.issuer())),
            ("Subject", name(certificate.subject())),
            ("NotBefore", moment(&validity.not_before)),
            ("NotAfter", moment(&validity.not_after)),
            ("Extensions", list(certificate.extensions().iter().map(extension))),
            ("ExtraExtensions", Value::Null),
        ]),
        usages(&said),
        policies(&said),
        alternative(&said.names, uri_strings),
        said.constraints.document(said.constraints_critical),
    ];
    joined(parts)
}

/// One object of the fields of several.
pub(super) fn joined<const N: usize>(parts: [Value; N]) -> Value {
    let mut whole = regorus::value::Object::default();
    for part in parts {
        let Value::Object(fields) = part else { continue };
        whole.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::from(whole)
}

fn usages(said: &Said<'_>) -> Value {
    let (ca, most) = said.basic.unwrap_or_default();
    // Go says "no limit" with -1, and nothing at all with 0.
    let path = match (said.basic, most) {
        (None, _) => Value::from(0),
        (Some(_), None) => Value::from(-1),
        (Some(_), Some(most)) => Value::from(most),
    };
    let texts = |texts: &[String]| list(texts.iter().map(|text| Value::from(text.as_str())));
    let [ocsp, issuers] = &said.access;
    object([
        ("BasicConstraintsValid", Value::from(said.basic.is_some())),
        ("IsCA", Value::from(ca)),
        ("MaxPathLen", path),
        ("MaxPathLenZero", Value::from(most == Some(0))),
        ("KeyUsage", Value::from(u32::from(said.usage))),
        (
            "ExtKeyUsage",
            list(said.extended.iter().copied().map(Value::from)),
        ),
        ("UnknownExtKeyUsage", list(said.extended_unknown.iter().map(oid))),
        ("SubjectKeyId", said.subject_key.map_or(Value::Null, bytes)),
        ("AuthorityKeyId", said.authority_key.map_or(Value::Null, bytes)),
        ("OCSPServer", texts(ocsp)),
        ("IssuingCertificateURL", texts(issuers)),
        ("CRLDistributionPoints", texts(&said.revocation)),
        (
            "UnhandledCriticalExtensions",
            list(said.unhandled.iter().map(oid)),
        ),
    ])
}

fn policies(said: &Said<'_>) -> Value {
    let limit = |limit: Option<u32>| Value::from(limit.unwrap_or(0));
    let zero = |limit: Option<u32>| Value::from(limit == Some(0));
    let id = |id: &Oid<'_>| Value::from(id.to_id_string());
    let mapping = |(issuer, subject): &(Oid<'_>, Oid<'_>)| {
        object([
            ("IssuerDomainPolicy", id(issuer)),
            ("SubjectDomainPolicy", id(subject)),
        ])
    };
    object([
        ("Policies", list(said.policies.iter().map(id))),
        ("PolicyIdentifiers", list(said.policies.iter().map(oid))),
        ("PolicyMappings", list(said.mappings.iter().map(mapping))),
        ("InhibitAnyPolicy", limit(said.inhibit_any)),
        ("InhibitAnyPolicyZero", zero(said.inhibit_any)),
        ("InhibitPolicyMapping", limit(said.inhibit_mapping)),
        ("InhibitPolicyMappingZero", zero(said.inhibit_mapping)),
        ("RequireExplicitPolicy", limit(said.explicit)),
        ("RequireExplicitPolicyZero", zero(said.explicit)),
    ])
}

/// The subject's alternative names.
pub(super) fn alternative(names: &[GeneralName<'_>], uri_strings: bool) -> Value {
    let (mut dns, mut mail, mut addresses, mut uris, mut texts) = (vec![], vec![], vec![], vec![], vec![]);
    for name in names {
        match name {
            GeneralName::DNSName(text) => dns.push(Value::from(*text)),
            GeneralName::RFC822Name(text) => mail.push(Value::from(*text)),
            GeneralName::IPAddress(bytes) => {
                addresses.extend(address(bytes).map(|address| Value::from(address.to_string())));
            }
            GeneralName::URI(text) => {
                uris.extend(Uri::read(text).ok().map(|uri| uri.document()));
                texts.push(Value::from(*text));
            }
            GeneralName::Invalid(..)
            | GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_) => {}
        }
    }
    let strings = if uri_strings {
        object([("URIStrings", list(texts))])
    } else {
        Value::Null
    };
    let names = object([
        ("DNSNames", list(dns)),
        ("EmailAddresses", list(mail)),
        ("IPAddresses", list(addresses)),
        ("URIs", list(uris)),
    ]);
    joined([names, strings])
}

pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes)
            .ok()
            .map(|bytes| IpAddr::from(bytes).to_canonical()),
        _ => None,
    }
}

pub(super) fn extension(extension: &X509Extension<'_>) -> Value {
    object([
        ("Id", oid(&extension.oid)),
        ("Critical", Value::from(extension.critical)),
        ("Value", bytes(extension.value)),
    ])
}

fn moment(time: &ASN1Time) -> Value {
    let moment = chrono::DateTime::from_timestamp(time.timestamp(), 0).unwrap_or_default();
    Value::from(moment.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}
