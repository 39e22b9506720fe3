//! Which addresses may be called: guards the resolved address, so that no name leads inside (SSRF).

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use reqwest::dns::{Name, Resolve, Resolving};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// A set of addresses. Link-local ones (cloud metadata services) are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addresses {
    /// Addresses of the public internet.
    #[default]
    Public,
    /// Also private networks (RFC 1918, RFC 4193, RFC 6598).
    Private,
    /// Also this machine. For demos, tests and side-cars.
    Loopback,
}

impl Addresses {
    /// Whether an address may be called.
    #[must_use]
    pub fn allow(self, address: IpAddr) -> bool {
        match self.class(address) {
            Class::Never => false,
            Class::Public => true,
            Class::Private => !matches!(self, Self::Public),
            Class::Loopback => matches!(self, Self::Loopback),
        }
    }

    /// Whether the host of a URL may be called, where it is a literal address. Names are looked at when resolved.
    #[must_use]
    pub fn allow_host(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(address)) => self.allow(address.into()),
            Some(Host::Ipv6(address)) => self.allow(address.into()),
            Some(Host::Domain(name)) => IpAddr::from_str(name).map_or(true, |address| self.allow(address)),
            None => false,
        }
    }

    fn class(self, address: IpAddr) -> Class {
        match address {
            IpAddr::V4(address) => class_v4(address),
            // An IPv4 address in IPv6 dress is the IPv4 address.
            IpAddr::V6(address) => address
                .to_ipv4_mapped()
                .map_or_else(|| class_v6(address), class_v4),
        }
    }
}

enum Class {
    Public,
    Private,
    Loopback,
    Never,
}

fn class_v4(address: Ipv4Addr) -> Class {
    let [a, b, ..] = address.octets();
    if address.is_loopback() {
        Class::Loopback
    } else if address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || a == 0
        || a >= 240
    {
        Class::Never
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) {
        Class::Private
    } else {
        Class::Public
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    let [first, ..] = address.segments();
    if address.is_loopback() {
        Class::Loopback
    } else if address.is_unspecified() || address.is_multicast() || (first & 0xffc0) == 0xfe80 {
        Class::Never
    } else if (first & 0xfe00) == 0xfc00 {
        Class::Private
    } else {
        Class::Public
    }
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| rules.allow(address.ip())).collect();
            if allowed.is_empty() {
                let why = format!("'{}' has no address that this gateway may call", name.as_str());
                return Err(why.into());
            }
            Ok(Box::new(allowed.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_never_called() {
        for text in [
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
        ] {
            assert!(!Addresses::Loopback.allow(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn each_set_holds_the_smaller_ones() {
        let cases = [
            ("192.0.2.1", 0),
            ("10.1.2.3", 1),
            ("100.64.0.1", 1),
            ("fd00::1", 1),
            ("127.0.0.1", 2),
            ("::1", 2),
        ];
        for (text, least) in cases {
            let sets = [Addresses::Public, Addresses::Private, Addresses::Loopback];
            for (rank, set) in sets.into_iter().enumerate() {
                assert_eq!(set.allow(text.parse().unwrap()), rank >= least, "{text} {set:?}");
            }
        }
    }

    #[test]
    fn literal_addresses_in_urls_are_seen() {
        for url in [
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(!Addresses::Private.allow_host(&Url::parse(url).unwrap()), "{url}");
        }
    }
}
