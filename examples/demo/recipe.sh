# How examples/build.sh builds the demo's functions.
shared=(../rustc-web.sh)
source ../rustc-web.sh

build() {
    build_rust functions wasm32-unknown-unknown "$1"
}
