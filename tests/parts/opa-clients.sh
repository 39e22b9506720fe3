#!/usr/bin/env bash
# Installs clients of OPA for the tests, into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/opa-clients:
#   venv/           oslo.policy with its OPA check, and opa-python-client (PyPI)
#   node_modules/   @open-policy-agent/opa (npm)
# and oslo.policy's OPA check into the environment of Keystone's server.
# Safe to run again; fast when nothing is to do. Needs python3 with venv, node with npm, PyPI and npm.
set -euo pipefail

OSLO_POLICY=6.0.1
OSLO_OPA=0.2.0
PYTHON_CLIENT=3.0.0
NPM_CLIENT=2.0.0
revision="oslo.policy $OSLO_POLICY, oslo.policy.opa $OSLO_OPA, opa-python-client $PYTHON_CLIENT, npm $NPM_CLIENT, in Keystone"

source "$(dirname "$0")/once.sh"
once opa-clients "$revision"
say "installing $revision (about a minute)"
[ -x "$here/venv/bin/python" ] || python3 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --disable-pip-version-check \
    "oslo.policy==$OSLO_POLICY" "oslo.policy.opa==$OSLO_OPA" "opa-python-client==$PYTHON_CLIENT" >&2
bash "$(dirname "$0")/keystone.sh"
"$here/../keystone/server/bin/pip" install --quiet --disable-pip-version-check \
    --constraint "$here/../keystone/constraints.txt" "oslo.policy.opa==$OSLO_OPA" >&2
(cd "$here" && echo '{"private": true}' >package.json &&
    npm install --silent --no-audit --no-fund --ignore-scripts "@open-policy-agent/opa@$NPM_CLIENT" >&2)
ready
