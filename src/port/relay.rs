//! A far side that requests are passed on to, streamed both ways, whatever protocol it speaks.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};

/// Parts of a body as they come.
pub type Parts = BoxStream<'static, Result<Bytes, std::io::Error>>;

/// A request to pass on. Its headers have been cleaned: what they say about identity has been dropped.
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query, as the caller wrote them.
    pub path: String,
    /// Headers that may travel on.
    pub headers: HeaderMap,
    /// The body.
    pub body: Payload,
}

/// The body of a call. Never without a length: uWSGI reads no chunked bodies.
pub enum Payload {
    /// None.
    None,
    /// All of it.
    Whole(Bytes),
    /// As it comes.
    Stream {
        /// As the caller's `Content-Length` says.
        length: u64,
        /// The parts.
        parts: Parts,
    },
}

/// What the far side answered.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Parts,
}

/// Why there is no answer. Details are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayFault {
    /// All calls allowed at once are taken.
    #[error("it is busy: all calls allowed at once are taken")]
    Busy,
    /// It did not begin to answer in time.
    #[error("it did not answer in time")]
    Slow,
    /// It does not answer, or not in its protocol.
    #[error("it does not answer: {0}")]
    Down(String),
    /// The headers do not fit into one request.
    #[error("the headers do not fit into one request")]
    TooLarge,
}

/// Passes calls on.
#[async_trait]
pub trait Relay: Send + Sync {
    /// Sends a call and waits until the answer begins.
    async fn call(&self, call: Call) -> Result<Answer, RelayFault>;
}

// Requests and answers hold tokens: `{:?}` must not print them.
impl std::fmt::Debug for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Call({})", self.method)
    }
}
impl std::fmt::Debug for Payload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Payload")
    }
}
impl std::fmt::Debug for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Answer({})", self.status)
    }
}
