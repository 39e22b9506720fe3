//! XML signatures (xmldsig-core1): verifies the one shape that messages have.
//!
//! One `SignedInfo` with one `Reference` to the element around the signature, by its ID; transforms exactly enveloped
//! signature and exclusive canonicalisation. Everything else that the standard allows (objects, manifests, XPath, XSLT,
//! keys that the message itself brings, MACs) is where the attacks on it live, and no identity provider needs it.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;

use super::{Element, Flaw, certificate::Key};
use crate::wire::saml::SIGNATURE;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// How something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-1: broken for whoever can choose what is signed; only where the operator names a date.
    RsaSha1,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaSha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaSha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaSha512,
    /// ECDSA on P-256 with SHA-256.
    EcdsaSha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSha384,
}

impl Algorithm {
    fn of(uri: &str) -> Option<Self> {
        Some(match uri {
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => Self::RsaSha1,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => Self::RsaSha256,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => Self::RsaSha384,
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => Self::RsaSha512,
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => Self::EcdsaSha256,
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => Self::EcdsaSha384,
            _ => return None,
        })
    }

    /// Its name in the log and on the audit trail.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::RsaSha384 => "rsa-sha384",
            Self::RsaSha512 => "rsa-sha512",
            Self::EcdsaSha256 => "ecdsa-sha256",
            Self::EcdsaSha384 => "ecdsa-sha384",
        }
    }
}

fn digest_of(uri: &str) -> Option<&'static digest::Algorithm> {
    Some(match uri {
        "http://www.w3.org/2000/09/xmldsig#sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "http://www.w3.org/2001/04/xmlenc#sha256" => &digest::SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &digest::SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &digest::SHA512,
        _ => return None,
    })
}

/// The signature in an element, found to have the one shape. Nothing is verified yet.
struct Read<'t> {
    whole: Element<'t>,
    info: Element<'t>,
    algorithm: Algorithm,
    value: Vec<u8>,
    digested_by: &'static digest::Algorithm,
    digest: Vec<u8>,
}

/// Verifies that one of `keys` has signed `signed`, whole and as it is. `sha1` says whether SHA-1 counts.
///
/// Each key is tried by itself, so that one of another type does not stand in the way of its successor. What the message
/// says about keys (`KeyInfo`) is not looked at.
pub fn verify(signed: Element<'_>, keys: &[&Key], sha1: bool) -> Result<Algorithm, Flaw> {
    let read = Read::of(signed)?;
    let legacy =
        read.algorithm == Algorithm::RsaSha1 || *read.digested_by == digest::SHA1_FOR_LEGACY_USE_ONLY;
    if legacy && !sha1 {
        return Err(Flaw::Sha1);
    }
    // The key first: who has none makes us digest no long document.
    let info = canonical(read.info, None)?;
    if !keys
        .iter()
        .any(|key| key.made(read.algorithm, &info, &read.value))
    {
        return Err(Flaw::Key);
    }
    let digest = digest::digest(read.digested_by, &canonical(signed, Some(read.whole))?);
    if digest.as_ref() == read.digest.as_slice() {
        Ok(if legacy {
            Algorithm::RsaSha1
        } else {
            read.algorithm
        })
    } else {
        Err(Flaw::Digest)
    }
}

impl<'t> Read<'t> {
    fn of(signed: Element<'t>) -> Result<Self, Flaw> {
        let children = signed.children()?;
        let mut own = children.iter().filter(|child| child.is(SIGNATURE, "Signature"));
        let whole = *own.next().ok_or(Flaw::Unsigned)?;
        if own.next().is_some() {
            return Err(Flaw::Shape);
        }
        only_attributes(whole, &["Id"])?;
        let (info, value) = match whole.children()?.as_slice() {
            [info, value] => (*info, *value),
            [info, value, key] if key.is(SIGNATURE, "KeyInfo") => (*info, *value),
            _ => return Err(Flaw::Shape),
        };
        let [method, algorithm, reference] = in_order(
            info,
            "SignedInfo",
            ["CanonicalizationMethod", "SignatureMethod", "Reference"],
        )?;
        only_attributes(info, &["Id"])?;
        is_algorithm(method, EXCLUSIVE)?;
        let (digested_by, digest) = digested(reference, signed)?;
        Ok(Self {
            whole,
            info,
            // A length in it would cut the signature short (HMACOutputLength), so it holds nothing.
            algorithm: Algorithm::of(uri(algorithm)?).ok_or(Flaw::Algorithm)?,
            value: binary(named(value, "SignatureValue")?)?,
            digested_by,
            digest,
        })
    }
}

