#!/usr/bin/env bash
# Runs a real Horizon in the foreground: horizon-run.sh <dir> <port> <gateway> <certificate> <key> <ca>
#
#   <dir>                its sessions; must exist
#   <port>               where it listens with TLS, on 127.0.0.1
#   <gateway>            the gateway's URL, for Horizon and for browsers
#   <certificate> <key>  its own, PEM
#   <ca>                 the CA that the gateway's certificate is checked against
#
# HORIZON_LOGOUT: where "Sign out" leads to; absent: Horizon's own sign-in page.
# It ends with SIGTERM or SIGINT, and when the process that started it is gone.
set -euo pipefail

if [ $# -ne 6 ]; then
    echo "usage: horizon-run.sh <dir> <port> <gateway> <certificate> <key> <ca>" >&2
    exit 2
fi
here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/horizon"
if [ ! -e "$here/ready" ]; then
    echo "Horizon is not installed; run tests/parts/horizon.sh first" >&2
    exit 1
fi
dir="$(cd "$1" && pwd)"
mkdir -p "$dir/sessions"
export HORIZON_SESSIONS="$dir/sessions" HORIZON_GATEWAY="${3%/}" HORIZON_CA="$6" HORIZON_SECRET="a-secret-of-this-test-only"
export FEDGATE_HORIZON="$here/site" PYTHONPATH="$here/site"
cd "$here/site"
command=("$here/server/bin/gunicorn" --no-control-socket --bind "127.0.0.1:$2" --workers 1 --threads 4
    --certfile "$4" --keyfile "$5" --error-logfile "$dir/horizon.log" --capture-output served:application)
if command -v setpriv >/dev/null && setpriv --pdeathsig TERM true 2>/dev/null; then
    exec setpriv --pdeathsig TERM "${command[@]}"
fi
exec "${command[@]}"
