//! What the demonstration tells: the file `env`, and the next steps.

use std::fmt::Write as _;

use super::files::{DUTY, Demo, PEOPLE};

/// `target/demo/env`, for `source`.
pub(super) fn environment(demo: &Demo) -> Result<String, String> {
    let path = |name: &str| demo.path(name).display().to_string();
    let mut lines = vec![
        ("FEDGATE_ISSUER", demo.ported("https://localhost:8443")),
        ("FEDGATE_HOME_ISSUER", demo.ported("https://localhost:8444")),
        ("FEDGATE_CA", path("tls/ca.pem")),
        ("FEDGATE_ADMIN_TOKEN_FILE", path("cloud-a/admin.token")),
        // Public: device grant, authorization code with PKCE, token exchange. `fedctl` reads it, too.
        ("FEDGATE_CLIENT_ID", "fedctl".to_owned()),
        ("FEDGATE_PUBLIC_CLIENT_ID", "fedctl".to_owned()),
        ("FEDGATE_CONFIDENTIAL_CLIENT_ID", "demo-app".to_owned()),
        (
            "FEDGATE_CONFIDENTIAL_CLIENT_SECRET",
            demo.read("demo-app.secret")?,
        ),
        ("FEDGATE_KUBE_AUDIENCE", "k8s-cluster-a".to_owned()),
        ("FEDGATE_OPENSTACK_CLIENT_ID", "openstack-cli".to_owned()),
        ("FEDGATE_OPENSTACK_AUDIENCE", "openstack".to_owned()),
        ("FEDCTL_CACHE", path("fedctl")),
        ("FEDGATE_DEMO_ORGANISATION", "acme".to_owned()),
        // alice: developer and operator; bob: viewer; carol: nothing in the cloud, she is refused.
        ("FEDGATE_DEMO_USERS", PEOPLE.join(" ")),
    ];
    let mut passwords = Vec::new();
    for person in PEOPLE.into_iter().chain([DUTY]) {
        let upper = person.to_uppercase();
        passwords.push((format!("FEDGATE_DEMO_USER_{upper}"), person.to_owned()));
        passwords.push((
            format!("FEDGATE_DEMO_PASSWORD_{upper}"),
            demo.read(&format!("{person}.password"))?,
        ));
    }
    let mut text = String::from("# Written by `fedgate demo`. Use: source target/demo/env\n");
    for (name, value) in lines
        .drain(..)
        .map(|(name, value)| (name.to_owned(), value))
        .chain(passwords)
    {
        // Values are ours; single quotes keep the shell from reading anything into them.
        let _fits = writeln!(text, "export {name}='{}'", value.replace('\'', "'\\''"));
    }
    Ok(text)
}

