//! The parts of the configuration that come from settings alone.

mod backends;
mod http_client;
mod kv;
mod sql;

pub use backends::BackendsConfig;
pub(super) use backends::backends;
pub(super) use http_client::http_client;
pub use kv::KvConfig;
pub(super) use kv::kv;
pub(super) use sql::sql;

use std::path::{Path, PathBuf};
use std::time::Duration;

use airside_capabilities::logger::Level;

use super::keys::Settings;
use super::problem::Problems;
use super::source::Source;
use crate::http::Limits;

/// Of every connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The `Server` header.
    pub server_name: String,
    /// Of each shard.
    pub connections_max: usize,
    /// Between two requests.
    pub idle_timeout: Duration,
    /// For a request's line and headers.
    pub header_timeout: Duration,
    /// For a request's body.
    pub body_timeout: Duration,
    /// For the client to take a response.
    pub write_timeout: Duration,
    pub limits: Limits,
}

/// Of every function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestConfig {
    /// How long a call waits for a free instance.
    pub wait: Duration,
    /// Calls of one function that wait on one shard.
    pub queue_max: usize,
    /// Calls of functions by functions, the first included.
    pub depth_max: usize,
    /// Where compiled modules are kept; it may not exist yet.
    pub artifact_dir: PathBuf,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    pub level: Level,
    /// Else text lines.
    pub json: bool,
    pub disabled: bool,
}

/// (`shards`, `cpus`), which agree.
pub(super) fn processors(
    settings: &Settings,
    problems: &mut Problems,
) -> (Option<usize>, Option<Vec<usize>>) {
    let shards = settings.shards.value.map(size);
    let cpus = settings.cpus.value.clone();
    if let (Some(shards), Some(cpus)) = (shards, &cpus)
        && shards > cpus.len()
    {
        let reason = format!("each shard has a CPU of its own and `cpus` names {}", cpus.len());
        settings.shards.refuse(reason, problems);
    }
    (shards, cpus)
}

pub(super) fn http(settings: &Settings, problems: &mut Problems) -> HttpConfig {
    let limits = Limits {
        head_bytes_max: size(settings.http_head_bytes_max.value),
        target_bytes_max: size(settings.http_target_bytes_max.value),
        headers_max: size(settings.http_headers_max.value),
        body_bytes_max: settings.http_body_bytes_max.value,
    };
    if limits.target_bytes_max > limits.head_bytes_max {
        let reason = "must not be more than http_head_bytes_max, of which it is a part";
        settings.http_target_bytes_max.refuse(reason, problems);
    }
    HttpConfig {
        server_name: settings.http_server_name.value.clone(),
        connections_max: size(settings.http_connections_max.value),
        idle_timeout: settings.http_idle_timeout_ms.value,
        header_timeout: settings.http_header_timeout_ms.value,
        body_timeout: settings.http_body_timeout_ms.value,
        write_timeout: settings.http_write_timeout_ms.value,
        limits,
    }
}

pub(super) fn guests(settings: &Settings, source: &Source) -> GuestConfig {
    GuestConfig {
        wait: settings.function_wait_ms.value,
        queue_max: size(settings.function_queue_max.value),
        depth_max: size(settings.function_depth_max.value),
        artifact_dir: settings.artifact_dir.value.clone().unwrap_or_else(|| cache_dir(source)),
    }
}

/// The XDG base directory convention, which ignores a relative `XDG_CACHE_HOME`.
fn cache_dir(source: &Source) -> PathBuf {
    let absolute = |path: &Option<String>| {
        path.as_deref().map(PathBuf::from).filter(|path| path.is_absolute())
    };
    absolute(&source.xdg_cache_home)
        .or_else(|| Some(absolute(&source.home)?.join(".cache")))
        .unwrap_or_else(|| Path::new("/var/cache").to_owned())
        .join("airside")
}

/// Tarmac's order: what says the most wins, and `disable_logging` over all.
pub(super) fn log(settings: &Settings) -> LogConfig {
    let level = if settings.trace.value {
        Level::Trace
    } else if settings.debug.value {
        Level::Debug
    } else {
        Level::Info
    };
    LogConfig {
        level,
        json: !settings.text_log_format.value,
        disabled: settings.disable_logging.value,
    }
}

/// All bounds are far below what a 64-bit address space has.
pub(super) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
