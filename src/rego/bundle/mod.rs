//! Bundles: what an archive of policies and data holds, and which part of the data tree it owns.
//!
//! For: reading what `opa build` and `opa sign` write, checking it as OPA does, and refusing what could only be
//! an attack. Pure: bytes in, a [`Bundle`] out. Where bundles come from and when they are taken into use is
//! the affair of `policy`.
//!
//! Start at [`read`]; a folder goes through [`assemble`].

mod archive;
mod der;
mod fault;
mod files;
mod hash;
mod manifest;
mod pattern;
mod signature;
mod tree;

use regorus::Value;
use serde::de::DeserializeOwned;

use super::Module;

pub use archive::{File, Limits, unpack};
pub use fault::BundleFault;
pub use files::{assemble, is_signature};
pub use manifest::{Manifest, contains, overlap};
pub use signature::{Key, Verification};

/// A bundle as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its policies. Their ids are their paths inside the bundle.
    pub modules: Vec<Module>,
    /// Its data; an object.
    pub data: Value,
}

/// Reads an archive (`.tar.gz`). With a `verification`, an archive without a signature is refused too.
pub fn read(
    archive: &[u8],
    limits: &Limits,
    verification: Option<&Verification>,
) -> Result<Bundle, BundleFault> {
    assemble(unpack(archive, limits)?, verification)
}

/// A JSON object. (A derived reader alone would also take a list of its members' values.)
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes)?;
    serde_json::from_value(serde_json::Value::Object(members))
}
