//! A gateway as `fedctl` sees it: TLS, discovery, and endpoints that count and misbehave on demand.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::parts::certificates::Authority;

type Fields = HashMap<String, String>;

/// What the gateway has seen, and how it shall behave.
pub struct Desk {
    pub issuer: String,
    pub told_issuer: Option<String>,
    pub refreshes: usize,
    pub exchanges: usize,
    pub revoked: Vec<String>,
    pub refresh_token: String,
    pub access_life: u64,
    pub refuse_refresh: bool,
    pub refuse_exchange: bool,
    pub device_answers: Vec<&'static str>,
    pub wrong_nonce: bool,
    pub wrong_iss: bool,
    pub garbage: Option<Garbage>,
    pub redirect_token: bool,
    pub clusters: Value,
    codes: HashMap<String, Fields>,
}

#[derive(Clone, Copy)]
pub enum Garbage {
    Html,
    Large,
    Endless,
}

pub type Shared = Arc<Mutex<Desk>>;

/// A running one; it ends with the test's process.
pub struct Played {
    pub desk: Shared,
    pub issuer: String,
    pub folder: tempfile::TempDir,
    pub ca: PathBuf,
    handle: axum_server::Handle<std::net::SocketAddr>,
}

impl Played {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("gateway CA");
        let ca = authority.write(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let desk = Arc::new(Mutex::new(desk(&issuer)));
        let handle = serve(listener, authority.server().tls(), routes(desk.clone()));
        Self {
            desk,
            issuer,
            folder,
            ca,
            handle,
        }
    }

    /// Ends the gateway; connections are refused from then on.
    pub fn stop(&self) {
        self.handle.shutdown();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
}

/// Serves on a thread of its own, so that tests may block.
pub fn serve(
    listener: TcpListener,
    tls: axum_server::tls_rustls::RustlsConfig,
    routes: Router,
) -> axum_server::Handle<std::net::SocketAddr> {
    listener.set_nonblocking(true).unwrap();
    let handle = axum_server::Handle::new();
    let kept = handle.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
            server
                .handle(handle)
                .serve(routes.into_make_service())
                .await
                .unwrap();
        });
    });
    kept
}

fn desk(issuer: &str) -> Desk {
    Desk {
        issuer: issuer.to_owned(),
        told_issuer: None,
        refreshes: 0,
        exchanges: 0,
        revoked: Vec::new(),
        refresh_token: String::new(),
        access_life: 3600,
        refuse_refresh: false,
        refuse_exchange: false,
        device_answers: Vec::new(),
        wrong_nonce: false,
        wrong_iss: false,
        garbage: None,
        redirect_token: false,
        clusters: json!({ "clusters": [] }),
        codes: HashMap::new(),
    }
}

fn routes(desk: Shared) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/oauth2/authorize", get(authorize))
        .route("/oauth2/token", post(token))
        .route("/oauth2/device", post(device))
        .route("/oauth2/userinfo", get(userinfo))
        .route("/oauth2/revoke", post(revoke))
        .route("/api/v1/clusters", get(clusters))
        .with_state(desk)
}

async fn discovery(State(desk): State<Shared>) -> Json<Value> {
    let desk = desk.lock().unwrap();
    let at = |path: &str| format!("{}{path}", desk.issuer);
    Json(json!({
        "issuer": desk.told_issuer.clone().unwrap_or(desk.issuer.clone()),
        "authorization_endpoint": at("/oauth2/authorize"), "token_endpoint": at("/oauth2/token"),
        "device_authorization_endpoint": at("/oauth2/device"), "userinfo_endpoint": at("/oauth2/userinfo"),
        "revocation_endpoint": at("/oauth2/revoke"), "authorization_response_iss_parameter_supported": true,
    }))
}

async fn authorize(State(desk): State<Shared>, Query(query): Query<Fields>) -> Response {
    let mut desk = desk.lock().unwrap();
    let mut back = url::Url::parse(&query["redirect_uri"]).unwrap();
    let honest = back.host_str() == Some("127.0.0.1") && back.path() == "/callback";
    if !honest || query["code_challenge_method"] != "S256" || query["response_type"] != "code" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let iss = if desk.wrong_iss {
        "https://other.example".to_owned()
    } else {
        desk.issuer.clone()
    };
    let code = format!("code-{}", desk.codes.len());
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &query["state"])
        .append_pair("iss", &iss);
    desk.codes.insert(code, query);
    Redirect::to(back.as_str()).into_response()
}

