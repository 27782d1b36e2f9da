#!/usr/bin/env bash
# NATS with JetStream on 127.0.0.1:PORT in the foreground, its health shown on http://127.0.0.1:MONITOR_PORT/healthz.
#
#   tests/services/nats.sh PORT FOLDER MONITOR_PORT [OPTION...]    options are nats-server's: --user app --pass apppw
#
# With TLS_CERTIFICATES, a folder made by certificates.sh, clients must use TLS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
port=$1 folder=$2 monitor_port=$3
shift 3
[[ -x $NATS_SERVER ]] || fail "no nats-server: run install.sh"
options=(--addr 127.0.0.1 --port "$port" --http_port "$monitor_port" --jetstream --store_dir "$folder")
if [[ -n ${TLS_CERTIFICATES:-} ]]; then
    options+=(--tls --tlscert "$TLS_CERTIFICATES/server.crt" --tlskey "$TLS_CERTIFICATES/server.key")
fi
exec "$NATS_SERVER" "${options[@]}" "$@"
