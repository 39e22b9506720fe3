#!/usr/bin/env bash
# Installs a real Barbican (OpenStack's key manager) and its stock client for the tests: a service behind Keystone.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/barbican, never into the checkout:
#   server/    a Python environment with Barbican, keystonemiddleware and the `openstack` client with `secret`
#   template/  an empty database (SQLite); `barbican-run.sh` copies it
# uWSGI is that of the part `keystone`. Safe to run again; fast when nothing is to do. Needs python3 with venv and PyPI.
set -euo pipefail

BARBICAN=23.0.0
CLIENT=7.6.0
OSC=10.5.0
revision="barbican $BARBICAN, barbicanclient $CLIENT, openstackclient $OSC, template 1"

scripts="$(cd "$(dirname "$0")" && pwd)"

source "$scripts/once.sh"
once barbican "$revision"
bash "$scripts/keystone.sh"

cat >"$here/constraints.txt" <<PINS
barbican==$BARBICAN
python-barbicanclient==$CLIENT
python-openstackclient==$OSC
openstacksdk==4.22.0
keystoneauth1==5.18.1
keystonemiddleware==13.0.1
oslo.policy==6.0.1
SQLAlchemy==2.1.9
PINS
say "installing Barbican $BARBICAN and its client (one to two minutes)"
[ -x "$here/server/bin/python3" ] || python3 -m venv "$here/server"
"$here/server/bin/pip" install --quiet --disable-pip-version-check --constraint "$here/constraints.txt" \
    barbican python-barbicanclient python-openstackclient >&2

say "preparing the database"
rm -rf "$here/template"
mkdir -p "$here/template"
"$here/server/bin/barbican-manage" db upgrade --db-url "sqlite:///$here/template/barbican.db" >"$here/manage.log" 2>&1 || {
    cat "$here/manage.log" >&2
    exit 1
}
if [ ! -s "$here/template/barbican.db" ]; then
    say "Barbican made no database; what it said:"
    cat "$here/manage.log" >&2
    exit 1
fi

ready
