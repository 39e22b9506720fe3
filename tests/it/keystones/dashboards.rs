//! WebSSO before other Keystones than `front` has: by the path of the identity provider, and by the global one.

use crate::parts::{
    cloud::{Cloud, DASHBOARD, PASSWORD},
    gateway::Browser,
    plain_client,
};

/// A browser that a dashboard sends: through the gateway's sign-in to Keystone's own page, whose token is good for the
/// person's projects; signing out ends it, and what was made of it.
pub(super) async fn a_dashboard_gets_a_token_that_signing_out_ends(cloud: &Cloud) {
    for path in [
        "identity_providers/fedgate/protocols/openid/websso",
        "websso/openid",
    ] {
        let browser = Browser::at(&cloud.issuer);
        let start = format!("{}/v3/auth/OS-FEDERATION/{path}?origin={DASHBOARD}", cloud.issuer);
        let chooser = browser.open(&start).await;
        let form = browser.submit(&chooser, &[("organisation", "acme")]).await;
        let typed = [("username", "bob"), ("password", PASSWORD)];
        let page = browser.submit(&form, &typed).await;
        assert_eq!(page.status, 200, "{}\n{}", page.html, cloud.log());
        assert!(
            page.html.contains(&format!("action=\"{DASHBOARD}\"")),
            "{}",
            page.html
        );
        let token = hidden(&page.html, "token");
        assert_eq!(cloud.projects(&token).await, ["bench"]);
        let (scoped, body) = cloud.scoped(&token, ("acme", "bench")).await.unwrap();
        assert_eq!(body["token"]["user"]["name"], "bob");
        assert_eq!(body["token"]["user"]["domain"]["name"], "acme");

        let leave = format!("{}/logout?next={DASHBOARD}", cloud.issuer);
        let question = browser.open(&leave).await;
        let done = browser.submit(&question, &[]).await;
        assert!(
            done.text().contains("Your sign-in at OpenStack"),
            "{}",
            done.text()
        );
        for token in [&token, &scoped] {
            let request = plain_client()
                .get(format!("{}/v3/auth/tokens", cloud.keystone.url))
                .header("x-auth-token", token)
                .header("x-subject-token", token);
            let status = request.send().await.unwrap().status();
            assert!(matches!(status.as_u16(), 401 | 404), "{status}: it is still good");
        }
    }
    // Somewhere else, nobody is sent.
    let start = format!(
        "{}/v3/auth/OS-FEDERATION/websso/openid?origin=http://localhost:9991/auth/websso/",
        cloud.issuer
    );
    let page = Browser::at(&cloud.issuer).open(&start).await;
    assert!(page.html.contains("BAD_CLIENT"), "{}", page.html);
}

fn hidden(html: &str, name: &str) -> String {
    let html = scraper::Html::parse_document(html);
    let inputs = scraper::Selector::parse(&format!("input[name={name}]")).unwrap();
    let input = html.select(&inputs).next().expect("it is there");
    input.attr("value").unwrap().to_owned()
}
