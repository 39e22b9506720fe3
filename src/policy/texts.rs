//! What the reason codes mean, in the words of the person who is refused.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

/// One reason in both languages: what is missing and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonText {
    /// English.
    pub en: String,
    /// German.
    pub de: String,
}

static TEXTS: LazyLock<BTreeMap<String, ReasonText>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it, so the default is never met.
    serde_json::from_str(include_str!("../../policies/texts.json")).unwrap_or_default()
});

/// Texts by reason code: those of the built-in policies and of `domain::access::reason`.
#[must_use]
pub fn reason_texts() -> &'static BTreeMap<String, ReasonText> {
    &TEXTS
}
