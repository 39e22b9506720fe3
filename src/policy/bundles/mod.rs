//! Where bundles come from, and when they are taken into use.
//!
//! For each configured bundle one task asks its source, reads and checks what came, and hands it to the policy
//! store, which takes it whole or not at all. The last good archive is kept on disk where `persist` says so,
//! and used at a start while the server is away. What goes wrong is in the bundle's status and in the log;
//! what runs goes on.
//!
//! Start at [`BundleKeeper::start`]; then `fetch.rs` (one look at a source), `keep.rs` (the disk).

mod config;
mod fetch;
mod folder;
mod keep;
mod keeper;
mod status;

pub use config::{
    BundleConfig, KeyConfig, PollingConfig, SigningConfig, problems, read_archive, verification,
};
pub use folder::read as read_folder;
pub use keep::Shelf;
pub use keeper::{Activate, BundleKeeper, Wiring, into_store};
