//! What a message must look like, before and beside its signature.
//!
//! A partner's Keystone sends an unsolicited response without conditions and without an audience. What takes their place
//! is narrow: the recipient is the path of this partner alone, it lives an hour at most, and it counts once. Everything
//! that such a message never has is refused, as everything else in it could only be there to be read differently.

use std::collections::BTreeMap;

use chrono::DateTime;

use crate::{
    domain::time::Timestamp,
    upstream::xml::{Document, Element, Flaw},
    wire::saml::{ASSERTION, BEARER, ENTITY, ENVELOPE, PROTOCOL, SIGNATURE, SUCCESS},
};

/// How far clocks may differ, in seconds.
pub(super) const SKEW: i64 = 60;
/// A message that was made longer ago was kept by somebody.
const LONGEST_WAY: i64 = 600;
/// The longest that one may count.
const LONGEST_LIFE: i64 = 3600;
/// Nobody is signed in longer without proving it again.
const LONGEST_SIGN_IN: i64 = 12 * 3600;

/// Why a message is not taken. As a text it is a reason, with texts in both languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misfit {
    /// The document or its signature.
    #[error(transparent)]
    Flaw(#[from] Flaw),
    /// Signed with SHA-1, which counted until that day.
    #[error("signature_sha1_ended:{0}")]
    Sha1Ended(String),
    /// No certificate of the partner counts now.
    #[error("certificate_ended")]
    Certificate,
    /// No envelope with one body with one response.
    #[error("saml_envelope")]
    Envelope,
    /// The response or assertion has other parts than one has.
    #[error("saml_shape")]
    Shape,
    /// The partner says that it has failed.
    #[error("saml_status")]
    Status,
    /// Another issuer than the partner.
    #[error("saml_issuer")]
    Issuer,
    /// None, or more than one, or an encrypted one.
    #[error("saml_assertions")]
    Assertions,
    /// For somebody else, or for another path of ours.
    #[error("saml_recipient")]
    Recipient,
    /// It is over.
    #[error("saml_expired")]
    Expired,
    /// It has not begun, or comes from the future.
    #[error("saml_not_yet")]
    NotYet,
    /// It counts longer than an hour.
    #[error("saml_lifetime")]
    Lifetime,
    /// The confirmation is not the one that says "whoever brings this".
    #[error("saml_confirmation")]
    Confirmation,
    /// Nobody, or two names for one person.
    #[error("saml_subject")]
    Subject,
    /// A condition that does not hold or is not known.
    #[error("saml_condition")]
    Condition,
    /// An attribute is missing, there twice, or cannot be read.
    #[error("saml_attribute:{0}")]
    Attribute(String),
}

/// What is expected of a message.
#[derive(Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) recipient: &'a str,
    /// How a restriction to an audience may name us.
    pub(super) audience: &'a str,
    pub(super) now: Timestamp,
}

/// What a message states, if its signature holds.
#[derive(Debug)]
pub(super) struct Stated<'t> {
    pub(super) assertion: Element<'t>,
    pub(super) id: &'t str,
    pub(super) name: &'t str,
    pub(super) attributes: BTreeMap<&'t str, Vec<&'t str>>,
    pub(super) signed_in: Timestamp,
    /// Nothing lives longer.
    pub(super) ends: Timestamp,
    /// The same message must not count again until then.
    pub(super) counts_until: Timestamp,
}

/// Lets a message through to the verification of its signature.
pub(super) fn pass<'t>(document: &'t Document<'t>, expected: &Expected<'_>) -> Result<Stated<'t>, Misfit> {
    let response = enveloped(document.root()?)?;
    let assertion = responded(response, expected)?;
    alone(document, assertion)?;
    let id = versioned(assertion, expected.now)?;
    let children = assertion.children()?;
    let [issuer, signature, subject, more @ ..] = children.as_slice() else {
        return Err(Misfit::Shape);
    };
    is_issuer(*issuer, expected.issuer)?;
    // One that stands elsewhere may be another's.
    if !signature.is(SIGNATURE, "Signature") {
        return Err(Misfit::Flaw(Flaw::Shape));
    }
    let (conditions, sign_in, attributes) = match more {
        [sign_in, attributes] => (None, *sign_in, *attributes),
        [conditions, sign_in, attributes] => (Some(*conditions), *sign_in, *attributes),
        _ => return Err(Misfit::Shape),
    };
    let (name, counts_until) = confirmed(*subject, expected)?;
    let (signed_in, session_ends) = signed_in(sign_in, expected.now)?;
    let condition_ends = conditions.map_or(Ok(None), |conditions| hold(conditions, expected))?;
    Ok(Stated {
        assertion,
        id,
        name,
        attributes: stated(attributes)?,
        signed_in,
        ends: [session_ends, condition_ends]
            .into_iter()
            .flatten()
            .fold(counts_until, Timestamp::min),
        counts_until,
    })
}

