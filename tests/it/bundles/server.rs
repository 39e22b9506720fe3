//! A bundle server and log sink inside the test: ETag, long polling, outage, hostile answers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::watch;

/// Headers and body of an upload.
pub type Upload = (HeaderMap, Vec<u8>);

/// What it serves now, and what it has seen.
#[derive(Clone)]
pub struct Server {
    pub address: std::net::SocketAddr,
    pub seen: Arc<Mutex<Vec<HeaderMap>>>,
    pub logs: Arc<Mutex<Vec<Upload>>>,
    now: watch::Sender<Now>,
    task: Arc<Task>,
}

struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Clone, Default)]
pub struct Now {
    pub archive: Vec<u8>,
    pub etag: String,
    pub status: Option<u16>,
    pub holds: bool,
}

impl Server {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (now, _) = watch::channel(Now::default());
        let (seen, logs) = (Arc::default(), Arc::default());
        let (starts, started) = tokio::sync::oneshot::channel::<Self>();
        let task = tokio::spawn(async move {
            let server: Self = started.await.unwrap();
            let routes = Router::new()
                .route("/api/bundles/{name}", get(bundle))
                .route("/api/logs", post(log))
                .with_state(server);
            axum::serve(listener, routes).await.unwrap();
        });
        let server = Self {
            address,
            seen,
            logs,
            now,
            task: Arc::new(Task(task)),
        };
        assert!(starts.send(server.clone()).is_ok());
        server
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/api", self.address).parse().unwrap()
    }

    pub fn serve(&self, change: impl FnOnce(&mut Now)) {
        self.now.send_modify(change);
    }

    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn last(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen.last()?
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

async fn bundle(State(server): State<Server>, headers: HeaderMap) -> Response {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .map(|value| value.to_str().unwrap().to_owned());
    let wait = headers.get("prefer").and_then(|value| {
        let text = value.to_str().unwrap();
        text.split("wait=").nth(1)?.parse::<u64>().ok()
    });
    server.seen.lock().unwrap().push(headers);
    let mut changes = server.now.subscribe();
    let mut now = changes.borrow_and_update().clone();
    if now.holds
        && known.as_ref() == Some(&now.etag)
        && let Some(seconds) = wait
    {
        let _over = tokio::time::timeout(Duration::from_secs(seconds), changes.changed()).await;
        now = changes.borrow().clone();
    }
    if let Some(status) = now.status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    if known.as_ref() == Some(&now.etag) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = if now.holds {
        "application/vnd.openpolicyagent.bundles"
    } else {
        "application/gzip"
    };
    (
        [(header::ETAG, now.etag), (header::CONTENT_TYPE, kind.to_owned())],
        now.archive,
    )
        .into_response()
}

async fn log(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if let Some(status) = server.now.borrow().status {
        return StatusCode::from_u16(status).unwrap();
    }
    server.logs.lock().unwrap().push((headers, body.to_vec()));
    StatusCode::NO_CONTENT
}
