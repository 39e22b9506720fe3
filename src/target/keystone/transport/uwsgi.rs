//! Keystone by the binary protocol of uWSGI (`uwsgi --socket`): WSGI keys in, an HTTP answer out.
//!
//! A request is `modifier1` (0), the size of the keys (16 bits), `modifier2` (0), then each key and value with its
//! length, then the body. uWSGI closes the connection after each answer, so there is nothing to reuse.
//! A client's header `X` arrives as `HTTP_X`; only this file makes keys that begin otherwise.

use std::{io, path::PathBuf};

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use url::Url;

use super::{Told, length};
use crate::port::relay::{Answer, Call, Parts, Payload, RelayFault};

/// How the keys of identity begin: Keystone's `assertion_prefix`.
pub const KEY_PREFIX: &str = "FEDGW_";
/// The size stands in 16 bits.
const MOST_KEYS: usize = u16::MAX as usize;
/// Longest head of an answer.
const LONGEST_HEAD: usize = 64 * 1024;
/// Most headers of an answer.
const MOST_HEADERS: usize = 100;

/// Where uWSGI listens.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
}

/// A Keystone under uWSGI.
#[derive(Debug, Clone)]
pub(super) struct Uwsgi {
    place: Place,
    /// By which name clients know Keystone: the gateway's own, so that links lead back to it.
    host: String,
    scheme: &'static str,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Uwsgi {
    /// From `uwsgi://host:port` or `uwsgi:///path/of/socket`.
    pub(super) fn open(url: &Url, issuer: &str) -> Result<Self, String> {
        let place =
            place(url).ok_or("'url' must be uwsgi://host:port or uwsgi:///path/of/the/socket".to_owned())?;
        let (scheme, host) = issuer.split_once("://").unwrap_or(("https", issuer));
        Ok(Self {
            place,
            host: host.to_owned(),
            scheme: if scheme == "http" { "http" } else { "https" },
        })
    }

    pub(super) async fn call(&self, call: Call, told: &Told) -> Result<Answer, RelayFault> {
        let head = call.method == ::http::Method::HEAD;
        let keys = self.keys(&call, told)?;
        let mut stream = self.connect().await.map_err(down)?;
        stream.write_all(&keys).await.map_err(down)?;
        let sent = match call.body {
            Payload::None => Ok(()),
            Payload::Whole(bytes) => stream.write_all(&bytes).await,
            Payload::Stream { length, parts } => pour(&mut stream, length, parts).await?,
        };
        match (sent, read(stream, head).await) {
            // An answer may come before the whole body was taken: Keystone refuses one that is too long.
            (_, Ok(answer)) => Ok(answer),
            (Err(problem), Err(_)) => Err(down(problem)),
            (Ok(()), Err(fault)) => Err(fault),
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.place {
            Place::Tcp(address) => {
                let stream = tokio::net::TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Place::Unix(path) => Box::new(tokio::net::UnixStream::connect(path).await?),
        })
    }

    /// The packet of keys.
    fn keys(&self, call: &Call, told: &Told) -> Result<BytesMut, RelayFault> {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let mut keys = Keys(BytesMut::with_capacity(2048));
        keys.0.extend_from_slice(&[0; 4]);
        keys.put(b"REQUEST_METHOD", call.method.as_str().as_bytes());
        keys.put(b"REQUEST_URI", call.path.as_bytes());
        keys.put(b"SCRIPT_NAME", b"");
        keys.put(b"PATH_INFO", &decoded(path));
        keys.put(b"QUERY_STRING", query.as_bytes());
        keys.put(b"SERVER_PROTOCOL", b"HTTP/1.1");
        let (name, port) = name_and_port(&self.host, self.scheme);
        keys.put(b"SERVER_NAME", name.as_bytes());
        keys.put(b"SERVER_PORT", port.as_bytes());
        keys.put(b"HTTP_HOST", self.host.as_bytes());
        keys.put(b"UWSGI_SCHEME", self.scheme.as_bytes());
        match &call.body {
            Payload::None => {}
            Payload::Whole(bytes) => keys.put(b"CONTENT_LENGTH", bytes.len().to_string().as_bytes()),
            Payload::Stream { length, .. } => keys.put(b"CONTENT_LENGTH", length.to_string().as_bytes()),
        }
        for name in call.headers.keys() {
            keys.header(name, &call.headers);
        }
        for (end, value) in told {
            let key = format!("{KEY_PREFIX}{}", end.replace('-', "_"));
            keys.put(key.as_bytes(), value.as_bytes());
        }
        keys.packet()
    }
}

struct Keys(BytesMut);

impl Keys {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        for text in [key, value] {
            // What does not fit makes the whole packet too long, which `packet` refuses.
            let size = u16::try_from(text.len()).unwrap_or(u16::MAX);
            self.0.extend_from_slice(&size.to_le_bytes());
            self.0.extend_from_slice(text);
        }
    }

