//! Addresses, audiences and lifetimes that must fit together.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use serde_json::Value;
use url::{Host, Url};

use crate::{
    domain::client::{ClientAuth, ClientSettings, GrantType},
    upstream,
};

use super::{
    super::{Problem, shape::shown},
    Draft, list, partners,
};

/// A day: a token cannot be taken back from whoever verifies it alone.
const LONGEST_TOKEN_S: u64 = 86_400;

pub(super) fn check(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    issuer(draft, problems);
    listen(draft, problems);
    audiences(draft, problems);
    targets(draft, problems);
    upstreams(draft, problems);
    log(draft, problems);
    for (index, client) in &draft.clients {
        for (key, found, expected) in client_misfits(client) {
            draft.say(problems, &format!("clients[{index}].{key}"), found, expected);
        }
        client_audiences(draft, *index, client, problems);
    }
}

pub(super) fn issuer_text<'a>(draft: &Draft<'a>) -> Option<&'a str> {
    draft.source.tree.get("issuer").and_then(Value::as_str)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn issuer(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = issuer_text(draft) else { return };
    let expected = match Url::parse(text) {
        Err(_) => "an https URL",
        Ok(url) if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) => {
            "an https URL (http only on loopback)"
        }
        Ok(url) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => {
            "a URL without path, query and fragment"
        }
        Ok(_) if text.ends_with('/') => "a URL without a slash at its end",
        Ok(url) if url.host_str().is_none() || !url.username().is_empty() => {
            "a URL of a host, without a user"
        }
        // `HTTPS://Host:443` and its normal form are different issuers to a relying party (OIDC Core §3.1.3.7).
        Ok(url) if url.as_str().trim_end_matches('/') != text => {
            "a URL in its normal form (lower case, no default port)"
        }
        Ok(_) => return,
    };
    draft.say(problems, "issuer", format!("'{text}'"), expected);
}

fn listen(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let Some(listen) = draft.source.tree.get("listen") else {
        return;
    };
    let address = listen.get("address").and_then(Value::as_str);
    let Some(text) = address else { return };
    let Ok(address) = text.parse::<SocketAddr>() else {
        draft.say(
            problems,
            "listen.address",
            format!("'{text}'"),
            "an address with a port (127.0.0.1:8443)",
        );
        return;
    };
    let has = |key: &str| listen.get(key).is_some_and(|value| !value.is_null());
    let proxies = listen
        .get("proxies")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if !has("tls") && proxies == 0 && !address.ip().is_loopback() {
        let expected = "certificate and key: without them passwords cross the network in clear \
                        (only loopback, or a gateway behind 'listen.proxies', does without)";
        draft.say(problems, "listen.tls", "nothing", expected);
    }
    for (index, proxy) in listen
        .get("proxies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if proxy
            .as_str()
            .is_some_and(|text| text.parse::<std::net::IpAddr>().is_err())
        {
            draft.say(
                problems,
                &format!("listen.proxies[{index}]"),
                shown(proxy),
                "an IP address",
            );
        }
    }
}

/// One audience leads to one target: else a token for one place would be good at another.
fn audiences(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    if let Some(issuer) = issuer_text(draft) {
        seen.insert(issuer, "the issuer".to_owned());
    }
    for (index, item) in list(draft.source, "targets").iter().enumerate() {
        let Some(audience) = item.get("audience").and_then(Value::as_str) else {
            continue;
        };
        if let Some(other) = seen.get(audience) {
            let found = format!("'{audience}', which is {other} too");
            draft.say(
                problems,
                &format!("targets[{index}].audience"),
                found,
                "an audience of its own",
            );
        } else {
            seen.insert(audience, format!("the audience of targets[{index}]"));
        }
    }
}

fn targets(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let mut issuers = BTreeMap::new();
    for (index, target) in &draft.targets {
        if let Some(issuer) = target.own_issuer("")
            && let Some(other) = issuers.insert(issuer, index)
        {
            let path = format!("targets[{index}].issuer_path");
            let found = format!("the path of targets[{other}] too");
            draft.say(
                problems,
                &path,
                found,
                "a path of its own: each issuer has keys of its own",
            );
        }
        for said in target.problems() {
            adapter(draft, &format!("targets[{index}]"), &said, problems);
        }
    }
}

