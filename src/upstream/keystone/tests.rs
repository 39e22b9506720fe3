//! A partner's messages, good and bad. What is changed here before its signature is looked at has a reason of its own.

use std::{path::PathBuf, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::{Config, Message, Partner};
use crate::domain::{
    fault::{Code, Fault},
    ids::{TenantId, UpstreamId},
    mapping::MappingSettings,
    time::Timestamp,
};

const SHA1: &str = include_str!("../../../tests/fixtures/saml/keystone.xml");
const SHA256: &str = include_str!("../../../tests/fixtures/saml/sha256.xml");
const ISSUER: &str = "https://keystone.partner.example/v3/OS-FEDERATION/saml2/idp";
/// When they were made: 2026-11-26T02:59:04Z.
const MADE: Timestamp = Timestamp(1_795_661_944);

fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/saml");
    PathBuf::from(folder).join(name)
}

fn config(sha1_until: Option<&str>) -> Config {
    Config {
        id: UpstreamId::parse("partner").unwrap(),
        name: "A partner".to_owned(),
        tenant: TenantId::parse("acme").unwrap(),
        entity_id: ISSUER.to_owned(),
        certificates: vec![fixture("partner.pem")],
        sha1_until: sha1_until.map(|day| serde_json::from_value(json!(day)).unwrap()),
        mapping: MappingSettings::default(),
    }
}

fn partner(sha1_until: Option<&str>) -> Partner {
    Partner::open(config(sha1_until), "https://gw.example").unwrap()
}

fn read(text: &str) -> Result<Message, Fault> {
    partner(None).read(text.as_bytes(), MADE)
}

fn reason(outcome: Result<Message, Fault>) -> String {
    outcome.map_or_else(|fault| fault.reasons.join(","), |_| "taken".to_owned())
}

#[test]
fn what_keystone_sends_is_read_whole() {
    let message = partner(Some("2027-06-30")).read(SHA1.as_bytes(), MADE).unwrap();
    assert_eq!(message.algorithm.as_str(), "rsa-sha1");
    assert_eq!(message.id, "1f6bdb9249b241dd99e72ac7a46c0fa9");
    let facts = message.facts;
    assert_eq!(
        (facts.issuer.as_str(), facts.subject.as_str()),
        (ISSUER, "Default/ada")
    );
    assert_eq!(facts.not_after, MADE.plus(Duration::from_secs(3600)));
    assert_eq!((facts.acr, facts.amr), (None, Vec::new()));
    assert_eq!(
        json!(facts.claims),
        json!({
            "preferred_username": "ada@Default",
            "openstack_user": "ada",
            "openstack_user_domain": "Default",
            "openstack_project": "research",
            "openstack_project_domain": "Default",
            "openstack_roles": ["admin", "member"],
            "openstack_project_roles": ["Default/research/admin", "Default/research/member"],
            "openstack_groups": ["Default/devs", "Default/ops%2Feu"],
        })
    );
    let same = partner(None).read(SHA256.as_bytes(), MADE).unwrap();
    assert_eq!(same.algorithm.as_str(), "rsa-sha256");
    assert_eq!(same.facts.subject, "Default/ada");
}

#[test]
fn sha1_counts_until_its_day_and_no_longer() {
    let at = |until: Option<&str>, now| reason(partner(until).read(SHA1.as_bytes(), now));
    assert_eq!(at(None, MADE), "signature_sha1");
    assert_eq!(at(Some("2026-11-27"), MADE), "taken");
    assert_eq!(at(Some("2026-11-26"), MADE), "signature_sha1_ended:2026-11-26");
    // SHA-256 asks for no key of that sort, and loses nothing by it.
    let sha256 = partner(Some("2026-11-26")).read(SHA256.as_bytes(), MADE);
    assert_eq!(reason(sha256), "taken");
}

