#!/usr/bin/env bash
# Rebuilds the prebuilt .wasm files of the examples. The same sources and toolchain give the same
# bytes.
#
#   examples/build.sh [NAME...]
#       Installs what is missing, builds, writes NAME/*.wasm and NAME/SOURCES.sha256.
#   examples/build.sh --verify [NAME...]
#       Are sources and .wasm files those of the manifest? Needs no toolchain.
#   examples/build.sh --check [NAME...]
#       Verifies, then builds elsewhere and compares the bytes, where the toolchain is that of the
#       manifest. Installs nothing.
#
# NAME is a folder here that has a recipe.sh, all of them by default. A recipe defines three
# functions: install (by package name, from apt, npm or PyPI), toolchain (prints its version in one
# line, fails when it is absent) and build DIR (called in the recipe's folder: puts the .wasm files
# into DIR, leaves no other trace). Files outside its folder that it depends on are in `shared`.
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Compilers keep what they have built, and what npm and PyPI gave, here.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/airside/examples

main() {
    local mode=rebuild
    case ${1-} in
    --verify | --check)
        mode=${1#--}
        shift
        ;;
    -*) fail "usage: examples/build.sh [--verify|--check] [NAME...]" ;;
    esac
    local names=("$@")
    if ((${#names[@]} == 0)); then
        names=("$examples"/*/recipe.sh)
        names=("${names[@]%/recipe.sh}")
        names=("${names[@]##*/}")
    fi
    mkdir -p "$cache"
    local name
    for name in "${names[@]}"; do
        # A shell of its own: each recipe defines the same three functions.
        ("$mode" "$name")
    done
}

enter() {
    cd "$examples/$1"
    shared=()
    source ./recipe.sh
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
}

rebuild() {
    enter "$1"
    toolchain >/dev/null 2>&1 || install
    (build "$out")
    local wasm=("$out"/*.wasm)
    rm -f ./*.wasm
    install_files "${wasm[@]}"
    write_manifest >SOURCES.sha256
    echo "$1: built ${#wasm[@]} files with $(toolchain)"
}

install_files() {
    local file
    for file in "$@"; do
        command install -m 644 "$file" .
    done
}

verify() {
    enter "$1"
    sha256sum --check --quiet SOURCES.sha256
    diff <(listed) <(inputs; printf '%s\n' *.wasm) ||
        fail "$1: SOURCES.sha256 lists other files than there are"
    echo "$1: as in the manifest"
}

check() {
    verify "$1"
    local recorded present
    recorded=$(sed -n 's/^# toolchain: //p' SOURCES.sha256)
    present=$(toolchain 2>/dev/null) || present=none
    if [[ $present != "$recorded" ]]; then
        echo "$1: not rebuilt: the toolchain is $present, the manifest's is $recorded"
        return
    fi
    (build "$out")
    local wasm
    for wasm in *.wasm; do
        cmp "$wasm" "$out/$wasm"
    done
    echo "$1: a new build gives the same bytes"
}

fail() {
    echo "$1" >&2
    exit 1
}

# The files that decide the bytes of the build, in a fixed order.
inputs() {
    ((${#shared[@]} == 0)) || printf '%s\n' "${shared[@]}"
    find . -type f ! -path '*/target/*' ! -path '*/node_modules/*' ! -name '*.wasm' \
        ! -name SOURCES.sha256 ! -name tarmac.json -printf '%P\n' | sort
}

listed() {
    sed -n 's/^[0-9a-f]\{64\}  //p' SOURCES.sha256
}

write_manifest() {
    echo "# Written by examples/build.sh: what the .wasm files were built from, and with."
    echo "# toolchain: $(toolchain)"
    inputs | xargs -d '\n' sha256sum
    sha256sum ./*.wasm | sed 's|\./||'
}

main "$@"
