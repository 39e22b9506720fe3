//! Tickets and limits in Redis. Every operation is one command or one script, so it is atomic, and
//! Redis ends values by itself. The connection URL holds a password and is never shown.

mod limits;
mod tickets;

use std::{fmt, path::Path, time::Duration};

use ::redis::{
    Client, RedisError, Script, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use async_trait::async_trait;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::StoreFault;
use crate::{
    domain::secret::Secret,
    port::{
        records::{Reachable, RecordFault},
        tickets::TicketFault,
    },
};

const KEY: &str = "store.tickets.url";
/// An answer that takes longer is a failure: requests wait for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Tickets and limits over one multiplexed connection that reconnects by itself.
pub struct RedisStore {
    connection: ConnectionManager,
    swap: Script,
    hit: Script,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RedisStore(…)")
    }
}

impl RedisStore {
    /// Connects; a server that is not there is an error now, not at the first sign-in. With TLS, `ca` names
    /// the certificates that are believed instead of the system's.
    pub async fn open(url: &Secret, ca: Option<&Path>) -> Result<Self, StoreFault> {
        let parsed = url::Url::parse(url.reveal()).map_err(|_| setting("a text that is not a URL"))?;
        if !matches!(parsed.scheme(), "redis" | "rediss") {
            return Err(setting(&format!("a URL with the scheme {}", parsed.scheme())));
        }
        let client = client(url, &parsed, ca)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(2);
        let connection = ConnectionManager::new_with_config(client, config)
            .await
            .map_err(|why| StoreFault::Unreachable {
                key: KEY,
                what: format!("Redis at {}", parsed.host_str().unwrap_or("an unnamed host")),
                why: match parsed.password() {
                    Some(password) if !password.is_empty() => why.to_string().replace(password, "…"),
                    Some(_) | None => why.to_string(),
                },
                remedy: "Is the server running, are user and password right, and does the certificate hold?",
            })?;
        Ok(Self {
            connection,
            swap: Script::new(tickets::SWAP),
            hit: Script::new(limits::HIT),
        })
    }
}

fn setting(found: &str) -> StoreFault {
    StoreFault::Setting {
        key: KEY,
        found: found.to_owned(),
        expected: "redis://user:password@host:port/0, or rediss:// for TLS".to_owned(),
    }
}

fn client(url: &Secret, parsed: &url::Url, ca: Option<&Path>) -> Result<Client, StoreFault> {
    let unusable = |_| setting(&format!("a {} URL that cannot be used", parsed.scheme()));
    // `#insecure` would switch the check of the server's certificate off.
    if parsed.fragment().is_some() {
        return Err(setting("a URL with a part after '#'"));
    }
    let Some(ca) = ca else {
        return Client::open(url.reveal()).map_err(unusable);
    };
    let wrong = |found: String, expected: &str| StoreFault::Setting {
        key: "store.tickets.ca",
        found,
        expected: expected.to_owned(),
    };
    if parsed.scheme() != "rediss" {
        let found = "a CA beside a URL without TLS".to_owned();
        return Err(wrong(found, "a rediss:// URL, or no CA"));
    }
    let pem = std::fs::read(ca).map_err(|error| {
        wrong(
            format!("{}, which cannot be read ({error})", ca.display()),
            "a PEM file",
        )
    })?;
    // Without a certificate in it, nothing would ever be believed; better to hear it by name.
    if !CertificateDer::pem_slice_iter(&pem).any(|certificate| certificate.is_ok()) {
        let found = format!("{}, without a certificate in it", ca.display());
        return Err(wrong(found, "certificates in PEM"));
    }
    let trust = TlsCertificates {
        client_tls: None,
        root_cert: Some(pem),
    };
    Client::build_with_tls(url.reveal(), trust).map_err(unusable)
}

// The text of a Redis error may repeat a command's arguments, never a URL; its kind is enough for the log.
fn down(error: RedisError) -> TicketFault {
    TicketFault::Down(format!("{} ({:?})", error.category(), error.kind()))
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, i64::MAX.unsigned_abs() / 2)
}

#[async_trait]
impl Reachable for RedisStore {
    async fn ping(&self) -> Result<(), RecordFault> {
        ::redis::cmd("PING")
            .query_async::<()>(&mut self.connection.clone())
            .await
            .map_err(|error| RecordFault(down(error).to_string()))
    }
}
