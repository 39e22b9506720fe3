//! Claims mode: what `fedgate keystone kolla` writes, installed as kolla-ansible installs it: Debian's Apache with
//! mod_auth_openidc in front of a real Keystone, both with kolla's own settings.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::parts::{
    apache::Apache,
    gateway::{APP_SECRET, Browser, Landscape, Page, client},
    home,
    keystone::{Keystone, Wish},
    plain_client,
    port::free_port,
};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const HORIZON: &str = "https://horizon.localhost";
const AUTH: &str = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";

/// A cloud as kolla-ansible deploys it, whose Keystone takes this gateway's people.
struct Cloud {
    land: Landscape,
    keystone: Keystone,
    apache: Apache,
    /// Apache with all that was written, and the public URL of Keystone.
    public: String,
    /// The same Apache without the snippet, as kolla has it by itself.
    bare: String,
    uwsgi: u16,
    folder: tempfile::TempDir,
}

impl Cloud {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, bare, uwsgi) = (free_port(), free_port(), free_port());
        let public = format!("https://localhost:{port}");
        let land = gateway(&public).await;
        let out = folder.path().join("out");
        let told = land.cloud.operate(&[
            "keystone",
            "kolla",
            "--out",
            out.to_str().unwrap(),
            "--horizon",
            HORIZON,
            "--skyline",
            "https://skyline.localhost:9999",
        ]);
        assert!(told.contains("--authorization-ttl 60 fedgate"), "{told}");
        let keystone = Keystone::start_as(&public, &wish(uwsgi, &folder.path().join("keystone"), None)).await;
        let globals = globals(&out);
        set_up(&keystone, &globals, &out, "2.0").await;
        let hosts = [
            (port, host(&globals, &public, (uwsgi, &land), true)),
            (bare, host(&globals, &public, (uwsgi, &land), false)),
        ];
        let files = metadata(&out);
        let apache = Apache::start(&hosts, &land.folder.path().join("tls"), &files).await;
        Self {
            land,
            keystone,
            apache,
            public,
            bare: format!("https://localhost:{bare}"),
            uwsgi,
            folder,
        }
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }

    /// The way of a browser that Horizon sends.
    fn websso(&self) -> String {
        format!(
            "{}/v3/auth/OS-FEDERATION/identity_providers/fedgate/protocols/openid/websso?origin={HORIZON}/auth/websso/",
            self.public
        )
    }

    async fn bearer(&self, base: &str, token: &str) -> (u16, Value) {
        let answer = client(&self.land.ca)
            .post(format!("{base}{AUTH}"))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }
}

fn wish<'a>(uwsgi: u16, dir: &'a Path, conf: Option<&'a Path>) -> Wish<'a> {
    Wish {
        kolla: Some(uwsgi),
        conf,
        dashboards: "https://horizon.localhost/auth/websso/",
        dir: Some(dir),
        ..Wish::default()
    }
}

/// The cloud's gateway with a Keystone behind Apache in place of its own, and Apache as its client.
async fn gateway(public: &str) -> Landscape {
    let edit = |name: &str, text: String| match name {
        "cloud-a" => {
            let (before, rest) = text.split_once("  - kind: keystone\n").unwrap();
            let (_, after) = rest.split_once("  - kind: kubernetes\n").unwrap();
            let text = format!(
                "{before}  - {{ kind: keystone_claims, id: openstack, name: OpenStack, audience: openstack, \
                 projects_json: true }}\n  - kind: kubernetes\n{after}"
            );
            let apache = format!(
                "\nclients:\n  - id: keystone\n    name: OpenStack\n    auth: {{ method: secret, secret: {{ file: ../demo-app.secret }} }}\n    \
                 grants: [authorization_code]\n    redirect_uris: [\"{public}/redirect_uri\"]\n    \
                 post_logout_redirect_uris: [\"{HORIZON}/auth/login/\"]\n    audiences: [openstack, \"https://localhost:8443\"]\n"
            );
            // So that there is a token of the gateway's own to be refused.
            let access = "\naccess:\n  - { rule: developers-elsewhere, tenant: acme, group: developers, target: keystone, session: true }\n";
            text.replacen("\nclients:\n", &apache, 1)
                .replacen("\naccess:\n", access, 1)
        }
        _ => text,
    };
    Landscape::start_with(&edit, &[]).await
}

fn globals(out: &Path) -> Value {
    serde_norway::from_str(&fs::read_to_string(out.join("globals.yml")).unwrap()).unwrap()
}

