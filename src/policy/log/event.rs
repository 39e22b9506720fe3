//! A decision in OPA's event format.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::secrets;
use crate::port::decisions::{Asked, Decision};

/// What the label `version` says.
#[must_use]
pub const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The event without secrets; the operator's own mask comes after it.
pub(super) fn event(decision: &Decision, labels: &BTreeMap<String, String>) -> Result<Value, String> {
    let mut event = Map::new();
    event.insert("labels".into(), json!(labels));
    event.insert("decision_id".into(), decision.id.clone().into());
    if !decision.bundles.is_empty() {
        let bundles: Map<String, Value> = decision
            .bundles
            .iter()
            .map(|(name, revision)| (name.clone(), json!({ "revision": revision })))
            .collect();
        event.insert("bundles".into(), bundles.into());
    }
    if let Some(revision) = &decision.revision {
        event.insert("revision".into(), revision.clone().into());
    }
    let mut erased = Vec::new();
    match &decision.asked {
        Asked::Path(path) => event.insert("path".into(), path.trim_start_matches('/').into()),
        Asked::Query(query) => event.insert("query".into(), secrets::without_tokens(query).into()),
    };
    for (name, text) in [("input", &decision.input), ("result", &decision.result)] {
        if let Some(text) = text {
            let mut value: Value =
                serde_json::from_str(text).map_err(|error| format!("the {name} cannot be read: {error}"))?;
            if name == "input"
                && matches!(&decision.asked, Asked::Path(path) if path.starts_with("system/authz"))
            {
                // OPA puts the caller's bearer token there.
                if value
                    .as_object_mut()
                    .is_some_and(|input| input.remove("identity").is_some())
                {
                    erased.push("/input/identity".to_owned());
                }
            }
            if value.as_str().is_some_and(secrets::is_token) {
                erased.push(format!("/{name}"));
                continue;
            }
            secrets::erase(&mut value, &format!("/{name}"), &mut erased);
            event.insert(name.into(), value);
        }
    }
    if !erased.is_empty() {
        event.insert("erased".into(), json!(erased));
    }
    if let Some(error) = &decision.error {
        let error = serde_json::from_str(error).unwrap_or_else(|_| json!({ "message": error }));
        event.insert("error".into(), error);
    }
    if let Some(by) = &decision.requested_by {
        event.insert("requested_by".into(), by.clone().into());
    }
    let at = DateTime::from_timestamp_nanos(decision.at_ns);
    event.insert(
        "timestamp".into(),
        at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
    );
    if !decision.metrics.is_empty() {
        event.insert("metrics".into(), json!(decision.metrics));
    }
    Ok(Value::Object(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_opa_writes_it() {
        let decision = Decision {
            id: "d-1".into(),
            asked: Asked::Path("/a/b".into()),
            input: Some(r#"{"user":"alice","password":"x"}"#.into()),
            result: Some("true".into()),
            error: None,
            requested_by: Some("192.0.2.1:4711".into()),
            at_ns: 1_800_000_000_123_456_789,
            revision: None,
            bundles: BTreeMap::from([("main".to_owned(), "r7".to_owned())]),
            metrics: BTreeMap::from([("timer_server_handler_ns".to_owned(), 5)]),
        };
        let labels = BTreeMap::from([("id".to_owned(), "gate".to_owned())]);
        assert_eq!(
            event(&decision, &labels).unwrap(),
            json!({
                "labels": {"id": "gate"},
                "decision_id": "d-1",
                "bundles": {"main": {"revision": "r7"}},
                "path": "a/b",
                "input": {"user": "alice"},
                "result": true,
                "erased": ["/input/password"],
                "requested_by": "192.0.2.1:4711",
                "timestamp": "2027-01-15T08:00:00.123456789Z",
                "metrics": {"timer_server_handler_ns": 5},
            })
        );
        let authz = Decision {
            asked: Asked::Path("system/authz/allow".into()),
            input: Some(r#"{"identity":"s3cret","path":["v1"]}"#.into()),
            ..decision.clone()
        };
        assert!(!event(&authz, &labels).unwrap().to_string().contains("s3cret"));
        let broken = Decision {
            input: Some("{".into()),
            ..decision
        };
        assert!(
            event(&broken, &labels)
                .unwrap_err()
                .contains("input cannot be read")
        );
    }
}
