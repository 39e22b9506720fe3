//! 10,000 people who begin to sign in and go away: neither the cloud nor their home may keep anything of it.

use std::{fs, path::Path, thread::sleep, time::Duration};

use url::Url;

use crate::{
    port::free_port,
    process::Server,
    report::{Limit, Report},
    rows,
    settings::{self, CALLBACK, Ports},
    walk::{self, Walk},
};

const SIGN_INS: usize = 10_000;
const AT_ONCE: usize = 16;
/// Longer than the time in which anything is gathered before it is written.
const SETTLED: Duration = Duration::from_secs(6);

pub fn run(report: &mut Report) {
    let (home, cloud) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ports = Ports {
        home: free_port(),
        cloud: free_port(),
    };
    settings::home(home.path(), ports, None);
    settings::cloud(cloud.path(), ports);
    let _at_home = Server::gateway(home.path(), ports.home);
    let at_cloud = Server::gateway(cloud.path(), ports.cloud);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = || {
        sleep(SETTLED);
        [home.path(), cloud.path()].map(|folder| (bytes(folder), runtime.block_on(count(folder))))
    };
    let before = kept();
    runtime.block_on(all(&at_cloud, ports));
    let after = kept();
    let grown =
        |of: fn(&(f64, f64)) -> f64| after.iter().map(of).sum::<f64>() - before.iter().map(of).sum::<f64>();
    report.add(
        (
            "abandoned_bytes",
            "what 10,000 abandoned sign-ins leave in the databases",
        ),
        grown(|kept| kept.0),
        "bytes",
        Limit::AtMost(0.0),
    );
    report.add(
        ("abandoned_rows", "the same in rows"),
        grown(|kept| kept.1),
        "rows",
        Limit::AtMost(0.0),
    );
}

/// Database and write-ahead log.
fn bytes(folder: &Path) -> f64 {
    ["fedgate.db", "fedgate.db-wal"]
        .iter()
        .filter_map(|name| fs::metadata(folder.join(name)).ok())
        .map(|file| f64::from(u32::try_from(file.len()).unwrap()))
        .sum()
}

async fn count(folder: &Path) -> f64 {
    let rows = rows::of_sqlite(&folder.join("fedgate.db")).await;
    rows.values()
        .map(|rows| f64::from(i32::try_from(*rows).unwrap()))
        .sum()
}

/// From the cloud to the password form at home, and no further.
async fn all(cloud: &Server, ports: Ports) {
    let client = walk::client();
    let mut url = Url::parse(&cloud.at("/oauth2/authorize")).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    let walkers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move {
                for _ in 0..SIGN_INS / AT_ONCE {
                    let mut walk = Walk::new(&client);
                    walk.open(url.as_str(), CALLBACK).await;
                    let form = walk.url.path().ends_with("/password") && walk.url.port() == Some(ports.home);
                    assert!(form && walk.status == 200, "{} {}", walk.url, walk.html);
                }
            })
        })
        .collect();
    for walker in walkers {
        walker.await.unwrap();
    }
}
