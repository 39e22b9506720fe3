//! `.manifest`: the revision, the roots that the bundle owns, and the language of its files.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{BundleFault, pattern};
use crate::rego::Version;

/// `.manifest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The author's name for this state.
    pub revision: String,
    /// The paths that the bundle owns (`a/b`); `""` owns everything.
    pub roots: Vec<String>,
    /// The language of its modules, where it says one.
    pub rego_version: Option<u8>,
    /// Files (by pattern) in another version of the language.
    pub file_rego_versions: BTreeMap<String, u8>,
    /// Anything else the author says.
    pub metadata: Option<serde_json::Value>,
}

impl Default for Manifest {
    /// No manifest: the bundle owns everything.
    fn default() -> Self {
        Self {
            revision: String::new(),
            roots: vec![String::new()],
            rego_version: None,
            file_rego_versions: BTreeMap::new(),
            metadata: None,
        }
    }
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    revision: Option<String>,
    #[serde(default)]
    roots: Option<Vec<String>>,
    #[serde(default)]
    rego_version: Option<i64>,
    #[serde(default)]
    file_rego_versions: Option<BTreeMap<String, i64>>,
    #[serde(default)]
    metadata: Option<serde_json::Value>,
    #[serde(default)]
    wasm: Option<Vec<serde_json::Value>>,
}

impl Manifest {
    /// From the text of the file. Keys that OPA does not know are not looked at, as OPA does.
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, BundleFault> {
        let written: Written = super::object(bytes).map_err(|error| {
            BundleFault::Manifest(format!("bundle load failed on manifest decode: {error}"))
        })?;
        if written.wasm.is_some_and(|wasm| !wasm.is_empty()) {
            // Its entry points would be answered by compiled code that this engine does not run.
            return Err(BundleFault::file(
                file,
                "it names wasm modules; build the bundle with `opa build -t rego`",
            ));
        }
        let version = |number: i64, what: &str| match number {
            0 => Ok(0),
            1 => Ok(1),
            other => Err(BundleFault::Manifest(format!(
                "unknown bundle rego-version {other} for {what}; write 0 or 1"
            ))),
        };
        let roots: Vec<String> = written
            .roots
            .unwrap_or_else(|| vec![String::new()])
            .iter()
            .map(|root| root.trim_matches('/').to_owned())
            .collect();
        for (index, one) in roots.iter().enumerate() {
            if let Some(other) = roots.iter().skip(index + 1).find(|other| overlap(one, other)) {
                return Err(BundleFault::Manifest(format!(
                    "manifest has overlapped roots: '{one}' and '{other}'"
                )));
            }
        }
        Ok(Self {
            revision: written.revision.unwrap_or_default(),
            roots,
            rego_version: written
                .rego_version
                .map(|number| version(number, "the bundle"))
                .transpose()?,
            file_rego_versions: written
                .file_rego_versions
                .unwrap_or_default()
                .into_iter()
                .map(|(pattern, number)| {
                    let number = version(number, &format!("file '{pattern}'"))?;
                    Ok((pattern, number))
                })
                .collect::<Result<_, BundleFault>>()?,
            metadata: written.metadata,
        })
    }

    /// The language of one file: by the first pattern that fits, else the bundle's, else version 1.
    pub(super) fn version_of(&self, path: &str) -> Result<Version, BundleFault> {
        let mut found = self.rego_version;
        for (text, number) in &self.file_rego_versions {
            let pattern = pattern::any(text).map_err(|why| {
                BundleFault::Manifest(format!("failed to compile glob pattern {text}: {why}"))
            })?;
            if pattern.is_match(path) {
                found = Some(*number);
                break;
            }
        }
        Ok(if found == Some(0) {
            Version::V0
        } else {
            Version::V1
        })
    }

    /// Whether a path lies inside the roots.
    #[must_use]
    pub fn owns(&self, path: &[&str]) -> bool {
        self.roots.iter().any(|root| contains(root, path))
    }
}

/// Whether a root holds a path.
#[must_use]
pub fn contains(root: &str, path: &[&str]) -> bool {
    if root.is_empty() {
        return true;
    }
    let mut rest = path.iter();
    root.split('/')
        .all(|segment| rest.next().is_some_and(|found| *found == segment))
}

/// Whether two roots share a path.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    let (first, second): (Vec<_>, Vec<_>) = (one.split('/').collect(), other.split('/').collect());
    contains(one, &second) || contains(other, &first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_whole_segments() {
        assert!(overlap("a", "a/b") && overlap("a/b", "a") && overlap("", "a") && overlap("a", "a"));
        assert!(!overlap("a", "ab") && !overlap("a/b", "a/c"));
        assert!(contains("a/b", &["a", "b", "c"]) && !contains("a/b", &["a"]));
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let manifest = Manifest::parse(".manifest", b"{}").unwrap();
        assert_eq!(manifest, Manifest::default());
        let said = Manifest::parse(
            ".manifest",
            br#"{"revision":"r","roots":["/a/","b/c"],"other":1}"#,
        )
        .unwrap();
        assert_eq!(said.roots, ["a", "b/c"]);
    }

    #[test]
    fn versions_by_file() {
        let text = br#"{"rego_version":1,"file_rego_versions":{"/old/*.rego":0,"*/x.rego":0}}"#;
        let manifest = Manifest::parse(".manifest", text).unwrap();
        for (path, version) in [
            ("/old/p.rego", Version::V0),
            ("/old/deep/p.rego", Version::V0),
            ("/new/p.rego", Version::V1),
            ("/new/x.rego", Version::V0),
        ] {
            assert_eq!(manifest.version_of(path).unwrap(), version, "{path}");
        }
    }

    #[test]
    fn manifests_that_are_refused() {
        for (text, part) in [
            (r#"{"roots":["a","a/b"]}"#, "overlapped roots: 'a' and 'a/b'"),
            (r#"{"rego_version":2}"#, "unknown bundle rego-version 2"),
            (
                r#"{"file_rego_versions":{"/p.rego":7}}"#,
                "rego-version 7 for file '/p.rego'",
            ),
            (
                r#"{"wasm":[{"entrypoint":"a/b","module":"/policy.wasm"}]}"#,
                "opa build -t rego",
            ),
            (r#"{"revision":1}"#, "manifest decode"),
            ("[]", "manifest decode"),
        ] {
            let said = Manifest::parse(".manifest", text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
