//! `fedgate keystone map`: what a Keystone makes of an assertion, without one.
//!
//! The same as `keystone-manage mapping_engine`, from any machine, and by the processor that the schema
//! version asks for (Keystone's own command always takes that of 1.0).

use std::path::{Path, PathBuf};

use super::{Failed, read_at_most};
use crate::app::operate;

/// Largest file that is read.
const LARGEST: u64 = 4 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// The mapping: a JSON file with a list of rules, or an object with `rules` (and `schema_version`).
    #[arg(long)]
    rules: PathBuf,
    /// The assertion: a JSON object of texts, or lines `NAME: value`. `;` in a value separates several.
    #[arg(long)]
    input: PathBuf,
    /// Version of the mapping language: 1.0, 2.0 or 3.0. Absent: `schema_version` of the file, or 1.0.
    #[arg(long)]
    schema_version: Option<String>,
    /// Only attributes whose names begin so (Keystone's `assertion_prefix`).
    #[arg(long)]
    prefix: Option<String>,
}

pub(super) fn run(wanted: &Wanted) -> Result<String, Failed> {
    let read = |path: &Path| read_at_most(path, LARGEST, "UTF-8 text");
    let (rules, assertion) = (read(&wanted.rules)?, read(&wanted.input)?);
    let settings = operate::MapSettings {
        version: wanted.schema_version.as_deref(),
        prefix: wanted.prefix.as_deref(),
    };
    operate::keystone_map(&rules, &assertion, &settings).map_err(Failed)
}
