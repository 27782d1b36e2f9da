# How examples/build.sh builds the demo's functions.
shared=(../rustc-web.sh)
source ../rustc-web.sh

install() {
    install_rustc_web
}

toolchain() {
    rustc_web_toolchain
}

build() {
    build_rust functions wasm32-unknown-unknown "$1"
}
