#!/usr/bin/env bash
# Installs a real OpenStack Keystone and the stock `openstack` client for the tests.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/keystone, never into the checkout:
#   server/    a Python environment with Keystone and uWSGI
#   client/    a Python environment with python-openstackclient
#   old-policy/ a policy library that still knows `enforce_scope`, to be put before the server's own
#   template/  a bootstrapped database (SQLite) and key repositories; `keystone-run.sh` copies them,
#              so that a test's Keystone starts in seconds
# Safe to run again; fast when nothing is to do. Needs python3 with venv, a C compiler and PyPI.
set -euo pipefail

KEYSTONE=30.0.0
UWSGI=2.0.31
OSC=10.5.0
KEYSTONEAUTH=5.18.1
SDK=4.22.0
# The newest enforces scopes always.
OLD_POLICY=4.5.1
REVISION="keystone $KEYSTONE, uwsgi $UWSGI, openstackclient $OSC, template 2"

here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/keystone"
say() { echo "keystone part: $*" >&2; }

is_ready() {
    [ "$(cat "$here/ready" 2>/dev/null)" = "$REVISION" ] &&
        [ "$(cat "$here/old-policy/ready" 2>/dev/null)" = "$OLD_POLICY" ]
}
old_policy() {
    if [ "$(cat "$here/old-policy/ready" 2>/dev/null)" != "$OLD_POLICY" ]; then
        rm -rf "$here/old-policy"
        "$here/server/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$here/old-policy" \
            "oslo.policy==$OLD_POLICY" >&2
        printf '%s' "$OLD_POLICY" >"$here/old-policy/ready"
    fi
}

if is_ready; then
    exit 0
fi
mkdir -p "$here"
# Two runs at once would build into the same folders: the second waits and finds the work done.
exec 9>"$here/lock"
flock 9
if [ "$(cat "$here/ready" 2>/dev/null)" = "$REVISION" ]; then
    old_policy
    exit 0
fi

bash "$(dirname "$0")/system.sh" keystone

# `pip` names what it could not find; its progress is noise.
install() { # <environment> <requirement>...
    local environment="$1"
    shift
    [ -x "$environment/bin/python3" ] || python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --constraint "$here/constraints.txt" "$@" >&2
}

cat >"$here/constraints.txt" <<PINS
keystone==$KEYSTONE
uwsgi==$UWSGI
keystonemiddleware==13.0.1
keystoneauth1==$KEYSTONEAUTH
python-openstackclient==$OSC
openstacksdk==$SDK
oslo.policy==6.0.1
Flask==3.1.3
Werkzeug==3.1.9
pysaml2==7.5.5
PyJWT==2.15.1
cryptography==50.0.2
psycopg2-binary==2.9.13
PINS

say "installing Keystone $KEYSTONE and uWSGI $UWSGI (two to four minutes: uWSGI is compiled)"
install "$here/server" keystone uwsgi psycopg2-binary pymemcache
old_policy
say "installing the openstack client $OSC (about a minute)"
install "$here/client" python-openstackclient keystoneauth1 openstacksdk

say "preparing the database and the keys (about a minute)"
template="$here/template"
rm -rf "$template"
mkdir -p "$template/etc" "$template/fernet-keys" "$template/receipt-keys" "$template/credential-keys" "$template/log"
chmod 700 "$template"/*-keys
cp "$here/server/etc/keystone/sso_callback_template.html" "$template/etc/"
cp "$(dirname "$0")/keystone.conf.in" "$template/etc/"
sed -e "s|@DIR@|$template|g" -e 's|@PUBLIC@|http://127.0.0.1:5000|g' -e 's|@PREFIX@|OIDC_|g' \
    "$template/etc/keystone.conf.in" >"$template/etc/keystone.conf"
manage() { "$here/server/bin/keystone-manage" --config-file "$template/etc/keystone.conf" "$@" >&2; }
manage db_sync
manage fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage bootstrap --bootstrap-password adminpw --bootstrap-region-id RegionOne \
    --bootstrap-admin-url http://127.0.0.1:5000/v3 \
    --bootstrap-internal-url http://127.0.0.1:5000/v3 \
    --bootstrap-public-url http://127.0.0.1:5000/v3
rm -f "$template/etc/keystone.conf" "$template"/log/*

printf '%s' "$REVISION" >"$here/ready"
say "ready in $here"
