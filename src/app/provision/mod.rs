//! Who should have what at each Keystone, and that it comes true: without the person, before and after they come.
//!
//! What somebody should have is what policy would permit them now, by what was last proved or listed about them: the
//! same mapping, the same policies, the same confinement to their tenant's domains as at a sign-in. It is prepared
//! here and minted nowhere. Start at [`pass::Keeper`] (what runs in the gateway); `wanted.rs` asks policy, `people.rs`
//! knows who is there, [`operate`] is what an operator does by hand.

pub mod operate;
mod pass;
mod people;
mod turn;
mod wanted;

use std::sync::Arc;

pub use pass::State;
use pass::Tools;
pub(super) use pass::{Keeper, needed, provisions};
pub(super) use wanted::named_groups;

use super::{build::StartFault, policies::Policies};
use crate::{
    config::Config,
    port::{clock::Clock, secrets::Secrets},
    store,
};

/// What keeps people at targets as they should be. It waits where nothing is provisioned and nobody listed.
pub(super) fn keeper(
    config: &Config,
    secrets: &dyn Secrets,
    (opened, policies, clock): (&store::Opened, &Policies, &Arc<dyn Clock>),
) -> Result<Arc<Keeper>, StartFault> {
    let tools = Tools::new(opened, Arc::clone(&policies.quiet), Arc::clone(clock));
    Keeper::open(config, secrets, tools).map(Arc::new)
}