/// As kolla's template of the virtual host renders these globals.
fn host(globals: &Value, public: &str, (uwsgi, land): (u16, &Landscape), snippet: bool) -> String {
    let text = |name: &str| globals[name].as_str().unwrap().to_owned();
    let provider = &globals["keystone_identity_providers"][0];
    let (name, protocol) = (
        provider["name"].as_str().unwrap(),
        provider["protocol"].as_str().unwrap(),
    );
    let issuer: String =
        url::form_urlencoded::byte_serialize(provider["identifier"].as_str().unwrap().as_bytes()).collect();
    let options = globals["keystone_federation_oidc_additional_options"]
        .as_object()
        .unwrap();
    let options: String = options
        .iter()
        .filter(|(key, _)| snippet || *key != "Include")
        .map(|(key, value)| format!("    {key} {}\n", value.as_str().unwrap()))
        .collect();
    format!(
        r#"    ProxyPass / "uwsgi://localhost:{uwsgi}/"
    OIDCClaimPrefix "OIDC-"
    OIDCClaimDelimiter ";"
    OIDCResponseType "{response}"
    OIDCScope "{scopes}"
    OIDCMetadataDir @DIR@/metadata
    OIDCOAuthVerifyJwksUri {jwks}
    OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
    OIDCRedirectURI {public}/redirect_uri
    OIDCCABundlePath {ca}
{options}
    <Location ~ "/redirect_uri">
      Require valid-user
      AuthType openid-connect
    </Location>
    <Location /v3/auth/OS-FEDERATION/websso/openid>
      Require valid-user
      AuthType openid-connect
    </Location>
    <LocationMatch /v3/auth/OS-FEDERATION/identity_providers/{name}/protocols/{protocol}/websso>
      OIDCDiscoverURL {public}/redirect_uri?iss={issuer}
      Require valid-user
      AuthType openid-connect
    </LocationMatch>
    <LocationMatch /v3/OS-FEDERATION/identity_providers/{name}/protocols/{protocol}/auth>
      Require valid-user
      AuthType auth-openidc
    </LocationMatch>
"#,
        response = text("keystone_federation_oidc_response_type"),
        scopes = text("keystone_federation_oidc_scopes"),
        jwks = text("keystone_federation_oidc_jwks_uri"),
        ca = land.ca.display(),
    )
    .replace(
        "{{ keystone_container_federation_oidc_metadata_folder }}",
        "@DIR@/metadata",
    )
}

fn metadata(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(out.join("metadata")).unwrap() {
        let entry = entry.unwrap();
        let name = format!("metadata/{}", entry.file_name().to_str().unwrap());
        let held = entry.metadata().unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&held.permissions()) & 0o777;
        assert_eq!(mode == 0o600, name.ends_with(".client"), "{name}: {mode:o}");
        files.push((name, fs::read(entry.path()).unwrap()));
    }
    files
}

/// Keystone's administrator, at its own port.
async fn admin(keystone: &Keystone, method: reqwest::Method, path: &str, body: Value) -> Value {
    let http = plain_client();
    let password = json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": {
            "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
        "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
    let signed_in = http
        .post(format!("{}/v3/auth/tokens", keystone.url))
        .json(&password)
        .send()
        .await
        .unwrap();
    let token = signed_in.headers()["x-subject-token"]
        .to_str()
        .unwrap()
        .to_owned();
    let mut request = http
        .request(method, format!("{}/v3{path}", keystone.url))
        .header("X-Auth-Token", token);
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let told: Value = answer.json().await.unwrap_or_default();
    assert!(status.is_success(), "{path}: {status} {told}");
    told
}

/// What kolla's role does with these globals.
async fn set_up(keystone: &Keystone, globals: &Value, out: &Path, version: &str) {
    use reqwest::Method;
    let provider = &globals["keystone_identity_providers"][0];
    let domain = json!({ "domain": { "name": provider["openstack_domain"] } });
    let domain = admin(keystone, Method::POST, "/domains", domain).await;
    let path = format!(
        "/OS-FEDERATION/identity_providers/{}",
        provider["name"].as_str().unwrap()
    );
    let remote = json!({ "identity_provider": {
        "enabled": true, "domain_id": domain["domain"]["id"], "remote_ids": [provider["identifier"]] } });
    map(keystone, Method::PUT, out, version).await;
    admin(keystone, Method::PUT, &path, remote).await;
    let protocol = json!({ "protocol": { "mapping_id": provider["attribute_mapping"] } });
    admin(
        keystone,
        Method::PUT,
        &format!("{path}/protocols/openid"),
        protocol,
    )
    .await;
}

