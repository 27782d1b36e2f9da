//! The one table of settings: name, kind with default and bounds, the part they belong to, meaning.
//!
//! From it come the typed [`Settings`], the names that the environment may set, the warnings about
//! settings without effect, and the reference that `airside config` prints. A variable's name is
//! `APP_` and the setting's name in capital letters.

use super::kind::{
    Address, Choice, Cpus, File, HeaderText, Kind, List, Maybe, Millis, Number, Permissions,
    Seconds, Secret, Switch, Text, Url, Urls,
};
use super::problem::Problems;
use super::source::{Setting, Source};
use airside_capabilities::secret;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One row of the table.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
    pub(super) part: Part,
    pub(super) kind: fn() -> String,
    pub(super) default: fn() -> String,
}

/// What a setting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Always,
    /// Turns the feature on.
    Switch(Feature),
    /// Has no effect while the feature is off.
    Of(Feature),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    Kv,
    EmbeddedKv,
    Tls,
    Consul,
    Redis,
    Cassandra,
    Nats,
    Sql,
}

impl Feature {
    /// The feature's name if this version does not have it.
    pub(super) fn not_yet(self) -> Option<&'static str> {
        match self {
            Self::Tls => Some("TLS"),
            Self::Consul => Some("Consul"),
            Self::Kv
            | Self::EmbeddedKv
            | Self::Redis
            | Self::Cassandra
            | Self::Nats
            | Self::Sql => None,
        }
    }
}

impl Key {
    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("APP_{}", self.name.to_ascii_uppercase())
    }
}

macro_rules! settings {
    (
        read { $($name:ident: $value:ty = $kind:expr, $part:expr, $doc:literal;)* }
        only_checked { $($later:ident = $later_kind:expr, $later_part:expr, $later_doc:literal;)* }
    ) => {
        /// Every setting that this version reads.
        pub(super) struct Settings { $(pub(super) $name: Setting<$value>,)* }

        impl Settings {
            /// Reads all settings, also those of features that this version does not have.
            pub(super) fn read(source: &Source, problems: &mut Problems) -> Self {
                $(source.read(stringify!($later), &$later_kind, problems);)*
                Self { $($name: source.read(stringify!($name), &$kind, problems),)* }
            }
        }

        /// Every setting, in the order of the reference.
        pub static KEYS: &[Key] = &[
            $(row!($name, $kind, $part, $doc),)*
            $(row!($later, $later_kind, $later_part, $later_doc),)*
        ];
    };
}

macro_rules! row {
    ($name:ident, $kind:expr, $part:expr, $doc:literal) => {
        Key {
            name: stringify!($name),
            doc: $doc,
            part: $part,
            kind: || $kind.describe(),
            default: || $kind.default_text(),
        }
    };
}

pub(super) const LISTEN: Address = Address { ip: [0, 0, 0, 0], port: 8443 };

/// Of one call of a function; `tarmac.json` has the same bounds.
pub(super) const FUNCTION_TIMEOUT: Millis = millis(30_000, 1, "a call must end");

/// Of one instance of a function; `tarmac.json` has the same bounds.
pub(super) const FUNCTION_MEMORY: Number = Number {
    default: 128 << 20,
    min: 64 << 10,
    max: 4 << 30,
    why: "a page of WebAssembly memory has 64 KiB, a 32-bit memory 4 GiB",
};

/// Of one function over all shards; `tarmac.json` has the same bounds.
pub(super) const POOL_SIZE: Number = Number {
    default: 100,
    min: 1,
    max: 100_000,
    why: "without an instance nothing runs, and address space is kept for each",
};

const fn millis(default: u64, min: u64, why: &'static str) -> Millis {
    const HOUR_MS: u64 = 3_600_000;
    Millis(Number { default, min, max: HOUR_MS, why })
}

const SHARDS: Number =
    Number { default: 0, min: 1, max: 1024, why: "a shard is a thread on a CPU of its own" };

const TIMEOUT_WHY: &str = "a silent client must not hold a connection for ever";

const SECONDS: Seconds =
    Seconds(Number { default: 0, min: 0, max: 3600, why: "an hour is the most" });

const COUNT: Number = Number { default: 0, min: 0, max: 65_535, why: "it has 16 bits" };

