#!/usr/bin/env bash
# Prometheus' own tool.
#
#   tests/services/promtool.sh ARGUMENT...    `check metrics` reads a metrics page from its input
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
programs=$(prometheus_programs) || fail "no promtool: run install.sh"
exec "$programs/promtool" "$@"
