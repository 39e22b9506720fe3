//! Settings of kolla-ansible, Keystone, Horizon and Skyline.

use std::fmt::Write as _;

use url::Url;

use super::{super::super::encoded, Ask, PROTOCOL, REDIRECT_PATH, SCOPES};

/// A text in YAML and in Python: a JSON string is one in both.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The part of `globals.yml`.
pub(super) fn globals(ask: &Ask<'_>) -> String {
    let version = if ask.config.projects_json { "3.0" } else { "2.0" };
    let home = ask.domains.first().map_or("", String::as_str);
    let issuer = ask.issuer();
    let place = |path: &str| quoted(&format!("{}/{path}", ask.folder));
    let mut text = format!(
        r#"# Part of globals.yml, written by `fedgate keystone kolla`. kolla makes the domain {home}; these must exist: {domains}
enable_keystone_federation: "yes"
keystone_identity_providers:
  - name: {name}
    openstack_domain: {home_quoted}
    protocol: "{PROTOCOL}"
    identifier: {issuer_quoted}
    public_name: "Sign in"
    attribute_mapping: {name}
    metadata_folder: {metadata}
keystone_identity_mappings:
  - name: {name}
    file: {mapping}
    schema_version: "{version}"
# kolla's own default is the implicit flow, which this gateway does not have.
keystone_federation_oidc_response_type: "code"
keystone_federation_oidc_scopes: "{SCOPES}"
keystone_federation_oidc_jwks_uri: {jwks}
keystone_federation_oidc_additional_options:
  OIDCPKCEMethod: "S256"
  # It travels with the metadata, and pins issuer and audience.
  Include: "{{{{ keystone_container_federation_oidc_metadata_folder }}}}/fedgate-apache.conf"
"#,
        domains = ask.domains.join(", "),
        name = quoted(ask.identity_provider),
        home_quoted = quoted(home),
        issuer_quoted = quoted(&issuer),
        metadata = place("metadata"),
        mapping = place(&format!("mapping-{version}.json")),
        jwks = quoted(&format!("{issuer}/jwks")),
    );
    if ask.skyline.is_some() {
        text.push_str("skyline_enable_sso: \"yes\"\n");
    }
    text
}

/// The part of Keystone's own configuration, an override that kolla merges.
pub(super) fn keystone_conf() -> String {
    "# Part of /etc/kolla/config/keystone.conf, written by `fedgate keystone kolla`. Keystone then hears of people only by\n\
     # keys of Apache's own environment (OIDC-…). A header of a client arrives as HTTP_…, whatever its name.\n\
     [federation]\n\
     assertion_prefix = OIDC-\n\
     [openid]\n\
     remote_id_attribute = OIDC-iss\n"
        .to_owned()
}

/// Horizon's settings.
pub(super) fn horizon(ask: &Ask<'_>) -> String {
    let keystone = quoted(&format!("{}/v3", ask.keystone));
    let choice = format!("{}_{PROTOCOL}", ask.identity_provider);
    let back = encoded(&ask.logout_return().unwrap_or_default());
    let logout = quoted(&format!("{}{REDIRECT_PATH}?logout={back}", ask.keystone));
    format!(
        r#"# /etc/kolla/config/horizon/_9999-custom-settings.py, written by `fedgate keystone kolla`.
WEBSSO_ENABLED = True
WEBSSO_KEYSTONE_URL = {keystone}
WEBSSO_CHOICES = (("credentials", "Keystone Credentials"), ({choice}, "Sign in"))
WEBSSO_IDP_MAPPING = {{
    {choice}: ({provider}, "{PROTOCOL}"),
}}
# With True and no allow list, a forged Referer makes Horizon call any host.
WEBSSO_USE_HTTP_REFERER = False
# One "Sign in" and one "Sign out" for all: Horizon, Apache's session, this gateway's, the organisation's.
WEBSSO_DEFAULT_REDIRECT = True
WEBSSO_DEFAULT_REDIRECT_PROTOCOL = "{PROTOCOL}"
WEBSSO_DEFAULT_REDIRECT_REGION = WEBSSO_KEYSTONE_URL  # a URL, despite its name
WEBSSO_DEFAULT_REDIRECT_LOGOUT = {logout}
"#,
        choice = quoted(&choice),
        provider = quoted(ask.identity_provider),
    )
}

/// Skyline's settings; with kolla, `skyline_enable_sso` in `globals.yml` makes the same.
pub(super) fn skyline(ask: &Ask<'_>, console: &Url) -> String {
    let mut text = format!(
        "# Part of skyline.yaml, written by `fedgate keystone kolla`.\nopenstack:\n  keystone_url: {}\n  \
         sso_enabled: true\n  sso_protocols:\n    - {PROTOCOL}\n  sso_region: RegionOne\n",
        quoted(&format!("{}/v3/", ask.keystone))
    );
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "# In keystone.conf, section [federation] (kolla does it by itself):\n#   trusted_dashboard = \
         {}/api/openstack/skyline/api/v1/websso",
        console.as_str().trim_end_matches('/')
    );
    text
}
