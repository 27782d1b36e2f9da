# Sourced by the scripts beside it: versions, where programs are kept, and how a server is run as another user.

# async-nats asks for features that servers have since 2.10, and Debian 12 has 2.9.
NATS_VERSION=v2.15.2
# The oldest Go that compiles it.
GO_VERSION=go1.26.0
CASSANDRA_VERSION=5.0.9

# Outside of the clone, so that a fresh one need not fetch everything again.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/airside/services
PROMETHEUS=$CACHE/prometheus
NATS_SERVER=$CACHE/nats-$NATS_VERSION/nats-server
CASSANDRA_JARS=$CACHE/cassandra-$CASSANDRA_VERSION

fail() {
    echo "${0##*/}: $1" >&2
    exit 1
}

# The Java that Cassandra 5.0 runs on: 17 or 11. Newer ones have no security manager, without which it does not start.
java_for_cassandra() {
    local java
    for java in "${JAVA_HOME:+$JAVA_HOME/bin/java}" /usr/lib/jvm/*-17-*/bin/java /usr/lib/jvm/*-11-*/bin/java "$(command -v java)"; do
        if [[ -x $java && $("$java" -version 2>&1) =~ version\ \"(11|17)\. ]]; then
            echo "$java"
            return
        fi
    done
    return 1
}

# PostgreSQL's programs, of the newest version that is there; Debian keeps them out of PATH.
postgres_programs() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    [[ -x $found ]] || found=$(command -v postgres) || return 1
    dirname "$found"
}

# The folder of prometheus and promtool: the machine's own, or what install.sh unpacked.
prometheus_programs() {
    local found
    found=$(command -v promtool) || found=$PROMETHEUS/promtool
    [[ -x $found && -x ${found%/*}/prometheus ]] || return 1
    echo "${found%/*}"
}

# run_as USER COMMAND...: the command becomes this process; as USER if this is root, whom some servers refuse.
run_as() {
    local user=$1
    shift
    ((EUID == 0)) || exec "$@"
    exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --clear-groups -- "$@"
}

# give USER PATH...: makes the paths USER's if this is root.
give() {
    local user=$1
    shift
    ((EUID != 0)) || chown "$user" "$@"
}
