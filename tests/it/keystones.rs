//! The same sign-in before other Keystones than most tests use: Debian 12's Keystone 22, which knows mapping schema
//! 1.0 alone, and Keystone 30 on PostgreSQL.

mod dashboards;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::parts::{
    cloud::{self, AUTH, Cloud, PREFIX},
    keystone::{Release, Wish},
    plain_client,
    postgres::{Postgres, as_sqlalchemy},
};

const ODD: &str = "größe; name 'x'";

/// Whether a finding of this check and grade says this.
fn found(findings: &[Value], (check, grade): (&str, &str), what: &str) -> bool {
    findings.iter().any(|finding| {
        finding["check"] == check
            && finding["grade"] == grade
            && finding["what"].as_str().unwrap().contains(what)
    })
}

/// Set up twice: the second time nothing is left to do.
fn setup_makes_all_of_it_once(cloud: &Cloud) {
    let planned = cloud.set_up(&["--dry-run"]);
    assert!(planned.contains("create   domain 'acme'"), "{planned}");
    let made = cloud.set_up(&[]);
    assert_eq!(made, planned, "the plan is what is then done");
    let again = cloud.set_up(&[]);
    for line in again.lines().take_while(|line| !line.is_empty()) {
        assert!(line.starts_with("ok "), "{line}");
    }
}