/// What to do now.
pub(super) fn next_steps(demo: &Demo, openstack: bool) -> String {
    let password = |person: &str| demo.read(&format!("{person}.password")).unwrap_or_default();
    let env = demo.path("env");
    let mut text = format!(
        "
Open  {issuer}  and name your organisation: acme
      (the browser does not know the demonstration's CA: {ca})

      alice  {alice}   developer and operator
      bob    {bob}   viewer
      carol  {carol}   of acme, but nothing in this cloud: she is refused, and told why

      (duty, {duty}, of the organisation cloud-a, comes in when everything else is down)

On the command line, in another terminal:

  source {env}
  export PATH=\"{bin}:$PATH\"
  fedctl login                # or: fedctl login --device
  fedctl whoami
  fedctl token --audience $FEDGATE_KUBE_AUDIENCE
  fedctl kube config
  fedctl logout
",
        issuer = demo.ported("https://localhost:8443"),
        ca = demo.path("tls/ca.pem").display(),
        alice = password("alice"),
        bob = password("bob"),
        carol = password("carol"),
        duty = password(DUTY),
        env = env.display(),
        bin = std::env::current_exe()
            .ok()
            .and_then(|program| program.parent().map(|folder| folder.display().to_string()))
            .unwrap_or_default(),
    );
    text.push_str(&policy_steps(demo));
    if openstack {
        text.push_str(&openstack_steps(demo));
    } else {
        text.push_str("\nWith a real Keystone behind it: make demo-openstack\n");
    }
    text.push_str("\nLogs: ");
    text.push_str(&demo.path("log").display().to_string());
    text.push_str("   End: Ctrl-C\n");
    text
}

/// A refusal, a policy that would change it, what it would change, and that it does.
fn policy_steps(demo: &Demo) -> String {
    format!(
        "
Change who is let in. Sign in as carol in a private window: she is refused, and the decision is kept.

  export FEDGATE_CONFIG={config}
  fedgate explain --claims {claims} --upstream acme --target gateway     # why she is refused
  cat {candidate}/federation/guests.rego       # a policy that lets everybody of acme look around
  fedgate policy impact --since 1h --folder {candidate}     # carol would gain a session; exit code 3
  fedgate policy apply --ca $FEDGATE_CA --folder {candidate}
  fedgate policy status --ca $FEDGATE_CA

Now carol is let in. Back to what was:

  fedgate policy rollback --ca $FEDGATE_CA
",
        config = demo.path("cloud-a/fedgate.yaml").display(),
        candidate = demo.path("candidate").display(),
        claims = demo.path("carol.claims.json").display(),
    )
}

fn openstack_steps(demo: &Demo) -> String {
    format!(
        "
The stock openstack client, with a code to confirm in the browser:

  source {env}
  export PATH=\"${{FEDGATE_PARTS:-$HOME/.cache/fedgate}}/keystone/client/bin:$PATH\"
  export OS_AUTH_URL=$FEDGATE_ISSUER/v3 OS_IDENTITY_API_VERSION=3 OS_CACERT=$FEDGATE_CA \\
         OS_IDENTITY_PROVIDER=fedgate OS_PROTOCOL=openid
  D=\"--os-auth-type v3oidcdeviceauthz --os-client-id $FEDGATE_OPENSTACK_CLIENT_ID --os-code-challenge-method S256 \\
     --os-discovery-endpoint $FEDGATE_ISSUER/.well-known/openid-configuration\"
  openstack $D token issue                                   # unscoped
  openstack $D federation project list
  openstack $D --os-project-name webshop --os-project-domain-name acme token issue

The same with the session of fedctl (fedctl login first), without another confirmation:

  A=\"--os-auth-type v3oidcaccesstoken --os-access-token $(fedctl token --audience $FEDGATE_OPENSTACK_AUDIENCE)\"
  openstack $A federation project list
  openstack $A --os-project-name webshop --os-project-domain-name acme token issue

Any program in a project, with the same session; a clouds.yaml without a secret:

  fedctl openstack exec --project webshop -- openstack token issue
  fedctl openstack config --project webshop --domain acme

A CI job, without any secret. The demonstration signs its token as a CI system would; a token counts once:

  fedgate demo-job --folder {folder} --ref main > {folder}/job.token
  fedctl openstack exec --subject-token-file {folder}/job.token --project webshop --domain acme -- openstack token issue
  fedgate demo-job --folder {folder} --ref feature/x > {folder}/job.token
  fedctl openstack token --subject-token-file {folder}/job.token --project webshop --domain acme     # CONDITION_FAILED

What people have in Keystone comes before they do, and goes when they are let go:

  fedgate keystone status                       # in step, or what waits
  TOKEN=$(openstack $A --os-project-name webshop --os-project-domain-name acme token issue -f value -c id)
  fedgate offboard --user acme/alice            # sessions, tokens, roles, application credentials, and when each went
  openstack --os-auth-type v3token --os-token $TOKEN token issue     # Keystone itself refuses it
  fedgate offboard --user acme/alice --back     # alice may come again

",
        folder = demo.folder.display(),
        env = demo.path("env").display()
    )
}