    /// A header as CGI spells it (RFC 3875 §4.1.18). Values of one name are joined: two keys of one name would
    /// leave it to the far side which counts.
    fn header(&mut self, name: &HeaderName, headers: &HeaderMap) {
        // The name `X_Auth_Token` would become the key of `X-Auth-Token`. `Proxy` would become HTTP_PROXY, which
        // libraries read as a setting (CVE-2016-5385).
        if name.as_str().contains('_') || name.as_str() == "proxy" || *name == header::CONTENT_LENGTH {
            return;
        }
        let joint: &[u8] = if *name == header::COOKIE { b"; " } else { b", " };
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let key = if *name == header::CONTENT_TYPE {
            "CONTENT_TYPE".to_owned()
        } else {
            format!("HTTP_{}", name.as_str().to_ascii_uppercase().replace('-', "_"))
        };
        self.put(key.as_bytes(), &values.join(joint));
    }

    fn packet(mut self) -> Result<BytesMut, RelayFault> {
        let size = self.0.len().saturating_sub(4);
        let size = u16::try_from(size)
            .ok()
            .filter(|size| usize::from(*size) < MOST_KEYS)
            .ok_or(RelayFault::TooLarge)?;
        let [low, high] = size.to_le_bytes();
        for (at, byte) in [0, low, high, 0].into_iter().enumerate() {
            if let Some(place) = self.0.get_mut(at) {
                *place = byte;
            }
        }
        Ok(self.0)
    }
}

/// Sends a body of a promised length: neither less, which uWSGI would wait for, nor more. The outer error is the
/// caller's, the inner one the far side's.
async fn pour(
    stream: &mut Box<dyn Stream>,
    length: u64,
    mut parts: Parts,
) -> Result<io::Result<()>, RelayFault> {
    let mut left = length;
    while let Some(part) = parts.next().await {
        let part = part.map_err(|problem| RelayFault::Down(format!("the caller broke off: {problem}")))?;
        left = u64::try_from(part.len())
            .ok()
            .and_then(|size| left.checked_sub(size))
            .ok_or_else(|| RelayFault::Down("the caller sent more than announced".to_owned()))?;
        if let Err(problem) = stream.write_all(&part).await {
            return Ok(Err(problem));
        }
    }
    if left == 0 {
        Ok(Ok(()))
    } else {
        Err(RelayFault::Down("the caller sent less than announced".to_owned()))
    }
}

/// Reads the head; the rest of the body stays a stream.
async fn read(mut stream: Box<dyn Stream>, head_only: bool) -> Result<Answer, RelayFault> {
    let mut seen = BytesMut::with_capacity(8192);
    let (status, headers, begun) = loop {
        if let Some(head) = head(&mut seen)? {
            break head;
        }
        if seen.len() > LONGEST_HEAD {
            return Err(RelayFault::Down("its answer's head is too long".to_owned()));
        }
        let size = stream.read_buf(&mut seen).await.map_err(down)?;
        if size == 0 {
            // A worker that died, or keys longer than uWSGI's --buffer-size.
            return Err(RelayFault::Down(
                "it closed the connection without an answer".to_owned(),
            ));
        }
    };
    let none = head_only || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let length = if none { Some(0) } else { length(&headers) };
    Ok(Answer {
        status,
        body: body(stream, begun, length),
        headers,
    })
}

/// What has been read of a head: its status, its headers and the beginning of the body; none if it goes on.
fn head(seen: &mut BytesMut) -> Result<Option<(StatusCode, HeaderMap, Bytes)>, RelayFault> {
    let strange = || RelayFault::Down("its answer is not HTTP".to_owned());
    let mut space = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut space);
    let size = match response.parse(seen).map_err(|_| strange())? {
        httparse::Status::Complete(size) => size,
        httparse::Status::Partial => return Ok(None),
    };
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(strange)?;
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for one in response.headers.iter() {
        let name = HeaderName::from_bytes(one.name.as_bytes()).map_err(|_| strange())?;
        let value = HeaderValue::from_bytes(one.value).map_err(|_| strange())?;
        headers.append(name, value);
    }
    let _head = seen.split_to(size);
    Ok(Some((status, headers, seen.split().freeze())))
}

/// The body until its length is reached, or until the far side closes where it named none.
fn body(stream: Box<dyn Stream>, begun: Bytes, length: Option<u64>) -> Parts {
    let start = (Some(stream), begun, length);
    stream::unfold(start, |(stream, begun, left)| async move {
        if left == Some(0) {
            return None;
        }
        let mut stream = stream?;
        let mut part = begun;
        if part.is_empty() {
            let mut more = BytesMut::with_capacity(16 * 1024);
            match stream.read_buf(&mut more).await {
                Ok(0) if left.is_some() => {
                    return Some((
                        Err(io::ErrorKind::UnexpectedEof.into()),
                        (None, Bytes::new(), None),
                    ));
                }
                Ok(0) => return None,
                Ok(_) => part = more.freeze(),
                Err(problem) => return Some((Err(problem), (None, Bytes::new(), None))),
            }
        }
        let left = match left {
            None => None,
            Some(left) => {
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                part.truncate(most);
                Some(left.saturating_sub(u64::try_from(part.len()).unwrap_or(u64::MAX)))
            }
        };
        Some((Ok(part), (Some(stream), Bytes::new(), left)))
    })
    .boxed()
}

