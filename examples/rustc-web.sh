# Sourced by the recipes of the Rust examples.
#
# Debian's rustc-web brings a compiler and, in rust-web-src, the standard library's sources to go
# with it; the cargo and the linker rust-lld of rustup's stable toolchain do the rest.
# RUSTC_BOOTSTRAP lets a stable cargo build the standard library for a target that has none
# installed.

rustc_web=/usr/bin/rustc

install_rustc_web() {
    apt-get update
    apt-get install -y --no-install-recommends rustc-web rust-web-src "$@"
}

rustc_web_toolchain() {
    [[ -e /usr/lib/rustlib/src/rust/library/Cargo.lock ]] || return
    local lld
    lld=$("$(rust_lld)" -flavor wasm --version)
    echo "$("$rustc_web" -V), $(cargo -V), ${lld%% (*}"
}

rust_lld() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    echo "$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld"
}

# Builds every member of the Cargo workspace in the directory $1 for the target $2 into the
# directory $3; what follows is passed to the compiler.
build_rust() {
    local workspace=$1 target=$2 out=$3
    shift 3
    export RUSTC=$rustc_web RUSTC_BOOTSTRAP=1
    local linker=CARGO_TARGET_${target^^}_LINKER
    export "${linker//-/_}=$(rust_lld)"
    # A directory of its own, as another compiler builds here.
    local target_dir=$cache/rustc-web
    local cargo=(-Zbuild-std=std,panic_abort --locked)
    cargo+=(--manifest-path "$workspace/Cargo.toml" --target "$target")

    # No path of the machine goes into the panic messages. Where cargo unpacks crates is known after
    # the fetch.
    cargo fetch "${cargo[@]}"
    local flags=("$@" "--remap-path-prefix=$(cd "$workspace" && pwd)=/src") directory
    for directory in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        flags+=("--remap-path-prefix=$directory=/crates/")
    done
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") \
        cargo build --release --target-dir "$target_dir" "${cargo[@]}"

    local member
    for member in "$workspace"/*/Cargo.toml; do
        member=$(basename "$(dirname "$member")")
        cp "$target_dir/$target/release/${member//-/_}.wasm" "$out/$member.wasm"
    done
}
