#!/usr/bin/env bash
# Installs every real part that the tests need, one after the other. Fast when nothing is to do.
# Each tests/parts/<part>.sh installs one; `<part>-run.sh` starts one and installs nothing.
set -euo pipefail
folder="$(cd "$(dirname "$0")" && pwd)"

for script in "$folder"/*.sh; do
    part="$(basename "$script" .sh)"
    case "$part" in
        all | once | system | *-run) continue ;;
    esac
    began=$SECONDS
    echo "== part $part" >&2
    if ! bash "$script"; then
        echo "part $part: tests/parts/$part.sh failed; what it said stands above" >&2
        exit 1
    fi
    if [ $((SECONDS - began)) -gt 2 ]; then
        echo "part $part: ready after $((SECONDS - began)) s" >&2
    fi
done
