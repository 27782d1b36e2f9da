#!/usr/bin/env bash
# Prometheus on 127.0.0.1:PORT in the foreground, which scrapes TARGET, a host and a port, each second.
#
#   tests/services/prometheus.sh PORT FOLDER TARGET [OPTION...]    options are prometheus's: --enable-feature=native-histograms
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
port=$1 folder=$2 target=$3
shift 3
programs=$(prometheus_programs) || fail "no prometheus: run install.sh"
cat >"$folder/prometheus.yml" <<CONFIG
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
- job_name: airside
  static_configs: [{ targets: ['$target'] }]
CONFIG
exec "$programs/prometheus" --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
    --web.listen-address="127.0.0.1:$port" "$@"
