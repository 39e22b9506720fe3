//! The pages in a real browser: every page, both languages, light and dark, no serious axe violation;
//! and the security properties of the markup itself.

mod journeys;

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State, response::Response, routing::get};
use fedgate::{
    domain::{access::TargetKind, fault::Code, ids::Reference, time::Timestamp},
    http::page::{
        Frame, Language, Pages,
        view::{
            Choose, Command, ConfirmLogout, DeviceCode, DeviceConfirm, DeviceDone, DroppedLine, Failed,
            GroupLine, HeldLine, LoggedOut, MyAccess, Onward, Person, ProjectLine, SignIn, Somebody,
            TargetLine, Thing, Way,
        },
    },
};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;

use crate::parts::browser::{Seen, Visit, send};

const NOW: Timestamp = Timestamp(1_795_513_500);

type Render = Box<dyn Fn(&Pages, &Frame) -> Response + Send + Sync>;

/// Every page, filled with `text` wherever a text from outside stands.
fn samples(text: &str) -> BTreeMap<String, Render> {
    let mut all: BTreeMap<String, Render> = BTreeMap::new();
    forms(&mut all, text);
    devices(&mut all, text);
    for code in Code::ALL {
        let view = Failed {
            reasons: vec!["nothing_granted".into(), text.into()],
            person: Some(somebody(text)),
            groups: vec![text.into()],
            place: Some(text.into()),
            contact: Some(text.into()),
            retry: Some("/login".into()),
            ..Failed::new(code)
        };
        all.insert(
            format!("failed-{code:?}"),
            Box::new(move |pages, frame| pages.failed(frame, &view)),
        );
    }
    let onward = Onward {
        to: "/x?\"'><b>".into(),
        place: Some(text.into()),
    };
    // Without its `Refresh` header, so that the browser stays and looks.
    all.insert(
        "onward".into(),
        Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &onward)),
    );
    let access = my_access(text);
    all.insert(
        "access".into(),
        Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &access)),
    );
    let ended = |what| Thing {
        what,
        name: text.to_owned(),
    };
    let out = LoggedOut {
        closed: vec![ended("session"), ended("families")],
        open: vec![ended("upstream"), ended("dashboards"), ended("tokens")],
        next: Some("https://horizon.example/auth/login/".to_owned()),
    };
    all.insert(
        "logged-out".into(),
        Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &out)),
    );
    all
}

fn somebody(text: &str) -> Somebody {
    Somebody {
        name: Some(format!("Alice {text}")),
        username: text.to_owned(),
        organisation: format!("ACME {text}"),
    }
}

fn forms(all: &mut BTreeMap<String, Render>, text: &str) {
    let way = |href: &str| Way {
        href: href.into(),
        name: text.into(),
    };
    for (name, problem, ways) in [
        ("choose", None, Vec::new()),
        ("choose-unknown", Some(Code::UnknownOrganisation), Vec::new()),
        (
            "choose-ways",
            None,
            vec![way("/login/a/begin"), way("/login/b/begin")],
        ),
    ] {
        let view = Choose {
            return_to: Some(text.into()),
            typed: text.into(),
            problem,
            next: Some(text.into()),
            ways,
        };
        all.insert(
            name.into(),
            Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
        );
    }
    for (name, problem) in [("sign-in", None), ("sign-in-wrong", Some(Code::BadCredentials))] {
        let view = SignIn {
            action: "/login/people/password".into(),
            organisation: text.into(),
            source: text.into(),
            form: text.into(),
            return_to: Some(text.into()),
            username: text.into(),
            problem,
            next: Some(text.into()),
            other: Some("/login".into()),
        };
        all.insert(
            name.into(),
            Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
        );
    }
    let view = ConfirmLogout {
        action: "/logout".into(),
        fields: vec![("state".into(), text.into())],
        person: somebody(text),
        form: text.into(),
    };
    all.insert(
        "confirm-logout".into(),
        Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
    );
}

fn devices(all: &mut BTreeMap<String, Render>, text: &str) {
    for (name, problem) in [
        ("device-code", None),
        ("device-code-unknown", Some(Code::DeviceCodeUnknown)),
    ] {
        let view = DeviceCode {
            typed: text.into(),
            problem,
        };
        all.insert(
            name.into(),
            Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
        );
    }
    for (name, same_address) in [("device-confirm", true), ("device-confirm-elsewhere", false)] {
        let view = DeviceConfirm {
            user_code: "BCDF-GHJK".into(),
            client: text.into(),
            client_id: "fedctl".into(),
            scopes: vec!["openid".into(), "groups".into(), text.into()],
            address: Some("192.0.2.7".into()),
            same_address,
            asked: NOW,
            ends: Timestamp(NOW.0 + 540),
            person: somebody(text),
            form: text.into(),
        };
        all.insert(
            name.into(),
            Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
        );
    }
    for (name, allowed) in [("device-allowed", true), ("device-refused", false)] {
        let view = DeviceDone {
            client: text.into(),
            allowed,
        };
        all.insert(
            name.into(),
            Box::new(move |pages, frame| pages.show(frame, StatusCode::OK, &view)),
        );
    }
}

