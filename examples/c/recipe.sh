# How examples/build.sh builds the C functions: with clang and its linker alone, as they need no
# libc.

install() {
    apt-get update
    apt-get install -y --no-install-recommends clang lld
}

toolchain() {
    local clang lld
    clang=$(clang --version | head -n 1) && lld=$(wasm-ld --version) || return
    echo "$clang, $lld"
}

build() {
    local name
    for name in echo counter; do
        clang --target=wasm32 -std=c11 -Wall -Wextra -Werror -Oz -ffreestanding -fno-builtin \
            -nostdlib -Wl,--no-entry -Wl,--strip-all -o "$1/$name.wasm" "$name.c"
    done
}
