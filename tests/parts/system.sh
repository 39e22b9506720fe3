#!/usr/bin/env bash
# Installs what is missing from Debian for a purpose: system.sh build|test|bench, or the name of one part.
# For build, test and bench it also checks Rust, which it never installs.
#
# As root or with a sudo that asks nothing it installs; else it names the command and stops. It changes
# nothing when nothing is missing.
set -euo pipefail

RUST=1.95
purpose="${1:-build}"
say() { echo "system: $*" >&2; }

# <command or file> <package>: the package is missing if neither the command nor the file is there.
build=(cc gcc /usr/include/stdio.h libc6-dev make make)
apache=(apache2 apache2-bin /usr/lib/apache2/modules/mod_auth_openidc.so libapache2-mod-auth-openidc)
chromium=(chromium chromium chromedriver chromium-driver certutil libnss3-tools)
keystone=(python3 python3 '/usr/lib/python3*/ensurepip' python3-venv '/usr/include/python3*/Python.h' python3-dev)
kubectl=(python3 python3 '/usr/lib/python3*/ensurepip' python3-venv)
node=(node nodejs npm npm)
postgres=('/usr/lib/postgresql/*/bin/initdb' postgresql)
redis=(redis-server redis-server)
tools=(curl curl jq jq runuser util-linux openssl openssl)
# A Keystone that sends its users to another cloud signs by it.
xmlsec=(xmlsec1 xmlsec1)

rust=yes
case "$purpose" in
    build) wanted=("${build[@]}") ;;
    test | bench)
        wanted=(
            "${build[@]}" "${apache[@]}" "${chromium[@]}" "${keystone[@]}" "${node[@]}" "${postgres[@]}" "${redis[@]}" "${tools[@]}"
            "${xmlsec[@]}"
        )
        [ "$purpose" = test ] || wanted+=(wrk wrk)
        ;;
    apache) rust=no wanted=("${apache[@]}") ;;
    chromium) rust=no wanted=("${chromium[@]}" "${node[@]}") ;;
    keystone) rust=no wanted=("${build[@]}" "${keystone[@]}" "${xmlsec[@]}") ;;
    kubectl) rust=no wanted=("${kubectl[@]}") ;;
    node) rust=no wanted=("${node[@]}") ;;
    postgres) rust=no wanted=("${postgres[@]}") ;;
    redis) rust=no wanted=("${redis[@]}") ;;
    *)
        echo "usage: system.sh build|test|bench|apache|chromium|keystone|kubectl|node|postgres|redis" >&2
        exit 2
        ;;
esac

missing=()
for ((at = 0; at < ${#wanted[@]}; at += 2)); do
    what="${wanted[at]}" package="${wanted[at + 1]}"
    case "$what" in
        /*) compgen -G "$what" >/dev/null || missing+=("$package") ;;
        *) command -v "$what" >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v "$what" >/dev/null || missing+=("$package") ;;
    esac
done

if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "missing: ${missing[*]} (names of Debian packages). This is no Debian: install them with your package manager."
        exit 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=()
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        say "missing: ${missing[*]}"
        say "this user may not install them. Run as root:"
        say "    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
        exit 1
    fi
    say "installing with apt: ${missing[*]}"
    if ! "${as_root[@]}" apt-get update -q >&2 ||
        ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends "${missing[@]}" >&2; then
        say "apt could not install ${missing[*]}; what it said stands above. Mend that, then run the same command again."
        exit 1
    fi
fi

[ "$rust" = yes ] || exit 0
how="Get it with rustup (https://rustup.rs), then \`rustup toolchain install stable --component clippy,rustfmt\`."
# A fresh shell may not have it on its path yet.
export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    say "Rust is missing; fedgate needs $RUST or newer. $how"
    exit 1
fi
# In the checkout, so that a toolchain set for this folder is the one that is looked at.
cd "$(dirname "$0")/../.."
if ! found="$(rustc --version)"; then
    # rustup without a toolchain, for example.
    say "rustc is there but does not run; what it said stands above. fedgate needs Rust $RUST or newer. $how"
    exit 1
fi
found="$(cut -d' ' -f2 <<<"$found")"
found="${found%%-*}"
if [ "$(printf '%s\n%s\n' "$RUST" "$found" | sort -V | head -n1)" != "$RUST" ]; then
    say "Rust $found is too old; fedgate needs $RUST or newer. $how"
    exit 1
fi
