//! Which functions and routes there are: those of `tarmac.json`, or one function for `/`, or the
//! demo's.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::Settings;
use super::problem::{Origin, Problems};
use super::sections::size;
use super::tarmac_json;
use crate::router::HttpRoute;
use crate::telemetry::ServiceRoute;

/// A longer `tarmac.json` is some other file.
const TARMAC_JSON_BYTES_MAX: u64 = 16 << 20;

/// What Tarmac lets its one function answer.
const DEFAULT_METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "HEAD"];

/// A named module and what its instances may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionConfig {
    pub name: String,
    pub module: ModuleSource,
    /// Instances over all shards.
    pub pool_size: usize,
    /// Of one call.
    pub timeout: Duration,
    /// Linear memory of one instance.
    pub memory_bytes_max: u64,
    pub isolation: Isolation,
    /// Other functions may call it.
    pub callable: bool,
}

/// What a call may find of those before it in the guest's memory, globals and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// All that they left: an instance serves one call after the other, as in Tarmac.
    #[default]
    Reuse,
    /// Nothing: each call has a new instance, or one that was made what it was before its first call.
    Fresh,
}

impl Isolation {
    /// As `tarmac.json` has them.
    pub const NAMES: [(&str, Isolation); 2] =
        [("reuse", Isolation::Reuse), ("fresh", Isolation::Fresh)];
}

/// Where a module's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleSource {
    /// It was there when the configuration was read. Relative: to the working directory.
    File(PathBuf),
    /// Part of the binary.
    Embedded(&'static [u8]),
}

/// What `airside demo` serves.
#[derive(Debug, Clone)]
pub struct Demo {
    pub tarmac_json: &'static str,
    /// By the `filepath` that `tarmac_json` gives.
    pub modules: &'static [(&'static str, &'static [u8])],
    /// Over the environment; without both it is 127.0.0.1:8080.
    pub listen: Option<SocketAddr>,
    /// The key-value store's file, unless the environment names another.
    pub kv_path: PathBuf,
}

impl Demo {
    pub(super) fn defaults(&self) -> Vec<(&'static str, String)> {
        vec![
            ("enable_tls", "false".to_owned()),
            ("listen_addr", "127.0.0.1:8080".to_owned()),
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "embedded".to_owned()),
            ("boltdb_filename", self.kv_path.to_string_lossy().into_owned()),
        ]
    }

    fn module(&self, filepath: &str) -> Result<ModuleSource, String> {
        let module = self.modules.iter().find(|(name, _)| *name == filepath);
        let (_, bytes) = module.ok_or("the demo has no such module")?;
        Ok(ModuleSource::Embedded(bytes))
    }
}

#[derive(Default)]
pub(super) struct Functions {
    pub(super) functions: Vec<FunctionConfig>,
    pub(super) routes: Vec<HttpRoute>,
    pub(super) service_routes: Vec<ServiceRoute>,
    /// Of the routes.
    pub(super) origin: Origin,
}

pub(super) fn read_demo(demo: &Demo, settings: &Settings, problems: &mut Problems) -> Functions {
    for setting in [&settings.wasm_function_config, &settings.wasm_function] {
        if setting.is_explicit() {
            setting.warn("has no effect in the demo", problems);
        }
    }
    let file = Path::new("the demo's tarmac.json");
    tarmac_json::read(demo.tarmac_json, file, settings, &|path| demo.module(path), problems)
}

/// Functions from `wasm_function_config`; from `wasm_function` only if nobody asked for the former.
pub(super) fn read(settings: &Settings, problems: &mut Problems) -> Functions {
    let file = &settings.wasm_function_config;
    match read_text(&file.value) {
        Ok(text) => {
            warn_unused_wasm_function(settings, problems);
            tarmac_json::read(&text, &file.value, settings, &module_file, problems)
        }
        Err(Unreadable::Missing) if !file.is_explicit() => one_function(settings, problems),
        Err(Unreadable::Missing) => {
            file.refuse(missing(&file.value), problems);
            Functions::default()
        }
        Err(Unreadable::Because(reason)) => {
            file.refuse(reason, problems);
            Functions::default()
        }
    }
}

fn warn_unused_wasm_function(settings: &Settings, problems: &mut Problems) {
    let file = settings.wasm_function_config.value.display();
    let warning = format!("has no effect, because {file} exists");
    if settings.wasm_function.is_explicit() {
        settings.wasm_function.warn(&warning, problems);
    }
    if settings.wasm_pool_size.is_explicit() {
        settings.wasm_pool_size.warn(&warning, problems);
    }
}

fn one_function(settings: &Settings, problems: &mut Problems) -> Functions {
    let file = &settings.wasm_function;
    if !file.value.is_file() && !file.is_explicit() {
        file.refuse(
            format!(
                "there is nothing to serve: neither {} (APP_WASM_FUNCTION_CONFIG) nor {} \
                 (APP_WASM_FUNCTION) exists; `airside demo` shows a server with functions",
                settings.wasm_function_config.value.display(),
                file.value.display()
            ),
            problems,
        );
        return Functions::default();
    }
    let module = module_at(&file.value).unwrap_or_else(|reason| {
        file.refuse(reason, problems);
        ModuleSource::File(file.value.clone())
    });
    let function = FunctionConfig {
        name: "default".to_owned(),
        module,
        pool_size: size(settings.wasm_pool_size.value),
        timeout: settings.function_timeout_ms.value,
        memory_bytes_max: settings.function_memory_bytes_max.value,
        isolation: Isolation::default(),
        callable: false,
    };
    let route = HttpRoute {
        pattern: "/".to_owned(),
        methods: DEFAULT_METHODS.map(str::to_owned).to_vec(),
        function: 0,
        origin: file.key.to_owned(),
    };
    Functions {
        service_routes: vec![ServiceRoute { service: function.name.clone(), kind: "http" }],
        functions: vec![function],
        routes: vec![route],
        origin: file.origin.clone(),
    }
}

fn module_file(filepath: &str) -> Result<ModuleSource, String> {
    if filepath.contains('\0') {
        return Err("a path has no NUL byte".to_owned());
    }
    module_at(Path::new(filepath))
}

fn module_at(path: &Path) -> Result<ModuleSource, String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(ModuleSource::File(path.to_owned())),
        Ok(_) => Err("is not a file".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing(path)),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

fn missing(path: &Path) -> String {
    if path.as_os_str().is_empty() {
        "must not be empty".to_owned()
    } else if path.is_relative() {
        "there is no such file; a relative path starts from the working directory".to_owned()
    } else {
        "there is no such file".to_owned()
    }
}

enum Unreadable {
    Missing,
    Because(String),
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    let because = |error: std::io::Error| Unreadable::Because(format!("cannot be read: {error}"));
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Unreadable::Missing),
        Err(error) => return Err(because(error)),
    };
    let mut bytes = Vec::new();
    file.take(TARMAC_JSON_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(because)?;
    if bytes.len() as u64 > TARMAC_JSON_BYTES_MAX {
        let reason = format!("has more than {TARMAC_JSON_BYTES_MAX} bytes");
        return Err(Unreadable::Because(reason));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Unreadable::Because(format!("is not UTF-8 from byte {at} on"))
    })
}
