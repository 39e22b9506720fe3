#!/usr/bin/env bash
# Makes sure that a PostgreSQL server (Debian's package) is here for the tests. Tests start their own
# cluster in a temporary folder; no system service is needed or touched.
# Safe to run again; fast when nothing is to do.
set -euo pipefail
say() { echo "postgres part: $*" >&2; }
if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    say "PostgreSQL is missing. Install it as root: apt-get install postgresql"
    exit 1
fi
say "installing postgresql by apt"
apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >&2
say "ready"
