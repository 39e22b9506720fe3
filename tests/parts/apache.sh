#!/usr/bin/env bash
# Debian's own Apache with mod_auth_openidc, as kolla-ansible's images have it. Only the program and its modules
# (apache2-bin): no service is set up or started, and nothing listens on port 80. Tests start instances of their own.
set -euo pipefail
exec bash "$(dirname "$0")/system.sh" apache
