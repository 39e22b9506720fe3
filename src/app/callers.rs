//! What callers' proofs are checked against: read at start and when the configuration is read again, so that a missing secret is found then.

use std::collections::BTreeMap;

use crate::{
    broker::clients::{Proof, hash_secret},
    config::Config,
    domain::{
        client::{ClientAuth, ClientSettings},
        ids::{ClientId, TargetId},
    },
    http::kubernetes::Asking,
    port::secrets::Secrets,
    target,
};

use super::build::StartFault;

/// The administrators' token, as its hash.
pub(super) fn admin_token(config: &Config, secrets: &dyn Secrets) -> Result<Option<[u8; 32]>, StartFault> {
    let Some(admin) = &config.admin else {
        return Ok(None);
    };
    let token = secrets
        .read(&admin.token)
        .map_err(|fault| StartFault(format!("admin.token: {fault}")))?;
    Ok(Some(hash_secret(token.reveal())))
}

/// The clusters that may ask who may do what.
pub(super) fn asking(
    config: &Config,
    secrets: &dyn Secrets,
) -> Result<BTreeMap<TargetId, Asking>, StartFault> {
    let mut asking = BTreeMap::new();
    for declared in &config.targets {
        let target::Declared::Kubernetes(cluster) = declared else {
            continue;
        };
        let Some(review) = &cluster.review else {
            continue;
        };
        let token = secrets
            .read(&review.token)
            .map_err(|fault| StartFault(format!("targets: '{}': review.token: {fault}", cluster.id)))?;
        let facts = Asking {
            token_hash: hash_secret(token.reveal()),
            prefix: format!("{}{}", review.groups_prefix, cluster.prefix),
        };
        asking.insert(cluster.id.clone(), facts);
    }
    Ok(asking)
}

/// Reads what the clients' proofs are checked against.
pub(super) fn proofs(
    clients: &[ClientSettings],
    secrets: &dyn Secrets,
) -> Result<BTreeMap<ClientId, Proof>, StartFault> {
    let mut proofs = BTreeMap::new();
    for client in clients {
        let wrong = |why: String| StartFault(format!("clients: '{}': {why}", client.id));
        let proof =
            match &client.auth {
                ClientAuth::None => Proof::None,
                ClientAuth::Secret { secret } => Proof::Secret(hash_secret(
                    secrets
                        .read(secret)
                        .map_err(|fault| wrong(fault.to_string()))?
                        .reveal(),
                )),
                ClientAuth::PrivateKeyJwt { jwks_file } => {
                    let text = std::fs::read(jwks_file)
                        .map_err(|error| wrong(format!("{}: {error}", jwks_file.display())))?;
                    Proof::Keys(serde_json::from_slice(&text).map_err(|error| {
                        wrong(format!("{}: found no JWKS ({error})", jwks_file.display()))
                    })?)
                }
            };
        proofs.insert(client.id.clone(), proof);
    }
    Ok(proofs)
}
