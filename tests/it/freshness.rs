//! `prompt`, `max_age`, `id_token_hint` and `acr_values` through two real gateways: whoever must prove it
//! anew really types the password at the home organisation again, and whoever cannot is refused.

use std::time::Duration;

use serde_json::Value;

use crate::parts::gateway::{Browser, Landscape, PEOPLE, Page, shared};
use crate::parts::party::{authorize, claims, redeem, refused};

const ALICE: usize = 0;
const BOB: usize = 1;

/// Times in tokens are whole seconds.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(2100)).await;
}

/// Signs somebody in for the first time; what the ID token says.
async fn first(landscape: &Landscape, browser: &Browser, person: usize) -> (Value, String) {
    let chooser = browser.open(&authorize(landscape, &[])).await;
    let stopped = landscape.sign_in(browser, chooser, person).await;
    let tokens = redeem(landscape, &stopped).await;
    let text = tokens["id_token"].as_str().unwrap().to_owned();
    (claims(&tokens, "id_token"), text)
}

fn time(claims: &Value) -> i64 {
    claims["auth_time"]
        .as_i64()
        .unwrap_or_else(|| panic!("no auth_time: {claims}"))
}

#[tokio::test]
async fn who_must_sign_in_again_types_the_password_again_and_auth_time_moves() {
    let landscape = shared().await;
    let browser = landscape.browser();
    let (before, _) = first(&landscape, &browser, ALICE).await;
    let mut last = time(&before);
    for asked in [("prompt", "login"), ("max_age", "0"), ("max_age", "1")] {
        a_while().await;
        // `sign_in` fails unless acme shows its password form, although alice has a session there.
        let chooser = browser.open(&authorize(&landscape, &[asked])).await;
        let stopped = landscape.sign_in(&browser, chooser, ALICE).await;
        let after = claims(&redeem(&landscape, &stopped).await, "id_token");
        assert_eq!(after["sub"], before["sub"]);
        assert!(time(&after) > last, "{asked:?}: {} after {last}", time(&after));
        last = time(&after);
    }
    // The sign-in is young enough: nobody is asked, and nothing pretends to be younger.
    for asked in [[("max_age", "3600")].as_slice(), &[]] {
        let stopped = browser.open(&authorize(&landscape, asked)).await;
        let again = claims(&redeem(&landscape, &stopped).await, "id_token");
        assert_eq!(time(&again), last, "{asked:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_a_sign_in_anew() {
    let landscape = shared().await;
    let browser = landscape.browser();
    first(&landscape, &browser, ALICE).await;
    a_while().await;
    let chooser = browser.open(&authorize(&landscape, &[("prompt", "login")])).await;
    let form = landscape.to_acme(&browser, chooser).await;
    let again = browser
        .submit(&form, &[("username", "alice"), ("password", "wrong")])
        .await;
    assert!(
        again.url.as_str().starts_with(&landscape.acme.issuer) && again.url.path().ends_with("/password"),
        "{}: {}",
        again.url,
        again.text()
    );
}

/// The address to come back to is in the history of a browser that went through it. In another one, whose
/// sign-in is older than the request, it leads to the sign-in.
#[tokio::test]
async fn the_way_back_is_no_way_around_the_sign_in() {
    let landscape = shared().await;
    let (browser, other) = (landscape.browser(), landscape.browser());
    first(&landscape, &other, ALICE).await;
    a_while().await;
    // acme has one of its own on the way.
    let resume = |url: &url::Url| {
        url.as_str()
            .starts_with(&landscape.cloud.at("/oauth2/authorize/resume"))
    };
    let chooser = browser.open(&authorize(&landscape, &[("prompt", "login")])).await;
    let form = landscape.to_acme(&browser, chooser).await;
    let (username, password) = PEOPLE[ALICE];
    let stopped = browser
        .submit_until(&form, &[("username", username), ("password", password)], &resume)
        .await;
    assert!(resume(&stopped.url), "{}: {}", stopped.url, stopped.html);
    let elsewhere = other.open(stopped.url.as_str()).await;
    assert_eq!(elsewhere.url.path(), "/login", "{}", elsewhere.url);
    let broken = stopped.url.as_str().replace("flow=", "flow=x");
    let page = other.open(&broken).await;
    assert!(
        page.status == 400 && page.html.contains("SIGN_IN_EXPIRED"),
        "{}: {}",
        page.status,
        page.text()
    );
    // Where the sign-in was, it does lead on.
    redeem(&landscape, &browser.open(stopped.url.as_str()).await).await;
}

#[tokio::test]
async fn prompt_none_shows_nothing_and_says_what_is_missing() {
    let landscape = shared().await;
    let browser = landscape.browser();
    let ask = async |more: &[(&str, &str)]| -> Page { browser.open(&authorize(&landscape, more)).await };
    let none = ("prompt", "none");
    let stopped = ask(&[none]).await;
    assert_eq!(refused(&landscape, &stopped), "login_required", "nobody is there");

    let (bob, hint) = first(&landscape, &browser, BOB).await;
    let again = claims(&redeem(&landscape, &ask(&[none]).await).await, "id_token");
    assert_eq!((&again["sub"], time(&again)), (&bob["sub"], time(&bob)));
    let hinted = ask(&[none, ("id_token_hint", &hint)]).await;
    redeem(&landscape, &hinted).await;

    let (_, alices) = first(&landscape, &landscape.browser(), ALICE).await;
    for (more, error) in [
        ([none, ("max_age", "0")], "login_required"),
        ([none, ("acr_values", "urn:example:gold")], "login_required"),
        ([none, ("id_token_hint", &alices)], "login_required"),
        ([none, ("id_token_hint", "no.token.at-all")], "invalid_request"),
        ([none, ("max_age", "-1")], "invalid_request"),
        ([("prompt", "none login"), ("x", "y")], "invalid_request"),
        ([("prompt", "sometimes"), ("x", "y")], "invalid_request"),
    ] {
        let stopped = ask(&more).await;
        assert_eq!(refused(&landscape, &stopped), error, "{more:?}");
    }
}

#[tokio::test]
async fn another_person_or_a_weaker_sign_in_than_asked_for_is_refused() {
    let landscape = shared().await;
    let (_, alices) = first(&landscape, &landscape.browser(), ALICE).await;
    let browser = landscape.browser();
    let start = authorize(&landscape, &[("id_token_hint", &alices)]);
    let chooser = browser.open(&start).await;
    let stopped = landscape.sign_in(&browser, chooser, BOB).await;
    assert_eq!(refused(&landscape, &stopped), "login_required");
    // acme cannot say that it was "gold": an error, neither a code nor an endless way round.
    let browser = landscape.browser();
    let start = authorize(&landscape, &[("acr_values", "urn:example:gold")]);
    let chooser = browser.open(&start).await;
    let stopped = landscape.sign_in(&browser, chooser, ALICE).await;
    assert!(
        stopped.status == 403 && stopped.html.contains("UPSTREAM_REFUSED"),
        "{} {}: {}",
        stopped.status,
        stopped.url,
        stopped.text()
    );
}
