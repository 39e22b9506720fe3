//! Real `fedgate serve` processes: the home organisation acme, and a cloud that trusts it, both with TLS.
//! Their configuration is the demonstration's (`config/demo`), on other ports.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use reqwest::{Method, header};
use scraper::{Html, Selector};
use url::Url;

use super::certificates::Authority;
use super::machine;
use super::port::free_port;

/// The people of acme with their passwords.
pub const PEOPLE: [(&str, &str); 3] = [
    ("alice", "alice-has-a-long-password"),
    ("bob", "bob-has-a-long-password"),
    ("carol", "carol-has-a-long-password"),
];

/// One process. It ends, by its own id, when dropped.
pub struct Gateway {
    pub issuer: String,
    pub folder: PathBuf,
    pub log: PathBuf,
    child: Option<Child>,
}

/// Both gateways on one machine.
pub struct Landscape {
    pub folder: tempfile::TempDir,
    pub ca: PathBuf,
    pub acme: Gateway,
    pub cloud: Gateway,
    /// Where the cloud expects its Keystone. Nothing listens there.
    pub keystone: u16,
}

/// A gateway's configuration, changed for a test: its name and the demonstration's text go in.
pub type Edit<'a> = &'a dyn Fn(&str, String) -> String;

/// What `shared` adds to the cloud: an upstream of another organisation, and a client with a key.
const MORE_UPSTREAMS: &str = "
  - kind: oidc
    id: mirror
    name: Mirror
    tenant: mirror
    issuer: https://localhost:8444
    client_id: cloud-a
    client_secret: { file: ../cloud-a-at-acme.secret }
    ca: ../tls/ca.pem
    addresses: loopback
    mapping: {}

targets:
";
const MORE_CLIENTS: &str = "
clients:
  - id: machine
    name: A machine with a key
    auth: { method: private_key_jwt, jwks_file: ../machine.jwks }
    grants: [client_credentials]
    redirect_uris: []
    tenant: acme
";

static SHARED: tokio::sync::Mutex<Weak<Landscape>> = tokio::sync::Mutex::const_new(Weak::new());

/// Both gateways, for all tests that change nothing but what is their own. They end with the last test that
/// holds them.
pub async fn shared() -> Arc<Landscape> {
    let mut held = SHARED.lock().await;
    if let Some(there) = held.upgrade() {
        return there;
    }
    let edit = |name: &str, text: String| match name {
        "cloud-a" => text
            .replacen("\ntargets:\n", MORE_UPSTREAMS, 1)
            .replacen("\nclients:\n", MORE_CLIENTS, 1)
            .replacen(
                "tenants:\n",
                "tenants:\n  - { id: mirror, name: Mirror Ltd }\n",
                1,
            ),
        _ => text,
    };
    let made = Arc::new(Landscape::start_with(&edit, &[("machine.jwks", &machine::jwks())]).await);
    *held = Arc::downgrade(&made);
    made
}