/// An upstream's own sessions and issuer.
fn upstreams(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    for (index, upstream) in &draft.upstreams {
        let path = format!("upstreams[{index}]");
        let lifetime = match upstream {
            upstream::Declared::Oidc(config) => {
                upstream_issuer(draft, &path, &config.issuer, problems);
                config.session_lifetime_s
            }
            upstream::Declared::Local(config) => {
                people(draft, &path, &config.users, problems);
                config.session_lifetime_s
            }
            upstream::Declared::Workload(config) => {
                upstream_issuer(draft, &path, &config.issuer, problems);
                workload(draft, *index, config, problems);
                config.lifetime_s
            }
            upstream::Declared::Keystone(config) => {
                partners::check(draft, *index, config, problems);
                // A message counts for an hour at most; nothing here makes that longer.
                3600
            }
        };
        if lifetime == 0 || lifetime > LONGEST_TOKEN_S {
            let path = format!("{path}.session_lifetime_s");
            draft.say(problems, &path, lifetime.to_string(), "1 to 86400 seconds");
        }
        let mut names = BTreeSet::new();
        for (at, rule) in upstream.mapping().groups.iter().enumerate() {
            if !names.insert(rule.rule.as_str()) {
                let path = format!("{path}.mapping.groups[{at}].rule");
                let found = format!("'{}', which another rule has too", rule.rule);
                draft.say(problems, &path, found, "a name of its own");
            }
        }
    }
}

/// A token must lead to one upstream: those of one issuer take different audiences.
fn workload(
    draft: &Draft<'_>,
    index: usize,
    config: &upstream::workload::Config,
    problems: &mut Vec<Problem>,
) {
    let path = format!("upstreams[{index}]");
    for (key, expected) in config.problems() {
        draft.say(
            problems,
            &format!("{path}.{key}"),
            "a setting that cannot be",
            expected,
        );
    }
    let issuer = issuer_text(draft).unwrap_or_default();
    let own = config.audiences(issuer);
    for (at, other) in draft.upstreams.iter().filter(|(at, _)| *at < index) {
        let upstream::Declared::Workload(other) = other else {
            continue;
        };
        let shared = other
            .audiences(issuer)
            .into_iter()
            .find(|audience| own.contains(audience));
        if let Some(audience) = shared.filter(|_| other.issuer == config.issuer) {
            let found = format!("'{audience}', which upstreams[{at}] of the same issuer takes too");
            let expected = "an audience of its own: it tells the two apart";
            draft.say(problems, &format!("{path}.audiences"), found, expected);
        }
    }
}

fn upstream_issuer(draft: &Draft<'_>, path: &str, text: &str, problems: &mut Vec<Problem>) {
    let expected = match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => {
            if issuer_text(draft) != Some(text) {
                return;
            }
            "another gateway or provider: this is our own issuer"
        }
        Ok(_) => "an https URL (http only on loopback)",
        Err(_) => "an https URL",
    };
    draft.say(problems, &format!("{path}.issuer"), format!("'{text}'"), expected);
}

fn people(draft: &Draft<'_>, path: &str, users: &[upstream::local::User], problems: &mut Vec<Problem>) {
    let (mut names, mut subjects) = (BTreeSet::new(), BTreeSet::new());
    for (at, user) in users.iter().enumerate() {
        let subject = user.subject.as_ref().unwrap_or(&user.username);
        for (key, text, seen) in [
            ("username", &user.username, &mut names),
            ("subject", subject, &mut subjects),
        ] {
            if !seen.insert(text.as_str()) {
                let path = format!("{path}.users[{at}].{key}");
                let found = format!("'{text}', which another person of this list has too");
                draft.say(problems, &path, found, "one person for each");
            }
        }
    }
}

fn log(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let Some(tree) = draft.source.tree.get("log") else {
        return;
    };
    if let Ok(config) = super::typed::<crate::telemetry::Config>(tree) {
        for said in config.problems() {
            adapter(draft, "log", &said, problems);
        }
    }
}

/// A room's own words about its settings: `'key' must be …`.
fn adapter(draft: &Draft<'_>, path: &str, said: &str, problems: &mut Vec<Problem>) {
    let key = said
        .strip_prefix('\'')
        .and_then(|rest| rest.split_once('\''))
        .map(|(key, _)| key);
    let path = key.map_or_else(|| path.to_owned(), |key| format!("{path}.{key}"));
    draft.say(problems, &path, "a setting that cannot be", said);
}

/// What a client that acts for itself needs.
fn own_behalf_misfits(client: &ClientSettings) -> Vec<(String, String, String)> {
    let mut wrong: Vec<(String, String, String)> = Vec::new();
    let mut say = |key: &str, found: &str, expected: &str| {
        wrong.push((key.to_owned(), found.to_owned(), expected.to_owned()));
    };
    if client.is_public() {
        let expected = "secret or private_key_jwt: client_credentials and password are for clients that prove themselves";
        say("auth.method", "'none'", expected);
    }
    if client.tenant.is_none() {
        let expected =
            "the tenant on whose behalf client_credentials acts, or whose people's passwords are taken";
        say("tenant", "nothing", expected);
    }
    wrong
}

