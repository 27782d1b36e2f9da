# How examples/build.sh builds the functions for wasm32-wasip1.
shared=(../rustc-web.sh)
source ../rustc-web.sh

libc=/usr/lib/wasm32-wasi

install() {
    install_rustc_web wasi-libc
}

toolchain() {
    local rust libc_version
    rust=$(rustc_web_toolchain) && libc_version=$(dpkg-query -W -f '${Version}' wasi-libc) || return
    echo "$rust, wasi-libc $libc_version"
}

build() {
    build_rust functions wasm32-wasip1 "$1" -L "native=$libc" -C "link-arg=$libc/crt1-reactor.o"
}
