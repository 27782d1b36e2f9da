//! The configuration: typed, complete and checked before anything is started.
//!
//! Settings come from `APP_*` environment variables, functions and routes from `tarmac.json`.
//! Nothing after this module sees text that was not checked, and whatever is wrong is reported in
//! one go. The process's environment is handed in, never read here.

mod features;
mod functions;
mod json;
mod keys;
mod kind;
mod problem;
mod reference;
mod sections;
mod server_url;
mod source;
mod tarmac_json;
#[cfg(test)]
mod tests;

pub use crate::router::HttpRoute;
pub use functions::{Demo, FunctionConfig, Isolation, ModuleSource};
pub use keys::{KEYS, Key};
pub use problem::{ConfigError, ConfigErrors, Origin};
pub use reference::write_reference;
pub use sections::{BackendsConfig, GuestConfig, HttpConfig, KvConfig, LogConfig};

use std::net::SocketAddr;
use std::time::Duration;

use airside_capabilities::http_client::HttpClientConfig;
use airside_capabilities::sql::SqlConfig;

use crate::router::{RouteConflict, Router};
use crate::telemetry::ServiceRoute;
use functions::Functions;
use keys::Settings;
use kind::Kind;
use problem::Problems;
use source::Source;

/// All that the server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// None: one for every CPU that may be used.
    pub shards: Option<usize>,
    /// Sorted; none: all that the affinity mask allows.
    pub cpus: Option<Vec<usize>>,
    pub http: HttpConfig,
    /// Not empty, but for a `tarmac.json` without functions.
    pub functions: Vec<FunctionConfig>,
    /// Without conflicts: `Router::build` takes them.
    pub routes: Vec<HttpRoute>,
    /// One for each route of any type, for the metrics.
    pub service_routes: Vec<ServiceRoute>,
    pub guests: GuestConfig,
    /// None: functions have no key-value store.
    pub kv: Option<KvConfig>,
    /// None: functions have no database.
    pub sql: Option<SqlConfig>,
    pub http_client: HttpClientConfig,
    pub backends: BackendsConfig,
    pub log: LogConfig,
    /// `/ready` answers 503.
    pub maintenance: bool,
    /// `/debug/pprof/` is not forbidden.
    pub pprof: bool,
    /// `/debug/` answers all peers, not only those on loopback.
    pub debug_remote: bool,
    /// How long requests under way may take after the signal to stop.
    pub grace_period: Duration,
    /// To be logged at start: what was accepted but has no effect or is probably not meant.
    pub warnings: Vec<String>,
}

/// Reads an address as `listen_addr` is written: `127.0.0.1:8080`, `:8080`, `localhost:0`.
///
/// # Errors
///
/// How an address is written.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    keys::LISTEN.parse(text)
}

impl Config {
    /// Reads the configuration. `environment` is the process's environment; of it the `APP_*`
    /// variables count, and `XDG_CACHE_HOME` and `HOME` for the default of `artifact_dir`.
    ///
    /// # Errors
    ///
    /// All that is wrong, not only the first.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let source = Source::new(environment, Vec::new(), &mut problems);
        Self::assemble(&source, None, problems)
    }

    /// The same for `airside demo`: plain HTTP on loopback, functions that are part of the binary,
    /// a key-value store in a file. The environment overrides all but the functions.
    ///
    /// # Errors
    ///
    /// All that is wrong, not only the first.
    pub fn demo(
        environment: impl IntoIterator<Item = (String, String)>,
        demo: &Demo,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let source = Source::new(environment, demo.defaults(), &mut problems);
        let mut config = Self::assemble(&source, Some(demo), problems)?;
        if let Some(listen) = demo.listen {
            config.listen = listen;
        }
        Ok(config)
    }

    fn assemble(
        source: &Source,
        demo: Option<&Demo>,
        mut problems: Problems,
    ) -> Result<Self, ConfigErrors> {
        let settings = Settings::read(source, &mut problems);
        features::check(&settings, source, &mut problems);
        let (shards, cpus) = sections::processors(&settings, &mut problems);
        let http = sections::http(&settings, &mut problems);
        let backends = sections::backends(&settings, &mut problems);
        let kv = sections::kv(&settings, backends.times, &mut problems);
        let sql = sections::sql(&settings, &mut problems);
        let Functions { functions, routes, service_routes, origin } = match demo {
            None => functions::read(&settings, &mut problems),
            Some(demo) => functions::read_demo(demo, &settings, &mut problems),
        };
        check_routes(&routes, &origin, &mut problems);
        Ok(Self {
            listen: settings.listen_addr.value,
            shards,
            cpus,
            http,
            functions,
            routes,
            service_routes,
            guests: sections::guests(&settings, source),
            kv,
            sql,
            http_client: sections::http_client(&settings),
            backends,
            log: sections::log(&settings),
            maintenance: settings.enable_maintenance_mode.value,
            pprof: settings.enable_pprof.value,
            debug_remote: settings.debug_remote.value,
            grace_period: settings.grace_period_ms.value,
            warnings: problems.finish()?,
        })
    }
}

/// The router knows what can stand side by side; it is built again where it is used.
fn check_routes(routes: &[HttpRoute], origin: &Origin, problems: &mut Problems) {
    for conflict in Router::build(routes).err().unwrap_or_default() {
        let field = conflict.field().map_or_else(String::new, |(field, _)| format!(".{field}"));
        let value = conflict.field().map(|(_, value)| format!("{value:?}"));
        let key = format!("{}{field}", RouteConflict::origin(&conflict));
        problems.error(key, origin, value, conflict.to_string());
    }
}
