//! JWTs of other issuers: whose key signed, for whom, when. One verifier for every kind of upstream that takes
//! them, so that no kind can forget a check that another has. What a token says beyond that is the kind's own.

pub(super) mod keys;
pub(super) mod token;
pub(super) mod trouble;
