#!/usr/bin/env bash
# What offboarding takes, from the event to the moment when Keystone itself refuses the person's tokens: let go by
# `fedgate offboard`, and out of a group by a changed configuration (SIGHUP). A real Keystone 30 behind the gateway,
# provision mode with `within_s: 30`. Each line: name, value, `limit`, limit, verdict.
# Needs a release build (or FEDGATE_BIN, the folder of another) and tests/parts/keystone.sh. PEOPLE sets how many go
# (default 5).
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/parts.sh
keystone="$(free_port)" gateway="$(free_port)" people="${PEOPLE:-5}"
KEYSTONE_HEADER_PREFIX=Bench-7f3a- run tests/parts/keystone-run.sh "$folder/keystone" "$keystone" "http://127.0.0.1:$gateway"
answers "http://127.0.0.1:$keystone/v3"

secret secret.key 48
secret client.secret 24
printf adminpw | keep admin.password
printf managerpw | keep manager.password
printf 'a-long-password-of-theirs' | "$bin/fedgate" hash-password | tr -d '\n' | keep person.hash
users=""
for number in $(seq "$people"); do
    users+="      - { username: leaves$number, groups: [developers], password_hash: { file: person.hash } }"$'\n'
    users+="      - { username: loses$number, groups: [GROUPS], password_hash: { file: person.hash } }"$'\n'
done
keep fedgate.yaml <<YAML
issuer: http://127.0.0.1:$gateway
name: Offboarding
listen: { address: "127.0.0.1:$gateway" }
secret_key: { file: secret.key }
store: { records: { kind: sqlite, path: fedgate.db } }
tenants: [{ id: acme, name: ACME GmbH, domains: [acme] }]
upstreams:
  - kind: local
    id: people
    name: ACME GmbH
    tenant: acme
    users:
${users//GROUPS/developers, operators}    mapping: { groups: [{ rule: all, claim: groups, accept: ["*"] }] }
targets:
  - kind: keystone
    id: openstack
    name: OpenStack
    audience: openstack
    url: http://127.0.0.1:$keystone
    header_prefix: Bench-7f3a-
    timeout_s: 60
    admin: { by: password, user: admin, project: admin, password: { file: admin.password } }
    provision: { user: fedgate-provision, password: { file: manager.password }, within_s: 30 }
clients:
  - { id: script, name: A script, auth: { method: secret, secret: { file: client.secret } }, grants: [password], scopes: [openid], audiences: [openstack], tenant: acme }
access:
  - { rule: build, tenant: acme, group: developers, target: openstack, projects: [{ domain: acme, project: webshop, roles: [member] }] }
  - { rule: run, tenant: acme, group: operators, target: openstack, projects: [{ domain: acme, project: platform, roles: [reader] }] }
log: { filter: warn }
YAML
"$bin/fedgate" keystone setup --config "$folder/fedgate.yaml" >/dev/null
python3 benches/manager.py "http://127.0.0.1:$keystone" acme
gateway "$gateway" "$folder/fedgate.yaml"
python3 benches/offboard.py "$bin/fedgate" "$folder" "http://127.0.0.1:$gateway" "http://127.0.0.1:$keystone" \
    "${started[-1]}" "$people"
