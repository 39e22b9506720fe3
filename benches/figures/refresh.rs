//! `refresh_token` with rotation, on SQLite and on a real PostgreSQL: each request spends the newest token.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use url::Url;

use crate::{
    credentials::Speed,
    port::free_port,
    postgres::Postgres,
    process::Server,
    report::{Limit, Report},
    settings::{self, CALLBACK, PERSON, Ports, SECRET},
    walk::{self, Walk},
};

/// Sign-ins that refresh at the same time.
const FAMILIES: usize = 32;
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub fn run(report: &mut Report) {
    let sqlite = measured(None);
    let server = Postgres::shared();
    let postgres = measured(Some(&server.database()));
    report.add(
        ("refresh_sqlite_per_cpu_s", "refresh_token with rotation, SQLite"),
        sqlite,
        "per CPU-second",
        Limit::AtLeast(1000.0),
    );
    report.add(
        (
            "refresh_postgres_per_cpu_s",
            "refresh_token with rotation, PostgreSQL",
        ),
        postgres,
        "per CPU-second",
        Limit::Told,
    );
    report.add(
        ("refresh_postgres_to_sqlite", "the second to the first"),
        postgres / sqlite,
        "",
        Limit::AtLeast(0.5),
    );
}

fn measured(postgres: Option<&str>) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports {
        home: free_port(),
        cloud: 0,
    };
    settings::home(folder.path(), ports, postgres);
    let gateway = Server::gateway(folder.path(), ports.home);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = walk::client();
    let mut tokens = runtime.block_on(families(&gateway, &client));
    let mut speed = Speed::default();
    for (span, counts) in [(2, false), (8, true)] {
        let load = || {
            let (done, newest) =
                runtime.block_on(load(&gateway, &client, &tokens, Duration::from_secs(span)));
            tokens = newest;
            done
        };
        if counts {
            speed.add(&gateway, load);
        } else {
            Speed::default().add(&gateway, load);
        }
    }
    speed.per_second()
}

/// One person signs in, and gets a family for each of their programs.
async fn families(gateway: &Server, client: &Client) -> Vec<String> {
    let mut walk = Walk::new(client);
    let mut url = Url::parse(&gateway.at("/oauth2/authorize")).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid offline_access"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    walk.open(url.as_str(), CALLBACK).await;
    let typed = [("username", PERSON.0), ("password", PERSON.1)];
    walk.submit(&typed, CALLBACK).await;
    let mut tokens = Vec::with_capacity(FAMILIES);
    for _ in 0..FAMILIES {
        walk.open(url.as_str(), CALLBACK).await;
        let code = walk.url.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code: {} {}", walk.url, walk.html));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        tokens.push(spend(client, &gateway.at("/oauth2/token"), &form).await);
    }
    tokens
}

async fn spend(client: &Client, url: &str, form: &[(&str, &str)]) -> String {
    let request = client.post(url).basic_auth("app", Some(SECRET)).form(form);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let token = answer["refresh_token"].as_str();
    token.unwrap_or_else(|| panic!("refused: {answer}")).to_owned()
}

/// Every family refreshes as fast as it is answered; how often that was, and the newest tokens.
async fn load(gateway: &Server, client: &Client, tokens: &[String], span: Duration) -> (f64, Vec<String>) {
    let ends = Instant::now() + span;
    let running: Vec<_> = tokens
        .iter()
        .map(|token| {
            let (client, url, mut token) = (client.clone(), gateway.at("/oauth2/token"), token.clone());
            tokio::spawn(async move {
                let mut done = 0_u32;
                while Instant::now() < ends {
                    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
                    token = spend(&client, &url, &form).await;
                    done += 1;
                }
                (done, token)
            })
        })
        .collect();
    let (mut all, mut newest) = (0.0, Vec::with_capacity(tokens.len()));
    for family in running {
        let (done, token) = family.await.unwrap();
        all += f64::from(done);
        newest.push(token);
    }
    (all, newest)
}