settings! {
    read {
        listen_addr: SocketAddr = LISTEN, Part::Always,
            "Where to listen. `:8443` means all IPv4 addresses, port 0 any free port.";
        enable_tls: bool = Switch(true), Part::Switch(Feature::Tls),
            "Serve HTTPS. On by default as in Tarmac, so it must be set to false for now.";
        shards: Option<u64> = Maybe(SHARDS), Part::Always,
            "Threads that serve, each on a CPU of its own. Default: one for every CPU that may be used.";
        cpus: Option<Vec<usize>> = Maybe(Cpus), Part::Always,
            "CPUs to use. Default: all that the affinity mask allows.";
        grace_period_ms: Duration = millis(10_000, 0, "shutdown must end"), Part::Always,
            "How long requests under way may take to end after SIGTERM or SIGINT.";
        run_mode: &'static str = Choice(&["daemon", "job"]), Part::Always,
            "`daemon` serves until a signal. `job` (exit after the init functions) is not yet in this version.";
        http_server_name: String = HeaderText("airside"), Part::Always,
            "The `Server` header. Tarmac sends `tarmac`.";
        http_connections_max: u64 = Number { default: 16_384, min: 1, max: 1_000_000, why: "each connection is a file descriptor and some memory" }, Part::Always,
            "Open connections of each shard; more wait in the kernel's queue.";
        http_idle_timeout_ms: Duration = millis(75_000, 1, TIMEOUT_WHY), Part::Always,
            "How long a connection may stay open between two requests.";
        http_header_timeout_ms: Duration = millis(10_000, 1, TIMEOUT_WHY), Part::Always,
            "How long a request's line and headers may take to arrive.";
        http_body_timeout_ms: Duration = millis(30_000, 1, TIMEOUT_WHY), Part::Always,
            "How long a request's body may take to arrive.";
        http_write_timeout_ms: Duration = millis(30_000, 1, TIMEOUT_WHY), Part::Always,
            "How long a client may take to read a response.";
        http_head_bytes_max: u64 = Number { default: 32 << 10, min: 512, max: 1 << 20, why: "less refuses ordinary clients, and each connection may hold that much memory" }, Part::Always,
            "Length of a request's line and headers together.";
        http_target_bytes_max: u64 = Number { default: 8 << 10, min: 64, max: 1 << 20, why: "it is part of the headers' block" }, Part::Always,
            "Length of a request's path and query.";
        http_headers_max: u64 = Number { default: 100, min: 4, max: crate::http::HEADERS_MAX as u64, why: "the parser has a place for each" }, Part::Always,
            "Headers of a request.";
        http_body_bytes_max: u64 = Number { default: 16 << 20, min: 0, max: 1 << 30, why: "a body is held in memory and copied into the function's" }, Part::Always,
            "Length of a request's body.";
        wasm_function_config: PathBuf = File("/functions/tarmac.json"), Part::Always,
            "The functions and their routes. Relative paths start from the working directory.";
        wasm_function: PathBuf = File("/functions/tarmac.wasm"), Part::Always,
            "Without `wasm_function_config`: the one function, which answers `/`.";
        wasm_pool_size: u64 = POOL_SIZE, Part::Always,
            "Instances of `wasm_function` over all shards.";
        function_timeout_ms: Duration = FUNCTION_TIMEOUT, Part::Always,
            "How long one call may take, if `tarmac.json` does not say.";
        function_memory_bytes_max: u64 = FUNCTION_MEMORY, Part::Always,
            "Memory of one instance, if `tarmac.json` does not say.";
        function_wait_ms: Duration = millis(5_000, 0, "a client waits meanwhile"), Part::Always,
            "How long a call may wait for a free instance.";
        function_queue_max: u64 = Number { default: 1024, min: 0, max: 1_000_000, why: "each waiting call holds its request in memory" }, Part::Always,
            "Calls of one function that may wait on one shard.";
        function_depth_max: u64 = Number { default: 16, min: 1, max: 256, why: "each level holds an instance and a stack" }, Part::Always,
            "How deep functions may call functions.";
        artifact_dir: Option<PathBuf> = Maybe(File("")), Part::Always,
            "Where compiled functions are kept. Default: `airside` in $XDG_CACHE_HOME or $HOME/.cache or /var/cache.";
        debug: bool = Switch(false), Part::Always, "Log debug messages.";
        trace: bool = Switch(false), Part::Always, "Log debug and trace messages.";
        disable_logging: bool = Switch(false), Part::Always, "Log nothing.";
        text_log_format: bool = Switch(false), Part::Always, "Log text lines instead of JSON.";
        enable_maintenance_mode: bool = Switch(false), Part::Always, "`/ready` answers 503.";
        enable_pprof: bool = Switch(false), Part::Always,
            "`/debug/pprof/` is not forbidden. This version has no profiles there.";
        debug_remote: bool = Switch(false), Part::Always,
            "`/debug/` answers all clients, not only those on this machine.";
        enable_kvstore: bool = Switch(false), Part::Always, "Functions may use the key-value store.";
        kvstore_type: String = Text("internal"), Part::Of(Feature::Kv),
            "`internal`, `boltdb` or `embedded`: a file; `in-memory` or `memory`: lost at the end; `redis`, `cassandra` or `nats`: a server.";
        boltdb_filename: PathBuf = File("/data/tarmac/tarmac.db"), Part::Of(Feature::EmbeddedKv),
            "The store's file.";
        boltdb_bucket: String = Text("tarmac"), Part::Of(Feature::EmbeddedKv),
            "The table in that file.";
        boltdb_permissions: u32 = Permissions(0o600), Part::Of(Feature::EmbeddedKv),
            "Of a file that is created.";
        boltdb_timeout: Duration = Seconds(Number { default: 5, min: 1, max: 3600, why: "start-up must not wait for ever" }), Part::Of(Feature::EmbeddedKv),
            "How long to wait for another process to let go of the file.";
        backend_connect_timeout_ms: Duration = millis(5_000, 1, "a start or a reconnect must end"), Part::Always,
            "How long connecting to a store or database and logging in may take.";
        backend_call_timeout_ms: Duration = millis(5_000, 1, "a function waits meanwhile"), Part::Always,
            "How long a store or database may take to answer; the call fails then.";
        backend_start_timeout_ms: Duration = millis(30_000, 0, "a start must end"), Part::Always,
            "How long a store or database that is down at the start is tried. The server ends if it was never reached.";
        backend_ca_file: Option<PathBuf> = Maybe(File("")), Part::Always,
            "PEM: authorities that may sign certificates of stores, databases and HTTP servers, besides the machine's own.";
        redis_server: secret::Secret = Url(""), Part::Of(Feature::Redis),
            "`host:port`, or `redis://user:password@host:port/database`, with TLS `rediss://`.";
        redis_database: Option<u64> = Maybe(COUNT), Part::Of(Feature::Redis), "The database's number. Default: 0.";
        redis_password: secret::Secret = Secret, Part::Of(Feature::Redis), "Of the default user, or of the one in the URL.";
        redis_sentinel_servers: Vec<String> = List, Part::Of(Feature::Redis),
            "Sentinels, which know where the master is: host:port, the port is 26379 if none is said. `redis_server` then only says how to log in.";
        redis_sentinel_master: String = Text(""), Part::Of(Feature::Redis), "The name that sentinels give the master.";
        redis_hostname_verify: bool = Switch(false), Part::Of(Feature::Redis),
            "true SKIPS the verification of the server's certificate: the odd meaning is Tarmac's.";
        redis_keepalive: Duration = Seconds(Number { default: 300, min: 0, max: 32_767, why: "the kernel counts it in 15 bits" }), Part::Of(Feature::Redis),
            "How often the kernel probes an idle connection; 0: never.";
        redis_connect_timeout: Duration = SECONDS, Part::Of(Feature::Redis),
            "How long connecting may take; 0: `backend_connect_timeout_ms`.";
        redis_read_timeout: Duration = SECONDS, Part::Of(Feature::Redis),
            "How long an answer may take. With `redis_write_timeout` the time of a call; both 0: `backend_call_timeout_ms`.";
        redis_write_timeout: Duration = SECONDS, Part::Of(Feature::Redis), "How long sending may take.";
        redis_max_active: u64 = COUNT, Part::Of(Feature::Redis),
            "No effect: each shard has one connection, on which calls do not wait for each other.";
        cassandra_hosts: Vec<String> = List, Part::Of(Feature::Cassandra),
            "Hosts or host:port; one that answers is enough.";
        cassandra_port: u64 = Number { default: 9042, min: 1, max: 65_535, why: "it has 16 bits" }, Part::Of(Feature::Cassandra),
            "Of the hosts that say none.";
        cassandra_keyspace: String = Text(""), Part::Of(Feature::Cassandra), "Created when absent.";
        cassandra_consistency: String = Text("Quorum"), Part::Of(Feature::Cassandra),
            "How many replicas must agree: any, one, two, three, quorum, all, local_quorum, each_quorum, local_one.";
        cassandra_repl_strategy: String = Text("SimpleStrategy"), Part::Of(Feature::Cassandra),
            "Of a keyspace that is created.";
        cassandra_replicas: u64 = Number { default: 1, min: 1, max: 255, why: "it has 8 bits" }, Part::Of(Feature::Cassandra),
            "Of a keyspace that is created.";
        cassandra_user: String = Text(""), Part::Of(Feature::Cassandra), "Who to log in as.";
        cassandra_password: secret::Secret = Secret, Part::Of(Feature::Cassandra), "Of that user.";
        cassandra_tls: bool = Switch(false), Part::Of(Feature::Cassandra),
            "Connect with TLS; the certificate is verified unless `cassandra_hostname_verify` is set to false.";
        cassandra_hostname_verify: Option<bool> = Maybe(Switch(false)), Part::Of(Feature::Cassandra),
            "true: connect with TLS and verify the certificate.";
        nats_url: Vec<secret::Secret> = Urls("nats://localhost:4222"), Part::Of(Feature::Nats),
            "`nats://user:password@host:port` or `nats://token@host:port`, with TLS `tls://`.";
        nats_servers: Vec<secret::Secret> = Urls(""), Part::Of(Feature::Nats),
            "More servers of the cluster, written alike. If it is set and `nats_url` is not, these are all.";
        nats_bucket: String = Text("tarmac"), Part::Of(Feature::Nats), "Created when absent.";
        nats_skip_tls_verify: bool = Switch(false), Part::Of(Feature::Nats), "Any certificate will do.";
        use_consul: bool = Switch(false), Part::Switch(Feature::Consul),
            "Read settings from Consul.";
        enable_sql: bool = Switch(false), Part::Switch(Feature::Sql),
            "Functions may use a SQL database.";
        sql_type: String = Text(""), Part::Of(Feature::Sql), "`mysql` or `postgres`.";
        sql_dsn: secret::Secret = Secret, Part::Of(Feature::Sql),
            "As Go's drivers read it: `postgres://user:password@host:port/database?sslmode=disable` or `user:password@tcp(host:port)/database`.";
        sql_connections: u64 = Number { default: 2, min: 1, max: 64, why: "each is a process or thread of the database" }, Part::Of(Feature::Sql),
            "Connections of each shard. PostgreSQL's carry many queries at once, MySQL's one each.";
        http_client_timeout_ms: Duration = millis(30_000, 1, "a function waits meanwhile"), Part::Always,
            "How long a function's HTTP call may take, redirects and body included.";
        http_client_max_response_body_size: u64 = Number { default: 10 << 20, min: 1, max: 1 << 30, why: "a response is held in memory" }, Part::Always,
            "Length of the answer to a function's HTTP call. A longer one is an error; Tarmac cuts it.";
        tarmac_compat: bool = Switch(false), Part::Always,
            "Answer as Tarmac does also where it breaks functions: the README lists the cases.";
    }
    only_checked {
        cert_file = File("/certs/cert.crt"), Part::Of(Feature::Tls), "PEM, a chain is allowed.";
        key_file = File("/certs/key.key"), Part::Of(Feature::Tls), "PEM.";
        ca_file = File(""), Part::Of(Feature::Tls),
            "When set, clients must have a certificate of this authority.";
        ignore_client_cert = Switch(false), Part::Of(Feature::Tls),
            "With `ca_file`: look at a client's certificate only if it has one.";
        consul_addr = Text(""), Part::Of(Feature::Consul), "Host and port.";
        consul_keys_prefix = Text(""), Part::Of(Feature::Consul), "The key that holds the settings.";
        from_consul = Switch(false), Part::Of(Feature::Consul), "Set there, shows that it was read.";
        config_watch_interval = Seconds(Number { default: 15, min: 0, max: 86_400, why: "a day is the most" }), Part::Of(Feature::Consul),
            "How often to read it again; 0: never.";
    }
}
