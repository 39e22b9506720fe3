//! The Apache snippet: what kolla's template leaves open. It is included inside Keystone's virtual host.
//!
//! `<If>` sections are merged after every `<Location>`, wherever those stand, so kolla's own `Require valid-user` does
//! not come out on top.

use super::Ask;

/// How the headers begin that speak about identity.
const SPEAKING: &str = "^(OIDC|MELLON|SHIB|REMOTE)[-_]";

pub(super) fn snippet(ask: &Ask<'_>) -> String {
    let (issuer, audience) = (ask.issuer(), &ask.config.audience);
    let path = pattern(&ask.protocol_path());
    let discover = ask.discover_url();
    let allowed = ask.horizon.map_or_else(String::new, |horizon| {
        let places = [
            format!("{}/", ask.keystone),
            format!("{}/", horizon.as_str().trim_end_matches('/')),
        ];
        let places: Vec<String> = places
            .iter()
            .map(|place| format!("^{}", escaped(place)))
            .collect();
        format!(
            "\n# Where signing out may return to. Without it the module keeps its session.\n\
             OIDCRedirectURLsAllowed {}\n",
            places.join(" ")
        )
    });
    format!(
        r#"# Written by `fedgate keystone kolla`. Included inside the virtual host of Keystone.
{allowed}
# Command lines: a bearer token of this issuer and for this audience, and nothing else. Without this, mod_auth_openidc
# before 2.4.20 looks at neither. `oauth20`, because `auth-openidc` answers a missing token with a page.
<If "%{{REQUEST_URI}} =~ m#/v3/+OS-FEDERATION/+{path}/+auth#">
    AuthType oauth20
    <RequireAll>
        Require claim iss:{issuer}
        Require claim aud:{audience}
    </RequireAll>
</If>
# mod_auth_openidc 2.4.20 or newer can pin both by itself as well:
#   OIDCOAuthVerifyIssuer {issuer}
#   OIDCOAuthVerifyAudience {audience}

# Browsers: a session that another issuer's sign-in made is none here.
<If "%{{REQUEST_URI}} =~ m#/v3/+auth/+OS-FEDERATION/+{path}/+websso#">
    Require claim iss:{issuer}
</If>

# Dashboards that name no identity provider (Skyline): straight to this gateway, where people name their organisation.
# Leave this out where other identity providers are to be chosen from.
<If "%{{REQUEST_URI}} =~ m#/v3/+auth/+OS-FEDERATION/+websso/+openid#">
    OIDCDiscoverURL {discover}
</If>

# Who somebody is comes from mod_auth_openidc alone. It removes forged headers only on the paths that it protects, and
# Keystone looks for them on every path, POST /v3/auth/tokens above all: a request that brings one is refused. The
# issuer has lines of its own, because the last line sees no more than the last of the headers that it matches; without
# an issuer Keystone believes none of them.
SetEnvIfNoCase OIDC-ISS . FEDGATE_FORGED
SetEnvIfNoCase OIDC_ISS . FEDGATE_FORGED
SetEnvIfNoCase {SPEAKING} . FEDGATE_FORGED
<If "-n reqenv('FEDGATE_FORGED')">
    Require all denied
</If>
"#
    )
}

/// A path as a regular expression: several slashes are one.
fn pattern(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(escaped).collect();
    parts.join("/+")
}

fn escaped(text: &str) -> String {
    text.replace('.', "\\.")
}
