//! The subject of a client certificate as one line, as OPA writes it: `CN=nova,OU=compute,O=cloud`.
//!
//! The certificate has been verified by rustls before it comes here; nothing is decided in this file.

use x509_parser::parse_x509_certificate;

/// The subject; none if it cannot be read or names nobody.
pub(super) fn name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let mut parts = Vec::new();
    for attribute in certificate.subject().iter_attributes() {
        let label = label(&attribute.attr_type().to_id_string());
        parts.push(format!("{label}={}", escaped(attribute.as_str().ok()?)));
    }
    // The last attribute of the sequence stands first (RFC 4514 §2.1).
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

/// The names that Go's library knows; others by their number.
fn label(oid: &str) -> String {
    let known = match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.17" => "POSTALCODE",
        other => other,
    };
    known.to_owned()
}

/// A name cannot end its attribute and begin another (RFC 4514 §2.4).
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, letter) in text.chars().enumerate() {
        let special = matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (index == 0 && (letter == ' ' || letter == '#'))
            || (index == last && letter == ' ');
        if special {
            shown.push('\\');
        }
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_one_line() {
        let mut parameters = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        let mut subject = rcgen::DistinguishedName::new();
        subject.push(rcgen::DnType::OrganizationName, "Torchwood, Inc");
        subject.push(rcgen::DnType::OrganizationalUnitName, "opa-client-01");
        parameters.distinguished_name = subject;
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        assert_eq!(
            name(certificate.der()).as_deref(),
            Some("OU=opa-client-01,O=Torchwood\\, Inc")
        );
        assert_eq!(name(b"0\x03abc"), None);
        assert_eq!(name(b""), None);
    }
}
