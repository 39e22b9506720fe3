#!/usr/bin/env bash
# What a validation costs: this gateway's introspection of a person's token at a service (RFC 7662, roles from policy,
# session and revocation looked up) beside Keystone's own validation of a token with its cache on, in turns on the same
# machine, counted in CPU seconds of the servers' processes. Each line: name, value, `limit`, limit, verdict.
# Needs a release build (or FEDGATE_BIN, the folder of another) and tests/parts/keystone.sh. INTROSPECTION_SECONDS sets
# the length (default 20).
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$(realpath "${FEDGATE_BIN:-target/release}")"
folder="$(mktemp -d)"
started=()
cleanup() {
    for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
keystone="$(free_port)" gateway="$(free_port)"

keep() { # <file>: what comes in, for this user alone
    (umask 077 && cat >"$folder/$1")
}
head -c 48 /dev/urandom | base64 -w0 | keep secret.key
head -c 24 /dev/urandom | base64 -w0 | tr -d '/+=' | keep client.secret
printf 'alice-has-a-long-password' | "$bin/fedgate" hash-password | tr -d '\n' | keep alice.hash
cat >"$folder/fedgate.yaml" <<YAML
issuer: http://127.0.0.1:$gateway
name: Introspection
listen: { address: "127.0.0.1:$gateway" }
secret_key: { file: secret.key }
store: { records: { kind: sqlite, path: fedgate.db } }
tenants: [{ id: acme, name: ACME GmbH, domains: [acme] }]
upstreams:
  - kind: local
    id: people
    name: ACME GmbH
    tenant: acme
    users: [{ username: alice, password_hash: { file: alice.hash }, groups: [developers] }]
    mapping: { groups: [{ rule: all, claim: groups, accept: ["*"] }] }
targets:
  - { kind: openstack_service, id: swift, name: Swift, audience: swift }
clients:
  - { id: script, name: A script, auth: { method: secret, secret: { file: client.secret } }, grants: [password], audiences: [swift], tenant: acme, token_lifetime_s: 900 }
  - { id: swift-server, name: Swift, auth: { method: secret, secret: { file: client.secret } }, grants: [], audiences: [swift] }
access:
  - { rule: sign-in, tenant: acme, group: "*", target: gateway, session: true }
  - { rule: developers, tenant: acme, group: developers, target: swift, projects: [{ domain: acme, project: webshop, roles: [member, reader] }] }
log: { filter: warn }
YAML
"$bin/fedgate" serve --config "$folder/fedgate.yaml" >"$folder/log" 2>&1 &
started+=("$!")
ours="$!"
tests/parts/keystone-run.sh "$folder/keystone" "$keystone" "http://127.0.0.1:$keystone" &
started+=("$!")
until curl -sf -o /dev/null "http://127.0.0.1:$gateway/healthz"; do
    kill -0 "$ours" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done
python3 benches/introspection.py "http://127.0.0.1:$gateway" "$ours" "$(cat "$folder/client.secret")" \
    "http://127.0.0.1:$keystone" "$!" "${INTROSPECTION_SECONDS:-20}"
