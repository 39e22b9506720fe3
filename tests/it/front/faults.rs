//! Keystone down, broken and back: what people and command lines are told.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Cloud, signed_in_page, websso};
use crate::parts::{
    gateway::{Browser, client},
    keystone::{Keystone, Wish},
};

const BROKEN: &str =
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\n\r\n<h1>Internal Server Error</h1>";
const OWN: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 75\r\n\r\n{\"error\": {\"code\": 500, \"title\": \"x\", \"message\": \"An unexpected error xx\"}}";

async fn told(cloud: &Cloud, status: u16) -> String {
    let answer = client(&cloud.land.ca)
        .get(format!("{}/v3/projects", cloud.land.cloud.issuer))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), status);
    let reference = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.expect("Keystone's error document");
    assert_eq!(body["error"]["code"], status);
    let message = body["error"]["message"].as_str().unwrap();
    if status != 500 {
        assert!(message.contains(&reference), "{message}");
    }
    message.to_owned()
}

async fn page(cloud: &Cloud, browser: &Browser) -> String {
    let page = browser.open(&websso(cloud)).await;
    assert_eq!(page.status, 502, "{}", page.html);
    let text = page.text();
    assert!(
        text.contains("TARGET_DOWN") && text.contains("FG-") && text.contains("OpenStack"),
        "{text}"
    );
    text
}

/// Ends Keystone, puts others in its place, and starts it anew. The gateway runs on.
pub(super) async fn keystone_fails_and_comes_back(cloud: Cloud) {
    let browser = cloud.land.browser();
    let html = signed_in_page(&cloud, &browser, 0).await.html;
    assert!(html.contains("name=\"token\""), "{html}");
    let mut cloud = cloud;
    cloud.keystone = None;
    let _left = std::fs::remove_file(&cloud.socket);
    assert!(told(&cloud, 502).await.contains("Keystone does not answer"));
    page(&cloud, &browser).await;
    // Somebody listens and says nothing, an HTML page, or Keystone's own document.
    for (said, status, words) in [
        ("", 502, "Keystone does not answer"),
        ("nonsense\r\n\r\n", 502, "Keystone does not answer"),
        (BROKEN, 502, "Keystone failed and did not say why"),
        (OWN, 500, "An unexpected error"),
    ] {
        let listener = tokio::net::UnixListener::bind(&cloud.socket).unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut keys = [0; 4096];
                let _size = stream.read(&mut keys).await;
                let _sent = stream.write_all(said.as_bytes()).await;
            }
        });
        let message = told(&cloud, status).await;
        assert!(message.contains(words), "{message}");
        page(&cloud, &browser).await;
        serving.abort();
        let _ended = serving.await;
        std::fs::remove_file(&cloud.socket).unwrap();
    }
    let german = browser.open(&format!("{}&lang=de", websso(&cloud))).await;
    assert!(
        german
            .text()
            .contains("Der gewünschte Dienst ist zurzeit nicht erreichbar"),
        "{}",
        german.text()
    );
    restart(&mut cloud).await;
    let page = browser.open(&websso(&cloud)).await;
    assert_eq!(
        page.status, 200,
        "the same session, after the restart: {}",
        page.html
    );
}

async fn restart(cloud: &mut Cloud) {
    let dashboards = format!("http://localhost:{}/auth/websso/", cloud.line);
    let wish = Wish {
        socket: Some(&cloud.socket),
        dir: Some(&cloud.state),
        dashboards: &dashboards,
        ..Wish::default()
    };
    cloud.keystone = Some(Keystone::start_as(&cloud.land.cloud.issuer, &wish).await);
}
