#!/usr/bin/env bash
# One Cassandra node, CQL on 127.0.0.1:PORT, in the foreground: user cassandra, password cassandra. It asks for about 300 MiB
# and five seconds.
#
#   tests/services/cassandra.sh PORT FOLDER STORAGE_PORT
#
# STORAGE_PORT is where it listens for the other nodes, of which there are none. With TLS_CERTIFICATES, a folder made by
# certificates.sh, clients may use TLS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/services/paths.sh
. "$here/paths.sh"
port=$1 folder=$2 storage_port=$3
[[ -e $CASSANDRA_JARS/complete ]] || fail "no Cassandra: run install.sh"
java=$(java_for_cassandra) || fail "no Java 17 or 11: run install.sh"
mkdir -p "$folder/tmp"

cat >"$folder/cassandra.yaml" <<YAML
cluster_name: airside
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
num_tokens: 1
initial_token: 0
auto_bootstrap: false
listen_address: 127.0.0.1
storage_port: $storage_port
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:$storage_port"
rpc_address: 127.0.0.1
start_native_transport: true
native_transport_port: $port
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
data_file_directories: [$folder/data]
commitlog_directory: $folder/commitlog
saved_caches_directory: $folder/saved_caches
hints_directory: $folder/hints
cdc_raw_directory: $folder/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
# Half of a segment is the largest write: a value of 1 MiB must fit well.
commitlog_segment_size: 8MiB
commitlog_total_space: 64MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 32MiB
file_cache_size: 16MiB
networking_cache_size: 16MiB
key_cache_size: 4MiB
counter_cache_size: 0MiB
prepared_statements_cache_size: 4MiB
concurrent_reads: 8
concurrent_writes: 8
concurrent_counter_writes: 2
concurrent_compactors: 1
native_transport_max_threads: 16
dynamic_snitch: false
hinted_handoff_enabled: false
auto_snapshot: false
YAML
if [[ -n ${TLS_CERTIFICATES:-} ]]; then
    openssl pkcs12 -export -in "$TLS_CERTIFICATES/server.crt" -inkey "$TLS_CERTIFICATES/server.key" \
        -certfile "$TLS_CERTIFICATES/ca.crt" -passout pass:changeit -out "$folder/server.p12"
    cat >>"$folder/cassandra.yaml" <<YAML
client_encryption_options:
  enabled: true
  optional: true
  keystore: $folder/server.p12
  keystore_password: changeit
  store_type: PKCS12
YAML
fi
cat >"$folder/logback.xml" <<'XML'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{HH:mm:ss.SSS} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
XML

# Doors into the JDK that Cassandra's own jvm17-server.options opens.
opened=(java.base/java.{io,lang,lang.reflect,nio,util,util.concurrent,util.concurrent.atomic} java.base/java.lang.module
    java.base/jdk.internal.{loader,math,module,ref,reflect,util.jar} java.base/sun.nio.ch jdk.management/com.sun.management.internal)
exported=(java.base/jdk.internal.{misc,ref} java.base/java.lang.ref java.base/sun.nio.ch java.sql/java.sql
    java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.{registry,server} jdk.unsupported/sun.misc
    jdk.attach/sun.tools.attach)
options=("${opened[@]/#/--add-opens=}")
options=("${options[@]/%/=ALL-UNNAMED}")
exports=("${exported[@]/#/--add-exports=}")
options+=("${exports[@]/%/=ALL-UNNAMED}")
# Small, quick to start, and alone: it waits for no gossip.
options+=(-Xms256m -Xmx512m -Xss256k -XX:MaxDirectMemorySize=128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
    -Djava.io.tmpdir="$folder/tmp" -Djna.tmpdir="$folder/tmp" -Djava.net.preferIPv4Stack=true
    -Djdk.attach.allowAttachSelf=true -Dio.netty.tryReflectionSetAccessible=true
    -Dcassandra.config="file://$folder/cassandra.yaml" -Dlogback.configurationFile="$folder/logback.xml"
    -Dcassandra.storagedir="$folder" -Dcassandra-foreground=yes -Dcassandra.ring_delay_ms=0
    -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.superuser_setup_delay_ms=0)
command=("$java" "${options[@]}" -cp "$CASSANDRA_JARS/*" org.apache.cassandra.service.CassandraDaemon)
# It would lock its whole heap in memory if it were allowed to.
ulimit -l 64
if ((EUID == 0)); then
    exec setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock -- "${command[@]}"
fi
exec "${command[@]}"
