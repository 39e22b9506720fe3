//! The real OPA, as `tests/parts/opa.sh` makes it: the binary and its conformance cases.

use std::path::PathBuf;

/// Where something of it is; without it (no Go on this machine) the test says so and ends.
fn part(name: &str) -> Option<PathBuf> {
    let path = super::home().join("opa").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {} is missing; tests/parts/opa.sh makes it where Go is installed",
        path.display()
    );
    None
}

/// The binary.
pub fn binary() -> Option<PathBuf> {
    part("bin/opa")
}

/// The folder of its conformance cases.
pub fn cases() -> Option<PathBuf> {
    part("cases")
}
