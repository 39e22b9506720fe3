//! What `fedgate keystone kolla` writes, out of the configuration.

use url::Url;

use crate::{
    config::Config,
    domain::client::{ClientAuth, ClientSettings, GrantType},
    port::secrets::Secrets,
    target::{
        self,
        keystone::claims::{
            self,
            kolla::{self, REDIRECT_PATH},
        },
    },
};

pub use crate::target::keystone::claims::kolla::File;

use super::{build::StartFault, operate};

/// What the operator says beside the configuration.
#[derive(Debug, Clone)]
pub struct KollaAsk<'a> {
    /// Which target, if there are several.
    pub target: Option<&'a str>,
    /// The identity provider's id in Keystone.
    pub identity_provider: &'a str,
    /// Where Horizon is.
    pub horizon: Option<&'a Url>,
    /// Where Skyline's console is.
    pub skyline: Option<&'a Url>,
    /// Where the files will be.
    pub folder: &'a str,
}

/// The files, and what is left to do beside them.
pub fn files(
    config: &Config,
    secrets: &dyn Secrets,
    ask: &KollaAsk<'_>,
) -> Result<(Vec<File>, Vec<String>), StartFault> {
    let target = target_of(config, ask.target)?;
    let (client, keystone) = client_of(config, target)?;
    let ClientAuth::Secret { secret } = &client.auth else {
        return Err(StartFault(format!(
            "clients: '{}': found no secret, expected `auth: {{ method: secret, … }}`: mod_auth_openidc's files hold one",
            client.id
        )));
    };
    let secret = secrets
        .read(secret)
        .map_err(|fault| StartFault(format!("clients: '{}': {fault}", client.id)))?;
    let spelled = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if ask.identity_provider.is_empty() || !ask.identity_provider.bytes().all(spelled) {
        return Err(StartFault(
            "--identity-provider: expected letters, digits, '-' and '_': it stands in a path".to_owned(),
        ));
    }
    let domains = operate::domains(config);
    if domains.is_empty() {
        return Err(StartFault(
            "no tenant has a Keystone domain; set 'domains' of the tenants first".to_owned(),
        ));
    }
    let ask = kolla::Ask {
        config: target,
        gateway: &config.issuer,
        client: client.id.as_str(),
        secret: &secret,
        keystone,
        identity_provider: ask.identity_provider,
        domains: &domains,
        horizon: ask.horizon,
        skyline: ask.skyline,
        folder: ask.folder,
    };
    Ok((kolla::files(&ask), left(client, &ask)))
}

fn target_of<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a claims::Config, StartFault> {
    let mut found = config
        .targets
        .iter()
        .filter_map(target::Declared::as_keystone_claims)
        .filter(|target| name.is_none_or(|name| target.id.as_str() == name));
    match (found.next(), found.next()) {
        (Some(target), None) => Ok(target),
        (Some(_), Some(_)) => Err(StartFault(
            "targets: found several of kind keystone_claims; say which by --target".to_owned(),
        )),
        (None, _) => Err(StartFault(
            "targets: found no such Keystone, expected one with kind: keystone_claims".to_owned(),
        )),
    }
}

/// Apache's client: its first audience is the target's, and it is sent back to mod_auth_openidc's own path. Before
/// that path stands Keystone's public URL.
fn client_of<'a>(
    config: &'a Config,
    target: &claims::Config,
) -> Result<(&'a ClientSettings, &'a str), StartFault> {
    let keystone = |client: &'a ClientSettings| {
        let mut uris = client.redirect_uris.iter();
        uris.find_map(|uri| uri.strip_suffix(REDIRECT_PATH))
    };
    let mut found = config
        .clients
        .iter()
        .filter(|client| {
            client.grants.contains(&GrantType::AuthorizationCode)
                && client.audiences.first() == Some(&target.audience)
        })
        .filter_map(|client| Some((client, keystone(client)?)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(StartFault(format!(
            "clients: found none for Keystone's Apache, expected one with grants: [authorization_code], \
             audiences: [{}] and redirect_uris: [\"https://KEYSTONE:5000{REDIRECT_PATH}\"]",
            target.audience
        ))),
        (Some((one, _)), Some((other, _))) => Err(StartFault(format!(
            "clients: found '{}' and '{}', both with {REDIRECT_PATH} and the audience {}; expected one",
            one.id, other.id, target.audience
        ))),
    }
}

/// What nobody but the operator can do.
fn left(client: &ClientSettings, ask: &kolla::Ask<'_>) -> Vec<String> {
    let mut lines = vec![
        format!(
            "role '{}' must exist in Keystone, and the domains {}",
            ask.config.default_role,
            ask.domains.join(", ")
        ),
        // openstack.md: without it, group members can have no application credentials.
        format!(
            "after the deployment, once: openstack identity provider set --authorization-ttl 60 {}",
            ask.identity_provider
        ),
    ];
    if let Some(back) = ask.logout_return()
        && !client.post_logout_redirect_uris.contains(&back)
    {
        lines.push(format!(
            "clients: '{}': add {back} to post_logout_redirect_uris, or signing out ends on a page of this gateway",
            client.id
        ));
    }
    lines
}
