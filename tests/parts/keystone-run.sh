#!/usr/bin/env bash
# Runs a real Keystone in the foreground: keystone-run.sh <dir> <port> <public-endpoint>
#
#   <dir>              its database, keys, configuration and log; made from the template if it is empty,
#                      so a second start finds what the first one wrote
#   <port>             where it listens, on 127.0.0.1
#   <public-endpoint>  the URL that clients use (the gateway's, without /v3); it goes into the catalog
#
# KEYSTONE_HEADER_PREFIX names the identity headers (default `OIDC-`). With KEYSTONE_SOCKET=<path> it also speaks the
# uwsgi protocol on that Unix socket, and identity comes by keys that begin with FEDGW_. KEYSTONE_DASHBOARDS lists
# more origins for WebSSO, separated by spaces. KEYSTONE_KOLLA=yes configures federation as kolla-ansible does (behind
# Apache), and KEYSTONE_CONF=<path> names a file whose settings override the others. KEYSTONE_DATABASE=
# <postgresql+psycopg2://…> is an empty database to use instead of SQLite (half a minute more at the first start).
# KEYSTONE_OLD_POLICY=yes puts a policy library before its own that obeys `enforce_scope`. KEYSTONE_PART=keystone-22
# takes Debian 12's Keystone. The administrator is `admin` with the password `adminpw` in project `admin`: for tests and
# demonstrations on loopback only.
# It ends with SIGTERM or SIGINT, and when the process that started it is gone.
set -euo pipefail

if [ $# -ne 3 ]; then
    echo "usage: keystone-run.sh <dir> <port> <public-endpoint>" >&2
    exit 2
fi
dir="$1" port="$2" public="${3%/}"
prefix="${KEYSTONE_HEADER_PREFIX:-OIDC-}"
environ_prefix="HTTP_$(printf '%s' "$prefix" | tr 'a-z-' 'A-Z_')"
if [ -n "${KEYSTONE_SOCKET:-}" ]; then
    environ_prefix=FEDGW_
fi
part="${KEYSTONE_PART:-keystone}"
here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/$part"
if [ ! -e "$here/ready" ]; then
    echo "Keystone is not installed; run tests/parts/$part.sh first" >&2
    exit 1
fi
if [ "$part" = keystone-22 ]; then
    programs="$here/bin" module=(--wsgi-file "$here/root/usr/bin/keystone-wsgi-public")
else
    programs="$here/server/bin" module=(--module keystone.wsgi.api:application --venv "$here/server")
fi

mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
if [ ! -e "$dir/keystone.db" ]; then
    cp -a "$here/template/." "$dir/"
fi
sed -e "s|@DIR@|$dir|g" -e "s|@PUBLIC@|$public|g" -e "s|HTTP_@PREFIX@|$environ_prefix|g" \
    "$dir/etc/keystone.conf.in" >"$dir/etc/keystone.conf"
for origin in ${KEYSTONE_DASHBOARDS:-}; do
    sed -i "s|^sso_callback_template|trusted_dashboard = $origin\n&|" "$dir/etc/keystone.conf"
done
if [ -n "${KEYSTONE_KOLLA:-}" ]; then
    sed -i -e '/^assertion_prefix/d' -e '/^remote_id_attribute/d' "$dir/etc/keystone.conf"
    printf '[openid]\nremote_id_attribute = HTTP_OIDC_ISS\n' >>"$dir/etc/keystone.conf"
fi
# Public and internal endpoints lead through the gateway; the admin endpoint stays with Keystone itself.
if [ -n "${KEYSTONE_DATABASE:-}" ]; then
    sed -i "s|^connection = .*|connection = $KEYSTONE_DATABASE|" "$dir/etc/keystone.conf"
    if [ ! -e "$dir/bootstrapped" ]; then
        manage() { "$programs/keystone-manage" --config-file "$dir/etc/keystone.conf" "$@" >&2; }
        manage db_sync
        manage bootstrap --bootstrap-password adminpw --bootstrap-region-id RegionOne \
            --bootstrap-admin-url "http://127.0.0.1:$port/v3" \
            --bootstrap-internal-url "$public/v3" --bootstrap-public-url "$public/v3"
        touch "$dir/bootstrapped"
    fi
else
python3 - "$dir/keystone.db" "$public/v3" "http://127.0.0.1:$port/v3" <<'SQL'
import sqlite3, sys
base, public, own = sys.argv[1:]
with sqlite3.connect(base) as db:
    db.execute("UPDATE endpoint SET url = ? WHERE interface IN ('public', 'internal')", (public,))
    db.execute("UPDATE endpoint SET url = ? WHERE interface = 'admin'", (own,))
SQL
fi

if [ -n "${KEYSTONE_OLD_POLICY:-}" ]; then
    export PYTHONPATH="$here/old-policy"
fi
export OS_KEYSTONE_CONFIG_DIR="$dir/etc"
export OS_KEYSTONE_CONFIG_FILES="keystone.conf${KEYSTONE_CONF:+;$KEYSTONE_CONF}"
# One process with a cache of its own; two threads, so that one slow caller does not stop the other.
# `no-orphans` and PDEATHSIG end the workers with their master, and the master with its parent.
command=("$programs/uwsgi" --http-socket "127.0.0.1:$port" "${module[@]}"
    --master --processes 1 --threads 2 --lazy-apps --die-on-term --need-app --no-orphans
    --buffer-size 65535 --add-header "Connection: close" --so-keepalive
    --disable-logging --logto "$dir/log/uwsgi.log")
if [ -n "${KEYSTONE_SOCKET:-}" ]; then
    command+=(--socket "$KEYSTONE_SOCKET" --chmod-socket=600)
fi
if command -v setpriv >/dev/null && setpriv --pdeathsig TERM true 2>/dev/null; then
    exec setpriv --pdeathsig TERM "${command[@]}"
fi
exec "${command[@]}"
