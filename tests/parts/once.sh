# Sourced by the scripts that install a part into a folder of the cache.
#
#   once <part> <revision>   ends the script where this revision is ready; else `here` is the part's folder, and nobody
#                            else works in it: of two runs at once the second waits, and finds the work done
#   say <text>               tells a person
#   ready                    writes down that the revision is there
say() { echo "$part part: $*" >&2; }

is_ready() { [ "$(cat "$here/ready" 2>/dev/null)" = "$revision" ]; }

once() {
    part="$1" revision="$2"
    here="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/$part"
    if is_ready; then exit 0; fi
    mkdir -p "$here"
    exec 9>"$here/lock"
    flock 9
    if is_ready; then exit 0; fi
}

ready() {
    printf '%s' "$revision" >"$here/ready"
    say "ready in $here"
}