async fn map(keystone: &Keystone, method: reqwest::Method, out: &Path, version: &str) {
    let rules = fs::read_to_string(out.join(format!("mapping-{version}.json"))).unwrap();
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let mapping = json!({ "mapping": { "rules": rules, "schema_version": version } });
    admin(keystone, method, "/OS-FEDERATION/mappings/fedgate", mapping).await;
}

/// The projects and roles that a Keystone token gives, asked as its holder.
async fn projects(cloud: &Cloud, token: &str) -> Vec<String> {
    let answer = client(&cloud.land.ca)
        .get(format!("{}/v3/auth/projects", cloud.public))
        .header("X-Auth-Token", token)
        .send()
        .await
        .unwrap();
    let told: Value = answer.json().await.unwrap();
    let mut names: Vec<String> = told["projects"]
        .as_array()
        .unwrap_or_else(|| panic!("{told}"))
        .iter()
        .map(|project| project["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn token_in(page: &Page) -> String {
    let (_, rest) = page
        .html
        .split_once("name=\"token\"")
        .unwrap_or_else(|| panic!("no token: {} {}", page.url, page.html));
    rest.split('"').nth(3).unwrap().to_owned()
}

/// Access token and ID token of Apache's client for who is signed in in this browser.
async fn tokens(cloud: &Cloud, browser: &Browser, audience: &str) -> (String, String) {
    let back = format!("{}/redirect_uri", cloud.public);
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", "keystone")
        .append_pair("redirect_uri", &back)
        .append_pair("scope", "openid email")
        .append_pair("resource", audience)
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let url = cloud.land.cloud.at(&format!("/oauth2/authorize?{query}"));
    let page = browser
        .open_until(&url, &|url| url.path() == "/redirect_uri")
        .await;
    let code = page.query("code").unwrap_or_else(|| panic!("{}", page.url));
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &back),
        ("code_verifier", VERIFIER),
    ];
    let answer = client(&cloud.land.ca)
        .post(cloud.land.cloud.at("/oauth2/token"))
        .basic_auth("keystone", Some(APP_SECRET))
        .form(&form)
        .send()
        .await
        .unwrap();
    let told: Value = answer.json().await.unwrap();
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    (text("access_token"), text("id_token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_kolla_takes_our_people() {
    let cloud = Cloud::start().await;
    let browser = cloud.land.browser();
    a_person_signs_in_by_browser(&cloud, &browser).await;
    the_issuer_is_one_of_its_own(&cloud).await;
    the_stock_client_takes_a_bearer_token(&cloud, &browser).await;
    tokens_for_others_are_refused(&cloud, &browser).await;
    nobody_forges_a_header(&cloud).await;
    who_has_no_access_is_told_so(&cloud).await;
    let cloud = hardened_with_all_projects(cloud, &browser).await;
    signing_out_closes_apache_and_gateway(&cloud, &browser).await;
}

async fn a_person_signs_in_by_browser(cloud: &Cloud, browser: &Browser) {
    let chooser = browser.open(&cloud.websso()).await;
    let page = cloud.land.sign_in(browser, chooser, 0).await;
    assert_eq!(page.status, 200, "{}\n{}", page.html, cloud.apache.log());
    assert!(page.html.contains(&format!("action=\"{HORIZON}/auth/websso/\"")));
    let token = token_in(&page);
    // Schema 2.0: the one project on which alice has the role `member`, and not the one where she only reads.
    assert_eq!(projects(cloud, &token).await, ["webshop"]);
    // Skyline names no identity provider.
    let global = format!(
        "{}/v3/auth/OS-FEDERATION/websso/openid?origin={HORIZON}/auth/websso/",
        cloud.public
    );
    let fresh = browser.fresh();
    let chooser = fresh.open(&global).await;
    let page = cloud.land.sign_in(&fresh, chooser, 0).await;
    assert_eq!(projects(cloud, &token_in(&page)).await, ["webshop"]);
}

async fn the_issuer_is_one_of_its_own(cloud: &Cloud) {
    let get = async |path: &str| -> Value {
        let answer = client(&cloud.land.ca).get(cloud.land.cloud.at(path)).send().await;
        answer.unwrap().json().await.unwrap()
    };
    let issuer = cloud.land.cloud.at("/keystone");
    let document = get("/keystone/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], issuer.as_str());
    assert_eq!(document["jwks_uri"], format!("{issuer}/jwks").as_str());
    let (own, gateways) = (get("/keystone/jwks").await, get("/oauth2/jwks").await);
    let names = |document: &Value| -> Vec<String> {
        let keys = document["keys"].as_array().unwrap();
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&own).len(), 2);
    assert!(names(&own).iter().all(|kid| !names(&gateways).contains(kid)));
    // What was written for Apache is what is served.
    let provider = metadata(&cloud.out())
        .into_iter()
        .find(|(name, _)| name.ends_with(".provider"))
        .unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&provider.1).unwrap(), document);
}

