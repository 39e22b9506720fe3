#!/usr/bin/env bash
# Installs a real OpenStack Horizon for the tests, with its static files collected and compressed.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/horizon, never into the checkout:
#   server/    a Python environment with Horizon and gunicorn (about 380 MB, all of it wheels)
#   site/      the settings that `horizon-run.sh` serves it with, and its static files
# Safe to run again; fast when nothing is to do. Needs python3 with venv and PyPI.
set -euo pipefail

HORIZON=27.0.0
GUNICORN=27.0.1
source="$(cd "$(dirname "$0")" && pwd)/horizon"
revision="horizon $HORIZON, gunicorn $GUNICORN, settings $(cat "$source"/* | sha256sum | cut -c1-12)"

source "$(dirname "$0")/once.sh"
once horizon "$revision"

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" -ne 0 ]; then
        say "python3-venv is missing. Install it as root: apt-get install python3 python3-venv"
        exit 1
    fi
    say "installing python3-venv with apt"
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 python3-venv >&2
fi

cat >"$here/constraints.txt" <<PINS
horizon==$HORIZON
gunicorn==$GUNICORN
Django==5.2.19
django_compressor==4.6.0
keystoneauth1==5.18.1
openstacksdk==4.22.0
python-keystoneclient==6.0.0
libsass==0.23.0
PINS
say "installing Horizon $HORIZON (about a minute)"
[ -x "$here/server/bin/python3" ] || python3 -m venv "$here/server"
"$here/server/bin/pip" install --quiet --disable-pip-version-check --constraint "$here/constraints.txt" horizon gunicorn >&2

say "collecting and compressing its static files"
# `local/` stands before site-packages on the path, so the installed Horizon stays untouched.
rm -rf "$here/site"
mkdir -p "$here/site/local"
touch "$here/site/local/__init__.py"
cp "$source/local_settings.py" "$here/site/local/local_settings.py"
cp "$source/served.py" "$here/site/served.py"
django() {
    (cd "$here/site" && FEDGATE_HORIZON="$here/site" PYTHONPATH="$here/site" DJANGO_SETTINGS_MODULE=openstack_dashboard.settings \
        "$here/server/bin/python" -m django "$@" >&2)
}
django collectstatic --noinput -v 0
django compress --force -v 0

ready
