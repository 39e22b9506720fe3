#!/usr/bin/env bash
# Installs the certified OpenID provider and clients of npm for the tests: oidc-provider, openid-client, jose.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/node-oidc, never into the checkout. Safe to run again; does
# nothing when it is there. Needs node >= 20 with npm, and the npm registry.
set -euo pipefail

PROVIDER=9.13.3
CLIENT=6.8.9
JOSE=6.2.17
REVISION="oidc-provider $PROVIDER, openid-client $CLIENT, jose $JOSE"

here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/node-oidc"
say() { echo "node-oidc part: $*" >&2; }

if [ "$(cat "$here/ready" 2>/dev/null)" = "$REVISION" ]; then
    exit 0
fi
mkdir -p "$here"
# Two runs at once would install into the same folder: the second waits and finds the work done.
exec 9>"$here/lock"
flock 9
if [ "$(cat "$here/ready" 2>/dev/null)" = "$REVISION" ]; then
    exit 0
fi

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
        say "these packages are missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
        exit 1
    fi
    say "installing ${missing[*]} with apt"
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi
if [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 20')" != true ]; then
    say "found node $(node --version); expected 20 or later"
    exit 1
fi

say "installing $REVISION with npm (about half a minute)"
printf '{ "name": "fedgate-parts", "private": true, "type": "module" }\n' >"$here/package.json"
npm install --prefix "$here" --no-audit --no-fund --loglevel=error --save-exact \
    "oidc-provider@$PROVIDER" "openid-client@$CLIENT" "jose@$JOSE" >&2

printf '%s' "$REVISION" >"$here/ready"
say "ready in $here"
