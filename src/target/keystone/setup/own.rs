//! An identity provider of this gateway in Keystone, with its mapping and its protocol.

use ::http::Method;
use serde_json::json;

use super::{Admin, Change, KeystoneFault, Step, rules};
use crate::target::keystone::{Config, MappingSchema, groups as keystone_groups, headers::name};
use crate::wire::keystone::{IdentityProviderBody, MappingBody, Protocols};

/// Minutes for which mapped group memberships last, so that they show in listings (openstack.md §2.4).
const AUTHORIZATION_TTL_MIN: u64 = 60;

/// One identity provider of this gateway, with its mapping and its protocol.
pub(super) struct Own<'a> {
    pub(super) admin: &'a Admin<'a>,
    pub(super) config: &'a Config,
    /// The domain of the identity provider.
    pub(super) home: &'a str,
}

impl Own<'_> {
    pub(super) async fn all(&self, home_id: Option<&str>) -> Result<[Step; 3], KeystoneFault> {
        Ok([
            self.identity_provider(home_id).await?,
            self.mapping().await?,
            self.protocol().await?,
        ])
    }

    async fn identity_provider(&self, home_id: Option<&str>) -> Result<Step, KeystoneFault> {
        let config = self.config;
        let remote_id = config.remote_id(self.admin.ask.issuer);
        let path = format!(
            "/v3/OS-FEDERATION/identity_providers/{}",
            config.identity_provider
        );
        let what = format!(
            "identity provider '{}' with remote id {remote_id} in domain '{}'",
            config.identity_provider, self.home
        );
        let found: Option<IdentityProviderBody> = self.admin.look(&what, &path).await?;
        let mut wanted = json!({ "enabled": true, "authorization_ttl": ttl(config) });
        let Some(found) = found.map(|body| body.identity_provider) else {
            let change = Change::Made;
            let step = Step { what, change };
            if let Some(wanted) = wanted.as_object_mut() {
                wanted.insert("remote_ids".into(), json!([remote_id]));
                wanted.insert("description".into(), json!("fedgate"));
                wanted.insert("domain_id".into(), json!(home_id));
            }
            let body = json!({ "identity_provider": wanted });
            self.admin.write(&step, Method::PUT, &path, &body).await?;
            return Ok(step);
        };
        // Keystone never moves one: its people would stay in a domain that may be another tenant's by now.
        if config.mapping_schema == MappingSchema::Groups
            && let Some(home_id) = home_id.filter(|home_id| **home_id != *found.domain_id)
        {
            return Err(KeystoneFault::Configuration(format!(
                "{what}: found it in the domain {}, expected {home_id}, its tenant's. Delete it in Keystone, or give the \
                 tenant its domain back",
                found.domain_id
            )));
        }
        if found.enabled
            && found.authorization_ttl == Some(ttl(config))
            && found.remote_ids.contains(&remote_id)
        {
            let change = Change::None;
            return Ok(Step { what, change });
        }
        // Remote ids of others stay: setting up never takes away.
        let mut remote_ids = found.remote_ids;
        if !remote_ids.contains(&remote_id) {
            remote_ids.push(remote_id);
        }
        if let Some(wanted) = wanted.as_object_mut() {
            wanted.insert("remote_ids".into(), json!(remote_ids));
        }
        let change = Change::Updated;
        let step = Step { what, change };
        let body = json!({ "identity_provider": wanted });
        self.admin.write(&step, Method::PATCH, &path, &body).await?;
        Ok(step)
    }

    async fn mapping(&self) -> Result<Step, KeystoneFault> {
        let config = self.config;
        let version = config.mapping_schema.version();
        let remote_id = config.remote_id(self.admin.ask.issuer);
        let rules = match config.mapping_schema {
            MappingSchema::Projects => rules(config, &remote_id),
            MappingSchema::Groups => keystone_groups::rules(config, &remote_id, self.home),
        };
        let path = format!("/v3/OS-FEDERATION/mappings/{}", config.identity_provider);
        let what = format!("mapping '{}' (schema {version})", config.identity_provider);
        let found: Option<MappingBody> = self.admin.look(&what, &path).await?;
        let body = json!({ "mapping": { "rules": rules, "schema_version": version } });
        // A Keystone that knows one schema alone does not say which.
        let same = |own: Option<&str>| own.unwrap_or("1.0") == version;
        let (method, change) = match found.map(|body| body.mapping) {
            None => (Method::PUT, Change::Made),
            Some(own) if own.rules == rules && same(own.schema_version.as_deref()) => {
                let change = Change::None;
                return Ok(Step { what, change });
            }
            Some(_) => (Method::PATCH, Change::Updated),
        };
        let step = Step { what, change };
        self.admin
            .write(&step, method, &path, &body)
            .await
            .map_err(|fault| hinted(fault, config))?;
        Ok(step)
    }

    async fn protocol(&self) -> Result<Step, KeystoneFault> {
        let config = self.config;
        let attribute = config.key(name::ISS);
        let list = format!(
            "/v3/OS-FEDERATION/identity_providers/{}/protocols",
            config.identity_provider
        );
        let path = format!("{list}/{}", config.protocol);
        let what = format!("protocol '{}' of '{}'", config.protocol, config.identity_provider);
        let found: Option<Protocols> = self.admin.look(&what, &list).await?;
        let own = found
            .into_iter()
            .flat_map(|list| list.protocols)
            .find(|own| own.id == config.protocol);
        let (method, change) = match own {
            None => (Method::PUT, Change::Made),
            Some(own)
                if own.mapping_id == config.identity_provider
                    && own.remote_id_attribute.as_deref() == Some(attribute.as_str()) =>
            {
                let change = Change::None;
                return Ok(Step { what, change });
            }
            Some(_) => (Method::PATCH, Change::Updated),
        };
        let step = Step { what, change };
        let body = json!({ "protocol": {
            "mapping_id": config.identity_provider, "remote_id_attribute": attribute } });
        self.admin.write(&step, method, &path, &body).await?;
        Ok(step)
    }
}

fn ttl(config: &Config) -> u64 {
    match config.mapping_schema {
        MappingSchema::Projects => AUTHORIZATION_TTL_MIN,
        MappingSchema::Groups => keystone_groups::AUTHORIZATION_TTL_MIN,
    }
}

/// What an older Keystone says of schema 3.0 does not tell an operator what to do.
fn hinted(fault: KeystoneFault, config: &Config) -> KeystoneFault {
    if config.mapping_schema == MappingSchema::Projects
        && let KeystoneFault::Refused { step, answer } = &fault
        && answer.contains("projects_json")
    {
        return KeystoneFault::Configuration(format!(
            "{step}: this Keystone does not know schema 3.0, which came with 2026.1 (29). Set 'mapping_schema: \"1.0\"' of \
             target '{}', and run this again. It said: {answer}",
            config.id
        ));
    }
    fault
}
