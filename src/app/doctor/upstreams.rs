//! The organisations' providers: are they found, and are they who they should be?

use serde_json::Value;
use url::Url;

use super::{Finding, Grade, Room, get, skew};
use crate::{
    outbound::Outbound,
    upstream::{Declared, oidc},
};

const CHECK: &str = "upstream_discovery";

pub(super) async fn examine(room: &Room<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for declared in &room.config.upstreams {
        if let Declared::Oidc(provider) = declared {
            findings.extend(discovery(room, provider).await);
        }
        if let Declared::Keystone(partner) = declared {
            let lines = partner.warnings(room.now).into_iter();
            findings.extend(lines.map(|line| attention(partner.id.as_str(), &line)));
        }
    }
    findings
}

/// What a partner's Keystone signs with.
fn attention(id: &str, line: &str) -> Finding {
    Finding::bad(
        Grade::Warning,
        "partner_signature",
        (
            format!("upstream '{id}': {line}"),
            "its users come in by what it signs, and by nothing else",
        ),
        "agree with the partner on its next certificate, and on a day for SHA-1 to end",
    )
}

async fn discovery(room: &Room<'_>, provider: &oidc::Config) -> Vec<Finding> {
    let why = "the people of this organisation cannot sign in";
    let bad = |what: String, fix: &str| vec![Finding::bad(Grade::Critical, CHECK, (what, why), fix)];
    let who = format!("upstream '{}'", provider.id);
    let base = provider.issuer.trim_end_matches('/');
    let url = format!("{base}/.well-known/openid-configuration");
    let (Ok(opened), Ok(_)) = (Outbound::open(&provider.outbound()), url.parse::<Url>()) else {
        let fix = "mend `issuer` and `ca` of the upstream; `fedgate check` names the key";
        return bad(format!("{who}: its settings cannot be used"), fix);
    };
    let answer = match get(&opened, &url).await {
        Ok(answer) if answer.status.is_success() => answer,
        Ok(answer) => {
            let what = format!("{who}: its discovery document is answered {}", answer.status);
            return bad(
                what,
                "is the issuer's address right, and does a proxy stand before it?",
            );
        }
        Err(fault) => {
            return bad(
                format!("{who}: {fault}"),
                "is the provider up, its `ca` right, and may this machine call it (`addresses`)?",
            );
        }
    };
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let issuer = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if issuer != provider.issuer {
        let what = format!("{who}: its discovery document names the issuer '{issuer}'");
        return bad(
            what,
            "set `issuer` letter for letter as the provider says it (OIDC Discovery §4.3)",
        );
    }
    let mut findings = vec![Finding::ok(CHECK, format!("{who}: {issuer} is found"))];
    findings.extend(skew("upstream_clock", &who, &answer.headers, room.now));
    findings
}
