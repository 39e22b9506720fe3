//! How Keystone is reached: HTTP, or the binary protocol of uWSGI.
//!
//! Both carry what Keystone is told about a person apart from the request's own headers ([`Told`]). Over HTTP
//! that becomes headers with this deployment's prefix, so every request must be cleaned of them before. Over
//! uwsgi it becomes WSGI keys that begin with [`uwsgi::KEY_PREFIX`]: whatever a client sends as a header arrives
//! as `HTTP_…`, so no client can make such a key, and nothing depends on cleaning.
//!
//! Calls are bounded in number and time here. Start at [`Transport::tell`].

mod over_http;
pub mod uwsgi;

use std::{sync::Arc, time::Duration};

use ::http::HeaderMap;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;

use super::Config;
use crate::port::relay::{Answer, Call, Parts, Relay, RelayFault};

/// How long a call waits for one of the bounded turns before it is turned away.
const WAIT_FOR_TURN: Duration = Duration::from_secs(2);
/// An answer up to this size is read at once, so that a slow reader at our side holds no turn and no worker
/// of Keystone's.
const READ_AT_ONCE: u64 = 256 * 1024;

/// Identity for Keystone: the end of each name (`SUB`) and its checked value.
pub type Told = Vec<(&'static str, String)>;

/// A Keystone's address with its protocol.
#[derive(Debug, Clone)]
enum Line {
    Http(over_http::Http),
    Uwsgi(uwsgi::Uwsgi),
}

/// Reaches one Keystone, with so many calls at once and a deadline for each.
#[derive(Debug, Clone)]
pub struct Transport {
    line: Line,
    turns: Arc<Semaphore>,
    within: Duration,
}

impl Transport {
    /// A transport for `most` calls at once. The HTTP client must not follow redirects.
    pub fn open(config: &Config, issuer: &str, client: reqwest::Client, most: usize) -> Result<Self, String> {
        let line = if config.speaks_uwsgi() {
            Line::Uwsgi(uwsgi::Uwsgi::open(&config.url, issuer)?)
        } else {
            Line::Http(over_http::Http {
                base: config.url.as_str().trim_end_matches('/').to_owned(),
                prefix: config.header_prefix().to_owned(),
                client,
            })
        };
        Ok(Self {
            line,
            turns: Arc::new(Semaphore::new(most)),
            within: Duration::from_secs(config.timeout_s),
        })
    }

    /// The same with another deadline.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Sends a call with what Keystone is told about a person: exactly one of each.
    pub async fn tell(&self, call: Call, told: &Told) -> Result<Answer, RelayFault> {
        let turn = tokio::time::timeout(WAIT_FOR_TURN, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| RelayFault::Busy)?
            .map_err(|_| RelayFault::Busy)?;
        let exchange = async {
            let answer = match &self.line {
                Line::Http(http) => http.call(call, told).await?,
                Line::Uwsgi(uwsgi) => uwsgi.call(call, told).await?,
            };
            at_once(answer).await
        };
        let answer = tokio::time::timeout(self.within, exchange)
            .await
            .map_err(|_| RelayFault::Slow)?;
        drop(turn);
        answer.map(|answer| self.patient(answer))
    }

    /// No part of a long body may take longer than a whole answer may.
    fn patient(&self, answer: Answer) -> Answer {
        let within = self.within;
        let parts = stream::unfold(Some(answer.body), move |left| async move {
            let mut parts = left?;
            match tokio::time::timeout(within, parts.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(part))) => Some((Ok(part), Some(parts))),
                Ok(Some(Err(problem))) => Some((Err(problem), None)),
                Err(_) => Some((Err(std::io::ErrorKind::TimedOut.into()), None)),
            }
        });
        Answer {
            body: parts.boxed(),
            ..answer
        }
    }
}

#[async_trait]
impl Relay for Transport {
    /// Passes a call on with nobody's identity.
    async fn call(&self, call: Call) -> Result<Answer, RelayFault> {
        self.tell(call, &Told::new()).await
    }
}

/// Reads a short answer whole; a long one, or one of unknown length, stays a stream.
async fn at_once(answer: Answer) -> Result<Answer, RelayFault> {
    if length(&answer.headers).is_none_or(|length| length > READ_AT_ONCE) {
        return Ok(answer);
    }
    let Answer {
        status,
        headers,
        mut body,
    } = answer;
    let mut whole = BytesMut::new();
    while let Some(part) = body.next().await {
        whole.extend_from_slice(
            &part.map_err(|problem| RelayFault::Down(format!("it broke off: {problem}")))?,
        );
    }
    Ok(Answer {
        status,
        headers,
        body: one(whole.freeze()),
    })
}

/// A body that is there already.
fn one(bytes: Bytes) -> Parts {
    if bytes.is_empty() {
        stream::empty().boxed()
    } else {
        stream::once(std::future::ready(Ok(bytes))).boxed()
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(::http::header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
