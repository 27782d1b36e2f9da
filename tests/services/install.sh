#!/usr/bin/env bash
# Installs the servers that the tests start, as far as they are missing. Safe to repeat.
#
#   tests/services/install.sh
#
# Packages come with apt, as root or by sudo, on Debian 12 or a relative of it; NATS from Go's module proxy and Cassandra from
# Maven Central, into a cache outside of the clone. Proxies and mirrors are those that apt, Go and Maven are configured with.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"

main() {
    install_packages
    mkdir -p "$CACHE"
    # One at a time: a second test run, of another clone, may have begun.
    exec 9>"$CACHE/lock"
    flock 9
    [[ -x $NATS_SERVER ]] || build_nats
    [[ -e $CASSANDRA_JARS/complete ]] || fetch_cassandra
    prometheus_programs >/dev/null || fetch_prometheus
}

install_packages() {
    local packages=()
    has redis-server || packages+=(redis-server)
    postgres_programs >/dev/null || packages+=(postgresql)
    # The programs alone: the package mariadb-server would make a database of its own.
    [[ -x /usr/sbin/mariadbd ]] || packages+=(mariadb-server-core)
    has mariadb || packages+=(mariadb-client-core)
    [[ -x /usr/sbin/nginx ]] || packages+=(nginx-light)
    has openssl || packages+=(openssl)
    has setpriv && has flock || packages+=(util-linux)
    # Go builds NATS, and the Bolt files that a test imports.
    has go || packages+=(golang-go ca-certificates)
    java_for_cassandra >/dev/null || packages+=(openjdk-17-jre-headless)
    if [[ ! -e $CASSANDRA_JARS/complete ]]; then
        has mvn || packages+=(maven)
    fi
    ((${#packages[@]})) || return 0
    has apt-get || fail "missing, and there is no apt to install it: ${packages[*]}"
    apt_install "${packages[@]}"
}

has() {
    command -v "$1" >/dev/null
}

# Packages of servers start them; a policy that forbids it is there for as long as the installation runs.
apt_install() {
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    local apt=(apt-get -q -o DPkg::Lock::Timeout=600)
    as_root "${apt[@]}" update
    as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "$@"
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

build_nats() {
    local go unfinished=$CACHE/nats.unfinished
    go=$(go_for_nats)
    rm -rf "$unfinished"
    GOBIN=$unfinished "$go" install "github.com/nats-io/nats-server/v2@$NATS_VERSION"
    mkdir -p "${NATS_SERVER%/*}"
    mv "$unfinished/nats-server" "$NATS_SERVER"
    rm -rf "$unfinished"
}

# Debian's Go is too old, but can fetch a newer one as the module that it is, its checksum verified. Modules hold no
# permissions to execute.
go_for_nats() {
    if [[ $(printf '%s\n' "$GO_VERSION" "$(go env GOVERSION)" | sort -V | head -n 1) == "$GO_VERSION" ]]; then
        command -v go
        return
    fi
    local module
    module=golang.org/toolchain@v0.0.1-$GO_VERSION.$(go env GOOS)-$(go env GOARCH)
    go mod download "$module"
    local root
    root=$(go env GOMODCACHE)/$module
    chmod -R u+w "$root"
    chmod +x "$root"/bin/* "$root"/pkg/tool/*/*
    echo "$root/bin/go"
}

fetch_cassandra() {
    local unfinished=$CACHE/cassandra.unfinished
    rm -rf "$unfinished"
    mkdir -p "$unfinished"
    cat >"$unfinished/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>airside.tests</groupId>
  <artifactId>cassandra</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.cassandra</groupId>
      <artifactId>cassandra-all</artifactId>
      <version>$CASSANDRA_VERSION</version>
    </dependency>
  </dependencies>
</project>
POM
    mvn --quiet --batch-mode --no-transfer-progress --file "$unfinished/pom.xml" \
        dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$unfinished"
    touch "$unfinished/complete"
    rm -rf "$CASSANDRA_JARS"
    mv "$unfinished" "$CASSANDRA_JARS"
}

# Debian's package makes a service that starts with the machine, so it is unpacked and not installed.
fetch_prometheus() {
    local unfinished=$CACHE/prometheus.unfinished
    rm -rf "$unfinished"
    mkdir -p "$unfinished"
    as_root apt-get -q -o DPkg::Lock::Timeout=600 update
    (cd "$unfinished" && apt-get -q download prometheus)
    dpkg-deb --extract "$unfinished"/prometheus_*.deb "$unfinished"
    rm -rf "$PROMETHEUS"
    mv "$unfinished/usr/bin" "$PROMETHEUS"
    rm -rf "$unfinished"
}

main "$@"
