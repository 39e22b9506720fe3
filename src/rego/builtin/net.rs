//! `net.cidr_*`: networks, without asking the network.
//!
//! Addresses are kept as 128-bit numbers; an IPv4 address is its IPv4-mapped IPv6 address, which is how Go and
//! therefore OPA compare them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "net.cidr_contains",
        arity: 2,
        call: contains,
    },
    Builtin {
        name: "net.cidr_contains_matches",
        arity: 2,
        call: contains_matches,
    },
    Builtin {
        name: "net.cidr_expand",
        arity: 1,
        call: expand,
    },
    Builtin {
        name: "net.cidr_intersects",
        arity: 2,
        call: intersects,
    },
    Builtin {
        name: "net.cidr_is_valid",
        arity: 1,
        call: is_valid,
    },
    Builtin {
        name: "net.cidr_merge",
        arity: 1,
        call: merge,
    },
    Builtin {
        name: "net.cidr_overlap",
        arity: 2,
        call: contains,
    },
];

/// Addresses that `net.cidr_expand` makes at most. OPA goes on until its time is over.
const EXPANDED: u128 = 65_536;
/// Pairs that `net.cidr_contains_matches` compares at most.
const COMPARED: usize = 4_000_000;

/// The addresses `::ffff:0:0/96`.
const V4: u128 = 0xffff_0000_0000;
const V4_BITS: u8 = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Net {
    first: u128,
    /// Of 128 bits.
    prefix: u8,
    /// Written as an IPv4 network.
    v4: bool,
}

impl Net {
    fn read(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::from(format!("invalid CIDR address: {text}"));
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let (address, v4) = address_of(address).ok_or_else(wrong)?;
        if bits.is_empty() || !bits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let most = if v4 { 32 } else { 128 };
        let bits = bits
            .parse::<u8>()
            .ok()
            .filter(|bits| *bits <= most)
            .ok_or_else(wrong)?;
        let prefix = if v4 { V4_BITS + bits } else { bits };
        let first = address & mask(prefix);
        // Go takes a network of mapped addresses for an IPv4 network.
        Ok(Self {
            first,
            prefix,
            v4: v4 || (prefix >= V4_BITS && is_v4(first)),
        })
    }

    fn last(self) -> u128 {
        self.first | !mask(self.prefix)
    }

    fn holds(self, address: u128) -> bool {
        // An IPv6 network does not hold IPv4 addresses, not even `::/0`.
        self.v4 == is_v4(address) && address & mask(self.prefix) == self.first
    }

    fn text(self) -> String {
        let bits = if self.v4 {
            self.prefix.saturating_sub(V4_BITS)
        } else {
            self.prefix
        };
        format!("{}/{bits}", address_text(self.first))
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX
        .checked_shl(u32::from(128_u8.saturating_sub(prefix)))
        .unwrap_or(0)
}

fn is_v4(address: u128) -> bool {
    address & mask(V4_BITS) == V4
}

fn address_of(text: &str) -> Option<(u128, bool)> {
    match text.parse().ok()? {
        IpAddr::V4(v4) => Some((V4 | u128::from(v4.to_bits()), true)),
        IpAddr::V6(v6) => Some((v6.to_bits(), false)),
    }
}

fn address_text(address: u128) -> String {
    match u32::try_from(address ^ V4) {
        Ok(v4) if is_v4(address) => Ipv4Addr::from_bits(v4).to_string(),
        _ => Ipv6Addr::from_bits(address).to_string(),
    }
}

fn contains(arguments: &Arguments<'_>) -> Answer {
    let network = Net::read(arguments.string(1)?)?;
    Ok(Value::from(holds(network, &text(1, arguments.value(2))?)?))
}

/// Whether an address or a whole network lies in the network.
fn holds(network: Net, other: &str) -> Result<bool, Fault> {
    if let Some((address, _)) = address_of(other) {
        return Ok(network.holds(address));
    }
    let other = Net::read(other).map_err(|_| {
        Fault::from(format!(
            "not a valid textual representation of an IP address or CIDR: {other}"
        ))
    })?;
    Ok(network.holds(other.first) && network.holds(other.last()))
}

fn intersects(arguments: &Arguments<'_>) -> Answer {
    let (one, other) = (Net::read(arguments.string(1)?)?, Net::read(arguments.string(2)?)?);
    Ok(Value::from(one.holds(other.first) || other.holds(one.first)))
}

fn is_valid(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        arguments.string(1).is_ok_and(|text| Net::read(text).is_ok()),
    ))
}

fn expand(arguments: &Arguments<'_>) -> Answer {
    let network = Net::read(arguments.string(1)?)?;
    let more = network.last() - network.first;
    if more >= EXPANDED {
        return Err(Fault::Limit(format!(
            "the network has more than {EXPANDED} addresses; ask with net.cidr_contains instead"
        )));
    }
    let addresses: BTreeSet<Value> = (network.first..=network.last())
        .map(|address| Value::from(address_text(address)))
        .collect();
    Ok(Value::from(addresses))
}

fn contains_matches(arguments: &Arguments<'_>) -> Answer {
    let (networks, others) = (candidates(arguments, 1)?, candidates(arguments, 2)?);
    if networks.len().saturating_mul(others.len()) > COMPARED {
        return Err(Fault::Limit(format!("more than {COMPARED} pairs to compare")));
    }
    let mut matches = BTreeSet::new();
    for (network, index) in &networks {
        for (other, other_index) in &others {
            let network = Net::read(&text(1, network)?)?;
            if holds(network, &text(2, other)?)? {
                matches.insert(Value::from(vec![index.clone(), other_index.clone()]));
            }
        }
    }
    Ok(Value::from(matches))
}

