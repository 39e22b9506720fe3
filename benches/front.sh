#!/usr/bin/env bash
# What front mode adds to a request to Keystone: a real Keystone 30 on loopback, asked directly and through the gateway
# in turns, so that both see the same machine. Each line: name, value, `limit`, limit, verdict.
# Needs `cargo build --release` (or FEDGATE_BIN, the folder of another build) and tests/parts/keystone.sh. FRONT_SECONDS
# sets the length (default 60).
set -euo pipefail
cd "$(dirname "$0")/.."
bin="${FEDGATE_BIN:-target/release}"
folder="$(mktemp -d)"
started=()
cleanup() {
    for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
keystone="$(free_port)" gateway="$(free_port)" stub="$(free_port)" beside="$(free_port)"

# The gateway before the real Keystone, by uWSGI's protocol; and one before a stub that answers at once, by HTTP.
gateway_at() { # <port> <url>
    mkdir -p "$folder/$1"
    head -c 48 /dev/urandom | base64 -w0 >"$folder/$1/secret.key"
    chmod 600 "$folder/$1/secret.key"
    cat >"$folder/$1/fedgate.yaml" <<YAML
issuer: http://127.0.0.1:$1
name: Front
listen: { address: "127.0.0.1:$1" }
secret_key: { file: secret.key }
store: { records: { kind: sqlite, path: fedgate.db } }
targets:
  - { kind: keystone, id: openstack, name: OpenStack, audience: openstack, url: "$2", timeout_s: 60 }
YAML
    "$bin/fedgate" serve --config "$folder/$1/fedgate.yaml" >"$folder/$1/log" 2>&1 &
    started+=("$!")
    until curl -sf -o /dev/null "http://127.0.0.1:$1/healthz"; do
        kill -0 "${started[-1]}" 2>/dev/null || { cat "$folder/$1/log" >&2; exit 1; }
        sleep 0.05
    done
}
KEYSTONE_SOCKET="$folder/keystone.sock" tests/parts/keystone-run.sh "$folder/keystone" "$keystone" "http://127.0.0.1:$gateway" &
started+=("$!")
gateway_at "$gateway" "uwsgi://$folder/keystone.sock"
front="${started[-1]}"
python3 benches/front.py stub "$stub" &
started+=("$!")
gateway_at "$beside" "http://127.0.0.1:$stub"
python3 benches/front.py measure "http://127.0.0.1:$keystone" "http://127.0.0.1:$gateway" \
    "http://127.0.0.1:$stub" "http://127.0.0.1:$beside" "$front" "${FRONT_SECONDS:-60}"
