//! What of a provider failed lately. It was found once; this is for operators who ask whether it still answers.
//!
//! Nothing is decided by it: a sign-in always tries. A failure is forgotten when the same part works again, or
//! after a while, because what nobody has tried since says nothing about now.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use crate::domain::time::Timestamp;

/// How long a failure is told that nobody has tried again since.
const TOLD: Duration = Duration::from_secs(300);

/// What is asked of a provider, each on its own: one may fail while the others work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::upstream) enum Part {
    Metadata,
    Keys,
    TokenEndpoint,
    Userinfo,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Metadata => "discovery",
            Self::Keys => "keys",
            Self::TokenEndpoint => "token endpoint",
            Self::Userinfo => "userinfo",
        }
    }
}

/// The last failure of each part.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Troubles(RwLock<BTreeMap<Part, (Timestamp, String)>>);

impl Troubles {
    /// A part failed. `reason` is shown to whoever may ask for readiness: no secret, nothing of an answer's body.
    pub(in crate::upstream) fn failed(&self, part: Part, now: Timestamp, reason: impl Into<String>) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, (now, reason.into()));
    }

    /// A part works.
    pub(in crate::upstream) fn worked(&self, part: Part) {
        // Nearly always there is nothing to forget, and sign-ins need not wait for one another.
        let known = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&part);
        if known {
            self.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&part);
        }
    }

    /// What has failed lately, in one line; none if nothing has.
    pub(in crate::upstream) fn told(&self, now: Timestamp) -> Option<String> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<String> = all
            .iter()
            .filter(|(_, (at, _))| now < at.plus(TOLD))
            .map(|(part, (at, reason))| {
                format!("{}: {reason} ({} s ago)", part.name(), at.until(now).as_secs())
            })
            .collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_until_the_part_works_or_time_has_passed() {
        let troubles = Troubles::default();
        let at = Timestamp(1000);
        assert_eq!(troubles.told(at), None);
        troubles.failed(Part::Keys, at, "answered 500");
        troubles.failed(Part::TokenEndpoint, at, "no answer");
        assert_eq!(
            troubles.told(Timestamp(1060)).as_deref(),
            Some("keys: answered 500 (60 s ago); token endpoint: no answer (60 s ago)")
        );
        troubles.worked(Part::Metadata);
        troubles.worked(Part::Keys);
        assert_eq!(
            troubles.told(Timestamp(1060)).as_deref(),
            Some("token endpoint: no answer (60 s ago)")
        );
        assert_eq!(troubles.told(Timestamp(1300)), None);
    }
}
