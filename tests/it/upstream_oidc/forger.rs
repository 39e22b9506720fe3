//! A provider that says whatever a test tells it to, over TLS, with keys of its own.

use std::{
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use fedgate::port::upstream::Upstream;

use crate::parts::{certificates::Authority, wiring::TestClock};

/// What an endpoint answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Json(Value),
    Text(u16, &'static str, String),
    Redirect(String),
    /// Without an end.
    Endless,
    /// A first byte, and then silence.
    Stuck,
}

impl Reply {
    fn response(&self) -> Response {
        match self {
            Self::Json(value) => Json(value.clone()).into_response(),
            Self::Text(status, kind, body) => {
                let status = StatusCode::from_u16(*status).unwrap();
                (status, [(header::CONTENT_TYPE, *kind)], body.clone()).into_response()
            }
            Self::Redirect(to) => {
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.clone())]).into_response()
            }
            Self::Endless => {
                let piece = Bytes::from_static(&[b' '; 16384]);
                let pieces = std::iter::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
                Body::from_stream(futures_util::stream::iter(pieces)).into_response()
            }
            Self::Stuck => {
                use futures_util::StreamExt as _;
                let first = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
                Body::from_stream(first.chain(futures_util::stream::pending())).into_response()
            }
        }
    }
}

/// Its keys: the published ones and one that nobody knows.
pub struct ForgerKeys {
    pub ec: EcdsaKeyPair,
    pub foreign: EcdsaKeyPair,
    pub rsa: RsaKeyPair,
}

/// One set for all tests: RSA keys take their time.
pub fn forger_keys() -> &'static ForgerKeys {
    static KEYS: OnceLock<ForgerKeys> = OnceLock::new();
    KEYS.get_or_init(|| ForgerKeys {
        ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        foreign: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    })
}

/// Who signs, whatever the header says.
#[derive(Clone, Debug)]
pub enum Signer {
    Ec,
    ForeignEc,
    Rsa,
    Hmac(Vec<u8>),
    Nobody,
}

impl Signer {
    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let (keys, random) = (forger_keys(), SystemRandom::new());
        match self {
            Self::Ec => keys.ec.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::ForeignEc => keys.foreign.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Rsa => {
                let mut signature = vec![0; keys.rsa.public_modulus_len()];
                keys.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .unwrap();
                signature
            }
            Self::Hmac(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, text).as_ref().to_vec()
            }
            Self::Nobody => Vec::new(),
        }
    }
}

/// A token of any header and any claims.
pub fn token(header: &Value, claims: &Value, signer: &Signer) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes()));
    format!("{text}.{signature}")
}

/// The public half of the EC key: `0x04`, x, y.
pub fn ec_point() -> Vec<u8> {
    forger_keys().ec.public_key().as_ref().to_vec()
}

pub fn ec_jwk(kid: &str) -> Value {
    let point = ec_point();
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) })
}

/// SubjectPublicKeyInfo of the EC key, PEM: what most libraries would take for an HMAC secret by mistake.
pub fn ec_pem() -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use base64::engine::general_purpose::STANDARD;
    let der: PublicKeyX509Der<'_> = forger_keys().ec.public_key().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let body = lines.join("\n");
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes()
}

pub fn rsa_jwk(kid: &str) -> Value {
    let key = forger_keys().rsa.public_key();
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
        "n": URL_SAFE_NO_PAD.encode(key.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(key.exponent().big_endian_without_leading_zero()) })
}

/// What it says now, and what it was asked.
pub struct Desk {
    pub discovery: Mutex<Reply>,
    pub keys: Mutex<Reply>,
    pub token: Mutex<Reply>,
    pub keys_asked: AtomicUsize,
}

/// The running forger.
pub struct Forger {
    pub issuer: String,
    pub ca: PathBuf,
    pub desk: Arc<Desk>,
    handle: axum_server::Handle<std::net::SocketAddr>,
    _folder: tempfile::TempDir,
}

impl Forger {
    /// Starts one that is honest in all but its tokens.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("forger");
        let ca = authority.write(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let desk = Arc::new(Desk {
            discovery: Mutex::new(Reply::Json(metadata(&issuer))),
            keys: Mutex::new(Reply::Json(json!({ "keys": [
                { "kty": "of the future", "kid": "strange" }, ec_jwk("ec"), rsa_jwk("rsa") ] }))),
            token: Mutex::new(Reply::Json(json!({}))),
            keys_asked: AtomicUsize::new(0),
        });
        listener.set_nonblocking(true).unwrap();
        let handle = axum_server::Handle::new();
        let server = axum_server::from_tcp_rustls(listener, authority.server().tls())
            .unwrap()
            .handle(handle.clone());
        tokio::spawn(server.serve(routes(Arc::clone(&desk)).into_make_service()));
        Self {
            issuer,
            ca,
            desk,
            handle,
            _folder: folder,
        }
    }

    /// Opens an upstream that trusts its CA.
    pub fn open(&self, clock: &Arc<TestClock>, more: &Value) -> Arc<dyn Upstream> {
        let mut settings = json!({ "ca": self.ca });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        super::upstream(clock, &self.issuer, &settings)
    }

    pub fn says(&self, slot: impl Fn(&Desk) -> &Mutex<Reply>, reply: Reply) {
        *slot(&self.desk).lock().unwrap() = reply;
    }
}

impl Drop for Forger {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// Honest metadata.
pub fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=1"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "authorization_response_iss_parameter_supported": true,
    })
}

fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(|State(desk): State<Arc<Desk>>| async move { desk.discovery.lock().unwrap().response() }),
        )
        .route(
            "/jwks",
            get(|State(desk): State<Arc<Desk>>| async move {
                desk.keys_asked.fetch_add(1, Ordering::SeqCst);
                desk.keys.lock().unwrap().response()
            }),
        )
        .route(
            "/token",
            post(|State(desk): State<Arc<Desk>>| async move { desk.token.lock().unwrap().response() }),
        )
        .with_state(desk)
}
