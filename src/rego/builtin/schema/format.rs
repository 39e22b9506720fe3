//! The formats of texts.

use std::net::IpAddr;

use chrono::{NaiveDate, NaiveTime};

use super::super::pattern;
use super::super::uri::Uri;

/// Formats that OPA checks by rules that are not kept here: a text cannot be said to meet them or not.
pub(super) const UNKNOWN: [&str; 3] = ["email", "idn-email", "uri-template"];

/// A format that nobody knows is always met.
pub(super) fn met(format: &str, text: &str) -> bool {
    match format {
        "date" => date(text),
        "time" => time(text),
        "date-time" => date(text) || time(text) || moment(text),
        "hostname" => text.len() < 256 && text.split('.').all(label),
        "ipv4" => text.contains('.') && text.parse::<IpAddr>().is_ok(),
        "ipv6" => text.contains(':') && text.parse::<IpAddr>().is_ok(),
        "uri" | "iri" => !text.contains('\\') && Uri::read(text).is_ok_and(|uri| uri.has_scheme()),
        "uri-reference" | "iri-reference" => !text.contains('\\') && Uri::read(text).is_ok(),
        "uuid" => uuid(text),
        "regex" => pattern::compiled(text).is_ok(),
        "json-pointer" => pointer(text),
        "relative-json-pointer" => relative(text),
        _ => true,
    }
}

fn label(text: &str) -> bool {
    let edge = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.chars().next())
        && edge(text.chars().next_back())
        && text
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '-')
}

fn date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// With an offset or without.
fn time(text: &str) -> bool {
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(end);
    clocked(clock) && (offset.is_empty() || self::offset(offset))
}

fn moment(text: &str) -> bool {
    let Some((day, rest)) = text.split_once('T') else {
        return false;
    };
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(end);
    date(day) && clocked(clock) && self::offset(offset)
}

/// A fraction may follow the seconds; a second of 60 may not be.
fn clocked(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    clock.len() == 8
        && digits(fraction)
        && !clock.ends_with("60")
        && NaiveTime::parse_from_str(clock, "%H:%M:%S").is_ok()
}

fn offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some(clock) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    let Some((hours, minutes)) = clock.split_once(':') else {
        return false;
    };
    let below = |text: &str, most: u8| {
        text.len() == 2
            && text.bytes().all(|digit| digit.is_ascii_digit())
            && text.parse::<u8>().is_ok_and(|number| number <= most)
    };
    below(hours, 24) && below(minutes, 60)
}

fn uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|sign| sign == b'-' || sign.is_ascii_hexdigit())
}

fn pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}

fn relative(text: &str) -> bool {
    let end = text
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let plain = number == "0" || (!number.is_empty() && !number.starts_with('0'));
    plain && (rest == "#" || pointer(rest))
}
