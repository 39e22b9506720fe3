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

packages=""
command -v chromium >/dev/null 2>&1 || packages="$packages chromium"
command -v certutil >/dev/null 2>&1 || packages="$packages libnss3-tools"
command -v node >/dev/null 2>&1 || packages="$packages nodejs"
command -v npm >/dev/null 2>&1 || packages="$packages npm"
if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "chromium.sh: missing packages; as root: apt-get install$packages" >&2
        exit 1
    fi
    echo "chromium.sh: installing$packages by apt" >&2
    apt-get update >&2
    # shellcheck disable=SC2086 # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages >&2
fi

if [ "$(cat "$here/installed" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi
echo "chromium.sh: installing $wanted into $here" >&2
mkdir -p "$here"
# shellcheck disable=SC2086 # a list of package names
npm install --prefix "$here" --no-audit --no-fund --ignore-scripts --save-exact $wanted >&2
echo "$wanted" > "$here/installed"
