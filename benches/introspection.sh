#!/usr/bin/env bash
# What a validation costs: this gateway's introspection of a person's token at a service (RFC 7662, roles from policy,
# session and revocation looked up) beside Keystone's own validation of a token with its cache on, in turns on the same
# machine, counted in CPU seconds of the servers' processes. Each line: name, value, `limit`, limit, verdict.
# Needs a release build (or FEDGATE_BIN, the folder of another) and tests/parts/keystone.sh. INTROSPECTION_SECONDS sets
# the length (default 20).
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/parts.sh
keystone="$(free_port)" gateway="$(free_port)"

secret secret.key 48
secret client.secret 24
printf 'alice-has-a-long-password' | "$bin/fedgate" hash-password | tr -d '\n' | keep alice.hash
keep fedgate.yaml <<YAML
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
gateway "$gateway" "$folder/fedgate.yaml"
ours="${started[-1]}"
run tests/parts/keystone-run.sh "$folder/keystone" "$keystone" "http://127.0.0.1:$keystone"
python3 benches/introspection.py "http://127.0.0.1:$gateway" "$ours" "$(cat "$folder/client.secret")" \
    "http://127.0.0.1:$keystone" "${started[-1]}" "${INTROSPECTION_SECONDS:-20}"
