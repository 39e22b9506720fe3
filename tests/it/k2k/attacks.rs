//! What somebody could send instead of what the partner's Keystone has signed for this path and this moment.

use reqwest::{StatusCode, header};
use serde_json::Value;

use super::World;
use crate::parts::{
    cloud::AUTH,
    saml::{Draft, Pair, SHA1, cut, fresh, sign},
};

/// A refusal: its status, its reason, and that it is a document of Keystone's with a reference.
async fn refused(world: &World, name: &str, upstream: &str, message: Vec<u8>) -> (StatusCode, String) {
    let answer = world.post(upstream, message).await;
    let status = answer.status();
    assert!(answer.headers().get(header::SET_COOKIE).is_none(), "{name}");
    let body: Value = answer
        .json()
        .await
        .unwrap_or_else(|_| panic!("{name}: {status}, no JSON"));
    assert_eq!(body["error"]["code"], status.as_u16(), "{name}: {body}");
    let told = body["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("reference "), "{name}: {told}");
    (status, told)
}

/// The eight classic wrappings (Somorovsky et al. 2012), as far as they differ without a signature of the response. The
/// evil assertion keeps its own ID or takes the signed one's.
fn wrapped(signed: &str, same_id: bool) -> Vec<(String, String)> {
    let (head, assertion, tail) = cut(signed, "saml:Assertion");
    let (before, signature, after) = cut(assertion, "ds:Signature");
    let bare = format!("{before}{after}");
    let id = assertion
        .split("ID=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let evil = bare.replace(">ada<", ">eve<");
    let evil = if same_id { evil } else { evil.replace(id, &fresh()) };
    let into = |outer: &str, place: &str, inner: &str| outer.replacen(place, &format!("{inner}{place}"), 1);
    let evil_signed = into(&evil, "<saml:Subject>", signature);
    let (_, response, _) = cut(signed, "samlp:Response");
    let own = response.split("ID=\"").nth(1).unwrap().split('"').next().unwrap();
    let response = response.replacen(own, &fresh(), 1);
    let evil_response = |inner: &str| format!("{head}{inner}{tail}");
    [
        (
            "1: the whole response after the evil one",
            evil_response(&format!("{evil}{response}")),
        ),
        (
            "2: the whole response before the evil one",
            evil_response(&format!("{response}{evil}")),
        ),
        (
            "3: the evil one before the signed one",
            evil_response(&format!("{evil}{assertion}")),
        ),
        (
            "4: the signed one in the evil one",
            evil_response(&into(&evil, "</saml:Assertion>", assertion)),
        ),
        (
            "5: the signature in the evil one, the signed one behind it",
            evil_response(&format!("{evil_signed}{bare}")),
        ),
        (
            "6: the signed one in the signature of the evil one",
            evil_response(&evil_signed.replacen("</ds:Signature>", &format!("{bare}</ds:Signature>"), 1)),
        ),
        (
            "7: the evil one in extensions",
            evil_response(&format!("<samlp:Extensions>{evil}</samlp:Extensions>{assertion}")),
        ),
        (
            "8: the signed one in an object",
            evil_response(&evil_signed.replacen(
                "</ds:Signature>",
                &format!("<ds:Object>{bare}</ds:Object></ds:Signature>"),
                1,
            )),
        ),
    ]
    .into_iter()
    .map(|(name, message)| (format!("wrapping {name}, same ID: {same_id}"), message))
    .collect()
}

/// Name, upstream, message, and the reason of its refusal.
type Case = (String, &'static str, Vec<u8>, &'static str);

fn case(name: &str, message: impl Into<Vec<u8>>, reason: &'static str) -> Case {
    (name.to_owned(), "partner", message.into(), reason)
}

/// Changed after it was signed, or signed as nobody should.
fn forged(world: &World) -> Vec<Case> {
    let signed = || world.draft("partner").signed(&world.pair);
    let after = |from: &str, to: &str| {
        let message = signed();
        assert!(message.contains(from), "{from}");
        message.replacen(from, to, 1)
    };
    let message = signed();
    let (before, signature, rest) = cut(&message, "ds:Signature");
    let template = |of: [&'static str; 2]| {
        Draft {
            algorithms: of,
            ..world.draft("partner")
        }
        .template()
    };
    let stranger = Pair::make(world.folder.path(), "stranger");
    let certificate = world.pair.certificate.display().to_string();
    let mac = [
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ];
    let md5 = [
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ];
    let cut_mac = template(mac).replace(
        "hmac-sha256\"/>",
        "hmac-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>",
    );
    let by_partner = format!("{},{certificate}", world.pair.key.display());
    let mut cases = vec![
        case("unsigned", format!("{before}{rest}"), "signature_missing"),
        case("a changed attribute", after("devs", "root"), "signature_digest"),
        case(
            "a changed name",
            after("<saml:NameID>ada", "<saml:NameID>eve"),
            "signature_digest",
        ),
        case(
            "another key, which the message brings",
            world.draft("partner").signed(&stranger),
            "signature_key",
        ),
        case(
            "a MAC with the certificate as its secret",
            sign(&template(mac), &["--hmackey", &certificate]),
            "signature_algorithm",
        ),
        case("a MAC cut to one byte", cut_mac, "signature_shape"),
        case(
            "MD5",
            sign(&template(md5), &["--privkey-pem", &by_partner]),
            "signature_algorithm",
        ),
        case(
            "the signature at the response",
            format!(
                "{}{signature}<samlp:Status>{}",
                before.split_once("<samlp:Status>").unwrap().0,
                before.split_once("<samlp:Status>").unwrap().1.to_owned() + rest
            ),
            "signature_shape",
        ),
        case(
            "two signatures",
            after("<saml:Subject>", &format!("{signature}<saml:Subject>")),
            "signature_shape",
        ),
        case(
            "a second assertion of its own",
            {
                let (head, one, tail) = cut(&message, "saml:Assertion");
                let other = signed();
                format!("{head}{one}{}{tail}", cut(&other, "saml:Assertion").1)
            },
            "saml_assertions",
        ),
    ];
    for same_id in [false, true] {
        let expected = if same_id {
            "xml_duplicate_id"
        } else {
            "saml_assertions"
        };
        for (name, message) in wrapped(&message, same_id) {
            cases.push((name, "partner", message.into_bytes(), expected));
        }
    }
    cases
}

/// Signed well, and not for us or not for now.
fn elsewhere(world: &World) -> Vec<Case> {
    let with = |upstream: &str, change: &dyn Fn(&mut Draft)| {
        let mut draft = world.draft(upstream);
        change(&mut draft);
        draft.signed(&world.pair).into_bytes()
    };
    vec![
        case(
            "for another partner's path",
            with("partner", &|draft| draft.recipient = world.door("strict")),
            "saml_recipient",
        ),
        (
            "brought to another partner's path".to_owned(),
            "strict",
            with("partner", &|_| {}),
            "saml_recipient",
        ),
        case(
            "of another issuer",
            with("partner", &|draft| {
                draft.issuer = "https://strict.example".to_owned();
            }),
            "saml_issuer",
        ),
        case("over", with("partner", &|draft| draft.life = -61), "saml_expired"),
        case(
            "valid for two hours",
            with("partner", &|draft| draft.life = 7200),
            "saml_lifetime",
        ),
        case(
            "of a sign-in that failed",
            with("partner", &|draft| draft.status = "Responder"),
            "saml_status",
        ),
        case(
            "about nobody",
            with("partner", &|draft| draft.user = String::new()),
            "saml_subject",
        ),
        case(
            "with a group that cannot be read",
            with("partner", &|draft| draft.groups = vec!["root".to_owned()]),
            "saml_attribute:openstack_groups",
        ),
        (
            "SHA-1 without a day".to_owned(),
            "strict",
            with("strict", &|draft| draft.algorithms = SHA1),
            "signature_sha1",
        ),
        (
            "SHA-1 after its day".to_owned(),
            "past",
            with("past", &|draft| draft.algorithms = SHA1),
            "signature_sha1_ended:2020-01-01",
        ),
    ]
}

/// What no parser should see, or what parsers read differently.
fn misshapen(world: &World) -> Vec<Case> {
    let signed = || world.draft("partner").signed(&world.pair);
    let after = |from: &str, to: &str| {
        let message = signed();
        assert!(message.contains(from), "{from}");
        message.replacen(from, to, 1)
    };
    let deep = format!("{}{}", "<x>".repeat(20_000), "</x>".repeat(20_000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
    let mut latin = signed().into_bytes();
    let at = latin.windows(4).position(|four| four == b"devs").unwrap();
    latin[at] = 0xe9;
    vec![
        case(
            "a comment in the name",
            after(">ada<", ">ada<!-- -->.example<"),
            "xml_markup",
        ),
        case(
            "a comment in a value",
            after("member<", "mem<!-- -->ber<"),
            "xml_markup",
        ),
        case(
            "CDATA in the name",
            after(">ada<", "><![CDATA[ada]]><"),
            "xml_markup",
        ),
        case(
            "a processing instruction",
            after(">ada<", ">ada<?x y?><"),
            "xml_markup",
        ),
        case(
            "a document type",
            after(
                "<soap:Envelope",
                "<!DOCTYPE x SYSTEM \"http://127.0.0.1:9/\"><soap:Envelope",
            ),
            "xml_doctype",
        ),
        case(
            "an entity bomb",
            after("<soap:Envelope", &format!("{bomb}<soap:Envelope")),
            "xml_doctype",
        ),
        case(
            "20,000 levels",
            after("<soap:Header/>", &format!("<soap:Header>{deep}</soap:Header>")),
            "xml_too_deep",
        ),
        case("not UTF-8", latin, "xml_encoding"),
        case(
            "another encoding declared",
            after(
                "<?xml version=\"1.0\"",
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"",
            ),
            "xml_encoding",
        ),
        case("cut off", signed().split_at(3000).0.to_owned(), "xml_broken"),
        case("nothing", "", "xml_broken"),
        case(
            "two bodies",
            after("<soap:Body>", "<soap:Body/><soap:Body>"),
            "saml_envelope",
        ),
        case(
            "no envelope",
            cut(&signed(), "samlp:Response").1.to_owned(),
            "xml_broken",
        ),
        case(
            "an ID twice",
            after(
                "<soap:Header/>",
                "<soap:Header><x ID=\"1\"/><x Id=\"1\"/></soap:Header>",
            ),
            "xml_duplicate_id",
        ),
        case(
            "longer than 1 MiB",
            after(
                "<soap:Header/>",
                &format!("<soap:Header>{}</soap:Header>", "x".repeat(1024 * 1024)),
            ),
            "xml_too_long",
        ),
    ]
}

pub(super) async fn each_message_has_its_own_refusal(world: &World) {
    let cases = [forged(world), elsewhere(world), misshapen(world)].concat();
    assert!(cases.len() > 45);
    for (name, upstream, message, reason) in cases {
        let (status, told) = refused(world, &name, upstream, message).await;
        assert!(told.contains(&format!("[{reason}]")), "{name}: {told}");
        let (expected, code) = match reason {
            "xml_too_long" => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"),
            _ => (StatusCode::FORBIDDEN, "PROOF_INVALID"),
        };
        assert_eq!(status, expected, "{name}: {told}");
        assert!(told.contains(code), "{name}: {told}");
        // What to do stands there, and not the reason's name again.
        assert!(
            !told.contains(&format!("{reason} [")),
            "{name} has no text: {told}"
        );
    }
    // Nobody can fill the trail with what nobody has signed.
    assert!(world.events("sign_in_refused").await.is_empty());
}

pub(super) async fn a_message_counts_once(world: &World) {
    let message = world.draft("partner").signed(&world.pair);
    world.cookie(&message).await;
    let (head, response, tail) = cut(&message, "samlp:Response");
    let id = response.split("ID=\"").nth(1).unwrap().split('"').next().unwrap();
    let again = response.replacen(id, &fresh(), 1);
    let anew = format!(
        "{}<soap:Header><x/></soap:Header><soap:Body>{again}{tail}",
        head.split_once("<soap:Header/>").unwrap().0
    );
    for (name, message) in [("again", message), ("in a new envelope", anew)] {
        let (status, told) = refused(world, name, "partner", message.into_bytes()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}: {told}");
        assert!(
            told.contains("TOKEN_REPLAYED") && told.contains("[saml_replayed]"),
            "{name}: {told}"
        );
    }
    let events = world.events("sign_in_refused").await;
    assert_eq!(events.len(), 2, "{events:?}");
}

pub(super) async fn a_ticket_counts_once_and_at_one_path(world: &World) {
    let cookie = world.cookie(&world.draft("partner").signed(&world.pair)).await;
    // At another path it is no proof: Keystone itself refuses.
    for path in [
        "/v3/OS-FEDERATION/identity_providers/other/protocols/openid/auth",
        "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/saml2/auth",
        "/v3/auth/projects",
    ] {
        let answer = world.go_on(path, &cookie).await;
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        assert!(answer.headers().get("x-subject-token").is_none(), "{path}");
    }
    // With a bearer token beside it, it is a question which of the two counts.
    let request = world.http.get(format!("{}{AUTH}", world.issuer));
    let request = request.header(header::COOKIE, &cookie).bearer_auth("x");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("two proofs"));
    let twice = world.go_on(AUTH, &format!("{cookie}; {cookie}")).await;
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
    let first = world.go_on(AUTH, &cookie).await;
    assert_eq!(first.status(), StatusCode::CREATED, "{}", world.log());
    let guessed = format!("__Host-fg-arrival={}", "A".repeat(43));
    for cookie in [cookie, guessed] {
        let answer = world.go_on(AUTH, &cookie).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let told = answer.text().await.unwrap();
        assert!(
            told.contains("SIGN_IN_EXPIRED") && told.contains("[arrival_unknown]"),
            "{told}"
        );
    }
    // Several at once: one gets in.
    let cookie = world.cookie(&world.draft("partner").signed(&world.pair)).await;
    let all = (0..8).map(|_| world.go_on(AUTH, &cookie));
    let made = futures_util::future::join_all(all).await;
    let let_in = made
        .iter()
        .filter(|answer| answer.status() == StatusCode::CREATED);
    assert_eq!(let_in.count(), 1);
}

pub(super) async fn the_door_takes_messages_alone(world: &World) {
    let message = world.draft("partner").signed(&world.pair);
    let door = world.door("partner");
    let get = world.http.get(&door).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    // What a form of another site can send.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "text/xml"] {
        let request = world.http.post(&door).header(header::CONTENT_TYPE, kind);
        let answer = request.body(message.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    for upstream in ["nobody", "NOBODY", "%2e%2e"] {
        let answer = world.post(upstream, message.clone()).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{upstream}");
    }
    // It was not used up by any of that.
    world.cookie(&message).await;
}

/// Who sends slowly keeps a place for each message that has not come, and there are so many.
pub(super) async fn messages_are_kept_in_bounds(world: &World) {
    let begin = || {
        let body =
            reqwest::Body::wrap_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let request = world.http.post(world.door("partner"));
        let request = request.header(header::CONTENT_TYPE, "application/vnd.paos+xml");
        tokio::spawn(request.body(body).send())
    };
    let mut slow: Vec<_> = (0..40).map(|_| begin()).collect();
    let crowded = || async {
        let answer = world.post("partner", "<no-message/>").await;
        answer.status() == StatusCode::SERVICE_UNAVAILABLE
    };
    let (mut turns, mut anew) = (0, 0);
    while !crowded().await {
        turns += 1;
        assert!(
            turns < 200,
            "40 slow messages are all kept ({anew} were begun anew)"
        );
        // All share one connection, and what was refused before may just have ended it.
        for one in slow.iter_mut().filter(|one| one.is_finished()) {
            *one = begin();
            anew += 1;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    slow.iter().for_each(tokio::task::JoinHandle::abort);
    turns = 0;
    while crowded().await {
        turns += 1;
        assert!(turns < 200, "a place is not given back");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    world.cookie(&world.draft("partner").signed(&world.pair)).await;
}
