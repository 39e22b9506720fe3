//! Partners' Keystones that send their users here: their names and keys, and that there is a Keystone to send them to.

use crate::upstream;

use super::{super::Problem, Draft, places::issuer_text};

pub(super) fn check(
    draft: &Draft<'_>,
    index: usize,
    config: &upstream::keystone::Config,
    problems: &mut Vec<Problem>,
) {
    let path = format!("upstreams[{index}]");
    for (key, found, expected) in config.problems() {
        draft.say(problems, &format!("{path}.{key}"), found, expected);
    }
    // Who somebody is is told by issuer and subject: two that share an issuer could speak for each other's people.
    let others = draft.upstreams.iter().filter(|(at, _)| *at != index);
    let taken = others
        .filter(|(_, other)| issuer_of(other) == Some(config.entity_id.as_str()))
        .map(|(at, _)| format!("upstreams[{at}]"))
        .next()
        .or_else(|| {
            (issuer_text(draft) == Some(config.entity_id.as_str())).then(|| "this gateway".to_owned())
        });
    if let Some(other) = taken {
        let found = format!("'{}', which is the issuer of {other} too", config.entity_id);
        let expected = "a name of the partner's alone";
        draft.say(problems, &format!("{path}.entity_id"), found, expected);
    }
    let front = draft
        .targets
        .iter()
        .any(|(_, target)| target.as_keystone().is_some());
    if draft.whole && !front {
        let expected =
            "another kind, or a target of kind keystone: its users go to the Keystone behind this gateway";
        draft.say(problems, &format!("{path}.kind"), "'keystone'", expected);
    }
}

fn issuer_of(declared: &upstream::Declared) -> Option<&str> {
    match declared {
        upstream::Declared::Oidc(config) => Some(&config.issuer),
        upstream::Declared::Workload(config) => Some(&config.issuer),
        upstream::Declared::Keystone(config) => Some(&config.entity_id),
        upstream::Declared::Local(_) => None,
    }
}
