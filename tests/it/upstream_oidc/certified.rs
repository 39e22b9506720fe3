//! The certified `oidc-provider` from npm, over TLS, by walking its forms as a browser would.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use fedgate::{
    domain::fault::{Code, Fault},
    port::upstream::{Answered, Finished, Health, LoginAsk, Upstream},
};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use scraper::{Html, Selector};
use serde_json::{Value, json};
use url::Url;

use super::{CALLBACK, ask, upstream};
use crate::parts::{certificates::Authority, node::Node, port::free_port, wiring::TestClock};

const SCRIPT: &str = include_str!("../../fixtures/oidc-provider.mjs");

struct Acme {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Acme {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("acme test CA");
        authority.write(folder.path());
        authority.server().write(folder.path(), "server");
        Self { folder, authority }
    }

    fn start(&self, port: u16) -> Node {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let (certificate, key, port) = (path("server.pem"), path("server.key"), port.to_string());
        let environment = [
            ("CERTIFICATE", certificate.as_str()),
            ("KEY", &key),
            ("REDIRECT", CALLBACK),
            ("PORT", &port),
        ];
        Node::start(SCRIPT, &environment)
    }

    fn ca(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    fn upstream(&self, issuer: &str, more: Value) -> Arc<dyn Upstream> {
        let mut settings = json!({ "ca": self.ca() });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        upstream(&TestClock::new(), issuer, &settings)
    }

    /// Signs alice in, from the first redirect to the assertion.
    async fn sign_in(&self, upstream: &Arc<dyn Upstream>) -> Result<Finished, Fault> {
        let browser = upstream.ways().browser.unwrap();
        let begin = browser.begin(&ask()).await?;
        let mut person = Person::new(&self.authority);
        let answered = person.walk(&begin.redirect).await;
        browser.finish(&ask(), &begin.memory, &answered).await
    }
}

/// A browser without scripts: cookies and forms.
struct Person {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Person {
    fn new(authority: &Authority) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            client,
            cookies: BTreeMap::new(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// Follows redirects and fills forms until the provider sends the browser back to the gateway.
    async fn walk(&mut self, start: &str) -> Answered {
        let mut at = Url::parse(start).unwrap();
        let mut form: Option<Vec<(String, String)>> = None;
        for _ in 0..20 {
            if at.as_str().starts_with(CALLBACK) {
                return Answered {
                    parameters: at.query_pairs().into_owned().collect(),
                };
            }
            let request = match form.take() {
                Some(fields) => self.client.post(at.clone()).form(&fields),
                None => self.client.get(at.clone()),
            };
            let response = self.send(request).await;
            if let Some(to) = response.headers().get(LOCATION) {
                at = at.join(to.to_str().unwrap()).unwrap();
                continue;
            }
            let status = response.status();
            let page = response.text().await.unwrap();
            assert!(status.is_success(), "{status} at {at}: {page}");
            let (action, fields) = fill(&page);
            at = at.join(&action).unwrap();
            form = Some(fields);
        }
        panic!("the provider does not come to an end; last at {at}");
    }
}

fn fill(page: &str) -> (String, Vec<(String, String)>) {
    let page = Html::parse_document(page);
    let form = page
        .select(&Selector::parse("form").unwrap())
        .next()
        .expect("a form");
    let fields = form
        .select(&Selector::parse("input[name]").unwrap())
        .map(|input| {
            let name = input.attr("name").unwrap();
            let value = match name {
                "login" => "alice",
                "password" => "anything",
                _ => input.attr("value").unwrap_or_default(),
            };
            (name.to_owned(), value.to_owned())
        })
        .collect();
    (form.attr("action").unwrap().to_owned(), fields)
}

fn issuer(node: &Node) -> String {
    format!("https://localhost:{}", node.port)
}

#[tokio::test]
async fn a_person_signs_in_at_the_certified_provider() {
    let acme = Acme::new();
    let node = acme.start(0);
    let upstream = acme.upstream(&issuer(&node), json!({}));
    let finished = acme.sign_in(&upstream).await.unwrap();
    let facts = finished.assertion.facts();
    assert_eq!(facts.subject, "alice");
    assert_eq!(facts.issuer, issuer(&node));
    assert_eq!(facts.tenant.as_str(), "acme");
    // These come from userinfo.
    assert_eq!(facts.claims["groups"], json!(["cloud-developers", "lunch"]));
    assert_eq!(facts.claims["email"], "alice@acme.example");
    assert_eq!(upstream.health(), Health::Ready);

    let hint = finished.hint.unwrap();
    let logout = upstream
        .ways()
        .logout
        .unwrap()
        .begin(Some(&hint), "https://gateway.test/logout", "bye")
        .unwrap();
    let response = Person::new(&acme.authority)
        .client
        .get(logout)
        .send()
        .await
        .unwrap();
    let status = response.status();
    assert!(
        status.is_success(),
        "{status}: {}",
        response.text().await.unwrap()
    );

    // The secret by form; without userinfo the ID token alone speaks.
    let post = json!({ "userinfo": false, "client_auth": "client_secret_post" });
    let finished = acme.sign_in(&acme.upstream(&issuer(&node), post)).await.unwrap();
    assert_eq!(finished.assertion.facts().subject, "alice");
    assert!(!finished.assertion.facts().claims.contains_key("groups"));
    let hint = finished.hint.clone().unwrap();
    assert!(
        !format!("{finished:?}").contains(&hint),
        "an ID token in a Debug output"
    );
}

#[tokio::test]
async fn a_wrong_client_secret_is_refused_and_told_to_operators() {
    let acme = Acme::new();
    let node = acme.start(0);
    let upstream = acme.upstream(
        &issuer(&node),
        json!({ "client_secret": { "env": "wrong-secret" } }),
    );
    let fault = acme.sign_in(&upstream).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamRefused, "{fault}");
    assert!(
        fault.detail.contains("invalid_client") && !fault.detail.contains("wrong-secret"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_wrong_ca_and_a_wrong_issuer_are_outages() {
    let acme = Acme::new();
    let node = acme.start(0);
    let other = tempfile::tempdir().unwrap();
    let ca = Authority::new("another CA").write(Path::new(other.path()));
    let other_name = format!("https://127.0.0.1:{}", node.port);
    for (issuer, more, found) in [
        (issuer(&node), json!({ "ca": ca }), "certificate"),
        (other_name, json!({}), "another issuer"),
    ] {
        let upstream = acme.upstream(&issuer, more);
        let fault = acme.sign_in(&upstream).await.unwrap_err();
        assert_eq!(fault.code, Code::UpstreamDown, "{fault}");
        assert!(fault.detail.contains(found), "{fault}");
        assert!(matches!(upstream.health(), Health::Down { reason } if reason.contains(found)));
    }
}

#[tokio::test]
async fn down_at_start_and_up_later() {
    let acme = Acme::new();
    let port = free_port();
    let upstream = acme.upstream(&format!("https://localhost:{port}"), json!({}));
    assert_eq!(
        acme.sign_in(&upstream).await.unwrap_err().code,
        Code::UpstreamDown
    );
    assert!(matches!(upstream.health(), Health::Down { .. }));

    let _node = acme.start(port);
    for _ in 0..200 {
        if upstream.health() == Health::Ready {
            acme.sign_in(&upstream).await.unwrap();
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still {:?}", upstream.health());
}

#[tokio::test]
async fn a_code_works_once_and_only_with_the_verifier_of_its_own_sign_in() {
    let acme = Acme::new();
    let node = acme.start(0);
    let upstream = acme.upstream(&issuer(&node), json!({}));
    let browser = upstream.ways().browser.unwrap();
    let mut person = Person::new(&acme.authority);
    let (begin, other) = (
        browser.begin(&ask()).await.unwrap(),
        browser.begin(&ask()).await.unwrap(),
    );
    let answered = person.walk(&begin.redirect).await;
    let stolen = browser.finish(&ask(), &other.memory, &answered).await;
    assert_eq!(stolen.unwrap_err().code, Code::UpstreamRefused);

    let answered = person.walk(&begin.redirect).await;
    browser.finish(&ask(), &begin.memory, &answered).await.unwrap();
    let again = browser.finish(&ask(), &begin.memory, &answered).await;
    assert_eq!(again.unwrap_err().code, Code::UpstreamRefused);
}

#[tokio::test]
async fn a_person_who_is_signed_in_there_proves_it_anew_when_asked() {
    let acme = Acme::new();
    let node = acme.start(0);
    let upstream = acme.upstream(&issuer(&node), json!({}));
    let browser = upstream.ways().browser.unwrap();
    let mut person = Person::new(&acme.authority);
    let fresh = LoginAsk { fresh: true, ..ask() };
    for wanted in [ask(), fresh] {
        let begin = browser.begin(&wanted).await.unwrap();
        let answered = person.walk(&begin.redirect).await;
        let finished = browser.finish(&wanted, &begin.memory, &answered).await.unwrap();
        assert_eq!(finished.assertion.facts().subject, "alice");
        assert!(!wanted.fresh || finished.assertion.facts().claims.contains_key("auth_time"));
    }
}