fn target(id: &str, name: &str, kind: TargetKind) -> TargetLine {
    TargetLine {
        id: id.into(),
        name: name.into(),
        kind,
        allowed: true,
        audience: format!("aud-{id}"),
        until: Some(Timestamp(NOW.0 + 600)),
        policy_rule: "federation/access".into(),
        projects: Vec::new(),
        groups: Vec::new(),
        session_rule: None,
        dropped: Vec::new(),
        lacks: Vec::new(),
        unlooked: false,
        reasons: Vec::new(),
    }
}

fn my_access(text: &str) -> MyAccess {
    let held = |name: &str, rule: &str| HeldLine {
        name: name.into(),
        rule: rule.into(),
    };
    MyAccess {
        person: Person {
            somebody: somebody(text),
            email: Some("alice@acme.example".into()),
            upstream: text.into(),
            issuer: "https://localhost:8444".into(),
            subject: text.into(),
            sub: "5f1c".repeat(16),
            authenticated_at: Timestamp(NOW.0 - 600),
            amr: vec!["pwd".into(), text.into()],
            ends: Timestamp(NOW.0 + 28_200),
            ..Person::default()
        },
        groups: vec![held("developers", "acme-groups"), held(text, text)],
        targets: vec![
            TargetLine {
                projects: vec![ProjectLine {
                    domain: "acme".into(),
                    project: text.into(),
                    roles: vec![held("member", "acme-developers"), held("reader", text)],
                }],
                dropped: vec![DroppedLine {
                    what: format!("acme/{text}: admin"),
                    rule: "acme-admins".into(),
                    reason: "reserved_role".into(),
                }],
                ..target("openstack", "OpenStack", TargetKind::Keystone)
            },
            TargetLine {
                groups: vec![GroupLine {
                    shown: format!("oidc:acme:{text}"),
                    rule: "acme-dev-cluster".into(),
                }],
                ..target("cluster-a", text, TargetKind::Kubernetes)
            },
            TargetLine {
                allowed: false,
                until: None,
                reasons: vec!["nothing_granted".into(), text.into()],
                ..target("cluster-b", "Cluster B", TargetKind::Kubernetes)
            },
            TargetLine {
                session_rule: Some("acme-wiki".into()),
                ..target("wiki", "Wiki", TargetKind::RelyingParty)
            },
        ],
        contact: Some("it@acme.example".into()),
        policy_revision: "2f9c0a".into(),
        commands: vec![
            Command {
                what: "login",
                about: String::new(),
                line: "fedctl login --issuer https://localhost:8443".into(),
            },
            Command {
                what: "kube",
                about: text.into(),
                line: "fedctl kube config --audience k8s-cluster-a".into(),
            },
        ],
        form: text.into(),
    }
}

fn frame(path: &str, language: Language) -> Frame {
    let uri = format!("{path}?lang={}", language.tag());
    Frame::of(
        &uri.parse().unwrap(),
        &HeaderMap::new(),
        &Reference("01J9-EXAMPLE".into()),
        NOW,
    )
}

