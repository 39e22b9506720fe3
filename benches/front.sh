#!/usr/bin/env bash
# What front mode adds to a request to Keystone: a real Keystone 30 on loopback, asked directly and through the gateway
# in turns, so that both see the same machine. Each line: name, value, `limit`, limit, verdict.
# Needs `cargo build --release` (or FEDGATE_BIN, the folder of another build) and tests/parts/keystone.sh. FRONT_SECONDS
# sets the length (default 60).
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/parts.sh
keystone="$(free_port)" gateway="$(free_port)" stub="$(free_port)" beside="$(free_port)"

# The gateway before the real Keystone, by uWSGI's protocol; and one before a stub that answers at once, by HTTP.
gateway_at() { # <port> <url>
    secret "$1.key" 48
    keep "$1.yaml" <<YAML
issuer: http://127.0.0.1:$1
name: Front
listen: { address: "127.0.0.1:$1" }
secret_key: { file: $1.key }
store: { records: { kind: sqlite, path: $1.db } }
targets:
  - { kind: keystone, id: openstack, name: OpenStack, audience: openstack, url: "$2", timeout_s: 60 }
log: { filter: warn }
YAML
    gateway "$1" "$folder/$1.yaml"
}
KEYSTONE_SOCKET="$folder/keystone.sock" run tests/parts/keystone-run.sh "$folder/keystone" "$keystone" "http://127.0.0.1:$gateway"
own="${started[-1]}"
gateway_at "$gateway" "uwsgi://$folder/keystone.sock"
front="${started[-1]}"
run python3 benches/front.py stub "$stub"
gateway_at "$beside" "http://127.0.0.1:$stub"
python3 benches/front.py measure "http://127.0.0.1:$keystone" "http://127.0.0.1:$gateway" \
    "http://127.0.0.1:$stub" "http://127.0.0.1:$beside" "$own,$front" "${FRONT_SECONDS:-60}"