fn down(problem: io::Error) -> RelayFault {
    RelayFault::Down(problem.to_string())
}

fn place(url: &Url) -> Option<Place> {
    match (url.host_str().filter(|host| !host.is_empty()), url.port()) {
        (Some(host), Some(port)) if matches!(url.path(), "" | "/") => {
            Some(Place::Tcp(format!("{host}:{port}")))
        }
        (None, None) if url.path().len() > 1 => {
            let bytes = decoded(url.path());
            Some(Place::Unix(PathBuf::from(String::from_utf8(bytes).ok()?)))
        }
        _ => None,
    }
}

/// Whether an address can be used.
pub fn is_place(url: &Url) -> bool {
    place(url).is_some()
}

/// Host name and port of an authority.
fn name_and_port<'a>(host: &'a str, scheme: &str) -> (&'a str, &'a str) {
    let usual = if scheme == "http" { "80" } else { "443" };
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        Some(_) | None => (host, usual),
    }
}

/// Percent-decoded, as WSGI wants `PATH_INFO` (PEP 3333).
fn decoded(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str) -> Result<Uwsgi, String> {
        Uwsgi::open(&Url::parse(url).unwrap(), "https://gw.example:8443")
    }

    /// The keys of a packet, as uWSGI reads them.
    fn read_back(packet: &[u8]) -> Vec<(String, String)> {
        let size = usize::from(u16::from_le_bytes([packet[1], packet[2]]));
        assert_eq!((packet[0], packet[3], packet.len()), (0, 0, size + 4));
        let (mut rest, mut texts) = (&packet[4..], Vec::new());
        while !rest.is_empty() {
            let size = usize::from(u16::from_le_bytes([rest[0], rest[1]]));
            texts.push(String::from_utf8(rest[2..2 + size].to_vec()).unwrap());
            rest = &rest[2 + size..];
        }
        texts
            .chunks(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect()
    }

    #[test]
    fn addresses_are_a_socket_or_host_and_port() {
        assert_eq!(
            open("uwsgi://127.0.0.1:5001").unwrap().place,
            Place::Tcp("127.0.0.1:5001".into())
        );
        let path = PathBuf::from("/run/key stone.sock");
        assert_eq!(
            open("uwsgi:///run/key%20stone.sock").unwrap().place,
            Place::Unix(path)
        );
        for bad in ["uwsgi://127.0.0.1", "uwsgi://h:1/path", "uwsgi://", "uwsgi:///"] {
            assert!(open(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_header_makes_a_key_of_identity_and_each_key_is_there_once() {
        let mut headers = HeaderMap::new();
        for name in ["fedgw_sub", "FEDGW-SUB", "x-a", "X_A", "proxy", "http-fedgw-sub"] {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static("forged"),
            );
        }
        headers.append("x-a", HeaderValue::from_static("two"));
        headers.append("content-type", HeaderValue::from_static("application/json"));
        headers.append("content-length", HeaderValue::from_static("9"));
        let call = Call {
            method: ::http::Method::POST,
            path: "/v3/a%2Fb%zz?q=%20".into(),
            headers,
            body: Payload::Whole(Bytes::from_static(b"{}")),
        };
        let told = vec![
            ("SUB", "u-1".to_owned()),
            ("PREFERRED-USERNAME", "Jürgen".to_owned()),
        ];
        let keys = read_back(&open("uwsgi://h:1").unwrap().keys(&call, &told).unwrap());
        let of = |key: &str| {
            let mut found = keys
                .iter()
                .filter(|(own, _)| own == key)
                .map(|(_, value)| value.as_str());
            let first = found.next();
            assert_eq!(found.next(), None, "{key} is there twice");
            first
        };
        for (key, value) in [
            ("FEDGW_SUB", "u-1"),
            ("FEDGW_PREFERRED_USERNAME", "Jürgen"),
            ("HTTP_FEDGW_SUB", "forged"),
            ("HTTP_X_A", "forged, two"),
            ("PATH_INFO", "/v3/a/b%zz"),
            ("QUERY_STRING", "q=%20"),
            ("CONTENT_TYPE", "application/json"),
            ("CONTENT_LENGTH", "2"),
            ("HTTP_HOST", "gw.example:8443"),
            ("SERVER_PORT", "8443"),
        ] {
            assert_eq!(of(key), Some(value), "{key}");
        }
        assert_eq!(of("HTTP_PROXY"), None);
        let forged = keys.iter().filter(|(key, _)| key.starts_with(KEY_PREFIX)).count();
        assert_eq!(forged, 2);
    }

    #[test]
    fn keys_that_do_not_fit_are_refused() {
        let mut call = super::super::super::answer::call(::http::Method::GET, "/v3");
        call.headers
            .insert("x-long", HeaderValue::from_bytes(&vec![b'x'; 66_000]).unwrap());
        let refused = open("uwsgi://h:1").unwrap().keys(&call, &Told::new());
        assert_eq!(refused.unwrap_err(), RelayFault::TooLarge);
    }
}
