//! The key rings that a configuration names: the gateway's own, and those of targets with an issuer of their own.

use std::sync::Arc;

use crate::{
    config::Config,
    keys::{RingFault, RingParts, Rings},
    port::{clock::Clock, records::KeyRecords, signer::Sealer},
};

/// Opens them.
pub(super) async fn open(
    config: &Config,
    records: Arc<dyn KeyRecords>,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
) -> Result<Rings, RingFault> {
    let others = config
        .targets
        .iter()
        .filter_map(|target| Some((target.id().to_string(), target.own_issuer(&config.issuer)?)));
    let parts = RingParts {
        records,
        sealer,
        clock,
        settings: config.keys.clone(),
    };
    Rings::open(&parts, &config.issuer, others.collect()).await
}