#[test]
fn time_is_bounded_on_both_sides() {
    let at = |seconds: i64| reason(partner(None).read(SHA256.as_bytes(), Timestamp(MADE.0 + seconds)));
    assert_eq!(at(-2), "taken");
    assert_eq!(at(-61), "saml_not_yet");
    assert_eq!(at(600), "taken");
    assert_eq!(at(601), "saml_expired");
    let change = |from: &str, to: &str| reason(read(&SHA256.replacen(from, to, 1)));
    let until = "NotOnOrAfter=\"2026-11-26T03:59:04.000000Z\" Recipient";
    let with = |time: &str| format!("NotOnOrAfter=\"{time}\" Recipient");
    assert_eq!(change(until, &with("2026-11-26T02:58:04Z")), "saml_expired");
    assert_eq!(change(until, &with("2026-11-26T04:00:05Z")), "saml_lifetime");
    assert_eq!(change(until, &with("2026-11-26T03:59:04+00:00")), "saml_shape");
    assert_eq!(change(until, "Recipient"), "saml_confirmation");
}

/// The good message with the first `from` replaced, and the reason for which it must be refused.
fn refused(cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        assert!(SHA256.contains(from), "{from}");
        let changed = SHA256.replacen(from, to, 1);
        assert_eq!(reason(read(&changed)), *expected, "{from} -> {to}");
    }
}

#[test]
fn a_response_is_alone_in_its_envelope_and_for_this_path() {
    let to = "Destination=\"https://gw.example/saml/ecp/partner\"";
    let id = "ID=\"d848260c63af49ec83f03f825ba742d4\"";
    refused(&[
        ("<ns0:Body>", "<ns0:Body/><ns0:Body>", "saml_envelope"),
        ("</ns0:Body>", "<x/></ns0:Body>", "saml_envelope"),
        ("status:Success", "status:Responder", "saml_status"),
        (ISSUER, "https://other.example/idp", "saml_issuer"),
        (id, "ID=\"d8\" InResponseTo=\"x\"", "saml_confirmation"),
        (id, "ID=\"1f6bdb9249b241dd99e72ac7a46c0fa9\"", "xml_duplicate_id"),
        (to, &to.replace("partner", "other"), "saml_recipient"),
        ("<ns2:Status>", "<ns2:Extensions/><ns2:Status>", "saml_assertions"),
    ]);
}

#[test]
fn a_second_assertion_is_found_wherever_it_hides() {
    let evil = format!(
        "<saml:Assertion Version=\"2.0\" ID=\"evil\" IssueInstant=\"2026-11-26T02:59:04Z\"><saml:Issuer>{ISSUER}</saml:Issuer></saml:Assertion>"
    );
    for (place, expected) in [
        ("</ns0:Header>", "saml_assertions"),
        ("<ns2:Status>", "saml_assertions"),
        ("<saml:Subject>", "saml_assertions"),
        ("<xmldsig:X509Data>", "saml_assertions"),
        ("</saml:AttributeStatement>", "saml_assertions"),
    ] {
        let changed = SHA256.replacen(place, &format!("{evil}{place}"), 1);
        assert_eq!(reason(read(&changed)), expected, "{place}");
    }
    refused(&[("</saml:Subject>", "</saml:Subject><saml:Advice/>", "saml_shape")]);
}

#[test]
fn one_person_is_named_for_whoever_brings_it_here() {
    let to = "Recipient=\"https://gw.example/saml/ecp/partner\"";
    let from = "NotBefore=\"2026-11-26T02:59:04Z\" Recipient=";
    refused(&[
        (to, &to.replace("partner", "other"), "saml_recipient"),
        ("Recipient=", from, "saml_confirmation"),
        (
            "Recipient=",
            "Address=\"192.0.2.1\" Recipient=",
            "saml_confirmation",
        ),
        ("cm:bearer", "cm:sender-vouches", "saml_confirmation"),
        (
            "<saml:Subject>",
            "<saml:Subject/><saml:Subject>",
            "saml_confirmation",
        ),
        (">ada</saml:NameID>", "> </saml:NameID>", "saml_subject"),
        (
            ">ada</saml:NameID>",
            ">ada<x/>.example</saml:NameID>",
            "saml_subject",
        ),
        (
            ">ada</saml:NameID>",
            ">ada<!-- -->.example</saml:NameID>",
            "xml_markup",
        ),
        (">ada</saml:NameID>", ">eve</saml:NameID>", "signature_digest"),
        (
            "Name=\"openstack_roles\"",
            "Name=\"openstack_user\"",
            "saml_attribute:openstack_user",
        ),
        (">admin<", "><b/><", "saml_attribute:openstack_roles"),
    ]);
}

