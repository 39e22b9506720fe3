#!/usr/bin/env bash
# Installs the stock `openstack` client with the plugin keystoneauth-websso, in an environment of its own: its entry
# point has the same name as the plugin that keystoneauth1 brings along.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/keystoneauth-websso, never into the checkout. Safe to run again; fast
# when nothing is to do. Needs python3 with venv and PyPI.
set -euo pipefail

revision="keystoneauth-websso 0.2.5, openstackclient 10.5.0, keystoneauth1 5.18.1, openstacksdk 4.22.0"
source "$(dirname "$0")/once.sh"
once keystoneauth-websso "$revision"
say "installing (about a minute)"
[ -x "$here/client/bin/python3" ] || python3 -m venv "$here/client"
"$here/client/bin/pip" install --quiet --disable-pip-version-check keystoneauth-websso==0.2.5 \
    python-openstackclient==10.5.0 keystoneauth1==5.18.1 openstacksdk==4.22.0 >&2
ready
