#!/usr/bin/env bash
# Makes sure that a Redis server (Debian's package) is here for the tests. Tests start their own server
# in a temporary folder; no system service is needed or touched.
# Safe to run again; fast when nothing is to do.
set -euo pipefail
say() { echo "redis part: $*" >&2; }
if command -v redis-server >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    say "Redis is missing. Install it as root: apt-get install redis-server"
    exit 1
fi
say "installing redis-server by apt"
apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends redis-server >&2
say "ready"
