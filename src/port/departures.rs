//! What is kept of customers, so that it can be ended when they go.

use async_trait::async_trait;

use crate::domain::{
    assertion::UpstreamAssertion,
    ids::{ClientId, TenantId, UpstreamId},
    time::Timestamp,
};

use super::records::RecordFault;

/// To whom something was given, and through what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The tenant.
    pub tenant: TenantId,
    /// The upstream that vouched for them; none for a client that acts for itself.
    pub upstream: Option<UpstreamId>,
    /// The client that it was given through; none where a dashboard was entered.
    pub client: Option<ClientId>,
    /// The stable `sub`.
    pub person: String,
}

/// What is kept, in pages, and its end. A page begins after the id named and is in the order of ids.
#[async_trait]
pub trait Departures: Send + Sync {
    /// Sessions, and families of refresh tokens whose session has ended: each `sid` with what its upstream said.
    async fn sessions(&self, after: &str, most: u32)
    -> Result<Vec<(String, UpstreamAssertion)>, RecordFault>;
    /// The clients that hold refresh tokens.
    async fn clients(&self) -> Result<Vec<ClientId>, RecordFault>;
    /// Families of refresh tokens of one client: each id with what the upstream said.
    async fn families(
        &self,
        client: &ClientId,
        most: u32,
    ) -> Result<Vec<(String, UpstreamAssertion)>, RecordFault>;
    /// Who holds tokens at targets that are good at `now`: one of each tenant, upstream and client.
    async fn holders(&self, now: Timestamp) -> Result<Vec<Holder>, RecordFault>;
    /// The tokens at targets of the holder's tenant, upstream and client must end now. How many there were.
    async fn must_end(&self, holder: &Holder, why: &str, now: Timestamp) -> Result<u64, RecordFault>;
}