pub fn keep(path: &Path, text: &str) {
    use std::io::Write;
    let mut open = OpenOptions::new();
    let mut file = open
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A client that believes only `ca`, follows nothing and keeps no cookies.
pub fn client(ca: &Path) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(&fs::read(ca).unwrap()).unwrap();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([ca])
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

impl Gateway {
    fn new(root: &Path, name: &str, port: u16) -> Self {
        Self {
            issuer: format!("https://localhost:{port}"),
            folder: root.join(name),
            log: root.join(format!("{name}.log")),
            child: None,
        }
    }

    /// An operator's command beside it (`fedgate keystone setup`); its output.
    pub fn operate(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_fedgate"))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("fedgate.yaml"))
            .env_clear()
            .current_dir(&self.folder)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "fedgate {arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts it, on the state that is there, and waits until it is ready.
    pub async fn start(&mut self, client: &reqwest::Client) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_fedgate"))
            .args(["serve", "--config"])
            .arg(self.folder.join("fedgate.yaml"))
            .env_clear()
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let ends = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(answer) = client.get(self.at("/readyz")).send().await
                && answer.status().is_success()
            {
                return;
            }
            let over = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(over.is_none(), "{} ended: {}", self.issuer, self.log());
            assert!(
                Instant::now() < ends,
                "{} is not ready: {}",
                self.issuer,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// SIGKILL: nothing is drained, nothing is written.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _ended = child.wait();
        }
    }

    /// Sends SIGHUP: it reads its configuration again.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Holds it where it is, or lets it go on.
    pub fn hold(&self, still: bool) {
        self.signal(if still { "-STOP" } else { "-CONT" });
    }

    fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let done = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(done.success());
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How many rows each table of its database has.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        super::rows::of_sqlite(&self.folder.join("fedgate.db")).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Landscape {
    /// Both, ready.
    pub async fn start() -> Self {
        Self::start_with(&|_, text| text, &[]).await
    }

    /// Both, ready, with another configuration and more files (their paths begin in the common folder).
    pub async fn start_with(edit: Edit<'_>, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for part in ["tls", "acme", "cloud-a"] {
            fs::create_dir(root.join(part)).unwrap();
        }
        let authority = Authority::new("gateways of a test");
        let ca = authority.write(&root.join("tls"));
        let pair = authority.server();
        keep(&root.join("tls/localhost.pem"), &pair.certificate);
        keep(&root.join("tls/localhost.key"), &pair.key);
        for secret in ["acme/secret.key", "cloud-a/secret.key", "cloud-a/admin.token"] {
            keep(
                &root.join(secret),
                &format!("{secret}-0123456789-0123456789-0123456789"),
            );
        }
        keep(&root.join("cloud-a-at-acme.secret"), CLOUD_SECRET);
        keep(&root.join("demo-app.secret"), APP_SECRET);
        keep(&root.join("cloud-a/keystone-admin.password"), KEYSTONE_PASSWORD);
        keep(&root.join("ci.jwks"), &machine::jwks());
        for (name, password) in PEOPLE {
            let hash = fedgate::app::operate::hash_password(password).unwrap();
            keep(&root.join(format!("acme/{name}.hash")), &hash);
        }
        // The cloud's own duty engineer, so that there is an organisation to choose.
        let hash = fedgate::app::operate::hash_password(DUTY_PASSWORD).unwrap();
        keep(&root.join("cloud-a/duty.hash"), &hash);
        let (acme, cloud, keystone) = (free_port(), free_port(), free_port());
        let ported = |text: &str| {
            text.replace(":8444", &format!(":{acme}"))
                .replace(":8443", &format!(":{cloud}"))
                .replace(":8435", &format!(":{keystone}"))
                .replace("filter: info", "filter: \"info,fedgate=trace\"")
        };
        for (name, text) in files {
            keep(&root.join(name), text);
        }
        for (name, text) in [
            ("acme", include_str!("../../../config/demo/acme.yaml")),
            ("cloud-a", include_str!("../../../config/demo/cloud-a.yaml")),
        ] {
            let text = ported(&edit(name, text.to_owned()));
            keep(&root.join(name).join("fedgate.yaml"), &text);
        }
        let client = client(&ca);
        let mut landscape = Self {
            acme: Gateway::new(root, "acme", acme),
            cloud: Gateway::new(root, "cloud-a", cloud),
            keystone,
            ca,
            folder,
        };
        landscape.acme.start(&client).await;
        landscape.cloud.start(&client).await;
        landscape
    }

    pub fn browser(&self) -> Browser {
        Browser::of(&self.ca)
    }

    /// Goes from a page of the cloud that asks for the organisation to where the sign-in ends.
    pub async fn sign_in(&self, browser: &Browser, chooser: Page, person: usize) -> Page {
        let form = self.to_acme(browser, chooser).await;
        let (name, password) = PEOPLE[person];
        browser
            .submit(&form, &[("username", name), ("password", password)])
            .await
    }

    /// Goes from the chooser to the password form of acme.
    pub async fn to_acme(&self, browser: &Browser, chooser: Page) -> Page {
        assert_eq!(chooser.url.path(), "/login", "{}", chooser.html);
        let form = browser
            .submit(&chooser, &[("organisation", "acme.example")])
            .await;
        assert!(
            form.url.as_str().starts_with(&self.acme.issuer) && form.url.path().ends_with("/password"),
            "{}: {}",
            form.url,
            form.html
        );
        form
    }
}

/// The password of the cloud's duty engineer.
const DUTY_PASSWORD: &str = "duty-has-a-long-password";
/// The secret of the cloud at acme.
pub const CLOUD_SECRET: &str = "the-secret-of-the-cloud-at-acme-0123456789";
/// The secret of the demonstration's application.
pub const APP_SECRET: &str = "the-secret-of-the-application-0123456789";
/// The password with which the cloud looks into Keystone.
pub const KEYSTONE_PASSWORD: &str = "the-password-of-the-keystone-admin";

/// Where a browser stopped.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub html: String,
}

impl Page {
    /// A parameter of its address.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// What a person reads.
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.html);
        html.root_element()
            .text()
            .flat_map(str::split_whitespace)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The reference to give to a help desk.
    pub fn reference(&self) -> String {
        let start = self.html.find("FG-").expect("a reference");
        self.html[start..].chars().take(13).collect()
    }
}