/// Unscoped, the projects, scoped, and nobody reaches what is not theirs.
async fn people_reach_their_projects_and_no_others(cloud: &Cloud) {
    let (token, body) = cloud.sign_in("script", "alice").await;
    assert_eq!(body["token"]["user"]["name"], "alice");
    assert_eq!(body["token"]["user"]["domain"]["name"], "acme");
    assert!(body["token"].get("project").is_none(), "{body}");
    assert_eq!(cloud.projects(&token).await, [ODD, "lab", "webshop"]);
    for (project, roles) in [
        (("acme", "webshop"), &["member"][..]),
        (("acme-labs", "lab"), &["reader"]),
        (("acme", ODD), &["member", "reader"]),
    ] {
        let (_, body) = cloud.scoped(&token, project).await.unwrap();
        let mut names = cloud::roles(&body);
        // Keystone adds what a role implies.
        names.retain(|name| roles.contains(name));
        assert_eq!(names, roles, "{project:?}");
        let catalog = body["token"]["catalog"].to_string();
        assert!(catalog.contains(&cloud.issuer), "{catalog}");
    }
    let (bob, body) = cloud.sign_in("script", "bob").await;
    assert_eq!(body["token"]["user"]["domain"]["name"], "acme");
    assert_eq!(cloud.projects(&bob).await, ["bench"]);
    let (carol, body) = cloud.sign_in("beta-script", "carol").await;
    assert_eq!(body["token"]["user"]["domain"]["name"], "beta", "{body}");
    assert_eq!(cloud.projects(&carol).await, ["webshop"]);
    cloud.scoped(&carol, ("beta", "webshop")).await.unwrap();
    for (token, project) in [
        (&bob, ("acme", "webshop")),
        (&carol, ("acme", "webshop")),
        (&carol, ("acme-labs", "lab")),
        (&token, ("beta", "webshop")),
        (&token, ("acme", "bench")),
    ] {
        let refused = cloud.scoped(token, project).await.unwrap_err();
        assert_eq!(refused, StatusCode::UNAUTHORIZED, "{project:?}");
    }
    a_tenant_is_invisible_to_another(cloud, (&token, &carol)).await;
    // Without a token of the gateway nobody comes in.
    let request = plain_client().post(format!("{}{AUTH}", cloud.issuer));
    let answer = request.bearer_auth("no token").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

/// Carol, with a role on a project of her own, asks for what is alice's.
async fn a_tenant_is_invisible_to_another(cloud: &Cloud, (alice, carol): (&str, &str)) {
    let (_, body) = cloud.scoped(alice, ("acme", "webshop")).await.unwrap();
    let text = |pointer: &str| body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let (user, domain) = (text("/token/user/id"), text("/token/user/domain/id"));
    let project = text("/token/project/id");
    let (token, _) = cloud.scoped(carol, ("beta", "webshop")).await.unwrap();
    for path in [
        format!("/v3/users/{user}"),
        format!("/v3/users/{user}/projects"),
        format!("/v3/users?domain_id={domain}"),
        "/v3/users?name=alice".to_owned(),
        format!("/v3/groups?domain_id={domain}"),
        format!("/v3/projects?domain_id={domain}"),
        format!("/v3/projects/{project}"),
        format!("/v3/role_assignments?scope.project.id={project}"),
    ] {
        let request = plain_client()
            .get(format!("{}{path}", cloud.issuer))
            .header("x-auth-token", &token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
    }
}

/// With the names that this Keystone believes, in four spellings; straight at it, and through the gateway.
async fn forged_headers_pass_keystone_and_not_the_gateway(cloud: &Cloud, (idp, remote_id): (&str, &str)) {
    let auth = AUTH.replace("/fedgate/", &format!("/{idp}/"));
    let body = json!({ "auth": { "identity": { "methods": ["openid"],
        "openid": { "identity_provider": idp, "protocol": "openid" } } } });
    let facts = [
        ("ISS", remote_id),
        ("SUB", "victim"),
        ("PREFERRED-USERNAME", "victim"),
        ("DOMAIN", "acme"),
        ("OPENSTACK-PROJECTS", "[]"),
        ("GROUPS", "admins"),
    ];
    let spellings: [fn(&str) -> String; 4] = [
        |end| format!("{PREFIX}{end}"),
        |end| format!("OIDC_{}", end.replace('-', "_")),
        |end| format!("oidc_{}", end.replace('-', "_").to_lowercase()),
        |end| format!("Oidc-{}", end.replace('-', "_")),
    ];
    for spell in spellings {
        for (method, path) in [
            (Method::POST, "/v3/auth/tokens"),
            (Method::POST, &auth),
            (Method::GET, &auth),
        ] {
            for (base, expected) in [(&cloud.keystone.url, 201), (&cloud.issuer, 401)] {
                let mut request = plain_client().request(method.clone(), format!("{base}{path}"));
                for (end, value) in facts {
                    request = request.header(spell(end), value);
                }
                if path == "/v3/auth/tokens" {
                    request = request.json(&body);
                }
                let answer = request.send().await.unwrap();
                let status = answer.status();
                let told = answer.text().await.unwrap();
                assert_eq!(
                    status,
                    expected,
                    "{method} {base}{path} by {}: {told}",
                    spell("SUB")
                );
            }
        }
    }
}

/// Over uwsgi identity comes by keys: headers of any spelling are no such keys, straight at Keystone or through the
/// gateway.
async fn headers_make_no_keys(cloud: &Cloud, (idp, remote_id): (&str, &str)) {
    let auth = AUTH.replace("/fedgate/", &format!("/{idp}/"));
    for prefix in ["FEDGW_", "FEDGW-", "fedgw-", "HTTP_FEDGW_", PREFIX] {
        for base in [&cloud.keystone.url, &cloud.issuer] {
            let mut request = plain_client().post(format!("{base}{auth}"));
            for (end, value) in [
                ("ISS", remote_id),
                ("SUB", "victim"),
                ("PREFERRED_USERNAME", "victim"),
                ("DOMAIN", "acme"),
            ] {
                request = request.header(format!("{prefix}{end}"), value);
            }
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{prefix} at {base}");
        }
    }
}

#[tokio::test]
async fn keystone_22_over_uwsgi() {
    if Release::Debian22.is_absent() {
        println!("NOT RUN: apt has no Keystone 22 here; tests/parts/keystone-22.sh says more");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("keystone.sock");
    let wish = Wish {
        release: Release::Debian22,
        socket: Some(&socket),
        ..Wish::default()
    };
    let cloud = Cloud::start(wish, "1.0").await;
    setup_makes_all_of_it_once(&cloud);
    people_reach_their_projects_and_no_others(&cloud).await;
    let remote_id = format!("{}/keystone/acme", cloud.issuer);
    headers_make_no_keys(&cloud, ("fedgate-acme", &remote_id)).await;
    dashboards::a_dashboard_gets_a_token_that_signing_out_ends(&cloud).await;
    let (code, findings) = cloud.doctor(&["--keystone-version", &Release::Debian22.version()]);
    assert_eq!(code, 0, "{findings:#?}");
    assert!(found(&findings, ("trusted_dashboard", "ok"), ""), "{findings:#?}");
}

#[tokio::test]
async fn keystone_30_on_postgresql() {
    let postgres = Postgres::shared();
    let url = as_sqlalchemy(&postgres.database());
    let wish = Wish {
        database: Some(&url),
        ..Wish::default()
    };
    let cloud = Cloud::start(wish, "3.0").await;
    setup_makes_all_of_it_once(&cloud);
    people_reach_their_projects_and_no_others(&cloud).await;
    let remote_id = format!("{}/keystone", cloud.issuer);
    forged_headers_pass_keystone_and_not_the_gateway(&cloud, ("fedgate", &remote_id)).await;
    let (code, findings) = cloud.doctor(&["--keystone-version", "30.0.0"]);
    assert_eq!(code, 0, "{findings:#?}");
    // What was taken away is gone at the next sign-in.
    cloud.end_rule_run();
    let held = until(async || {
        let (token, _) = cloud.sign_in("script", "alice").await;
        cloud.projects(&token).await.len() == 1
    });
    held.await;
    let (token, _) = cloud.sign_in("script", "alice").await;
    assert_eq!(cloud.projects(&token).await, ["webshop"]);
}

/// Waits until the gateway has taken a change into use.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..50 {
        if so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the change is not in use after five seconds");
}

/// Groups outlive a sign-in by their time to live and no longer: the test moves what Keystone wrote down of alice.
async fn fifteen_minutes_pass(cloud: &Cloud) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(cloud.state.join("keystone.db"));
    let mut base = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let moved = sqlx::query(
        "UPDATE expiring_user_group_membership SET last_verified = datetime(last_verified, '-15 minutes', '-1 seconds')",
    );
    assert!(moved.execute(&mut base).await.unwrap().rows_affected() > 0);
}

#[tokio::test]
async fn keystone_22_of_debian() {
    if Release::Debian22.is_absent() {
        println!("NOT RUN: apt has no Keystone 22 here; tests/parts/keystone-22.sh says more");
        return;
    }
    // As `keystone setup` advises, but shorter: what Keystone has computed of roles it keeps for this long.
    let conf = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(conf.path(), "[role]\ncache_time = 1\n").unwrap();
    let wish = Wish {
        release: Release::Debian22,
        conf: Some(conf.path()),
        ..Wish::default()
    };
    let cloud = Cloud::start(wish, "1.0").await;
    setup_makes_all_of_it_once(&cloud);
    people_reach_their_projects_and_no_others(&cloud).await;
    let remote_id = format!("{}/keystone/acme", cloud.issuer);
    forged_headers_pass_keystone_and_not_the_gateway(&cloud, ("fedgate-acme", &remote_id)).await;
    an_identity_provider_speaks_for_its_own_domain(&cloud).await;
    dashboards::a_dashboard_gets_a_token_that_signing_out_ends(&cloud).await;

    // A role that was taken away: the next sign-in does not name its group, and it lapses.
    cloud.end_rule_run();
    let held = until(async || {
        let (_, body) = cloud.sign_in("script", "alice").await;
        let groups = &body["token"]["user"]["OS-FEDERATION"]["groups"];
        groups.as_array().unwrap().len() == 1
    });
    held.await;
    fifteen_minutes_pass(&cloud).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let (token, _) = cloud.sign_in("script", "alice").await;
    assert_eq!(cloud.projects(&token).await, ["webshop"]);
    assert!(cloud.scoped(&token, ("acme-labs", "lab")).await.is_err());

    // The doctor knows the package, and what it has mended.
    let (code, findings) = cloud.doctor(&["--keystone-version", &Release::Debian22.version()]);
    assert_eq!(code, 0, "{findings:#?}");
    for (check, grade, what) in [
        ("keystone_objects", "ok", "identity provider 'fedgate-acme'"),
        (
            "keystone_objects",
            "ok",
            "role 'member' on beta/webshop for group fedgate-",
        ),
        ("keystone_release", "warning", "LP 2146771"),
        // Its default is off.
        ("enforce_scope", "warning", "a token for the system"),
        ("forged_headers", "ok", "refuses forged OIDC-"),
    ] {
        assert!(found(&findings, (check, grade), what), "{what}: {findings:#?}");
    }
    assert!(
        !findings
            .iter()
            .any(|one| one.to_string().contains("CVE-2026-44394"))
    );
    let past = cloud.keystone.url.clone();
    let (code, findings) = cloud.doctor(&["--past", &past]);
    assert_eq!(code, 1);
    assert!(
        found(&findings, ("forged_headers", "critical"), &past),
        "{findings:#?}"
    );

    what_it_does_not_know_is_told(&cloud).await;
}

/// Beta's identity provider names acme's groups, and gets none.
async fn an_identity_provider_speaks_for_its_own_domain(cloud: &Cloud) {
    let (_, body) = cloud.sign_in("script", "alice").await;
    let groups = body["token"]["user"]["OS-FEDERATION"]["groups"]
        .as_array()
        .unwrap();
    // Webshop, lab, and two on the odd one.
    assert_eq!(groups.len(), 4, "{body}");
    let of_acme = fedgate::target::keystone::groups::named(("acme", "webshop", "member"));
    let remote_id = format!("{}/keystone/beta", cloud.issuer);
    // As the gateway itself speaks to Keystone, if it were wrong about the groups.
    let request = plain_client()
        .post(format!(
            "{}{}",
            cloud.keystone.url,
            AUTH.replace("/fedgate/", "/fedgate-beta/")
        ))
        .header("OIDC-ISS", &remote_id)
        .header("OIDC-SUB", "somebody")
        .header("OIDC-PREFERRED-USERNAME", "somebody")
        .header("OIDC-GROUPS", of_acme);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        body["token"]["user"]["OS-FEDERATION"]["groups"],
        json!([]),
        "{body}"
    );
    assert_eq!(body["token"]["user"]["domain"]["name"], "beta");
}

/// Schema 3.0 is refused with what to do, by the doctor and by the setup.
async fn what_it_does_not_know_is_told(cloud: &Cloud) {
    let path = cloud.folder.path().join("fedgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("mapping_schema: \"1.0\"", "mapping_schema: \"3.0\""),
    )
    .unwrap();
    let (code, findings) = cloud.doctor(&["--keystone-version", &Release::Debian22.version()]);
    assert_eq!(code, 1);
    assert!(
        found(
            &findings,
            ("keystone_release", "critical"),
            "does not know mapping schema 3.0"
        ),
        "{findings:#?}"
    );
    let done = cloud.fedgate(&["keystone", "setup"]);
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success());
    assert!(
        told.contains("mapping_schema: \"1.0\"") && told.contains("2026.1"),
        "{told}"
    );
    std::fs::write(&path, text).unwrap();
}