async fn device(State(desk): State<Shared>) -> Json<Value> {
    let issuer = desk.lock().unwrap().issuer.clone();
    Json(json!({
        "device_code": "secret-device-code", "user_code": "BCDF-GHJK", "expires_in": 600, "interval": 1,
        "verification_uri": format!("{issuer}/device"),
    }))
}

fn refusal(code: &str, text: &str) -> Response {
    let body = json!({ "error": code, "error_description": text, "reference": "ref-4711" });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

async fn token(State(shared): State<Shared>, Form(form): Form<Fields>) -> Response {
    let mut desk = shared.lock().unwrap();
    if desk.redirect_token {
        return Redirect::temporary("/oauth2/elsewhere").into_response();
    }
    match desk.garbage {
        Some(Garbage::Html) => return "<html>a proxy says hello</html>".into_response(),
        Some(Garbage::Large) => return " ".repeat(5 << 20).into_response(),
        Some(Garbage::Endless) => return endless(),
        None => {}
    }
    match form["grant_type"].as_str() {
        "authorization_code" => {
            let Some(asked) = desk.codes.remove(&form["code"]) else {
                return refusal("invalid_grant", "unknown code");
            };
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
            if asked["code_challenge"] != challenge || asked["redirect_uri"] != form["redirect_uri"] {
                return refusal("invalid_grant", "PKCE or redirect URI");
            }
            let nonce = if desk.wrong_nonce {
                "another"
            } else {
                asked["nonce"].as_str()
            };
            session(&mut desk, Some(nonce))
        }
        "urn:ietf:params:oauth:grant-type:device_code" => match desk.device_answers.pop() {
            Some(answer) => refusal(answer, "not yet"),
            None => session(&mut desk, None),
        },
        "refresh_token" => {
            desk.refreshes += 1;
            if desk.refuse_refresh || form["refresh_token"] != desk.refresh_token {
                return refusal("invalid_grant", "session ended");
            }
            session(&mut desk, None)
        }
        "urn:ietf:params:oauth:grant-type:token-exchange" => exchange(&mut desk, &form),
        _ => refusal("unsupported_grant_type", "no"),
    }
}

fn exchange(desk: &mut Desk, form: &Fields) -> Response {
    let session = "urn:ietf:params:oauth:token-type:access_token";
    if form["subject_token_type"] != session || !form["subject_token"].starts_with("access-") {
        return refusal("invalid_request", "subject");
    }
    if desk.refuse_exchange {
        return refusal("access_denied", "no rule gives you this cluster");
    }
    desk.exchanges += 1;
    let token = format!("{}-{}", form["audience"], desk.exchanges);
    Json(json!({
        "access_token": token, "token_type": "Bearer", "expires_in": 600, "issued_token_type": session,
    }))
    .into_response()
}

fn endless() -> Response {
    let chunks = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        Some((Ok::<_, std::io::Error>(vec![b' '; 8192]), ()))
    });
    axum::body::Body::from_stream(chunks).into_response()
}

fn session(desk: &mut Desk, nonce: Option<&str>) -> Response {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    desk.refresh_token = format!("refresh-{}", desk.refreshes);
    let claims = json!({
        "iss": desk.issuer, "sub": "acme/alice", "aud": "fedctl", "exp": now + 300, "iat": now, "nonce": nonce,
        "preferred_username": "alice",
    });
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    Json(json!({
        "access_token": format!("access-{}", desk.refreshes), "token_type": "Bearer", "expires_in": desk.access_life,
        "refresh_token": desk.refresh_token, "id_token": format!("e30.{payload}.sig"),
    }))
    .into_response()
}

async fn userinfo(headers: HeaderMap) -> Response {
    if !headers["authorization"]
        .to_str()
        .unwrap()
        .starts_with("Bearer access-")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({
        "sub": "acme/alice", "preferred_username": "alice", "name": "Alice Example", "tenant": "acme",
        "groups": ["developers", "ops"], "session_expires_at": 1_893_456_000,
    }))
    .into_response()
}

async fn revoke(State(desk): State<Shared>, Form(form): Form<Fields>) -> StatusCode {
    desk.lock().unwrap().revoked.push(form["token"].clone());
    StatusCode::OK
}

async fn clusters(State(desk): State<Shared>, headers: HeaderMap) -> Response {
    if !headers["authorization"]
        .to_str()
        .unwrap()
        .starts_with("Bearer access-")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(desk.lock().unwrap().clusters.clone()).into_response()
}
