//! The listener: TLS, connections, and a drain that lets running requests finish.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{ServiceExt, body::Body};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{config::Tls, domain::secret::Secret, port::secrets::Secrets};

use super::build::{App, StartFault};

/// How long running requests may take to finish after the signal to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves until SIGTERM or SIGINT, then drains: no new connections, running requests finish, the audit
/// trail is written, the store is closed.
pub async fn serve(mut app: App) -> Result<(), StartFault> {
    let handle = Handle::new();
    if let Some(rest) = app.rest.take() {
        rest.serve(handle.clone())?;
    }
    tokio::spawn(stop_on_signal(handle.clone()));
    let doors = app.doors.clone();
    let service = ServiceExt::<http::Request<Body>>::into_make_service_with_connect_info::<SocketAddr>(doors);
    let address = app.address;
    tracing::info!(%address, issuer = %app.issuer, tls = app.tls.is_some(), "listening");
    let bound = |error: std::io::Error| {
        StartFault(format!(
            "listen.address: cannot listen on {address}: {error}; expected a free port on an address of this machine"
        ))
    };
    match &app.tls {
        Some(tls) => {
            axum_server::bind_rustls(address, tls.clone())
                .handle(handle)
                .serve(service)
                .await
                .map_err(bound)?;
        }
        None => axum_server::bind(address)
            .handle(handle)
            .serve(service)
            .await
            .map_err(bound)?,
    }
    tracing::info!("drained");
    app.close().await;
    Ok(())
}

pub(super) async fn stop_on_signal(handle: Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("no signal handler could be set; stop me by SIGKILL");
        return;
    };
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    tracing::info!(connections = handle.connection_count(), "draining");
    handle.graceful_shutdown(Some(DRAIN));
}

/// Reads certificate and key; TLS 1.2 and 1.3 with the defaults of rustls (scs-0125: Mozilla "Intermediate").
pub(super) fn tls(config: &Tls, secrets: &dyn Secrets) -> Result<RustlsConfig, StartFault> {
    let certificates = certificates(&config.certificate)?;
    let key = secrets
        .read(&config.key)
        .map_err(|missing| StartFault(format!("listen.tls.key: {missing}")))?;
    let mut server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, private_key(&key)?)
        .map_err(|error| {
            StartFault(format!(
                "listen.tls: found a pair that does not fit ({error}); expected the key of the certificate"
            ))
        })?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(server)))
}

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, StartFault> {
    let wrong = |found: String| {
        StartFault(format!(
            "listen.tls.certificate: {}: found {found}; expected a PEM certificate chain",
            path.display()
        ))
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() {
        Err(wrong("no certificate".to_owned()))
    } else {
        Ok(chain)
    }
}

pub(super) fn private_key(key: &Secret) -> Result<PrivateKeyDer<'static>, StartFault> {
    PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|error| {
        StartFault(format!(
            "listen.tls.key: found no private key ({error}); expected PEM"
        ))
    })
}