/// As much of a browser as a sign-in needs: cookies by origin, redirects, `Refresh`, forms.
pub struct Browser {
    client: reqwest::Client,
    /// A gateway without TLS, on loopback.
    plain: Option<String>,
    jar: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Browser {
    /// One that believes this CA alone.
    pub fn of(ca: &Path) -> Self {
        Self {
            client: client(ca),
            plain: None,
            jar: Mutex::default(),
        }
    }

    /// One that goes to this gateway on loopback, which has no TLS, and nowhere else.
    pub fn at(issuer: &str) -> Self {
        Self {
            client: super::plain_client(),
            plain: Some(issuer.to_owned()),
            jar: Mutex::default(),
        }
    }

    /// Another one, with no cookies yet.
    pub fn fresh(&self) -> Self {
        Self {
            client: self.client.clone(),
            plain: self.plain.clone(),
            jar: Mutex::default(),
        }
    }

    /// Changes a cookie whose name begins so, in every origin.
    pub fn change(&self, start: &str, change: &dyn Fn(&str) -> String) -> usize {
        let mut jar = self.jar.lock().unwrap();
        let cookies = jar
            .values_mut()
            .flatten()
            .filter(|(name, _)| name.starts_with(start));
        cookies.map(|(_, value)| *value = change(value)).count()
    }

    /// Every cookie's value.
    pub fn cookies(&self) -> Vec<String> {
        let jar = self.jar.lock().unwrap();
        jar.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Opens an address and goes on until a page stays, or an address is not https (a client's own).
    pub async fn open(&self, url: &str) -> Page {
        let url = Url::parse(url).unwrap();
        self.walk((Method::GET, url, Vec::new()), &|_| false).await
    }

    /// The same, but does not open an address for which `stop` holds.
    pub async fn open_until(&self, url: &str, stop: &dyn Fn(&Url) -> bool) -> Page {
        self.walk((Method::GET, Url::parse(url).unwrap(), Vec::new()), stop)
            .await
    }

    /// Sends the page's form with `typed` beside what is in it.
    pub async fn submit(&self, page: &Page, typed: &[(&str, &str)]) -> Page {
        self.submit_until(page, typed, &|_| false).await
    }

    /// The same, but does not open an address for which `stop` holds.
    pub async fn submit_until(
        &self,
        page: &Page,
        typed: &[(&str, &str)],
        stop: &dyn Fn(&Url) -> bool,
    ) -> Page {
        self.walk(Self::filled(page, typed), stop).await
    }

    fn filled(page: &Page, typed: &[(&str, &str)]) -> (Method, Url, Vec<(String, String)>) {
        let html = Html::parse_document(&page.html);
        let (forms, inputs) = (
            // Another provider's page may have no main part.
            Selector::parse(if page.html.contains("<main") {
                "main form"
            } else {
                "form"
            })
            .unwrap(),
            Selector::parse("input[type=hidden]").unwrap(),
        );
        let form = html
            .select(&forms)
            .next()
            .unwrap_or_else(|| panic!("no form at {}: {}", page.url, page.html));
        let mut fields: Vec<(String, String)> = form
            .select(&inputs)
            .map(|input| {
                let attribute = |name| input.attr(name).unwrap_or_default().to_owned();
                (attribute("name"), attribute("value"))
            })
            .collect();
        fields.extend(
            typed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let mut url = page.url.join(form.attr("action").unwrap_or_default()).unwrap();
        if form.attr("method") == Some("post") {
            return (Method::POST, url, fields);
        }
        url.query_pairs_mut().clear().extend_pairs(fields);
        (Method::GET, url, Vec::new())
    }

    async fn walk(&self, first: (Method, Url, Vec<(String, String)>), stop: &dyn Fn(&Url) -> bool) -> Page {
        let (mut method, mut url, mut fields) = first;
        for _ in 0..20 {
            let plain = self.plain.as_ref();
            let may = url.scheme() == "https"
                || plain.is_some_and(|own| *own == url.origin().ascii_serialization());
            if !may || stop(&url) {
                return Page {
                    url,
                    status: 0,
                    html: String::new(),
                };
            }
            let response = self.send(&method, &url, &fields).await;
            let told = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            let onward = told(header::LOCATION)
                .filter(|_| response.status().is_redirection())
                .or_else(|| told(header::REFRESH).and_then(|refresh| refresh.strip_prefix("0; url=")));
            let Some(onward) = onward else {
                return Page {
                    url,
                    status: response.status().as_u16(),
                    html: response.text().await.unwrap(),
                };
            };
            url = url.join(onward).unwrap();
            (method, fields) = (Method::GET, Vec::new());
        }
        panic!("more than 20 redirects, at last {url}");
    }

    async fn send(&self, method: &Method, url: &Url, fields: &[(String, String)]) -> reqwest::Response {
        let origin = url.origin().ascii_serialization();
        let cookies: Vec<String> = {
            let jar = self.jar.lock().unwrap();
            let mine = jar.get(&origin).into_iter().flatten();
            mine.map(|(name, value)| format!("{name}={value}")).collect()
        };
        let mut request = self.client.request(method.clone(), url.clone());
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if method == Method::POST {
            request = request.header(header::ORIGIN, &origin).form(fields);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        let mut jar = self.jar.lock().unwrap();
        let mine = jar.entry(origin).or_default();
        for set in response.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                mine.remove(name);
            } else {
                mine.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }
}
