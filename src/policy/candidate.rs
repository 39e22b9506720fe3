//! Policies from a bundle in place of the configured ones: what an operator applies, tries or compares.

use std::path::Path;

use super::{bundles, fault::Problem, source::Source};
use crate::rego::{
    Value, Version,
    bundle::{Bundle, Limits, Verification, read},
};

/// Rego files and data that may decide.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(super) files: Vec<Source>,
    pub(super) data: Value,
    /// The author's name for it, or where it came from.
    pub(super) name: String,
}

impl Candidate {
    /// From an archive. With a `verification` it must be signed.
    pub fn read(archive: &[u8], verification: Option<&Verification>) -> Result<Self, Vec<Problem>> {
        let bundle = read(archive, &Limits::default(), verification)
            .map_err(|fault| vec![whole(&fault.to_string(), "give a bundle as `opa build` makes it")])?;
        Self::of(bundle)
    }

    fn of(bundle: Bundle) -> Result<Self, Vec<Problem>> {
        let old: Vec<Problem> = bundle
            .modules
            .iter()
            .filter(|module| module.version != Version::V1)
            .map(|module| Problem::Policy {
                file: module.id.clone(),
                line: 0,
                what: "federation's policies are written in Rego version 1".to_owned(),
                instead: "write `if` and `contains`, and build without --v0-compatible".to_owned(),
            })
            .collect();
        if !old.is_empty() {
            return Err(old);
        }
        let fed = bundle
            .data
            .as_object()
            .is_ok_and(|data| data.contains_key(&Value::from("fed")));
        if fed {
            let what = "the bundle holds data.fed, which is compiled from the configuration";
            return Err(vec![whole(what, "keep its data below another name")]);
        }
        let mut files: Vec<Source> = bundle
            .modules
            .into_iter()
            .map(|module| Source {
                name: module.id,
                text: module.text,
            })
            .collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let name = match bundle.manifest.revision.as_str() {
            "" => "a bundle without a revision".to_owned(),
            revision => revision.to_owned(),
        };
        Ok(Self {
            files,
            data: bundle.data,
            name,
        })
    }
}

fn whole(what: &str, instead: &str) -> Problem {
    Problem::Policy {
        file: "bundle".to_owned(),
        line: 0,
        what: what.to_owned(),
        instead: instead.to_owned(),
    }
}

/// A folder as the archive that `apply` takes: its Rego, data and manifest files.
pub fn pack(folder: &Path) -> Result<Vec<u8>, String> {
    let files = bundles::read_folder(folder, &Limits::default())?;
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut tar = tar::Builder::new(gzip);
    let wanted = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        path.ends_with(".rego")
            || matches!(name, ".manifest" | ".signatures.json")
            || matches!(name.split_once('.'), Some(("data", "json" | "yaml" | "yml")))
    };
    for file in files.iter().filter(|file| wanted(&file.path)) {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(file.bytes.len()).unwrap_or(u64::MAX));
        header.set_mode(0o644);
        let path = file.path.trim_start_matches('/');
        tar.append_data(&mut header, path, file.bytes.as_slice())
            .map_err(|error| format!("{}: {error}", file.path))?;
    }
    let packed = tar.into_inner().and_then(flate2::write::GzEncoder::finish);
    packed.map_err(|error| error.to_string())
}
