#!/bin/sh
# Installs what drives a real browser: Chromium and certutil, which makes it believe a test's CA (Debian),
# playwright-core and axe-core (npm).
# Goes to ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/browser, never into the checkout. Safe to run again.
set -eu

parts="${FEDGATE_PARTS:-$HOME/.cache/fedgate}"
here="$parts/browser"
playwright=1.65.1
axe=4.14.1
wanted="playwright-core@$playwright axe-core@$axe"

bash "$(dirname "$0")/system.sh" chromium

if [ "$(cat "$here/installed" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi
echo "chromium.sh: installing $wanted into $here" >&2
mkdir -p "$here"
# shellcheck disable=SC2086 # a list of package names
npm install --prefix "$here" --no-audit --no-fund --ignore-scripts --save-exact $wanted >&2
echo "$wanted" > "$here/installed"
