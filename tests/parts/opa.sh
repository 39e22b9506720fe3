#!/bin/sh
# Installs the real OPA for the tests, out of the Go module proxy: the binary (opa/bin/opa) and its conformance
# cases (opa/cases/v0, v1). The first run compiles for several minutes. Safe to run again; does nothing when both are there.
# Where Go is missing nothing can be made: it says so and ends well, and the tests that need OPA say that they skip.
set -eu
version=v1.20.2
module=github.com/open-policy-agent/opa
folder="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/opa"
if [ -x "$folder/bin/opa" ] && [ "$(cat "$folder/cases/version" 2>/dev/null)" = "$version" ]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "opa.sh: Go is missing, so there is no real OPA here and its tests will be skipped; as root: apt-get install golang-go" >&2
    exit 0
fi
mkdir -p "$folder"
exec 9>"$folder/lock"
command -v flock >/dev/null && flock 9
if [ "$(cat "$folder/cases/version" 2>/dev/null)" != "$version" ]; then
    echo "opa.sh: fetching the cases of OPA $version into $folder/cases" >&2
    source="$(GOFLAGS=-mod=mod go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')"
    work="$(mktemp -d "$folder/XXXXXX")"
    trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
    cp -R "$source/v1/test/cases/testdata/v0" "$source/v1/test/cases/testdata/v1" "$work/"
    cp "$source/capabilities.json" "$source/builtin_metadata.json" "$work/" 2>/dev/null || true
    chmod -R u+w "$work"
    echo "$version" >"$work/version"
    rm -rf "$folder/cases"
    cp -R "$work" "$folder/cases"
fi
if [ ! -x "$folder/bin/opa" ]; then
    echo "opa.sh: compiling OPA $version into $folder/bin (takes minutes)" >&2
    mkdir -p "$folder/bin.new"
    # Without cgo: no wasm runtime is needed, and no C compiler.
    GOBIN="$folder/bin.new" CGO_ENABLED=0 go install "$module@$version"
    mkdir -p "$folder/bin"
    mv "$folder/bin.new/opa" "$folder/bin/opa"
    rmdir "$folder/bin.new"
fi
