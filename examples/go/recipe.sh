# How examples/build.sh builds the Go functions, one in each of the two ways that there are: a
# command, whose _start returns before the first call, and a reactor, which has _initialize instead.
# Either suits either function.

install() {
    echo "Go 1.24 or newer has to be there: the distribution's may be older" >&2
    return 1
}

toolchain() {
    go env GOVERSION
}

build() {
    export GOOS=wasip1 GOARCH=wasm GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOWORK=off
    local flags=(-trimpath -buildvcs=false '-ldflags=-s -w -buildid=')
    go build "${flags[@]}" -o "$1/echo.wasm" ./echo
    go build "${flags[@]}" -buildmode=c-shared -o "$1/counter.wasm" ./counter
}
