#!/usr/bin/env bash
# Debian 12's own Keystone 22 with Debian's uWSGI, for the tests: the packages as they are, with what they need.
#
# Into ${FEDGATE_PARTS:-$HOME/.cache/fedgate}/keystone-22, as an ordinary user and without touching the system:
#   root/      the packages, downloaded by apt and unpacked, not installed
#   bin/       keystone-manage and uwsgi, started with what is in root/
#   template/  a bootstrapped database (SQLite) and key repositories, as keystone.sh makes them
# Where apt has another release than 22 (or there is no apt) it says so, leaves the file `absent`, and the tests of
# this release say that they did not run. Safe to run again; fast when nothing is to do.
set -euo pipefail

SERIES=22
revision="keystone $SERIES of Debian, template 1"

scripts="$(cd "$(dirname "$0")" && pwd)"

source "$scripts/once.sh"
once keystone-22 "$revision"

candidate() { LC_ALL=C apt-cache policy python3-keystone 2>/dev/null | sed -n 's/^ *Candidate: *//p'; }
if command -v apt-cache >/dev/null && [ -z "$(candidate)" ] && [ "$(id -u)" -eq 0 ]; then
    apt-get update -q >&2
fi
version="$(candidate || true)"
case "$version" in
    2:$SERIES.*) rm -f "$here/absent" ;;
    *)
        say "apt has '${version:-no Keystone}' and not $SERIES.x: that is Debian 12's. Its tests will say that they did not run."
        touch "$here/absent"
        exit 0
        ;;
esac

say "downloading Keystone $version and what it needs from Debian (about 30 MB)"
rm -rf "$here/debs" "$here/root" "$here/template"
mkdir -p "$here/debs" "$here/root" "$here/bin"
# What is missing here: what the system has already is taken from there. `keystone` is wanted for one file of it alone.
LC_ALL=C apt-get install --print-uris -y --no-install-recommends python3-keystone uwsgi-core uwsgi-plugin-python3 |
    sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | sort -u >"$here/packages"
(
    cd "$here/debs"
    # apt warns a root that the folder is not readable for its own user `_apt`; that changes nothing.
    xargs apt-get download -qq keystone <"$here/packages" 2>"$here/apt.log" || {
        cat "$here/apt.log" >&2
        exit 1
    }
)
for package in "$here"/debs/*.deb; do
    dpkg -x "$package" "$here/root"
done
rm -rf "$here/debs"

# Debian's Python finds the unpacked modules before its own.
machine="$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_config_var("MULTIARCH"))')"
environment="export PYTHONPATH='$here/root/usr/lib/python3/dist-packages'
export LD_LIBRARY_PATH='$here/root/usr/lib/$machine:$here/root/lib/$machine'"
cat >"$here/bin/keystone-manage" <<RUN
#!/bin/sh
$environment
exec /usr/bin/python3 '$here/root/usr/bin/keystone-manage' "\$@"
RUN
cat >"$here/bin/uwsgi" <<RUN
#!/bin/sh
$environment
exec '$here/root/usr/bin/uwsgi-core' --plugins-dir '$here/root/usr/lib/uwsgi/plugins' --plugin python311 "\$@"
RUN
chmod 755 "$here/bin/"*

say "preparing the database and the keys (about half a minute)"
template="$here/template"
mkdir -p "$template/etc" "$template/fernet-keys" "$template/receipt-keys" "$template/credential-keys" "$template/log"
chmod 700 "$template"/*-keys
cp "$here/root/etc/keystone/sso_callback_template.html" "$scripts/keystone.conf.in" "$template/etc/"
sed -e "s|@DIR@|$template|g" -e 's|@PUBLIC@|http://127.0.0.1:5000|g' -e 's|@PREFIX@|OIDC_|g' \
    "$template/etc/keystone.conf.in" >"$template/etc/keystone.conf"
# It complains at each end of Debian's eventlet; that is shown only where something failed.
manage() {
    "$here/bin/keystone-manage" --config-file "$template/etc/keystone.conf" "$@" >"$here/manage.log" 2>&1 || {
        cat "$here/manage.log" >&2
        exit 1
    }
}
manage db_sync
manage fernet_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage credential_setup --keystone-user "$(id -un)" --keystone-group "$(id -gn)"
manage bootstrap --bootstrap-password adminpw --bootstrap-region-id RegionOne \
    --bootstrap-admin-url http://127.0.0.1:5000/v3 \
    --bootstrap-internal-url http://127.0.0.1:5000/v3 \
    --bootstrap-public-url http://127.0.0.1:5000/v3
rm -f "$template/etc/keystone.conf" "$template"/log/*

printf '%s' "$version" >"$here/version"
ready