/// A service that asks about tokens for its audience and gets none of its own.
fn only_asks(client: &ClientSettings) -> bool {
    !client.is_public() && !client.audiences.is_empty()
}

/// Keys of a client that contradict each other.
fn client_misfits(client: &ClientSettings) -> Vec<(String, String, String)> {
    let mut wrong: Vec<(String, String, String)> = Vec::new();
    let mut say = |key: &str, found: &str, expected: &str| {
        wrong.push((key.to_owned(), found.to_owned(), expected.to_owned()));
    };
    let codes = client.grants.contains(&GrantType::AuthorizationCode);
    if codes && client.redirect_uris.is_empty() {
        let expected = "an address: authorization_code has nowhere to answer to";
        say("redirect_uris", "nothing", expected);
    }
    if !codes && !client.redirect_uris.is_empty() {
        let expected = "no addresses: without authorization_code they are never used";
        say("redirect_uris", "addresses", expected);
    }
    if client.grants.is_empty() && !only_asks(client) {
        let expected =
            "at least one grant, or a secret and 'audiences': a service that only asks about tokens";
        say("grants", "an empty list", expected);
    }
    if client.pkce_optional && client.is_public() {
        say(
            "pkce_optional",
            "true",
            "false: PKCE is the only proof of a client without a secret",
        );
    }
    let exchanges = [GrantType::TokenExchange, GrantType::JwtBearer];
    if exchanges.iter().any(|grant| client.grants.contains(grant)) == client.exchange.is_empty() {
        let expected = "audiences exactly when the grant token-exchange or jwt-bearer is there";
        say(
            "exchange",
            if client.exchange.is_empty() {
                "nothing"
            } else {
                "audiences"
            },
            expected,
        );
    }
    if client.token_lifetime_s == 0 || client.token_lifetime_s > LONGEST_TOKEN_S {
        let found = client.token_lifetime_s.to_string();
        say("token_lifetime_s", &found, "1 to 86400 seconds");
    }
    let provers = [GrantType::ClientCredentials, GrantType::Password];
    if provers.iter().any(|grant| client.grants.contains(grant)) {
        wrong.extend(own_behalf_misfits(client));
    }
    addresses("redirect_uris", &client.redirect_uris, &mut wrong);
    addresses(
        "post_logout_redirect_uris",
        &client.post_logout_redirect_uris,
        &mut wrong,
    );
    if matches!(client.auth, ClientAuth::None) && client.name.trim().is_empty() {
        wrong.push((
            "name".into(),
            "nothing".into(),
            "what people read when they let the client in".into(),
        ));
    }
    wrong
}

fn addresses(key: &str, uris: &[String], wrong: &mut Vec<(String, String, String)>) {
    for (index, uri) in uris.iter().enumerate() {
        let expected = match Url::parse(uri) {
            Err(_) => "an absolute URL",
            Ok(url) if url.fragment().is_some() => "a URL without a fragment (RFC 6749 §3.1.2)",
            Ok(url) if uri.contains('*') || !url.username().is_empty() => "an exact URL: no pattern, no user",
            // A scheme of its own (RFC 8252 §7.1) holds a dot; `javascript:` and `data:` do not.
            Ok(url) if url.scheme() == "https" || url.scheme().contains('.') => continue,
            Ok(url) if url.scheme() == "http" && is_loopback(&url) => continue,
            Ok(_) => "an https URL (http only on loopback)",
        };
        wrong.push((format!("{key}[{index}]"), format!("'{uri}'"), expected.to_owned()));
    }
}

fn client_audiences(draft: &Draft<'_>, at: usize, client: &ClientSettings, problems: &mut Vec<Problem>) {
    let known: Vec<&str> = list(draft.source, "targets")
        .iter()
        .filter_map(|item| item.get("audience").and_then(Value::as_str))
        .chain(issuer_text(draft))
        .collect();
    for (key, audiences) in [("audiences", &client.audiences), ("exchange", &client.exchange)] {
        for (index, audience) in audiences.iter().enumerate() {
            let star = key == "exchange" && audience == "*";
            if !star && !known.contains(&audience.as_str()) {
                let path = format!("clients[{at}].{key}[{index}]");
                let expected = format!("the audience of a target or the issuer: {}", known.join(", "));
                draft.say(problems, &path, format!("'{audience}'"), expected);
            }
        }
    }
}
