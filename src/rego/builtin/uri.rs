//! `uri.*`: addresses of resources as Go's `net/url` takes them apart.

use std::net::Ipv6Addr;

use regorus::Value;
use regorus::value::Object;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "uri.is_valid",
        arity: 1,
        call: is_valid,
    },
    Builtin {
        name: "uri.parse",
        arity: 1,
        call: parse,
    },
];

fn is_valid(arguments: &Arguments<'_>) -> Answer {
    let valid = arguments
        .string(1)
        .is_ok_and(|text| !text.is_empty() && Uri::read(text).is_ok());
    Ok(Value::from(valid))
}

fn parse(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    let uri = Uri::read(text).map_err(|said| Fault::from(format!("parse {text:?}: {said}")))?;
    let (hostname, port) = uri.host_and_port();
    let raw_path = if uri.raw_path.is_empty() {
        &uri.path
    } else {
        &uri.raw_path
    };
    let parts = [
        ("scheme", uri.scheme.as_str()),
        ("hostname", hostname),
        ("port", port),
        ("path", &uri.path),
        ("raw_path", raw_path),
        ("raw_query", &uri.raw_query),
        ("fragment", &uri.fragment),
    ];
    let parts = parts.into_iter().filter(|(_, part)| !part.is_empty());
    let parts: Object = parts
        .map(|(name, part)| (Value::from(name), Value::from(part)))
        .collect();
    Ok(Value::from(parts))
}

/// Go's `url.URL`.
#[derive(Debug, Default)]
pub(super) struct Uri {
    scheme: String,
    opaque: String,
    user: bool,
    host: String,
    path: String,
    raw_path: String,
    raw_query: String,
    fragment: String,
}

impl Uri {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut uri = Self {
            fragment: unescape(fragment, false)?,
            ..Self::default()
        };
        if text == "*" {
            uri.path = "*".to_owned();
            return Ok(uri);
        }
        let (scheme, rest) = scheme(text)?;
        uri.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        uri.raw_query = query.to_owned();
        if !rest.starts_with('/') {
            if !uri.scheme.is_empty() {
                // "mailto:someone": what follows has no path.
                uri.opaque = rest.to_owned();
                return Ok(uri);
            }
            if rest
                .split('/')
                .next()
                .is_some_and(|segment| segment.contains(':'))
            {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let authority = !uri.scheme.is_empty() || !rest.starts_with("///");
        let path = match rest.strip_prefix("//").filter(|_| authority) {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                uri.user = authority.contains('@');
                uri.host = host(&uri.scheme, user_passed(authority)?)?;
                path
            }
            None => rest,
        };
        uri.path = unescape(path, false)?;
        if escape(&uri.path) != path {
            uri.raw_path = path.to_owned();
        }
        Ok(uri)
    }

    /// As Go's `encoding/json` writes it.
    pub(super) fn document(&self) -> Value {
        let texts = [
            ("Scheme", &self.scheme),
            ("Opaque", &self.opaque),
            ("Host", &self.host),
            ("Path", &self.path),
            ("RawPath", &self.raw_path),
            ("RawQuery", &self.raw_query),
            ("Fragment", &self.fragment),
        ];
        let texts = texts.map(|(name, text)| (name, Value::from(text.as_str())));
        let user = if self.user {
            Value::from(Object::default())
        } else {
            Value::Null
        };
        let others = [
            ("User", user),
            ("OmitHost", Value::from(false)),
            ("ForceQuery", Value::from(false)),
            ("RawFragment", Value::from("")),
        ];
        let fields = texts.into_iter().chain(others);
        Value::from(
            fields
                .map(|(name, value)| (Value::from(name), value))
                .collect::<Object>(),
        )
    }

    pub(super) fn has_scheme(&self) -> bool {
        !self.scheme.is_empty()
    }

    pub(super) fn host_and_port(&self) -> (&str, &str) {
        let host = self.host.as_str();
        let split = host.rsplit_once(':').filter(|(_, port)| digits(port));
        let (host, port) = split.unwrap_or((host, ""));
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(host), port)
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit())
}

fn scheme(text: &str) -> Result<(&str, &str), String> {
    let taken = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '+' | '-' | '.');
    match text.split_once(':') {
        Some(("", _)) => Err("missing protocol scheme".to_owned()),
        Some((scheme, rest))
            if scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.chars().all(taken) =>
        {
            Ok((scheme, rest))
        }
        _ => Ok(("", text)),
    }
}

/// The authority without what stands before its last `@`.
fn user_passed(authority: &str) -> Result<&str, String> {
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Ok(authority);
    };
    let taken = |sign: char| sign.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(sign);
    if !user.chars().all(taken) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    unescape(user, false)?;
    Ok(host)
}

fn host(scheme: &str, text: &str) -> Result<String, String> {
    match text.rfind('[') {
        Some(0) => literal(text),
        Some(_) => Err("invalid IP-literal".to_owned()),
        None => {
            // Only web addresses are held to one colon: some databases list hosts with ports.
            let web = matches!(scheme, "http" | "https");
            let colon = if web { text.find(':') } else { text.rfind(':') };
            let port = colon.and_then(|at| text.get(at + 1..));
            match port {
                Some(port) if !digits(port) => Err(format!("invalid port {port:?} after host")),
                _ => unescape(text, true),
            }
        }
    }
}

/// An IPv6 address in brackets, with a zone and a port if need be.
fn literal(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('[').unwrap_or(text);
    let (address, port) = inner.rsplit_once(']').ok_or("missing ']' in host")?;
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(digits) {
        return Err(format!("invalid port {port:?} after host"));
    }
    let address = match address.split_once("%25") {
        Some((address, zone)) => format!("{}%{}", unescape(address, true)?, unescape(zone, false)?),
        None => unescape(address, true)?,
    };
    let bare = address.split_once('%').map_or(address.as_str(), |(bare, _)| bare);
    if bare.parse::<Ipv6Addr>().is_err() || address.ends_with('%') {
        return Err("invalid host: not an IPv6 address".to_owned());
    }
    Ok(format!("[{address}]{port}"))
}

/// Signs that Go lets stand in a host name.
fn in_host(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || b"!\"$&'()*+,-.:;<=>[]_~".contains(&byte)
}

fn unescape(text: &str, in_a_host: bool) -> Result<String, String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if in_a_host && !in_host(byte) {
                return Err(format!("invalid character {:?} in host name", char::from(byte)));
            }
            plain.push(byte);
            continue;
        }
        let (high, low) = (bytes.next().and_then(nibble), bytes.next().and_then(nibble));
        let (Some(high), Some(low)) = (high, low) else {
            return Err(format!("invalid URL escape in {text:?}"));
        };
        // In a host only signs that are not ASCII are escaped; "%25" begins a zone.
        if in_a_host && high < 8 && (high, low) != (2, 5) {
            return Err(format!("invalid URL escape in {text:?}"));
        }
        plain.push(high << 4 | low);
    }
    Ok(String::from_utf8_lossy(&plain).into_owned())
}

fn nibble(sign: u8) -> Option<u8> {
    char::from(sign)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// The default escaping of a path.
fn escape(path: &str) -> String {
    use std::fmt::Write;
    path.bytes()
        .fold(String::with_capacity(path.len()), |mut escaped, byte| {
            if byte.is_ascii_alphanumeric() || b"$&+,-./:;=@_~".contains(&byte) {
                escaped.push(char::from(byte));
            } else {
                // Writing into a string cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
            escaped
        })
}