/// The response in a SOAP envelope. It stays where it is: what it inherits from around it (namespaces) is as it was.
fn enveloped(root: Element<'_>) -> Result<Element<'_>, Misfit> {
    let children = root.children()?;
    let body = match children.as_slice() {
        [body] => body,
        [header, body] if header.is(ENVELOPE, "Header") => body,
        _ => return Err(Misfit::Envelope),
    };
    if !root.is(ENVELOPE, "Envelope") || !body.is(ENVELOPE, "Body") {
        return Err(Misfit::Envelope);
    }
    let [response] = body
        .children()?
        .try_into()
        .map_err(|_: Vec<Element<'_>>| Misfit::Envelope)?;
    if response.is(PROTOCOL, "Response") {
        Ok(response)
    } else {
        Err(Misfit::Envelope)
    }
}

/// The assertion of a response. Nothing here is signed: it can only make us refuse.
fn responded<'t>(response: Element<'t>, expected: &Expected<'_>) -> Result<Element<'t>, Misfit> {
    versioned(response, expected.now)?;
    // An answer to a request. There was none.
    if response.attribute("InResponseTo").is_some() {
        return Err(Misfit::Confirmation);
    }
    if response
        .attribute("Destination")
        .is_some_and(|to| to != expected.recipient)
    {
        return Err(Misfit::Recipient);
    }
    let mut children = response.children()?;
    let status = children
        .iter()
        .position(|child| child.is(PROTOCOL, "Status"))
        .ok_or(Misfit::Status)?;
    succeeded(children.remove(status))?;
    let assertion = match children.as_slice() {
        [assertion] => *assertion,
        [issuer, assertion] if issuer.is(ASSERTION, "Issuer") => {
            is_issuer(*issuer, expected.issuer)?;
            *assertion
        }
        others => {
            let signed = others.iter().any(|child| child.is(SIGNATURE, "Signature"));
            return Err(if signed {
                Misfit::Flaw(Flaw::Shape)
            } else {
                Misfit::Assertions
            });
        }
    };
    if assertion.is(ASSERTION, "Assertion") {
        Ok(assertion)
    } else {
        Err(Misfit::Assertions)
    }
}

fn succeeded(status: Element<'_>) -> Result<(), Misfit> {
    let children = status.children()?;
    match children.as_slice() {
        [code]
            if code.is(PROTOCOL, "StatusCode")
                && code.attribute("Value") == Some(SUCCESS)
                && code.children()?.is_empty() =>
        {
            Ok(())
        }
        _ => Err(Misfit::Status),
    }
}

/// No second assertion and no second signature anywhere: each wrapping attack needs one of them.
fn alone(document: &Document<'_>, assertion: Element<'_>) -> Result<(), Misfit> {
    let mut signed = false;
    for element in document.elements() {
        let (space, name) = element.name();
        match name {
            "Assertion" | "EncryptedAssertion" if element != assertion => return Err(Misfit::Assertions),
            "Advice" | "Extensions" if matches!(space, ASSERTION | PROTOCOL) => return Err(Misfit::Shape),
            "Signature" if signed || element.parent() != Some(assertion) => {
                return Err(Misfit::Flaw(Flaw::Shape));
            }
            "Signature" => signed = true,
            _ => {}
        }
    }
    if signed {
        Ok(())
    } else {
        Err(Misfit::Flaw(Flaw::Unsigned))
    }
}

/// The ID of a message of SAML 2.0 that was made just now.
fn versioned<'t>(message: Element<'t>, now: Timestamp) -> Result<&'t str, Misfit> {
    if message.attribute("Version") != Some("2.0") {
        return Err(Misfit::Shape);
    }
    let made = instant(message, "IssueInstant")?.ok_or(Misfit::Shape)?;
    if made.0 > now.0 + SKEW {
        return Err(Misfit::NotYet);
    }
    if made.0 < now.0 - LONGEST_WAY {
        return Err(Misfit::Expired);
    }
    // Keystone's begin with a digit, which no XML ID may: it is an opaque text here.
    message
        .attribute("ID")
        .filter(|id| (1..=256).contains(&id.len()))
        .ok_or(Misfit::Shape)
}

fn is_issuer(issuer: Element<'_>, expected: &str) -> Result<(), Misfit> {
    let format = issuer.attribute("Format").unwrap_or(ENTITY);
    if issuer.is(ASSERTION, "Issuer") && format == ENTITY && issuer.text() == Some(expected) {
        Ok(())
    } else {
        Err(Misfit::Issuer)
    }
}

