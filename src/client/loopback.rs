//! The loopback redirect: a listener on this machine that takes one answer from the browser (RFC 8252 §7.3).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

use super::problem::{Local, Problem};
use super::terminal::Terminal;
use super::texts;
use crate::wire::oidc::IdTokenClaims;

/// Largest request line with headers, bytes.
const LARGEST: usize = 16 * 1024;

/// Waits on `127.0.0.1` for the browser.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// What the browser brought, and the connection it waits on.
#[derive(Debug)]
pub struct Callback {
    query: Vec<(String, String)>,
    stream: Mutex<TcpStream>,
}

impl Loopback {
    /// On a port of the system's choice.
    pub async fn open() -> Result<Self, Problem> {
        let fault = |error: std::io::Error| Local::Runtime(format!("127.0.0.1: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(fault)?;
        let port = listener.local_addr().map_err(fault)?.port();
        Ok(Self { listener, port })
    }

    /// The redirect URI.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// The first answer that carries our `state`. Any other request gets an error page and changes nothing:
    /// a web page that guesses the port must not be able to end or to fake a sign-in.
    pub async fn callback(&self, state: &str) -> Result<Callback, Problem> {
        let (sender, mut receiver) = mpsc::channel(8);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.map_err(|error| Local::Runtime(error.to_string()))?;
                    let sender = sender.clone();
                    // Browsers open connections in advance and leave them idle: each is read on its own.
                    tokio::spawn(async move {
                        let read = tokio::time::timeout(Duration::from_secs(10), request(stream));
                        if let Ok(Some(found)) = read.await {
                            let _ = sender.send(found).await;
                        }
                    });
                }
                Some((stream, query)) = receiver.recv() => {
                    let callback = Callback { query, stream: Mutex::new(stream) };
                    if callback.one("state") == Some(state) {
                        return Ok(callback);
                    }
                    callback.write("400 Bad Request", "This answer belongs to another sign-in.").await;
                }
            }
        }
    }
}

impl Callback {
    /// A parameter that must not come twice.
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.query.iter().filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Tells the person in the browser how it went.
    pub async fn page(&self, terminal: Terminal, outcome: &Result<IdTokenClaims, Problem>) {
        let status = if outcome.is_ok() {
            "200 OK"
        } else {
            "400 Bad Request"
        };
        self.write(status, &texts::result_page(terminal, outcome)).await;
    }

    async fn write(&self, status: &str, page: &str) {
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
             content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
             connection: close\r\n\r\n{page}",
            page.len()
        );
        let mut stream = self.stream.lock().await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// The query of `GET /callback?…`; anything else is answered here and is nothing.
async fn request(mut stream: TcpStream) -> Option<(TcpStream, Vec<(String, String)>)> {
    let mut bytes = Vec::new();
    let mut part = [0_u8; 2048];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        let count = stream.read(&mut part).await.ok()?;
        bytes.extend_from_slice(part.get(..count)?);
        if count == 0 || bytes.len() > LARGEST {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let query = target
        .strip_prefix("/callback?")
        .filter(|_| method == "GET")
        .map(|query| {
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect()
        });
    let Some(query) = query else {
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await;
        return None;
    };
    Some((stream, query))
}
