//! `crypto.x509.parse_certificate_request`: Go's `x509.CertificateRequest` as a document.

use regorus::Value;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;

use super::super::arguments::Arguments;
use super::super::encoding::{Alphabet, base64, pem};
use super::super::fault::Fault;
use super::super::key::PublicKey;
use super::Answer;
use super::certificate::{alternative, extension, joined};
use super::document::{bytes, key_algorithm, list, name, object, oid, public_key};
use super::input::signature_algorithm;

pub(super) fn parse(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    let decoded = match text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        true => text.as_bytes().to_vec(),
        false => base64(Alphabet::Standard, text)?,
    };
    let block = std::str::from_utf8(&decoded).ok().and_then(|text| pem(text).0);
    let der = match block {
        Some(block) if block.label != "CERTIFICATE REQUEST" => {
            return Err(Fault::from("invalid PEM-encoded certificate signing request"));
        }
        Some(block) => block.bytes,
        None => decoded,
    };
    match X509CertificationRequest::from_der(&der) {
        Ok(([], request)) => Ok(document(&request)),
        _ => Err(Fault::from(
            "asn1: structure error: the data is no certificate request",
        )),
    }
}

fn document(request: &X509CertificationRequest<'_>) -> Value {
    let info = &request.certification_request_info;
    let key = PublicKey::of(&info.subject_pki).unwrap_or(PublicKey::Other);
    let wanted: Vec<(&_, &[X509Extension<'_>])> = info
        .iter_attributes()
        .filter_map(|attribute| {
            let ParsedCriAttribute::ExtensionRequest(wanted) = attribute.parsed_attribute() else {
                return None;
            };
            Some((&attribute.oid, wanted.extensions.as_slice()))
        })
        .collect();
    let extensions = || wanted.iter().flat_map(|(_, extensions)| extensions.iter());
    let names = extensions().find_map(|extension| {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
            return None;
        };
        Some(names.general_names.as_slice())
    });
    let attributes = wanted.iter().map(|(id, extensions)| {
        let pairs = extensions.iter().map(attribute);
        object([("Type", oid(id)), ("Value", Value::from(vec![list(pairs)]))])
    });
    let fields = object([
        ("Raw", bytes(request.as_raw())),
        ("RawTBSCertificateRequest", bytes(info.raw)),
        ("RawSubjectPublicKeyInfo", bytes(info.subject_pki.raw)),
        ("RawSubject", bytes(info.subject.as_raw())),
        ("Version", Value::from(info.version.0)),
        ("Signature", bytes(&request.signature_value.data)),
        (
            "SignatureAlgorithm",
            Value::from(signature_algorithm(&request.signature_algorithm)),
        ),
        ("PublicKeyAlgorithm", Value::from(key_algorithm(&key))),
        ("PublicKey", public_key(&key)),
        ("Subject", name(&info.subject)),
        ("Attributes", list(attributes)),
        ("Extensions", list(extensions().map(extension))),
        ("ExtraExtensions", Value::Null),
    ]);
    joined([fields, alternative(names.unwrap_or_default(), false)])
}

/// Go reads an extension here as a pair, so that of a critical one it sees only that it is critical.
fn attribute(extension: &X509Extension<'_>) -> Value {
    let value = if extension.critical {
        Value::from(true)
    } else {
        bytes(extension.value)
    };
    object([("Type", oid(&extension.oid)), ("Value", value)])
}
