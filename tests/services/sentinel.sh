#!/usr/bin/env bash
# A Redis Sentinel on 127.0.0.1:PORT in the foreground: it watches the Redis on MASTER_PORT, named `mymaster`, and is quick to
# replace it: it takes a second of silence for death.
#
#   tests/services/sentinel.sh PORT FOLDER MASTER_PORT [PASSWORD]    PASSWORD is that of the Redis servers
set -euo pipefail
port=$1 folder=$2 master_port=$3 password=${4:-}
# A sentinel rewrites its configuration with what it learns: after a restart that is the truth.
if [[ ! -e $folder/sentinel.conf ]]; then
    cat >"$folder/sentinel.conf" <<CONF
port $port
bind 127.0.0.1
dir $folder
sentinel monitor mymaster 127.0.0.1 $master_port 1
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 3000
sentinel parallel-syncs mymaster 1
${password:+sentinel auth-pass mymaster $password}
CONF
fi
exec redis-server "$folder/sentinel.conf" --sentinel
