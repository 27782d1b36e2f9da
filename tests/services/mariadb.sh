#!/usr/bin/env bash
# MariaDB on 127.0.0.1:PORT in the foreground: user app, password apppw, database app; user root, password root.
#
#   tests/services/mariadb.sh PORT FOLDER
#
# With TLS_CERTIFICATES, a folder made by certificates.sh, it speaks TLS too. Nothing is synced to the disk. As root it is run
# as the user nobody: the package without a database makes no user.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
port=$1 folder=$2 user=nobody
give "$user" "$folder"

# The first option keeps the machine's configuration out.
options=(--no-defaults --datadir="$folder/data" --tmpdir="$folder" --innodb-log-file-size=8M)
if [[ ! -e $folder/data ]]; then
    (run_as "$user" mariadb-install-db "${options[@]}" --auth-root-authentication-method=normal --skip-test-db \
        --skip-name-resolve)
fi
cat >"$folder/init.sql" <<'SQL'
CREATE DATABASE IF NOT EXISTS app CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'apppw';
GRANT ALL ON *.* TO app@'%';
ALTER USER root@localhost IDENTIFIED BY 'root';
SQL
# It is run before the port opens.
options+=(--init-file="$folder/init.sql" --port="$port" --bind-address=127.0.0.1 --socket="$folder/socket" --skip-log-bin
    --skip-name-resolve --performance-schema=OFF --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0
    --innodb-flush-method=nosync)
if [[ -n ${TLS_CERTIFICATES:-} ]]; then
    cp "$TLS_CERTIFICATES"/server.{crt,key} "$TLS_CERTIFICATES/ca.crt" "$folder/"
    options+=(--ssl-ca="$folder/ca.crt" --ssl-cert="$folder/server.crt" --ssl-key="$folder/server.key")
fi
run_as "$user" /usr/sbin/mariadbd "${options[@]}"
