//! One listener of the engine: bound before it is announced, with TLS and client certificates if configured.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
};

use axum::{Extension, Router, middleware::AddExtension};
use axum_server::{
    Handle,
    accept::{Accept, NoDelayAcceptor},
    tls::TlsService,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use rustls::{RootCertStore, server::WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tower::Layer as _;

use crate::{http::opa::ClientIdentity, policy::rest::Tls, port::secrets::Secrets};

use super::{
    super::{build::StartFault, serve},
    subject,
};

/// A bound listener with what it serves.
pub(super) struct Listener {
    socket: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
}

impl Listener {
    /// `key` names the setting in errors.
    pub(super) fn bind(
        key: &str,
        (address, tls, secrets): (SocketAddr, Option<&Tls>, &dyn Secrets),
        router: Router,
    ) -> Result<Self, StartFault> {
        let socket = TcpListener::bind(address)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| {
                StartFault(format!(
                    "{key}: cannot listen on {address}: {error}; expected a free port on an address of this machine"
                ))
            })?;
        let tls = tls.map(|tls| config(key, tls, secrets)).transpose()?;
        Ok(Self { socket, tls, router })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, StartFault> {
        self.socket.local_addr().map_err(broken)
    }

    /// Until the handle says so.
    pub(super) async fn serve(self, handle: Handle<SocketAddr>) -> Result<(), StartFault> {
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp(self.socket).map_err(broken)?.handle(handle);
        match self.tls {
            Some(tls) => server.acceptor(Certified::new(tls)).serve(service).await,
            // A decision is one small packet: without this it could wait for the next.
            None => server.acceptor(NoDelayAcceptor).serve(service).await,
        }
        .map_err(broken)
    }
}

fn broken(error: io::Error) -> StartFault {
    StartFault(format!("a listener of the policy engine broke: {error}"))
}

fn config(key: &str, tls: &Tls, secrets: &dyn Secrets) -> Result<RustlsConfig, StartFault> {
    let wrong = |what: String| StartFault(format!("{key}.tls: {what}"));
    let certificates = serve::certificates(&tls.certificate)?;
    let secret = secrets
        .read(&tls.key)
        .map_err(|missing| wrong(missing.to_string()))?;
    let builder = rustls::ServerConfig::builder();
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in serve::certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| wrong(format!("client_ca: {}: {error}", path.display())))?;
            }
            // Required: who has no certificate gets no connection.
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
                .build()
                .map_err(|error| wrong(format!("client_ca: {}: {error}", path.display())))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(certificates, serve::private_key(&secret)?)
        .map_err(|error| {
            wrong(format!(
                "found a pair that does not fit ({error}); expected the key of the certificate"
            ))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// TLS whose requests carry the subject of the client's certificate.
#[derive(Clone)]
struct Certified {
    inner: RustlsAcceptor<NoDelayAcceptor>,
}

impl Certified {
    fn new(tls: RustlsConfig) -> Self {
        Self {
            inner: RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor),
        }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Certified {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<TlsService<S>, ClientIdentity>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let handshake = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = handshake.await?;
            let (_, session) = stream.get_ref();
            let certificate = session.peer_certificates().and_then(|chain| chain.first());
            let identity = ClientIdentity(certificate.and_then(|certificate| subject::name(certificate)));
            Ok((stream, Extension(identity).layer(service)))
        })
    }
}
