//! What happens to every request: a reference, the caller's address, one log line, two metrics.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue};

use crate::{
    broker::Caller,
    domain::ids::Reference,
    port::{clock::Clock, entropy::Entropy, target::CallerFacts},
    telemetry::metrics::request_answered,
};

/// What the outermost layer needs.
#[derive(Clone)]
pub(super) struct Outermost {
    /// Makes references.
    pub entropy: Arc<dyn Entropy>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpAddr]>,
}

/// Letters and digits that cannot be mistaken for one another when read aloud (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Outermost {
    /// `FG-` and eleven characters: five for the time (in steps of 2^24 ns; they come round after six days), six
    /// random. The events of one moment then stand side by side in the trail's index, and a batch of them touches
    /// a few of its pages instead of one for each event.
    fn reference(&self) -> Reference {
        let mut random = [0; 6];
        self.entropy.fill(&mut random);
        let step = self.clock.now_ns() >> 24;
        let tail: String = [step >> 20, step >> 15, step >> 10, step >> 5, step]
            .into_iter()
            .chain(random.map(i64::from))
            .filter_map(|digit| ALPHABET.get(usize::try_from(digit & 31).ok()?))
            .map(|byte| char::from(*byte))
            .collect();
        Reference(format!("FG-{tail}"))
    }

    /// The caller's address: the peer's, or behind a trusted proxy the last address that the proxy added.
    /// Entries further left were written by whoever sent the request, and are not believed.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusted_proxies.contains(&peer) {
            return peer;
        }
        headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|text| text.trim().parse::<IpAddr>().ok())
            .rfind(|address| !self.trusted_proxies.contains(address))
            .unwrap_or(peer)
    }
}

/// The layer. The query is not logged: it may hold codes. Nor are headers: they hold tokens.
#[expect(clippy::disallowed_methods, reason = "measures how long a request took")]
pub(super) async fn outermost(State(layer): State<Outermost>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let reference = layer.reference();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip());
    let address = peer.map(|peer| layer.address(peer, request.headers()));
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(reference.clone());
    request.extensions_mut().insert(CallerFacts {
        reference: reference.clone(),
        address: address.map(|address| address.to_string()),
    });
    request.extensions_mut().insert(Caller {
        reference: reference.clone(),
        address,
    });
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&reference.0) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    let took = began.elapsed();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    request_answered(method.as_str(), route, status, took);
    tracing::info!(
        target: "fedgate::request",
        reference = %reference,
        method = %method,
        path,
        status,
        route,
        ms = took.as_secs_f64() * 1000.0,
        address = address.map(tracing::field::display),
        "request"
    );
    response
}