/// By what the element that a reference names was digested, and what came out.
fn digested(
    reference: Element<'_>,
    signed: Element<'_>,
) -> Result<(&'static digest::Algorithm, Vec<u8>), Flaw> {
    let [transforms, method, value] = in_order(
        reference,
        "Reference",
        ["Transforms", "DigestMethod", "DigestValue"],
    )?;
    only_attributes(reference, &["Id", "URI"])?;
    let id = signed.attribute("ID").filter(|id| !id.is_empty());
    // Nothing but the element around the signature: not the document, not another element, nothing from elsewhere.
    let aimed = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    if id.is_none() || aimed != id {
        return Err(Flaw::Shape);
    }
    let [enveloped, exclusive] = in_order(transforms, "Transforms", ["Transform", "Transform"])?;
    is_algorithm(enveloped, ENVELOPED)?;
    is_algorithm(exclusive, EXCLUSIVE)?;
    let by = digest_of(uri(method)?).ok_or(Flaw::Algorithm)?;
    Ok((by, binary(value)?))
}

/// The children of an element of signatures, which has that name: these, in this order.
fn in_order<'t, const N: usize>(
    element: Element<'t>,
    name: &str,
    names: [&str; N],
) -> Result<[Element<'t>; N], Flaw> {
    let children = named(element, name)?.children()?;
    let children: [Element<'t>; N] = children.try_into().map_err(|_| Flaw::Shape)?;
    for (child, name) in children.iter().zip(names) {
        named(*child, name)?;
    }
    Ok(children)
}

fn named<'t>(element: Element<'t>, name: &str) -> Result<Element<'t>, Flaw> {
    element.is(SIGNATURE, name).then_some(element).ok_or(Flaw::Shape)
}

fn only_attributes(element: Element<'_>, known: &[&str]) -> Result<(), Flaw> {
    let known = |name: String| known.contains(&name.as_str());
    element
        .attribute_names()
        .all(known)
        .then_some(())
        .ok_or(Flaw::Shape)
}

/// The algorithm that an element names. Parameters would change its meaning: it has none.
fn uri(element: Element<'_>) -> Result<&str, Flaw> {
    only_attributes(element, &["Algorithm"])?;
    if element.text().is_none_or(|text| !text.trim_ascii().is_empty()) {
        return Err(Flaw::Shape);
    }
    element.attribute("Algorithm").ok_or(Flaw::Shape)
}

fn is_algorithm(element: Element<'_>, expected: &str) -> Result<(), Flaw> {
    if uri(element)? == expected {
        Ok(())
    } else {
        Err(Flaw::Shape)
    }
}

/// Base64, in lines as xmlsec writes it.
fn binary(element: Element<'_>) -> Result<Vec<u8>, Flaw> {
    let text = element.text().ok_or(Flaw::Shape)?;
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|_| Flaw::Shape)?;
    if bytes.is_empty() {
        Err(Flaw::Shape)
    } else {
        Ok(bytes)
    }
}

