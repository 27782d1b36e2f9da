# How examples/build.sh builds the AssemblyScript functions.

# What is built lies beside the packages, as that is where the compiler looks for them.
work=$cache/assemblyscript

install() {
    mkdir -p "$work"
    cp package.json package-lock.json "$work"
    npm --prefix "$work" ci
}

toolchain() {
    cmp --quiet package-lock.json "$work/package-lock.json" || return
    "$work/node_modules/.bin/asc" --version
}

build() {
    cp ./*.ts "$work"
    cd "$work"
    local name
    for name in echo counter; do
        node_modules/.bin/asc "$name.ts" -o "$1/$name.wasm" --use "abort=$name/abort" -O3 --noAssert
    done
}
