#!/usr/bin/env bash
# PostgreSQL on 127.0.0.1:PORT in the foreground: user app, password apppw, database app.
#
#   tests/services/postgres.sh PORT FOLDER
#
# With TLS_CERTIFICATES, a folder made by certificates.sh, it speaks TLS too. Nothing is synced to the disk: what it must
# survive is its own end, not the machine's. As root it is run as the user postgres, for it refuses to be root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
port=$1 folder=$2 user=postgres
programs=$(postgres_programs) || fail "no PostgreSQL: run install.sh"
give "$user" "$folder"
cd "$folder"

if [[ ! -e $folder/data ]]; then
    echo root >"$folder/password"
    give "$user" "$folder/password"
    (run_as "$user" "$programs/initdb" --pgdata="$folder/data" --username=postgres --auth=scram-sha-256 \
        --pwfile="$folder/password" --encoding=UTF8 --locale=C.UTF-8 --no-sync)
    # Before it listens, so that whoever can connect finds all that is promised.
    printf '%s\n' "CREATE ROLE app LOGIN CREATEDB PASSWORD 'apppw';" "CREATE DATABASE app OWNER app;" |
        (run_as "$user" "$programs/postgres" --single -D "$folder/data" -c fsync=off postgres)
fi

options=(-c port="$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" -c max_connections=100
    -c shared_buffers=32MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off)
if [[ -n ${TLS_CERTIFICATES:-} ]]; then
    cp "$TLS_CERTIFICATES"/server.{crt,key} "$TLS_CERTIFICATES/ca.crt" "$folder/"
    chmod 600 "$folder/server.key"
    give "$user" "$folder"/server.{crt,key} "$folder/ca.crt"
    options+=(-c ssl=on -c ssl_cert_file="$folder/server.crt" -c ssl_key_file="$folder/server.key"
        -c ssl_ca_file="$folder/ca.crt")
fi
run_as "$user" "$programs/postgres" -D "$folder/data" "${options[@]}"
