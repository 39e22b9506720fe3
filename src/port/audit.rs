//! Where audit events go on their way to the trail.

use async_trait::async_trait;

use crate::{domain::audit::Event, port::records::RecordFault};

/// Takes events over. Returns only when they are durable: an answer that depends on an event leaves after
/// it, so a crash can lose neither silently. Events of parallel requests share one write.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Records one event.
    async fn record(&self, event: Event) -> Result<(), RecordFault>;
}
