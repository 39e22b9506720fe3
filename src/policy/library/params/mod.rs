//! The parameters of the library's rules, as an operator writes them. Unknown keys are refused.

mod partners;
mod people;

pub use partners::{
    Allocated, Allocation, Approval, AttributeRelease, Ci, Contract, Emergency, EmergencyGrant,
    Jurisdictions, Keep, Link, Mark, Onward, ParticipantCredential, Released, ServiceAccount,
    ServiceAccounts, Tag, Tagged, TaggedTarget, TrustChain, TrustMark,
};
pub use people::{
    AcceptedGroups, Assurance, Claimed, Deprovisioned, Entitlements, Everything, Invitation, Invited,
    Membership, MfaFor, NamePrefix, Network, NoLocalUsers, Person, ReaderUnless, ReservedRoles, RoleMap,
    Separation, SignInAge, Terms, UntrustedGroups,
};
