//! The uwsgi protocol towards a real Keystone: what it is told comes by keys that no HTTP client can make.

use bytes::Bytes;
use fedgate::{
    port::relay::{Call, Payload, Relay as _},
    target::keystone::{
        Config,
        transport::{Told, Transport},
    },
};
use futures_util::StreamExt as _;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{Cloud, websso};
use crate::parts::{gateway::client, plain_client};

const AUTH: &str = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";
/// Every way to write a header whose key might begin as ours do.
const SPELLINGS: [&str; 6] = [
    "FEDGW_",
    "FEDGW-",
    "fedgw-",
    "Fedgw_",
    "HTTP_FEDGW_",
    "HTTP-FEDGW-",
];

fn victim(cloud: &Cloud) -> [(&'static str, String); 5] {
    [
        ("ISS", format!("{}/keystone", cloud.land.cloud.issuer)),
        ("SUB", "victim".into()),
        ("PREFERRED_USERNAME", "victim".into()),
        ("DOMAIN", "acme".into()),
        ("OPENSTACK_PROJECTS", "[]".into()),
    ]
}

fn forged(cloud: &Cloud) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for spelling in SPELLINGS {
        for (end, value) in victim(cloud) {
            let name = HeaderName::from_bytes(format!("{spelling}{end}").as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(&value).unwrap());
        }
    }
    headers.append("REMOTE_USER", HeaderValue::from_static("victim"));
    headers
}

fn by_openid() -> Bytes {
    let body = json!({ "auth": { "identity": { "methods": ["openid"],
        "openid": { "identity_provider": "fedgate", "protocol": "openid" } } } });
    Bytes::from(body.to_string())
}

async fn body_of(answer: fedgate::port::relay::Answer) -> Vec<u8> {
    let parts: Vec<_> = answer.body.collect().await;
    parts
        .into_iter()
        .flat_map(|part| part.unwrap().to_vec())
        .collect()
}

fn call(method: &reqwest::Method, path: &str, headers: HeaderMap) -> Call {
    let mut headers = headers;
    let body = if method == reqwest::Method::POST && path.ends_with("/tokens") {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Payload::Whole(by_openid())
    } else {
        Payload::None
    };
    Call {
        method: method.clone(),
        path: path.into(),
        headers,
        body,
    }
}

pub(super) async fn nobody_forges_a_key(cloud: &Cloud) {
    let config: Config = serde_json::from_value(json!({
        "id": "openstack", "name": "OpenStack", "audience": "openstack",
        "url": format!("uwsgi://{}", cloud.socket.display()), "timeout_s": 60,
    }))
    .unwrap();
    let line = Transport::open(&config, &cloud.land.cloud.issuer, plain_client(), 4).unwrap();
    let websso = websso(cloud).replace(&cloud.land.cloud.issuer, "");
    let paths = [
        (reqwest::Method::POST, "/v3/auth/tokens"),
        (reqwest::Method::POST, AUTH),
        (reqwest::Method::GET, AUTH),
        (reqwest::Method::GET, websso.as_str()),
    ];
    for (method, path) in &paths {
        // 1. The keys themselves: this is how somebody is let in, so the refusals below mean something.
        let told: Told = victim(cloud)
            .into_iter()
            .map(|(end, value)| {
                (
                    end,
                    if end == "SUB" {
                        "somebody".to_owned()
                    } else {
                        value
                    },
                )
            })
            .collect();
        let answer = line
            .tell(call(method, path, HeaderMap::new()), &told)
            .await
            .unwrap();
        assert!(
            matches!(answer.status.as_u16(), 200 | 201),
            "{method} {path}: {}",
            answer.status
        );
        // 2. As headers over the same socket, without anything that cleans them.
        let answer = line.call(call(method, path, forged(cloud))).await.unwrap();
        assert_eq!(answer.status, 401, "{method} {path} over the socket");
        let body: Value = serde_json::from_slice(&body_of(answer).await).unwrap();
        assert_eq!(body["error"]["code"], 401);
        // 3. As headers straight at an HTTP port of that Keystone. 4. Through the gateway.
        let strange = plain_client();
        let through = client(&cloud.land.ca);
        for (base, client) in [(&cloud.straight, strange), (&cloud.land.cloud.issuer, through)] {
            let mut request = client
                .request(method.clone(), format!("{base}{path}"))
                .headers(forged(cloud));
            if path.ends_with("/tokens") {
                request = request
                    .header("content-type", "application/json")
                    .body(by_openid());
            }
            let answer = request.send().await.unwrap();
            let status = answer.status();
            // The gateway asks a browser to sign in, and nobody has.
            let asked = base == &cloud.land.cloud.issuer && *path == websso && status == 303;
            assert!(status == 401 || asked, "{method} {base}{path}: {status}");
            assert!(!answer.headers().contains_key("x-subject-token"));
        }
    }
}

/// Long bodies, error documents, redirects and HEAD over the socket.
pub(super) async fn requests_pass_as_over_http(cloud: &Cloud) {
    let client = client(&cloud.land.ca);
    let gateway = &cloud.land.cloud.issuer;
    let admin = cloud.admin().await;
    let versions: Value = client
        .get(format!("{gateway}/v3"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let link = versions["version"]["links"][0]["href"].as_str().unwrap();
    assert!(
        link.starts_with(gateway.as_str()),
        "links lead to the gateway: {link}"
    );
    // Straight at Keystone and through the gateway: the same document.
    let path = "/v3/users?enabled=true&name=admin";
    let (mut seen, mut bodies) = (Vec::new(), Vec::<Value>::new());
    for base in [&cloud.straight, gateway] {
        let request = client.get(format!("{base}{path}")).header("X-Auth-Token", &admin);
        let answer = request.send().await.unwrap();
        seen.push(answer.status());
        bodies.push(answer.json().await.unwrap());
    }
    assert_eq!(seen, [200, 200]);
    assert_eq!(bodies[0]["users"], bodies[1]["users"]);
    let head = client
        .head(format!("{gateway}/v3/auth/tokens"))
        .header("X-Auth-Token", &admin)
        .header("X-Subject-Token", &admin);
    let answer = head.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.unwrap().is_empty());
    // Keystone takes 112 KiB at most: its own refusal comes back, of a body that was kept and of one that was streamed.
    for size in [200 * 1024, 2 * 1024 * 1024] {
        let request = client
            .post(format!("{gateway}/v3/users"))
            .header("X-Auth-Token", &admin)
            .header("content-type", "application/json")
            .body(vec![b' '; size]);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 413, "{size}");
    }
    // Written and read back, with letters beyond ASCII, in the query too.
    let name = "größe & co; {0}";
    let made = client
        .post(format!("{gateway}/v3/projects"))
        .header("X-Auth-Token", &admin)
        .json(&json!({ "project": { "name": name, "domain_id": "default" } }));
    assert_eq!(made.send().await.unwrap().status(), 201);
    let found: Value = client
        .get(url::Url::parse_with_params(&format!("{gateway}/v3/projects"), [("name", name)]).unwrap())
        .header("X-Auth-Token", &admin)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(found["projects"][0]["name"], name);
    let id = found["projects"][0]["id"].as_str().unwrap();
    let gone = client
        .delete(format!("{gateway}/v3/projects/{id}"))
        .header("X-Auth-Token", &admin);
    assert_eq!(gone.send().await.unwrap().status(), 204);
}
