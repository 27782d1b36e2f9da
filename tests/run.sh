#!/usr/bin/env bash
# The one test command: unit tests, property tests, and the real binary against real clients.
#
#   tests/run.sh [ARGUMENT...]    arguments go to `cargo test --workspace`; `-- NAME` runs the tests with that name
#
# Installs what is missing with apt, also the servers that airside is a client of; needs Rust, and root or sudo if something
# is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

main() {
    command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs"
    install_missing
    # The servers come while cargo compiles.
    local log status=0
    log=$(mktemp)
    # shellcheck disable=SC2064 # the name as it is now
    trap "rm -f '$log'" EXIT
    tests/services/install.sh >"$log" 2>&1 &
    local servers=$!
    # io_uring locks memory, and containers allow little; tests open many connections. What cannot be raised stays: a
    # test that needs more fails and says so.
    ulimit -l unlimited 2>/dev/null || true
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    # As users build it. `cargo test --workspace` would build it too, but with what the test's oracle turns on in wasmtime.
    cargo build --package airside --bin airside
    cargo test --workspace --no-run "$@"
    if ! wait "$servers"; then
        cat "$log" >&2
        fail "the servers that the tests need could not be installed"
    fi
    cargo test --workspace --no-fail-fast "$@" | tee "$log" || status=$?
    # Cargo reports each test binary by itself; this is the sum.
    awk '/^test result:/ { passed += $4; failed += $6 } END { print passed + 0 " passed, " failed + 0 " failed" }' "$log"
    return "$status"
}

# A C compiler builds liburing and mimalloc, and glommio's build asks git whether liburing is there.
install_missing() {
    local packages=()
    command -v cc >/dev/null || packages+=(gcc libc6-dev)
    command -v git >/dev/null || packages+=(git)
    command -v curl >/dev/null || packages+=(curl)
    command -v prlimit >/dev/null || packages+=(util-linux)
    ((${#packages[@]})) || return 0
    command -v apt-get >/dev/null || fail "missing, and there is no apt to install it: ${packages[*]}"
    local sudo=()
    ((EUID == 0)) || sudo=(sudo)
    "${sudo[@]}" apt-get update
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

fail() {
    echo "tests/run.sh: $1" >&2
    exit 1
}

main "$@"
