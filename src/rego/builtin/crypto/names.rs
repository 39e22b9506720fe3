//! Name constraints (RFC 5280, 4.2.1.10): which names a certificate authority may certify.

use std::net::IpAddr;

use regorus::Value;
use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints};

use super::super::uri::Uri;
use super::certificate::address;
use super::document::{bytes, list, object};

/// What is permitted or excluded of one kind each.
#[derive(Debug, Default)]
struct Subtrees {
    dns: Vec<String>,
    mail: Vec<String>,
    addresses: Vec<(Vec<u8>, Vec<u8>)>,
    uris: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Constraints {
    permitted: Subtrees,
    excluded: Subtrees,
    /// Nothing in it was of a kind that is not looked at here.
    pub(super) whole: bool,
}

impl Constraints {
    pub(super) fn of(constraints: &NameConstraints<'_>) -> Self {
        let (permitted, all) = Subtrees::of(constraints.permitted_subtrees.as_deref());
        let (excluded, whole) = Subtrees::of(constraints.excluded_subtrees.as_deref());
        Self {
            permitted,
            excluded,
            whole: all && whole,
        }
    }

    pub(super) fn document(&self, critical: bool) -> Value {
        let texts = |texts: &[String]| list(texts.iter().map(|text| Value::from(text.as_str())));
        let ranges = |ranges: &[(Vec<u8>, Vec<u8>)]| {
            list(ranges.iter().map(|(first, mask)| {
                let first = address(first).map(|first| first.to_string()).unwrap_or_default();
                object([("IP", Value::from(first)), ("Mask", bytes(mask))])
            }))
        };
        object([
            ("PermittedDNSDomainsCritical", Value::from(critical)),
            ("PermittedDNSDomains", texts(&self.permitted.dns)),
            ("ExcludedDNSDomains", texts(&self.excluded.dns)),
            ("PermittedIPRanges", ranges(&self.permitted.addresses)),
            ("ExcludedIPRanges", ranges(&self.excluded.addresses)),
            ("PermittedEmailAddresses", texts(&self.permitted.mail)),
            ("ExcludedEmailAddresses", texts(&self.excluded.mail)),
            ("PermittedURIDomains", texts(&self.permitted.uris)),
            ("ExcludedURIDomains", texts(&self.excluded.uris)),
        ])
    }

    /// Whether an authority with these constraints may certify the name. A name that cannot be read may not be
    /// certified by one that has constraints for its kind.
    pub(super) fn allow(&self, name: &GeneralName<'_>) -> bool {
        let (yes, no) = (&self.permitted, &self.excluded);
        match name {
            GeneralName::DNSName(text) => judged(&yes.dns, &no.dns, |limit| domain(text, limit)),
            GeneralName::RFC822Name(text) => judged(&yes.mail, &no.mail, |limit| mailbox(text, limit)),
            GeneralName::URI(text) => {
                let Some(host) = host(text) else {
                    return yes.uris.is_empty() && no.uris.is_empty();
                };
                judged(&yes.uris, &no.uris, |limit| domain(&host, limit))
            }
            GeneralName::IPAddress(own) => judged(&yes.addresses, &no.addresses, |(first, mask)| {
                own.len() == first.len()
                    && own
                        .iter()
                        .zip(first)
                        .zip(mask)
                        .all(|((own, first), mask)| own & mask == first & mask)
            }),
            // It may hide a name of a kind that has constraints.
            GeneralName::Invalid(..) => false,
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_) => true,
        }
    }
}

impl Subtrees {
    fn of(subtrees: Option<&[GeneralSubtree<'_>]>) -> (Self, bool) {
        let (mut own, mut whole) = (Self::default(), true);
        for subtree in subtrees.unwrap_or_default() {
            match &subtree.base {
                GeneralName::DNSName(text) => own.dns.push((*text).to_owned()),
                GeneralName::RFC822Name(text) => own.mail.push((*text).to_owned()),
                GeneralName::URI(text) => own.uris.push((*text).to_owned()),
                GeneralName::IPAddress(range) if matches!(range.len(), 8 | 32) => {
                    let (first, mask) = range.split_at(range.len() / 2);
                    own.addresses.push((first.to_vec(), mask.to_vec()));
                }
                GeneralName::IPAddress(_)
                | GeneralName::Invalid(..)
                | GeneralName::OtherName(..)
                | GeneralName::X400Address(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EDIPartyName(_)
                | GeneralName::RegisteredID(_) => whole = false,
            }
        }
        (own, whole)
    }
}

fn judged<T>(permitted: &[T], excluded: &[T], matches: impl Fn(&T) -> bool) -> bool {
    !excluded.iter().any(&matches) && (permitted.is_empty() || permitted.iter().any(&matches))
}

/// Label by label from the right; a dot before a limit asks for one label more.
fn domain(name: &str, limit: &str) -> bool {
    let (limit, more) = limit
        .strip_prefix('.')
        .map_or((limit, false), |limit| (limit, true));
    if limit.is_empty() {
        return true;
    }
    let labels = |text: &str| {
        let labels = text
            .trim_end_matches('.')
            .rsplit('.')
            .map(str::to_ascii_lowercase);
        labels.collect::<Vec<_>>()
    };
    let (name, limit) = (labels(name), labels(limit));
    name.starts_with(&limit) && !(more && name.len() == limit.len())
}

fn mailbox(name: &str, limit: &str) -> bool {
    let Some((local, host)) = name.rsplit_once('@') else {
        return false;
    };
    match limit.rsplit_once('@') {
        Some((own, own_host)) => own == local && own_host.eq_ignore_ascii_case(host),
        None => domain(host, limit),
    }
}

fn host(text: &str) -> Option<String> {
    let uri = Uri::read(text).ok()?;
    let (host, _) = uri.host_and_port();
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then(|| host.to_owned())
}
