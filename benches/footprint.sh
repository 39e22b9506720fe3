#!/usr/bin/env bash
# What one idle gateway costs: time from exec to ready, resident memory, size of the user's program.
# One line for each figure: name, value, `limit`, limit, verdict. Needs `cargo build --release`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=target/release
folder="$(mktemp -d)"
gateway=
trap '[ -z "$gateway" ] || kill -TERM "$gateway" 2>/dev/null || true; rm -rf "$folder"' EXIT

port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
head -c 48 /dev/urandom | base64 -w0 >"$folder/secret.key"
chmod 600 "$folder/secret.key"
cat >"$folder/fedgate.yaml" <<YAML
issuer: http://127.0.0.1:$port
name: Footprint
listen: { address: "127.0.0.1:$port" }
secret_key: { file: secret.key }
YAML

failed=0
figure() { # <name> <value> <limit>
    local verdict=ok
    if [ "$2" -gt "$3" ]; then
        verdict=MISSED
        failed=1
    fi
    echo "$1 $2 limit $3 $verdict"
}

# The first start makes keys and tables; the second is what an operator sees at a restart.
start() {
    "$bin/fedgate" serve --config "$folder/fedgate.yaml" >"$folder/log" 2>&1 &
    gateway=$!
    until curl -sf -o /dev/null "http://127.0.0.1:$port/readyz"; do
        kill -0 "$gateway" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
        sleep 0.005
    done
}
start
kill -TERM "$gateway"
wait "$gateway" || true
began="$(date +%s%N)"
start
figure start_to_ready_ms $((($(date +%s%N) - began) / 1000000)) 300
sleep 3
figure idle_rss_kb "$(awk '/VmRSS/ { print $2 }' "/proc/$gateway/status")" 30720
figure fedctl_bytes "$(stat -c %s "$bin/fedctl")" 12582912
exit "$failed"
