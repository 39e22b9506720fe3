//! What policy may answer. An output that says two things at once, or carries more than codes, is a fault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::domain::{access::Answer, mapping::Refinement};

/// Longest reason or obligation code.
const LONGEST_CODE: usize = 64;

/// An output of one entry.
pub trait Output: DeserializeOwned {
    /// What the type alone does not say: codes are codes, and nothing is allowed with reasons against it.
    fn sound(&self) -> Result<(), String>;
    /// Whether it lets nobody in and gives nothing: what an empty input must get.
    fn refuses(&self) -> bool;
}

/// Yes or no, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allow: bool,
    /// Codes of unmet requirements, sorted; empty when allowed.
    pub reasons: Vec<String>,
    /// Codes of what must be done beside it.
    #[serde(default)]
    pub obligations: Vec<String>,
}

/// The answer to a SubjectAccessReview. Neither allowed nor denied is no opinion: the cluster's next authorizer
/// (RBAC) is asked. Denied is a veto.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewAnswer {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Whether it is denied, whatever others say.
    pub denied: bool,
    /// Codes of why it is denied, or why there is no opinion; sorted, empty when allowed.
    pub reasons: Vec<String>,
    /// The names of the rules that allow it.
    #[serde(default)]
    pub rules: Vec<String>,
}

impl Output for Answer {
    fn sound(&self) -> Result<(), String> {
        not_both(self.allow, &self.reasons)?;
        codes([&self.reasons, &self.obligations, &self.withhold])
    }
    fn refuses(&self) -> bool {
        !self.allow && self.grants.is_empty()
    }
}

impl Output for Verdict {
    fn sound(&self) -> Result<(), String> {
        not_both(self.allow, &self.reasons)?;
        codes([&self.reasons, &self.obligations])
    }
    fn refuses(&self) -> bool {
        !self.allow
    }
}

impl Output for ReviewAnswer {
    fn sound(&self) -> Result<(), String> {
        // The API server answers both with an error of its own (kubernetes.md §6).
        if self.allowed && self.denied {
            return Err("it allows and denies".to_owned());
        }
        not_both(self.allowed, &self.reasons)?;
        codes([&self.reasons])
    }
    fn refuses(&self) -> bool {
        !self.allowed
    }
}

impl Output for Refinement {
    fn sound(&self) -> Result<(), String> {
        not_both(self.allow, &self.reasons)?;
        codes([&self.reasons])?;
        let dropped: Vec<String> = self.dropped.iter().map(|group| group.reason.clone()).collect();
        codes([&dropped])
    }
    fn refuses(&self) -> bool {
        !self.allow && self.groups.is_empty()
    }
}

/// The bare boolean that `oslo.policy` asks for.
impl Output for bool {
    fn sound(&self) -> Result<(), String> {
        Ok(())
    }
    fn refuses(&self) -> bool {
        !*self
    }
}

fn not_both(allow: bool, reasons: &[String]) -> Result<(), String> {
    if allow && !reasons.is_empty() {
        return Err("it allows and gives reasons against it".to_owned());
    }
    Ok(())
}

/// Reasons are shown to people and counted: codes only, so that no claim can travel in them.
fn codes<const N: usize>(lists: [&Vec<String>; N]) -> Result<(), String> {
    match lists.into_iter().flatten().find(|text| !is_code(text)) {
        Some(text) => Err(format!("{text:?} is not a code")),
        None => Ok(()),
    }
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_CODE
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn outputs_of_another_shape_are_faults() {
        for output in [
            r#"{"allow": true, "reasons": ["x"]}"#,
            r#"{"allow": false, "reasons": ["<b>"]}"#,
            r#"{"allow": false, "reasons": [""]}"#,
            r#"{"allow": "true", "reasons": []}"#,
            r#"{"allow": true, "reasons": [], "more": 1}"#,
            r#"{"allow": true, "reasons": [], "obligations": ["two words"]}"#,
            "true",
        ] {
            assert!(read::<Verdict>(output).is_err(), "{output}");
        }
        assert!(read::<Verdict>(r#"{"allow": false, "reasons": ["mfa_required"]}"#).is_ok());
        let both = r#"{"allowed": true, "denied": true, "reasons": []}"#;
        assert!(read::<ReviewAnswer>(both).is_err());
        for number in ["1", "\"true\"", "null"] {
            assert!(read::<bool>(number).is_err());
        }
    }
}
