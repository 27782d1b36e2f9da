#!/usr/bin/env bash
# Makes certificates for servers on this machine and their clients, valid for ten years.
#
#   tests/services/certificates.sh FOLDER
#
# ca.crt        who signed the next two
# server.crt    with server.key, for localhost and 127.0.0.1
# client.crt    with client.key, for the user `app`
# other-ca.crt  who signed nothing
set -euo pipefail
cd "$1"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$2" \
        -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1.key" -out "$1.crt"
}

# Version 3, and not an authority itself: rustls wants both.
signed() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" -extfile <(
        printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=digitalSignature "${@:3}"
    )
    rm "$1.csr"
}

authority ca "the tests' authority"
authority other-ca "another authority"
signed server localhost extendedKeyUsage=serverAuth subjectAltName=DNS:localhost,IP:127.0.0.1
signed client app extendedKeyUsage=clientAuth
# They go into a temporary folder, and servers that run as users of their own read them.
chmod 644 ./*.key
