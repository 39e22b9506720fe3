//! Why policies or access rules are not taken into use: where, what, and what to write instead.

use std::fmt;

use crate::rego::Issue;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Problem {
    /// A Rego file.
    #[error("{file}:{line}: {what}; {instead}")]
    Policy {
        /// The file, relative to the policy folder.
        file: String,
        /// The line, counted from 1; 0 where the whole file is meant.
        line: u32,
        /// What is wrong.
        what: String,
        /// What to write instead.
        instead: String,
    },
    /// An item of `access`.
    #[error("access rule '{rule}', {key}: {what}; {instead}")]
    Rule {
        /// The rule's name.
        rule: String,
        /// The key inside it.
        key: String,
        /// What is wrong.
        what: String,
        /// What to write instead.
        instead: String,
    },
    /// A key of `policy`.
    #[error("policy.{key}: {what}; {instead}")]
    Setting {
        /// The key.
        key: String,
        /// What is wrong.
        what: String,
        /// What to write instead.
        instead: String,
    },
    /// A test of the policies did not pass.
    #[error("{file}:{line}: the test {test} did not pass: {what}; mend the policy or its test")]
    Test {
        /// The file, relative to the policy folder.
        file: String,
        /// The line of the test.
        line: u32,
        /// The test's full name.
        test: String,
        /// What it gave instead of `true`.
        what: String,
    },
}

impl Problem {
    pub(super) fn rule(rule: &str, key: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Rule {
            rule: rule.to_owned(),
            key: key.to_owned(),
            what: what.into(),
            instead: instead.into(),
        }
    }

    pub(super) fn setting(key: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Setting {
            key: key.to_owned(),
            what: what.into(),
            instead: instead.into(),
        }
    }

    /// From what the Rego engine refuses.
    pub(super) fn from_issue(issue: Issue) -> Self {
        let (file, line) = issue
            .place
            .map_or_else(|| ("policies".to_owned(), 0), |place| (place.file, place.row));
        Self::Policy {
            file,
            line,
            what: issue.message,
            instead: issue.instead.unwrap_or_else(|| "write Rego version 1".to_owned()),
        }
    }
}

/// Nothing was taken into use; what ran before still runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyLoadFault {
    /// Everything that is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for PolicyLoadFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                out.write_str("\n")?;
            }
            problem.fmt(out)?;
        }
        Ok(())
    }
}
