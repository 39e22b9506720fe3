//! Where the real parts are.

use std::path::PathBuf;

/// Where `tests/parts/*.sh` install to.
pub fn home() -> PathBuf {
    std::env::var_os("FEDGATE_PARTS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/fedgate"),
        PathBuf::from,
    )
}
