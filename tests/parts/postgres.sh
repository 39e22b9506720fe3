#!/usr/bin/env bash
# Makes sure that a PostgreSQL server (Debian's package) is here for the tests. Tests start their own
# cluster in a temporary folder; no system service is needed or touched.
# Safe to run again; fast when nothing is to do.
set -euo pipefail
exec bash "$(dirname "$0")/system.sh" postgres
