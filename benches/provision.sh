#!/usr/bin/env bash
# What provisioning costs: PEOPLE people (default 1000) in PROJECTS projects (default 100) at a real, empty Keystone 30 on
# SQLite, made in two halves, and runs in which nothing has changed. Each line: name, value, and `limit`, limit, verdict
# where there is one. Needs `cargo build --release` (or FEDGATE_BIN, the folder of another build) and
# tests/parts/keystone.sh. Keystone does nearly all of the work; it has one process here.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/parts.sh
people="${PEOPLE:-1000}" projects="${PROJECTS:-100}"
port="$(free_port)"
url="http://127.0.0.1:$port"
run tests/parts/keystone-run.sh "$folder/keystone" "$port" http://127.0.0.1:1
answers "$url/v3"

secret secret.key 48
printf adminpw | keep admin.password
printf managerpw | keep manager.password
python3 - "$folder" "$url" "$projects" <<'PY'
import sys
folder, url, projects = sys.argv[1], sys.argv[2], int(sys.argv[3])
rules = "".join(f"  - {{ rule: r{n}, tenant: acme, group: g{n}, target: openstack, projects: [{{ domain: acme, project: p{n}, roles: [member] }}] }}\n" for n in range(projects))
open(f"{folder}/fedgate.yaml", "w").write(f"""issuer: http://127.0.0.1:1
name: Bench
listen: {{ address: "127.0.0.1:1" }}
secret_key: {{ file: secret.key }}
store: {{ records: {{ kind: sqlite, path: fedgate.db }} }}
tenants: [{{ id: acme, name: ACME, domains: [acme] }}]
upstreams:
  - {{ kind: oidc, id: corp, name: Corp, tenant: acme, issuer: "http://127.0.0.1:9", client_id: c, client_secret: {{ file: secret.key }}, addresses: loopback, mapping: {{ groups: [{{ rule: all, claim: groups, accept: ["*"] }}] }} }}
targets:
  - kind: keystone
    id: openstack
    name: OpenStack
    audience: openstack
    url: {url}
    timeout_s: 60
    admin: {{ by: password, user: admin, project: admin, password: {{ file: admin.password }} }}
    provision: {{ user: fedgate-provision, password: {{ file: manager.password }} }}
access:
{rules}people: {{ path: people.yaml }}
""")
PY
echo "[]" >"$folder/people.yaml"
"$bin/fedgate" keystone setup --config "$folder/fedgate.yaml" >/dev/null
python3 benches/manager.py "$url" acme
python3 - "$bin/fedgate" "$folder" "$people" <<'PY'
import json, sqlite3, subprocess, sys, time
fedgate, folder, people = sys.argv[1], sys.argv[2], int(sys.argv[3])
base = sqlite3.connect(f"file:{folder}/keystone/keystone.db?mode=ro", uri=True)
commits = lambda: base.execute("PRAGMA data_version").fetchone()[0]
def listed(count): # two of three people are in a second group
    projects = sum(1 for line in open(f"{folder}/fedgate.yaml") if "rule: r" in line)
    json.dump([{"upstream": "corp", "claims": {"sub": str(n), "preferred_username": f"person{n}",
        "groups": [f"g{n % projects}"] + ([f"g{(n * 7 + 1) % projects}"] if n % 3 else [])}} for n in range(count)],
        open(f"{folder}/people.yaml", "w"))
def apply(): # again where uWSGI dropped a call, as the running gateway does two seconds later
    took, made = 0, 0
    for _ in range(5):
        began = time.monotonic()
        done = subprocess.run([fedgate, "keystone", "apply", "--yes", "--output", "json", "--config", f"{folder}/fedgate.yaml"],
            capture_output=True, text=True)
        took, made = took + time.monotonic() - began, made + len(json.loads(done.stdout)[0]["done"])
        if done.returncode == 0:
            return took, made
    sys.exit(done.stderr + done.stdout[-2000:])
def line(name, value, unit, most=None):
    verdict = "" if most is None else f"  limit {most} {unit}  {'ok' if value <= most else 'MISSED'}"
    print(f"{name:<44} {value:10.2f} {unit}{verdict}", flush=True)
    return most is None or value <= most
half, spent, made, still, written = people // 2, 0, 0, {}, 0
for count in (half, people):
    listed(count)
    took, changes = apply()
    spent, made = spent + took, made + changes
    before = commits()
    times = []
    for _ in range(3):
        took, changes = apply()
        times.append(took)
        written += changes
    written += commits() - before
    still[count] = sorted(times)[1]
good = line(f"{people} people from scratch", spent, "s")
good &= line("changes made at Keystone", made, "changes")
good &= line("changes for each second", made / spent, "changes/s")
good &= line(f"no change, {half} people", still[half], "s")
good &= line(f"no change, {people} people", still[people], "s")
good &= line("writes at Keystone in runs without a change", written, "writes", 0)
good &= line("no change: time for each person, whole/half", still[people] / people / (still[half] / half), "times", 1.25)
sys.exit(not good)
PY
