//! `fedgate keystone kolla`: writes what a stock kolla-ansible or OSISM needs to take this gateway's people.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use url::Url;

use super::{Failed, Place, load};
use crate::{
    app::kolla::{self, KollaAsk},
    config::secret::SecretSources,
};

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    place: Place,
    /// The folder to write to; it is made if it is not there. Files of the same names are replaced.
    #[arg(long)]
    out: PathBuf,
    /// Which target of kind `keystone_claims`, if there are several.
    #[arg(long)]
    target: Option<String>,
    /// The identity provider's id in Keystone.
    #[arg(long, default_value = "fedgate")]
    identity_provider: String,
    /// Horizon's URL: writes its settings, and lets a sign-out return to it.
    #[arg(long)]
    horizon: Option<Url>,
    /// The URL of Skyline's console: writes its settings.
    #[arg(long)]
    skyline: Option<Url>,
}

pub(super) fn run(wanted: &Wanted) -> Result<String, Failed> {
    let config = load(&wanted.place)?;
    let refused = |error: std::io::Error| format!("{}: {error}", wanted.out.display());
    fs::create_dir_all(&wanted.out).map_err(refused)?;
    // kolla-ansible is run from elsewhere: its settings name whole paths.
    let folder = wanted.out.canonicalize().map_err(refused)?;
    let ask = KollaAsk {
        target: wanted.target.as_deref(),
        identity_provider: &wanted.identity_provider,
        horizon: wanted.horizon.as_ref(),
        skyline: wanted.skyline.as_ref(),
        folder: &folder.display().to_string(),
    };
    let (files, left) = kolla::files(&config, &SecretSources::default(), &ask)?;
    let mut lines = Vec::new();
    for file in &files {
        let path = folder.join(&file.path);
        write(&path, file).map_err(|error| format!("{}: {error}", path.display()))?;
        let secret = if file.secret { "  (holds a secret)" } else { "" };
        lines.push(format!("wrote {}{secret}", path.display()));
    }
    lines.extend(left.into_iter().map(|line| format!("left to do: {line}")));
    Ok(lines.join("\n"))
}

/// A file with a secret is for its owner alone, from its first moment.
fn write(path: &Path, file: &kolla::File) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // A file that is there would keep its own mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut open = fs::OpenOptions::new();
    open.write(true)
        .create_new(true)
        .mode(if file.secret { 0o600 } else { 0o644 });
    open.open(path)?.write_all(file.text.as_bytes())
}