async fn body(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A text from outside can neither add an element nor leave an attribute, on any page, in either language.
#[tokio::test]
async fn nothing_from_outside_becomes_markup() {
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 123*457 }}";
    let pages = Pages::load(hostile).unwrap();
    for language in Language::ALL {
        for (name, render) in samples(hostile) {
            let response = render(&pages, &frame("/x", language));
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .to_owned();
            assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"));
            for fixed in [
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "same-origin"),
                (header::CACHE_CONTROL, "no-store"),
            ] {
                assert_eq!(response.headers()[&fixed.0], fixed.1, "{name}");
            }
            let html = body(response).await;
            let page = scraper::Html::parse_document(&html);
            let count = |selector: &str| page.select(&scraper::Selector::parse(selector).unwrap()).count();
            assert_eq!(count("script, [onerror], [style], style, iframe"), 0, "{name}");
            assert_eq!(count("img"), 1, "{name}: the mark and nothing else");
            assert_eq!(count("main"), 1, "{name}");
            assert_eq!(count("h1"), 1, "{name}");
            assert_eq!(
                count(&format!("html[lang={}]", language.tag())),
                1,
                "{name}: {html}"
            );
            assert!(!html.contains("56211"), "{name}: a value was evaluated");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_sent_back_and_the_user_name_is() {
    let pages = Pages::load("Cloud A").unwrap();
    let all = samples("alice");
    let html = body(all["sign-in-wrong"](&pages, &frame("/x", Language::En))).await;
    let page = scraper::Html::parse_document(&html);
    let one = |selector: &str| {
        let selector = scraper::Selector::parse(selector).unwrap();
        page.select(&selector).next().expect("there").value().clone()
    };
    assert_eq!(one("#username").attr("value"), Some("alice"));
    assert_eq!(one("#password").attr("value"), None);
    assert_eq!(one("#password").attr("aria-describedby"), Some("problem"));
    assert_eq!(one("#problem").attr("role"), Some("alert"));
}

struct Gallery {
    pages: Pages,
    samples: BTreeMap<String, Render>,
}

/// Serves the samples: `/page/<name>`.
async fn gallery() -> String {
    let pages = Pages::load("Cloud A").unwrap();
    let assets: Router<Arc<Gallery>> = pages.asset_routes();
    let state = Arc::new(Gallery {
        pages,
        samples: samples("Müller & Söhne"),
    });
    let router = Router::new()
        .route(
            "/page/{name}",
            get(
                |State(gallery): State<Arc<Gallery>>,
                 axum::extract::Path(name): axum::extract::Path<String>,
                 uri: http::Uri,
                 headers: HeaderMap| async move {
                    let frame = Frame::of(&uri, &headers, &Reference("01J9-EXAMPLE".into()), NOW);
                    gallery.samples[&name](&gallery.pages, &frame)
                },
            ),
        )
        .merge(assets)
        .with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn violations(seen: &Seen, step: usize) -> Vec<String> {
    seen.step(step)
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| format!("{violation:#}"))
        .collect()
}

/// All pages, light and dark, wide and 320 px. Not one violation of any impact, nothing that scrolls
/// sideways, nothing that the content security policy had to refuse.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_passes_axe() {
    let base = gallery().await;
    let shots = std::env::var("FEDGATE_SCREENSHOTS").ok();
    let mut names = Vec::new();
    let mut visits = Vec::new();
    for name in samples("x").into_keys() {
        // The error pages differ in their words only: three stand for all in the browser.
        let rare = name.starts_with("failed-")
            && !matches!(
                name.as_str(),
                "failed-NoAccess" | "failed-UpstreamDown" | "failed-Internal"
            );
        if rare {
            continue;
        }
        for (locale, scheme, width) in [("en-GB", "light", 1280), ("de-DE", "dark", 320)] {
            let mut visit = Visit::new()
                .looking(locale, scheme, width)
                .goto(&format!("{base}/page/{name}"))
                .axe()
                .then(serde_json::json!({"do": "overflow"}));
            if let Some(folder) = &shots {
                let path = format!("{folder}/{name}-{locale}-{scheme}-{width}.png");
                visit = visit.then(serde_json::json!({"do": "shot", "path": path}));
            }
            visits.push(visit);
            names.push(format!("{name} {locale} {scheme} {width}"));
        }
    }
    let seen = tokio::task::spawn_blocking(move || send(&visits)).await.unwrap();
    assert_eq!(seen.len(), names.len());
    let mut problems = Vec::new();
    for (name, seen) in names.iter().zip(&seen) {
        for violation in violations(seen, 1) {
            problems.push(format!("{name}: {violation}"));
        }
        let overflow = seen.step(2).as_i64().unwrap();
        if overflow > 0 {
            problems.push(format!("{name}: {overflow} px wider than the window"));
        }
        // The status of an error page is an error to the console; a refusal by policy is one to us.
        for line in seen
            .console
            .iter()
            .filter(|line| line.contains("Content Security Policy"))
        {
            problems.push(format!("{name}: {line}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The keyboard reaches the content first, then the form, and the error is announced with its field.
#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_is_enough() {
    let base = gallery().await;
    let tab = serde_json::json!({"do": "press", "key": "Tab"});
    let focus = serde_json::json!({"do": "focus"});
    let visit = Visit::new()
        .goto(&format!("{base}/page/device-confirm"))
        .then(tab)
        .then(focus.clone())
        .then(serde_json::json!({"do": "press", "key": "Enter"}))
        .then(focus);
    let seen = tokio::task::spawn_blocking(move || send(&[visit])).await.unwrap();
    assert_eq!(seen[0].text(2), "skip");
    assert_eq!(seen[0].text(4), "main");
}
