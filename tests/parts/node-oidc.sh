#!/usr/bin/env bash
# Installs the certified OpenID provider `oidc-provider` and the certified client `openid-client` (npm).
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/node-oidc, never into the checkout. The versions of all packages
# are pinned by node-oidc/package-lock.json. Safe to run again; fast when nothing is to do. Needs node >= 20 and npm.
set -euo pipefail

from="$(cd "$(dirname "$0")" && pwd)/node-oidc"
here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/node-oidc"
say() { echo "node-oidc part: $*" >&2; }

current() { cmp -s "$from/package-lock.json" "$here/ready"; }
if current; then
    exit 0
fi
mkdir -p "$here"
# Two runs at once would build into the same folder: the second waits and finds the work done.
exec 9>"$here/lock"
flock 9
if current; then
    exit 0
fi

bash "$(dirname "$0")/system.sh" node
major="$(node -p 'process.versions.node.split(".")[0]')"
if [ "$major" -lt 20 ]; then
    say "found node $major; expected 20 or newer"
    exit 1
fi

say "installing oidc-provider and openid-client from npm (about 10 MB)"
cp "$from/package.json" "$from/package-lock.json" "$here/"
(cd "$here" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
cp "$from/package-lock.json" "$here/ready"
say "ready in $here"
