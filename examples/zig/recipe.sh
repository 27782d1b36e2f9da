# How examples/build.sh builds the Zig functions. The package ziglang brings the whole compiler,
# about 410 MB.

zig_version=0.17.1
zig=$cache/ziglang-$zig_version/bin/python-zig

install() {
    python3 -m venv "$cache/ziglang-$zig_version"
    "$cache/ziglang-$zig_version/bin/pip" install --quiet "ziglang==$zig_version"
}

toolchain() {
    local version
    version=$("$zig" version) || return
    echo "zig $version"
}

build() {
    local name
    for name in echo counter; do
        "$zig" build-exe "$name.zig" -target wasm32-freestanding -O ReleaseSmall -fstrip \
            -fno-entry --export=__guest_call \
            --cache-dir "$cache/zig" --global-cache-dir "$cache/zig" "-femit-bin=$1/$name.wasm"
    done
}
