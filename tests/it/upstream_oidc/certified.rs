//! The certified provider `oidc-provider` over TLS, walked through as a browser would.

use std::collections::BTreeMap;

use fedgate::{
    domain::fault::{Code, Fault},
    port::upstream::{Answered, Finished, Health, LoginAsk, Upstream},
};
use serde_json::json;

use super::{CALLBACK, Moving, SECRET, ask, becomes, declared, open, reach::free_port};
use crate::parts::{certificates::Authority, node::Script};

/// The provider, its certificate and who vouches for it.
struct Certified {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Certified {
    fn prepare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("certified");
        authority.write(folder.path());
        authority.server().write(folder.path(), "server");
        Self { folder, authority }
    }

    fn ca(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn start(&self, more: &[(&str, &str)]) -> Script {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let (certificate, key) = (at("server.pem"), at("server.key"));
        let mut environment = vec![
            ("CERTIFICATE", certificate.as_str()),
            ("KEY", key.as_str()),
            ("CALLBACK", CALLBACK),
            ("CLIENT_SECRET", SECRET),
        ];
        environment.extend_from_slice(more);
        Script::start("provider.mjs", &[], &environment)
    }
}

fn issuer(script: &Script) -> String {
    format!("https://localhost:{}", script.port)
}

/// A browser without a window: follows redirects and sends the one form of each page, until a place.
async fn walk(authority: &Authority, from: &str, until: &str, login: &str) -> Answered {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
        .build()
        .unwrap();
    let mut cookies = BTreeMap::new();
    let mut url = url::Url::parse(from).unwrap();
    let mut form: Option<Vec<(String, String)>> = None;
    for _ in 0..20 {
        let request = match form.take() {
            Some(fields) => client.post(url.clone()).form(&fields),
            None => client.get(url.clone()),
        };
        let held: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header("cookie", held.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(to) = answer.headers().get("location") {
            url = url.join(to.to_str().unwrap()).unwrap();
            if url.as_str().starts_with(until) {
                let parameters = url.query_pairs().into_owned().collect();
                return Answered { parameters };
            }
        } else {
            let status = answer.status();
            let page = answer.text().await.unwrap();
            assert!(status.is_success(), "{url} answered {status}: {page}");
            let (action, fields) = only_form(&page, login);
            url = url.join(&action).unwrap();
            form = Some(fields);
        }
    }
    panic!("no way to {until}; stopped at {url}");
}

fn only_form(page: &str, login: &str) -> (String, Vec<(String, String)>) {
    let document = scraper::Html::parse_document(page);
    let select = |text: &str| scraper::Selector::parse(text).unwrap();
    let form = document.select(&select("form")).next();
    let form = form.unwrap_or_else(|| panic!("no form in {page}"));
    let fields = form
        .select(&select("input[name]"))
        .map(|input| {
            let name = input.attr("name").unwrap();
            let typed = match name {
                "login" => login,
                "password" => "anything",
                _ => input.attr("value").unwrap_or_default(),
            };
            (name.to_owned(), typed.to_owned())
        })
        .collect();
    (form.attr("action").unwrap().to_owned(), fields)
}

async fn sign_in(certified: &Certified, upstream: &dyn Upstream, ask: &LoginAsk) -> Result<Finished, Fault> {
    let login = upstream.ways().browser.expect("a login by browser");
    let begin = login.begin(ask).await?;
    let answered = walk(&certified.authority, &begin.redirect, CALLBACK, "alice").await;
    login.finish(ask, &begin.memory, &answered).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_each_algorithm_and_client_authentication() {
    let certified = Certified::prepare();
    for (alg, auth) in [
        ("ES256", "client_secret_basic"),
        ("RS256", "client_secret_post"),
        ("PS256", "client_secret_basic"),
    ] {
        let script = certified.start(&[("ALG", alg), ("CLIENT_AUTH", auth)]);
        let settings = declared(
            &issuer(&script),
            &certified.ca(),
            json!({ "userinfo": true, "client_auth": auth }),
        );
        let clock = Moving::at_present();
        let upstream = open(settings, SECRET, &clock);
        let finished = sign_in(&certified, &*upstream, &ask())
            .await
            .unwrap_or_else(|fault| panic!("{alg} {auth}: {fault}"));
        let facts = finished.assertion.facts();
        assert_eq!(facts.issuer, issuer(&script), "{alg}");
        assert_eq!(facts.subject, "alice", "{alg}");
        assert_eq!(facts.claims["preferred_username"], "alice", "{alg}");
        assert_eq!(facts.claims["name"], "alice of ACME", "{alg}");
        assert_eq!(facts.claims["email"], "alice@acme.example", "{alg}");
        assert_eq!(
            facts.claims["groups"],
            json!(["cloud-developers", "sports"]),
            "{alg}"
        );
        assert!(finished.hint.is_some(), "{alg}: an ID token for the logout");
        assert_eq!(upstream.health(), Health::Ready, "{alg}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_userinfo_the_id_token_alone_speaks() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let settings = declared(&issuer(&script), &certified.ca(), json!({}));
    let upstream = open(settings, SECRET, &Moving::at_present());
    let finished = sign_in(&certified, &*upstream, &ask()).await.unwrap();
    assert_eq!(finished.assertion.facts().subject, "alice");
    assert_eq!(finished.assertion.facts().claims.get("groups"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_sign_in_is_asked_for_and_proved() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let settings = declared(&issuer(&script), &certified.ca(), json!({}));
    let clock = Moving::at_present();
    let upstream = open(settings, SECRET, &clock);
    let fresh = LoginAsk {
        fresh: true,
        login_hint: Some("alice".into()),
        ..ask()
    };
    let finished = sign_in(&certified, &*upstream, &fresh).await.unwrap();
    let facts = finished.assertion.facts();
    assert!(facts.claims.contains_key("auth_time"), "{:?}", facts.claims);
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_goes_to_the_provider_with_the_id_token() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let settings = declared(&issuer(&script), &certified.ca(), json!({}));
    let upstream = open(settings, SECRET, &Moving::at_present());
    let finished = sign_in(&certified, &*upstream, &ask()).await.unwrap();
    let logout = upstream.ways().logout.unwrap();
    let back = "https://gateway.example/";
    let to = logout.begin(finished.hint.as_deref(), back, "s1").unwrap();
    // A wrong hint, client or address would end on an error page.
    let answered = walk(&certified.authority, &to, "https://gateway.example/?", "nobody").await;
    assert_eq!(answered.parameters, [("state".to_owned(), "s1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_a_refusal() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let settings = declared(&issuer(&script), &certified.ca(), json!({}));
    let upstream = open(settings, "not the secret of this client", &Moving::at_present());
    let fault = sign_in(&certified, &*upstream, &ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamRefused, "{fault}");
    assert!(fault.detail.contains("invalid_client"), "{fault}");
    assert!(!fault.detail.contains("not the secret"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once_and_only_with_its_own_verifier() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let settings = declared(&issuer(&script), &certified.ca(), json!({}));
    let upstream = open(settings, SECRET, &Moving::at_present());
    let login = upstream.ways().browser.unwrap();
    let ask = ask();
    let begin = login.begin(&ask).await.unwrap();
    let other = login.begin(&ask).await.unwrap();
    let answered = walk(&certified.authority, &begin.redirect, CALLBACK, "alice").await;
    let fault = login.finish(&ask, &other.memory, &answered).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamRefused, "{fault}");
    let answered = walk(&certified.authority, &begin.redirect, CALLBACK, "alice").await;
    login.finish(&ask, &begin.memory, &answered).await.unwrap();
    let fault = login.finish(&ask, &begin.memory, &answered).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamRefused, "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_our_ca_does_not_vouch_for_is_down() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let stranger = tempfile::tempdir().unwrap();
    let ca = Authority::new("stranger").write(stranger.path());
    let settings = declared(&issuer(&script), &ca, json!({}));
    let upstream = open(settings, SECRET, &Moving::at_present());
    let fault = sign_in(&certified, &*upstream, &ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown, "{fault}");
    assert!(fault.detail.contains("certificate"), "{fault}");
    assert!(matches!(upstream.health(), Health::Down { reason } if reason.contains("certificate")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_another_name_is_down() {
    let certified = Certified::prepare();
    let script = certified.start(&[]);
    let other = issuer(&script).replace("localhost", "127.0.0.1");
    let upstream = open(
        declared(&other, &certified.ca(), json!({})),
        SECRET,
        &Moving::at_present(),
    );
    let fault = sign_in(&certified, &*upstream, &ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown, "{fault}");
    assert!(fault.detail.contains("another issuer"), "{fault}");
    assert!(matches!(upstream.health(), Health::Down { reason } if reason.contains("another issuer")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_comes_up_later_becomes_ready_by_itself() {
    let certified = Certified::prepare();
    let port = free_port().to_string();
    let settings = declared(&format!("https://localhost:{port}"), &certified.ca(), json!({}));
    let upstream = open(settings, SECRET, &Moving::at_present());
    becomes(
        &*upstream,
        |health| matches!(health, Health::Down { reason } if reason.contains("no answer")),
    )
    .await;
    let fault = upstream.ways().browser.unwrap().begin(&ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown, "{fault}");
    let _script = certified.start(&[("PORT", &port)]);
    // Nobody asks: it is found again in the background.
    becomes(&*upstream, |health| *health == Health::Ready).await;
    let finished = sign_in(&certified, &*upstream, &ask()).await.unwrap();
    assert_eq!(finished.assertion.facts().subject, "alice");
}
