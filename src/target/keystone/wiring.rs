//! The lines of `keystone.conf` that fit a target's settings, for `fedgate keystone setup`.

use super::{Config, MappingSchema, headers::name};

/// What an operator writes into `keystone.conf`, and how Keystone is started, as lines to print.
#[must_use]
pub fn lines(config: &Config) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "# keystone.conf on every node, then restart Keystone:".to_owned(),
        "[auth]".to_owned(),
        format!("methods = {}", methods(config)),
        "[federation]".to_owned(),
        format!("remote_id_attribute = {}", config.key(name::ISS)),
        format!("assertion_prefix = {}", config.assertion_prefix()),
    ];
    let origins = config.dashboards.iter();
    lines.extend(origins.map(|dashboard| format!("trusted_dashboard = {}", dashboard.origin)));
    lines.extend([
        "[token]".to_owned(),
        format!("expiration = {}", config.lifetime_s),
    ]);
    if config.mapping_schema == MappingSchema::Groups {
        // Groups lapse by themselves, and nothing clears what Keystone computed from them: ten minutes otherwise.
        lines.extend(["[role]".to_owned(), "cache_time = 60".to_owned()]);
    }
    lines.push(String::new());
    lines.extend(transport(config).into_iter().map(|line| format!("# {line}")));
    lines
}

/// `external` is left out: it conflicts through REMOTE_USER. The protocol must be named, or logins are 401.
fn methods(config: &Config) -> String {
    let mut methods = vec![
        "password",
        "token",
        "mapped",
        "openid",
        "saml2",
        "application_credential",
    ];
    if !methods.contains(&config.protocol.as_str()) {
        methods.push(&config.protocol);
    }
    methods.join(",")
}

fn transport(config: &Config) -> Vec<String> {
    if config.speaks_uwsgi() {
        let place = config.url.as_str().trim_start_matches("uwsgi://");
        vec![
            format!("Keystone listens for this gateway alone: uwsgi --socket {place} --buffer-size 65535 …,"),
            "and no --http-socket and no Apache beside it that others can reach.".to_owned(),
            "No HTTP client can make a key that begins with FEDGW_: headers arrive as HTTP_….".to_owned(),
        ]
    } else {
        let mut lines = vec![
            "Whoever reaches Keystone past this gateway is whoever they claim to be: a network of its own, or TLS"
                .to_owned(),
            "with client certificates. `url: uwsgi:///path/of/the/socket` needs no such care.".to_owned(),
        ];
        if config.header_prefix.is_none() {
            lines.push(
                "Set 'header_prefix' to a random one for this deployment: OIDC- is known to everybody."
                    .to_owned(),
            );
        }
        lines
    }
}