/// Whom it is about, and until when whoever brings it to this path may use it.
fn confirmed<'t>(subject: Element<'t>, expected: &Expected<'_>) -> Result<(&'t str, Timestamp), Misfit> {
    if !subject.is(ASSERTION, "Subject") {
        return Err(Misfit::Shape);
    }
    let children = subject.children()?;
    let [name, confirmation] = children.as_slice() else {
        return Err(Misfit::Confirmation);
    };
    let text = name.text().filter(|text| !text.trim().is_empty());
    let name = text
        .filter(|_| name.is(ASSERTION, "NameID"))
        .ok_or(Misfit::Subject)?;
    let bearer = confirmation.attribute("Method") == Some(BEARER);
    if !bearer || !confirmation.is(ASSERTION, "SubjectConfirmation") {
        return Err(Misfit::Confirmation);
    }
    let [data] = confirmation
        .children()?
        .try_into()
        .map_err(|_: Vec<Element<'_>>| Misfit::Confirmation)?;
    // NotBefore, InResponseTo, an address to come from, or a key to be held: another confirmation than this one.
    let known = |name: String| matches!(name.as_str(), "Recipient" | "NotOnOrAfter");
    if !data.is(ASSERTION, "SubjectConfirmationData")
        || !data.attribute_names().all(known)
        || !data.children()?.is_empty()
    {
        return Err(Misfit::Confirmation);
    }
    if data.attribute("Recipient") != Some(expected.recipient) {
        return Err(Misfit::Recipient);
    }
    let until = instant(data, "NotOnOrAfter")?.ok_or(Misfit::Confirmation)?;
    not_over(until, expected.now)?;
    if until.0 > expected.now.0 + LONGEST_LIFE + SKEW {
        return Err(Misfit::Lifetime);
    }
    Ok((name, until))
}

/// When they signed in there, and until when that holds.
fn signed_in(statement: Element<'_>, now: Timestamp) -> Result<(Timestamp, Option<Timestamp>), Misfit> {
    if !statement.is(ASSERTION, "AuthnStatement") {
        return Err(Misfit::Shape);
    }
    let at = instant(statement, "AuthnInstant")?.ok_or(Misfit::Shape)?;
    if at.0 > now.0 + SKEW {
        return Err(Misfit::NotYet);
    }
    if at.0 < now.0 - LONGEST_SIGN_IN {
        return Err(Misfit::Expired);
    }
    let ends = instant(statement, "SessionNotOnOrAfter")?;
    ends.map_or(Ok(()), |ends| not_over(ends, now))?;
    Ok((at, ends))
}

/// Conditions, which Keystone does not make: where there are some, all of them hold.
fn hold(conditions: Element<'_>, expected: &Expected<'_>) -> Result<Option<Timestamp>, Misfit> {
    if !conditions.is(ASSERTION, "Conditions") {
        return Err(Misfit::Shape);
    }
    if instant(conditions, "NotBefore")?.is_some_and(|from| from.0 > expected.now.0 + SKEW) {
        return Err(Misfit::NotYet);
    }
    let ends = instant(conditions, "NotOnOrAfter")?;
    ends.map_or(Ok(()), |ends| not_over(ends, expected.now))?;
    for condition in conditions.children()? {
        let audiences = condition.children()?;
        let named = |audience: &Element<'_>| {
            let text = audience.text();
            audience.is(ASSERTION, "Audience")
                && (text == Some(expected.audience) || text == Some(expected.recipient))
        };
        // Each message counts once here in any case.
        let once = condition.is(ASSERTION, "OneTimeUse") && audiences.is_empty();
        let for_us = condition.is(ASSERTION, "AudienceRestriction") && audiences.iter().any(named);
        if !once && !for_us {
            return Err(Misfit::Condition);
        }
    }
    Ok(ends)
}

/// The attributes by name, each with its values.
fn stated(statement: Element<'_>) -> Result<BTreeMap<&str, Vec<&str>>, Misfit> {
    if !statement.is(ASSERTION, "AttributeStatement") {
        return Err(Misfit::Shape);
    }
    let mut attributes = BTreeMap::new();
    for attribute in statement.children()? {
        let name = attribute.attribute("Name").ok_or(Misfit::Shape)?;
        let odd = || Misfit::Attribute(name.chars().filter(|c| !c.is_control()).take(64).collect());
        if !attribute.is(ASSERTION, "Attribute") {
            return Err(Misfit::Shape);
        }
        let mut values = Vec::new();
        for value in attribute.children()? {
            let text = value.text().filter(|_| value.is(ASSERTION, "AttributeValue"));
            values.push(text.ok_or_else(odd)?);
        }
        // Which of two counts must not be a guess.
        if attributes.insert(name, values).is_some() {
            return Err(odd());
        }
    }
    Ok(attributes)
}

fn not_over(end: Timestamp, now: Timestamp) -> Result<(), Misfit> {
    if now.0 < end.0 + SKEW {
        Ok(())
    } else {
        Err(Misfit::Expired)
    }
}

/// A moment in UTC, as SAML demands it (saml-core §1.3.3).
fn instant(element: Element<'_>, name: &str) -> Result<Option<Timestamp>, Misfit> {
    let Some(text) = element.attribute(name) else {
        return Ok(None);
    };
    let read = DateTime::parse_from_rfc3339(text)
        .ok()
        .filter(|_| text.ends_with('Z'));
    // Before 1970 or after 9999 there are no messages, and no sum of times can overflow.
    let seconds = read.map(|read| read.timestamp());
    let seconds = seconds.filter(|seconds| (0..253_402_300_800).contains(seconds));
    seconds
        .map(|seconds| Some(Timestamp(seconds)))
        .ok_or(Misfit::Shape)
}
