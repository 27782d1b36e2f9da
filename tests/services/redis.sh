#!/usr/bin/env bash
# Redis on 127.0.0.1:PORT, in memory only, in the foreground.
#
#   tests/services/redis.sh PORT FOLDER [OPTION...]    options are redis-server's: --requirepass, --replicaof
#
# With TLS_CERTIFICATES, a folder made by certificates.sh, it speaks TLS and nothing else.
set -euo pipefail
port=$1 folder=$2
shift 2
options=(--bind 127.0.0.1 --dir "$folder" --daemonize no --save '' --appendonly no)
# A replica's first copy begins at once and not after 5 s.
options+=(--repl-diskless-sync-delay 0)
if [[ -n ${TLS_CERTIFICATES:-} ]]; then
    options+=(--port 0 --tls-port "$port" --tls-auth-clients optional --tls-ca-cert-file "$TLS_CERTIFICATES/ca.crt"
        --tls-cert-file "$TLS_CERTIFICATES/server.crt" --tls-key-file "$TLS_CERTIFICATES/server.key")
else
    options+=(--port "$port")
fi
exec redis-server "${options[@]}" "$@"