#[test]
fn conditions_hold_all_of_them() {
    let with = |inside: &str| format!("</saml:Subject><saml:Conditions>{inside}</saml:Conditions>");
    let audience = |name: &str| {
        with(&format!(
            "<saml:OneTimeUse/><saml:AudienceRestriction><saml:Audience>{name}</saml:Audience></saml:AudienceRestriction>"
        ))
    };
    let end = "</saml:Subject>";
    refused(&[
        (end, &audience("https://else.example"), "saml_condition"),
        (end, &with("<saml:ProxyRestriction/>"), "saml_condition"),
        (
            end,
            &with("")
                .replace("Conditions>", "Conditions NotBefore=\"2026-11-26T03:01:00Z\">")
                .replace(
                    "</saml:Conditions NotBefore=\"2026-11-26T03:01:00Z\">",
                    "</saml:Conditions>",
                ),
            "saml_not_yet",
        ),
        // What is right so far fails by its signature.
        (end, &audience("https://gw.example"), "signature_digest"),
        (
            end,
            &audience("https://gw.example/saml/ecp/partner"),
            "signature_digest",
        ),
    ]);
}

#[test]
fn a_signature_stands_in_the_assertion_and_nowhere_else() {
    let (before, rest) = SHA256.split_once("<xmldsig:Signature>").unwrap();
    let (inside, after) = rest.split_once("</xmldsig:Signature>").unwrap();
    let bare = format!("{before}{after}");
    assert_eq!(reason(read(&bare)), "signature_missing");
    let signature = format!("<xmldsig:Signature>{inside}</xmldsig:Signature>");
    for place in [
        "</ns0:Header>",
        "<ns2:Status>",
        "<saml:NameID>",
        "</saml:AttributeStatement>",
    ] {
        let moved = bare.replacen(place, &format!("{signature}{place}"), 1);
        assert_eq!(reason(read(&moved)), "signature_shape", "{place}");
    }
}

#[test]
fn too_long_is_told_as_such() {
    let long = SHA256.replacen("ss:mem:", &"x".repeat(1024 * 1024), 1);
    let fault = read(&long).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn what_an_operator_must_know_is_told() {
    let warnings = |until: Option<&str>, now| config(until).warnings(now).join("\n");
    assert_eq!(warnings(None, MADE), "");
    let on = warnings(Some("2027-06-30"), MADE);
    assert!(on.contains("2027-06-30") && on.contains("SHA-1"), "{on}");
    assert!(warnings(Some("2026-11-26"), MADE).contains("has passed"));
    assert!(warnings(None, Timestamp(4_950_000_000)).contains("its signatures are refused"));
    let ended = partner(None).read(SHA256.as_bytes(), Timestamp(4_950_000_000));
    // The message ended long before its certificate; a fresh one would be refused for that.
    assert_eq!(reason(ended), "saml_expired");
    let mut odd = config(None);
    odd.entity_id = "has space".to_owned();
    odd.certificates = vec![fixture("README.md")];
    let keys: Vec<String> = odd.problems().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["entity_id", "certificates[0]"]);
    odd.certificates = Vec::new();
    assert_eq!(odd.problems()[1].2, "one to eight");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever byte is changed, added or taken: refused, or read as before.
    #[test]
    fn no_change_makes_other_claims(at in 0..SHA256.len(), byte in any::<u8>(), how in 0..3_u8) {
        let good = read(SHA256).unwrap();
        let mut bytes = SHA256.as_bytes().to_vec();
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => { bytes.remove(at); }
        }
        if let Ok(message) = partner(None).read(&bytes, MADE) {
            prop_assert_eq!(message, good);
        }
    }
}