fn text(position: usize, value: &Value) -> Result<String, Fault> {
    let Value::String(text) = value else {
        return Err(Fault::kind(position, &["string"], value));
    };
    Ok(text.to_string())
}

/// The networks of one operand, each with what the answer names it by.
fn candidates(arguments: &Arguments<'_>, position: usize) -> Result<Vec<(Value, Value)>, Fault> {
    let named = |value: &Value, index: Value| Ok((element(position, value)?, index));
    match arguments.value(position) {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| named(item, Value::from(at)))
            .collect(),
        Value::Set(items) => items
            .iter_sorted()
            .map(|item| named(item, item.clone()))
            .collect(),
        Value::Object(fields) => fields
            .iter_sorted()
            .map(|(key, value)| named(value, key.clone()))
            .collect(),
        text @ Value::String(_) => Ok(vec![(text.clone(), text.clone())]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Undefined => Ok(Vec::new()),
    }
}

fn element(position: usize, value: &Value) -> Result<Value, Fault> {
    let first = match value {
        Value::String(_) => Some(value),
        Value::Array(items) => items.first(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Set(_)
        | Value::Object(_)
        | Value::Undefined => None,
    };
    let wrong = || format!("operand {position}: element must be string or non-empty array");
    first.cloned().ok_or_else(|| Fault::from(wrong()))
}

/// A range of addresses; `whole` is the text of a network that nothing was merged with.
#[derive(Debug)]
struct Range {
    last: u128,
    first: u128,
    whole: Option<String>,
}

fn merge(arguments: &Arguments<'_>) -> Answer {
    let Ok(items) = arguments.collection(1) else {
        return Err(Fault::from("operand must be an array"));
    };
    let mut ranges = items.into_iter().map(range).collect::<Result<Vec<_>, _>>()?;
    ranges.sort_by_key(|range| (range.last, range.first));
    let mut merged: Vec<Range> = Vec::new();
    while let Some(upper) = ranges.pop() {
        match ranges.last_mut() {
            Some(lower) if before(upper.first) <= lower.last => {
                lower.first = lower.first.min(upper.first);
                lower.last = upper.last;
                lower.whole = None;
            }
            _ => merged.push(upper),
        }
    }
    let mut texts = BTreeSet::new();
    for range in merged {
        match range.whole {
            Some(text) => drop(texts.insert(Value::from(text))),
            None => texts.extend(cover(range.first, range.last).into_iter().map(Value::from)),
        }
    }
    Ok(Value::from(texts))
}

/// The address before, except that neither the IPv4 nor the IPv6 addresses go below their zero.
fn before(address: u128) -> u128 {
    if address == 0 || address == V4 {
        address
    } else {
        address - 1
    }
}

fn range(value: &Value) -> Result<Range, Fault> {
    let Value::String(text) = value else {
        return Err(Fault::from("element must be string"));
    };
    let Some((address, v4)) = address_of(text) else {
        let network = Net::read(text)?;
        let whole = Some(network.text());
        return Ok(Range {
            first: network.first,
            last: network.last(),
            whole,
        });
    };
    if !v4 && !is_v4(address) {
        return Err(Fault::from("IPv6 invalid: needs prefix length"));
    }
    // Without a prefix length OPA takes the one of the address class (RFC 791).
    let bits = match address >> 24 & 0xff {
        0..0x80 => 8,
        0x80..0xc0 => 16,
        _ => 24,
    };
    let mask = mask(V4_BITS + bits);
    let whole = Some(format!("{}/{bits}", address_text(address)));
    Ok(Range {
        first: address & mask,
        last: address | !mask,
        whole,
    })
}

/// The fewest networks that are exactly the range.
fn cover(mut first: u128, last: u128) -> Vec<String> {
    let mut networks = Vec::new();
    loop {
        let least = if is_v4(first) && is_v4(last) { V4_BITS } else { 0 };
        let fits = |prefix: &u8| first & !mask(*prefix) == 0 && first | !mask(*prefix) <= last;
        let prefix = (least..=128).find(fits).unwrap_or(128);
        let network = Net {
            first,
            prefix,
            v4: least == V4_BITS,
        };
        networks.push(network.text());
        match network.last().checked_add(1) {
            Some(next) if next <= last => first = next,
            _ => return networks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(call: fn(&Arguments<'_>) -> Answer, arguments: &[Value]) -> Answer {
        call(&Arguments::of(arguments))
    }

    #[test]
    fn an_ipv6_network_holds_no_ipv4_address() {
        let arguments = [Value::from("::/0"), Value::from("10.0.0.1")];
        assert_eq!(ask(contains, &arguments).unwrap(), Value::from(false));
        let arguments = [Value::from("::ffff:10.0.0.0/104"), Value::from("10.0.0.1")];
        assert_eq!(ask(contains, &arguments).unwrap(), Value::from(true));
    }

    #[test]
    fn expanding_is_bounded() {
        assert!(matches!(
            ask(expand, &[Value::from("10.0.0.0/8")]),
            Err(Fault::Limit(_))
        ));
        assert!(matches!(
            ask(expand, &[Value::from("::/0")]),
            Err(Fault::Limit(_))
        ));
        let two = ask(expand, &[Value::from("255.255.255.254/31")]).unwrap();
        assert_eq!(two.as_set().unwrap().len(), 2);
    }

    #[test]
    fn neighbours_become_one() {
        let list = ["10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24", "fe80::/128"];
        let list = Value::from(list.map(Value::from).to_vec());
        let merged = ask(merge, &[list]).unwrap();
        let wanted = BTreeSet::from(["10.0.0.0/23", "fe80::/128"].map(Value::from));
        assert_eq!(merged, Value::from(wanted));
    }
}