async fn the_stock_client_takes_a_bearer_token(cloud: &Cloud, browser: &Browser) {
    let (access, _) = tokens(cloud, browser, "openstack").await;
    let url = format!("{}/v3", cloud.public);
    let mut command = std::process::Command::new(home().join("keystone/client/bin/openstack"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OS_")) {
        command.env_remove(name);
    }
    command.args([
        "--os-auth-type",
        "v3oidcaccesstoken",
        "--os-auth-url",
        &url,
        "--os-cacert",
        cloud.land.ca.to_str().unwrap(),
        "--os-identity-api-version",
        "3",
        "--os-identity-provider",
        "fedgate",
        "--os-protocol",
        "openid",
        "--os-access-token",
        &access,
        "--os-project-name",
        "webshop",
        "--os-project-domain-name",
        "acme",
        "token",
        "issue",
        "-f",
        "json",
    ]);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{}", cloud.apache.log());
    let issued: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(issued["project_id"].is_string(), "{issued}");
    let (_, body) = cloud.bearer(&cloud.public, &access).await;
    let user = &body["token"]["user"];
    assert_eq!(
        (&user["name"], &user["domain"]["name"]),
        (&json!("alice"), &json!("acme"))
    );
}

/// The ID token of the same sign-in has the same issuer and another audience; the gateway's own token has neither.
async fn tokens_for_others_are_refused(cloud: &Cloud, browser: &Browser) {
    let (access, id) = tokens(cloud, browser, "openstack").await;
    let (gateways, _) = tokens(cloud, browser, &cloud.land.cloud.issuer).await;
    assert_eq!(cloud.bearer(&cloud.public, &access).await.0, 201);
    assert_eq!(cloud.bearer(&cloud.public, &id).await.0, 401, "another audience");
    assert_eq!(
        cloud.bearer(&cloud.public, &gateways).await.0,
        401,
        "another issuer"
    );
    assert_eq!(cloud.bearer(&cloud.public, "nonsense").await.0, 401);
    // Without the snippet kolla's Apache takes the audience as it comes; what it cannot take is another ring's key.
    assert_eq!(cloud.bearer(&cloud.bare, &id).await.0, 201);
    assert_eq!(cloud.bearer(&cloud.bare, &gateways).await.0, 401);
    let none = async |base: &str| {
        let sent = client(&cloud.land.ca).post(format!("{base}{AUTH}")).send();
        sent.await.unwrap().status().as_u16()
    };
    assert_eq!(none(&cloud.public).await, 401, "no page for a program");
    assert_eq!(none(&cloud.bare).await, 200, "kolla's shows a page");
}

/// Keystone looks for identity on `POST /v3/auth/tokens` too, where mod_auth_openidc cleans nothing. A mapping of the
/// kind that older recipes have, by headers, shows the hole of the stock chain, and that the snippet closes it.
async fn nobody_forges_a_header(cloud: &Cloud) {
    use reqwest::Method;
    let rules = json!([{ "remote": [{ "type": "HTTP_OIDC_SUB" }],
        "local": [{ "user": { "id": "{0}", "name": "{0}", "domain": { "name": "acme" } } }] }]);
    let domain = admin(&cloud.keystone, Method::GET, "/domains?name=acme", Value::Null).await;
    let idp = json!({ "identity_provider": { "enabled": true, "domain_id": domain["domains"][0]["id"],
        "remote_ids": ["https://careless.example"] } });
    let (path, mapping) = (
        "/OS-FEDERATION/identity_providers/careless",
        json!({ "mapping": { "rules": rules, "schema_version": "1.0" } }),
    );
    admin(
        &cloud.keystone,
        Method::PUT,
        "/OS-FEDERATION/mappings/careless",
        mapping,
    )
    .await;
    admin(&cloud.keystone, Method::PUT, path, idp).await;
    let protocol = json!({ "protocol": { "mapping_id": "careless" } });
    admin(
        &cloud.keystone,
        Method::PUT,
        &format!("{path}/protocols/openid"),
        protocol,
    )
    .await;
    let body = |idp: &str| {
        json!({ "auth": { "identity": { "methods": ["openid"],
            "openid": { "identity_provider": idp, "protocol": "openid" } } } })
    };
    let forge = async |base: &str, idp: &str, (iss, sub): (&str, &str)| {
        let issuer = if idp == "careless" {
            "https://careless.example".to_owned()
        } else {
            cloud.land.cloud.at("/keystone")
        };
        let answer = client(&cloud.land.ca)
            .post(format!("{base}/v3/auth/tokens"))
            .header(iss, issuer)
            .header(sub, "victim")
            .header("OIDC-preferred_username", "victim")
            .header("OIDC-openstack-user-domain", "acme")
            .header("OIDC-openstack-default-project", "webshop")
            // The last one is empty: it must not hide the others.
            .header("OIDC-zzz", "")
            .json(&body(idp))
            .send();
        answer.await.unwrap().status().as_u16()
    };
    let plain = ("OIDC-ISS", "OIDC-SUB");
    assert_eq!(
        forge(&cloud.bare, "careless", plain).await,
        201,
        "the stock chain's hole"
    );
    for names in [
        plain,
        ("oidc-iss", "oidc-sub"),
        ("OIDC_ISS", "OIDC_SUB"),
        ("Oidc-iss", "OIDC_sub"),
    ] {
        for idp in ["careless", "fedgate"] {
            assert_eq!(forge(&cloud.public, idp, names).await, 403, "{names:?} {idp}");
        }
    }
    // Our own mapping goes by keys that no header makes, so that it holds in the stock chain too.
    assert_eq!(forge(&cloud.bare, "fedgate", plain).await, 401);
}

/// Carol is of acme and has nothing here: the gateway says so, before Apache and Keystone come into it.
async fn who_has_no_access_is_told_so(cloud: &Cloud) {
    let browser = cloud.land.browser();
    let chooser = browser.open(&cloud.websso()).await;
    let page = cloud.land.sign_in(&browser, chooser, 2).await;
    assert!(
        page.url.as_str().starts_with(&cloud.land.cloud.issuer),
        "{}",
        page.url
    );
    assert!(page.html.contains("NO_ACCESS"), "{}", page.html);
}

/// The override of `keystone.conf` and the mapping of schema 3.0: all projects, and those alone.
async fn hardened_with_all_projects(cloud: Cloud, browser: &Browser) -> Cloud {
    let (state, out) = (cloud.folder.path().join("keystone"), cloud.out());
    drop(cloud.keystone);
    let conf = out.join("keystone.conf");
    let keystone = Keystone::start_as(&cloud.public, &wish(cloud.uwsgi, &state, Some(&conf))).await;
    map(&keystone, reqwest::Method::PATCH, &out, "3.0").await;
    let cloud = Cloud { keystone, ..cloud };
    let page = browser.open(&cloud.websso()).await;
    assert_eq!(projects(&cloud, &token_in(&page)).await, ["platform", "webshop"]);
    let (access, _) = tokens(&cloud, browser, "openstack").await;
    assert_eq!(cloud.bearer(&cloud.public, &access).await.0, 201);
    cloud
}

/// Horizon's own way out leads through Apache and this gateway, and back.
async fn signing_out_closes_apache_and_gateway(cloud: &Cloud, browser: &Browser) {
    let horizon = fs::read_to_string(cloud.out().join("horizon.py")).unwrap();
    let way = horizon
        .lines()
        .find_map(|line| line.strip_prefix("WEBSSO_DEFAULT_REDIRECT_LOGOUT = "))
        .unwrap();
    let way: String = serde_json::from_str(way).unwrap();
    let left = browser
        .open_until(&way, &|url| url.host_str() == Some("horizon.localhost"))
        .await;
    assert_eq!(
        left.url.host_str(),
        Some("horizon.localhost"),
        "{}: {}\n{}",
        left.url,
        left.html,
        cloud.apache.log()
    );
    let again = browser.open(&cloud.websso()).await;
    assert_eq!(again.url.path(), "/login", "{}", again.html);
}
