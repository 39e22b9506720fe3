//! The real kubectl, as `tests/parts/kubectl.sh` installs it.

use std::path::PathBuf;
use std::process::Command;

/// The binary; fails with the script's name where it is missing.
pub fn binary() -> PathBuf {
    let path = super::home().join("kubectl-1.37.1/kubectl");
    assert!(
        path.exists(),
        "{} is missing; run tests/parts/kubectl.sh",
        path.display()
    );
    path
}

/// A command with nothing of the developer's own environment: no kubeconfig, no kuberc.
pub fn command(home: &std::path::Path) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().env("HOME", home).env("KUBERC", "off");
    command
}
