#!/usr/bin/env bash
# Runs a real Barbican in the foreground: barbican-run.sh <dir> <port> <auth-url>
#
#   <dir>       its database, configuration and log; made from the template if it is empty
#   <port>      where it listens, on 127.0.0.1
#   <auth-url>  where it validates tokens (with /v3): as the user `barbican` of the domain Default with the password
#               `barbicanpw`, in the project `service`
#
# Secrets are sealed with a fixed key in a file: for tests on loopback only. Tokens are validated each time; stock
# services remember for five minutes what Keystone said of a token (`token_cache_time`).
# It ends with SIGTERM or SIGINT, and when the process that started it is gone.
set -euo pipefail

if [ $# -ne 3 ]; then
    echo "usage: barbican-run.sh <dir> <port> <auth-url>" >&2
    exit 2
fi
dir="$1" port="$2" auth="$3"
parts="${FEDGATE_PARTS:-$HOME/.cache/fedgate}"
here="$parts/barbican"
if [ ! -e "$here/ready" ]; then
    echo "Barbican is not installed; run tests/parts/barbican.sh first" >&2
    exit 1
fi

mkdir -p "$dir/.barbican" "$dir/log"
dir="$(cd "$dir" && pwd)"
[ -e "$dir/barbican.db" ] || cp "$here/template/barbican.db" "$dir/"
cat >"$dir/.barbican/barbican.conf" <<CONF
[DEFAULT]
host_href = http://127.0.0.1:$port
sql_connection = sqlite:///$dir/barbican.db
log_file = $dir/log/barbican.log
[database]
connection = sqlite:///$dir/barbican.db
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=
[keystone_authtoken]
www_authenticate_uri = $auth
auth_url = $auth
auth_type = password
username = barbican
user_domain_name = Default
password = barbicanpw
project_name = service
project_domain_name = Default
token_cache_time = -1
[oslo_policy]
enforce_scope = true
enforce_new_defaults = true
CONF
cp "$here/server/etc/barbican/barbican-api-paste.ini" "$dir/"

# Barbican reads ~/.barbican/barbican.conf.
export HOME="$dir"
command=("$parts/keystone/server/bin/uwsgi" --http-socket "127.0.0.1:$port"
    --paste "config:$dir/barbican-api-paste.ini" --venv "$here/server"
    --master --processes 1 --threads 2 --lazy-apps --die-on-term --need-app --no-orphans
    --buffer-size 65535 --add-header "Connection: close"
    --disable-logging --logto "$dir/log/uwsgi.log")
if command -v setpriv >/dev/null && setpriv --pdeathsig TERM true 2>/dev/null; then
    exec setpriv --pdeathsig TERM "${command[@]}"
fi
exec "${command[@]}"
