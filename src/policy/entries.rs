//! Where policy is asked: the rule that answers at each entry, and what a refusal looks like there.

use crate::{
    domain::{access::Answer, mapping::Refinement},
    port::policy::{Entry, Output, PolicyFault, ReviewAnswer, Verdict, read},
};

/// The rule that answers.
pub(super) fn path(entry: Entry) -> &'static str {
    match entry {
        Entry::Login => "data.federation.login.decision",
        Entry::Mapping => "data.federation.mapping.decision",
        Entry::Access => "data.federation.access.decision",
        Entry::Exchange => "data.federation.exchange.decision",
        Entry::Introspection => "data.federation.introspection.decision",
        Entry::Admin => "data.federation.admin.decision",
        Entry::Kubernetes => "data.kubernetes.authz.decision",
    }
}

/// The package that must hold the rule.
pub(super) fn package(entry: Entry) -> &'static str {
    let (_, inside) = path(entry).split_once('.').unwrap_or_default();
    inside.strip_suffix(".decision").unwrap_or(inside)
}

/// Whether an output lets nobody in; a fault where it is not of the entry's type.
pub(super) fn refuses(entry: Entry, output: &str) -> Result<bool, PolicyFault> {
    Ok(match entry {
        Entry::Login | Entry::Access | Entry::Exchange => read::<Answer>(output)?.refuses(),
        Entry::Mapping => read::<Refinement>(output)?.refuses(),
        Entry::Introspection | Entry::Admin => read::<Verdict>(output)?.refuses(),
        Entry::Kubernetes => read::<ReviewAnswer>(output)?.refuses(),
    })
}
