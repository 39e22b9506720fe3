//! Writes down what a sign-in is about to give, so that provisioning may take it away again and nothing else.

use std::sync::Arc;

use super::provision;
use crate::domain::{
    access::Permit,
    fault::{Code, Fault},
};
use crate::port::people;

/// The way into the ledger.
pub(super) struct Given(pub(super) Arc<dyn people::Given>);

impl Given {
    /// Returns when it is durable. Without it the sign-in does not happen: what nobody wrote down, nobody takes away.
    /// Each time anew: what was struck out meanwhile is given again by this sign-in.
    pub(super) async fn note(&self, permit: &Permit, domain: &str) -> Result<(), Fault> {
        let entries = provision::entries_of(permit, domain);
        self.0
            .note(permit.target().as_str(), &entries, &[])
            .await
            .map_err(|fault| Fault::new(Code::StoreDown, fault.to_string()))
    }
}