/// The element's canonical form, without the signature in it.
fn canonical(element: Element<'_>, without: Option<Element<'_>>) -> Result<Vec<u8>, Flaw> {
    // Namespaces in scope come from the elements around it, so a message in an envelope is not taken out of it first.
    let mut nodes = NodeSet::tree_with_comments(element.id, element.tree);
    if let Some(without) = without {
        nodes.remove_id(without.id);
        for id in element.tree.descendants(without.id) {
            nodes.remove_id(id);
        }
    }
    let bytes = canonicalize_doc::<&str>(element.tree, C14nMode::Exclusive, Some(&nodes), &[]);
    // Nothing digested would be anything signed.
    bytes.ok().filter(|bytes| !bytes.is_empty()).ok_or(Flaw::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::xml::{Document, certificate};
    use crate::wire::saml::ASSERTION;

    const SHA1: &str = include_str!("../../../tests/fixtures/saml/keystone.xml");
    const SHA256: &str = include_str!("../../../tests/fixtures/saml/sha256.xml");
    const PARTNER: &[u8] = include_bytes!("../../../tests/fixtures/saml/partner.pem");

    /// Signed by somebody else, as an XML signature of any key looks.
    fn stranger() -> Key {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["stranger.example".to_owned()]).unwrap();
        let pem = parameters.self_signed(&key).unwrap().pem();
        certificate::read(pem.as_bytes()).unwrap().remove(0).key
    }

    fn partner() -> Key {
        certificate::read(PARTNER).unwrap().remove(0).key
    }

    fn verified(text: &str, keys: &[&Key], sha1: bool) -> Result<Algorithm, Flaw> {
        let document = Document::parse(text.as_bytes())?;
        let mut all = document.elements();
        let assertion = all.find(|one| one.is(ASSERTION, "Assertion")).unwrap();
        verify(assertion, keys, sha1)
    }

    #[test]
    fn what_keystone_and_xmlsec_sign_is_verified_inside_its_envelope() {
        let key = partner();
        assert_eq!(verified(SHA256, &[&key], false), Ok(Algorithm::RsaSha256));
        assert_eq!(
            verified(SHA256, &[&stranger(), &key], false),
            Ok(Algorithm::RsaSha256)
        );
        assert_eq!(verified(SHA1, &[&key], true), Ok(Algorithm::RsaSha1));
    }

    #[test]
    fn sha1_counts_only_where_it_is_allowed() {
        let key = partner();
        assert_eq!(verified(SHA1, &[&key], false), Err(Flaw::Sha1));
        // One of the two is enough to be broken.
        let digest = SHA256.replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1");
        assert_eq!(verified(&digest, &[&key], false), Err(Flaw::Sha1));
    }

    #[test]
    fn only_trusted_keys_count() {
        assert_eq!(verified(SHA256, &[], true), Err(Flaw::Key));
        assert_eq!(verified(SHA256, &[&stranger()], true), Err(Flaw::Key));
    }

    const REFERENCE: &str = "<xmldsig:Reference URI=\"#1f6bdb9249b241dd99e72ac7a46c0fa9\">";
    const TRANSFORM: &str = "<xmldsig:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

    /// The good document with the first `from` replaced, and how it must be refused.
    fn refused(cases: &[(&str, &str, Flaw)]) {
        let key = partner();
        for (from, to, expected) in cases {
            assert!(SHA256.contains(from), "{from}");
            let changed = SHA256.replacen(from, to, 1);
            assert_eq!(
                verified(&changed, &[&key], true),
                Err(*expected),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn what_was_changed_is_not_what_was_signed() {
        refused(&[
            (">ada<", ">eve<", Flaw::Digest),
            ("devs", "Devs", Flaw::Digest),
            (
                "Version=\"2.0\" ID=",
                "Version=\"2.0\" Extra=\"x\" ID=",
                Flaw::Digest,
            ),
            (
                "<saml:NameID>",
                "<saml:NameID xmlns:a=\"u:a\" a:b=\"\">",
                Flaw::Digest,
            ),
            (
                REFERENCE,
                &REFERENCE.replace("Reference URI", "Reference Id=\"x\" URI"),
                Flaw::Key,
            ),
        ]);
    }

    #[test]
    fn other_algorithms_do_not_count() {
        let more = "http://www.w3.org/2001/04/xmldsig-more#";
        let of = |name: &str| format!("{more}{name}");
        refused(&[
            (RSA, &of("rsa-md5"), Flaw::Algorithm),
            (RSA, &of("hmac-sha256"), Flaw::Algorithm),
            (
                RSA,
                "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
                Flaw::Algorithm,
            ),
            (RSA, "http://www.w3.org/2000/09/xmldsig#dsa-sha1", Flaw::Algorithm),
            (RSA, "", Flaw::Algorithm),
            (RSA, &of("ecdsa-sha256"), Flaw::Key),
            (RSA, &of("rsa-sha512"), Flaw::Key),
            (
                "2001/04/xmlenc#sha256",
                "2001/04/xmldsig-more#md5",
                Flaw::Algorithm,
            ),
            ("2001/04/xmlenc#sha256", "2001/04/xmlenc#sha512", Flaw::Key),
        ]);
    }

    #[test]
    fn a_reference_leads_to_the_element_around_it_and_nowhere_else() {
        let twice = TRANSFORM.repeat(2);
        let with = |uri: &str| format!("<xmldsig:Transform Algorithm=\"{uri}\"/>");
        refused(&[
            (REFERENCE, "<xmldsig:Reference URI=\"\">", Flaw::Shape),
            (REFERENCE, "<xmldsig:Reference>", Flaw::Shape),
            (REFERENCE, "<xmldsig:Reference URI=\"#\">", Flaw::Shape),
            (
                REFERENCE,
                "<xmldsig:Reference URI=\"#d848260c63af49ec83f03f825ba742d4\">",
                Flaw::Shape,
            ),
            (
                REFERENCE,
                "<xmldsig:Reference URI=\"https://evil.example/\">",
                Flaw::Shape,
            ),
            (
                REFERENCE,
                &REFERENCE.replace("Reference URI", "Reference Type=\"x:y\" URI"),
                Flaw::Shape,
            ),
            (TRANSFORM, "", Flaw::Shape),
            (TRANSFORM, &twice, Flaw::Shape),
            (
                TRANSFORM,
                &with("http://www.w3.org/TR/1999/REC-xpath-19991116"),
                Flaw::Shape,
            ),
            (
                TRANSFORM,
                &with("http://www.w3.org/TR/1999/REC-xslt-19991116"),
                Flaw::Shape,
            ),
            (
                TRANSFORM,
                &with("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
                Flaw::Shape,
            ),
        ]);
    }

    #[test]
    fn a_signature_has_one_shape() {
        let cut = format!(
            "{RSA}\"><xmldsig:HMACOutputLength>1</xmldsig:HMACOutputLength></xmldsig:SignatureMethod>"
        );
        refused(&[
            (&format!("{RSA}\"/>"), &cut, Flaw::Shape),
            (
                "<xmldsig:SignedInfo>",
                "<xmldsig:SignedInfo/><xmldsig:SignedInfo>",
                Flaw::Shape,
            ),
            ("<xmldsig:SignedInfo>", "<xmldsig:SignedInfo>x", Flaw::Broken),
            (
                "</xmldsig:Signature>",
                "<xmldsig:Object/></xmldsig:Signature>",
                Flaw::Shape,
            ),
            (
                "<xmldsig:DigestValue>",
                "<xmldsig:DigestValue>AAAA</xmldsig:DigestValue><xmldsig:DigestValue>",
                Flaw::Shape,
            ),
            (
                "<xmldsig:SignatureValue>",
                "<xmldsig:SignatureValue>%",
                Flaw::Shape,
            ),
            (
                "<xmldsig:SignatureValue>",
                "<xmldsig:SignatureValue><x/>",
                Flaw::Shape,
            ),
            ("<xmldsig:DigestValue>", "<xmldsig:DigestValue>x<x/>", Flaw::Shape),
        ]);
    }

    #[test]
    fn nothing_signed_is_nothing_verified() {
        let (before, rest) = SHA256.split_once("<xmldsig:Signature>").unwrap();
        let (inside, after) = rest.split_once("</xmldsig:Signature>").unwrap();
        let bare = format!("{before}{after}");
        assert_eq!(verified(&bare, &[&partner()], true), Err(Flaw::Unsigned));
        let one = format!("<xmldsig:Signature>{inside}</xmldsig:Signature>");
        let twice = format!("{before}{one}{one}{after}");
        assert_eq!(verified(&twice, &[&partner()], true), Err(Flaw::Shape));
    }
}
