//! `airside serve` with one shard for each core, functions from `guests`, and all telemetry on, as it is by
//! default. The environment is emptied of other `APP_` settings.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::{Plan, Server, free_address, temporary_folder};
use crate::guests;
use crate::machine::Stage;
use crate::process::DeathSignal;

/// A function, served for GET and POST under `/NAME`.
#[derive(Clone)]
pub struct Function {
    pub name: &'static str,
    /// WebAssembly text.
    pub guest: String,
    /// `None`: airside's default.
    pub timeout_ms: Option<u64>,
    /// Other functions may call it.
    pub callable: bool,
    /// Each call has a new instance.
    pub fresh: bool,
}

impl Function {
    pub fn new(name: &'static str, guest: impl Into<String>) -> Function {
        Function { name, guest: guest.into(), timeout_ms: None, callable: false, fresh: false }
    }

    pub fn target(&self) -> String {
        format!("/{}", self.name)
    }
}

/// The function `hello`, which answers as the other peers do.
pub fn hello() -> Function {
    Function::new("hello", guests::HELLO)
}

pub fn start_hello(stage: &Stage) -> Result<Server> {
    start(stage, &[hello()], &[])
}

/// `functions[0]` is the one under measurement and must answer a GET with 200; `settings` are
/// more environment variables.
pub fn start(stage: &Stage, functions: &[Function], settings: &[(&str, &str)]) -> Result<Server> {
    start_on(stage, vec![stage.server_cpu], functions, settings)
}

/// The same with a shard on each of these CPUs.
pub fn start_on(
    stage: &Stage,
    cpus: Vec<usize>,
    functions: &[Function],
    settings: &[(&str, &str)],
) -> Result<Server> {
    let folder = temporary_folder()?;
    let address = free_address()?;
    let services = deploy(folder.path(), functions)?;
    let configuration = folder.path().join("tarmac.json");
    std::fs::write(&configuration, services.to_string()).context("write tarmac.json")?;

    let mut command = command(stage, &cpus, address, folder.path())?;
    command
        .arg("serve")
        .env("APP_WASM_FUNCTION_CONFIG", &configuration)
        .envs(settings.iter().copied());
    let plan = Plan {
        name: "airside",
        command,
        cpus,
        address,
        target: functions[0].target(),
        folder,
        death_signal: DeathSignal::Kill,
        sheds: true,
    };
    Server::start(plan)
}

/// airside without a subcommand yet, on these CPUs, with its compiled code in `folder`.
pub fn command(
    stage: &Stage,
    cpus: &[usize],
    address: SocketAddr,
    folder: &Path,
) -> Result<Command> {
    let mut command = Command::new(stage.airside()?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
        command.env_remove(name);
    }
    command
        .env("APP_ENABLE_TLS", "false")
        .env("APP_LISTEN_ADDR", address.to_string())
        .env("APP_ARTIFACT_DIR", folder.join("artifacts"))
        .env("APP_SHARDS", cpus.len().to_string())
        .env("APP_CPUS", cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(","));
    Ok(command)
}

fn is_setting(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"APP_")
}

/// Compiles the guests into `folder` and returns the tarmac.json that serves them.
fn deploy(folder: &Path, functions: &[Function]) -> Result<Value> {
    let mut entries = Map::new();
    let mut routes = Vec::new();
    for function in functions {
        let module = folder.join(function.name).with_extension("wasm");
        std::fs::write(&module, guests::compile(&function.guest)?).context("write a guest")?;
        let mut entry = json!({ "filepath": module });
        if let Some(timeout_ms) = function.timeout_ms {
            entry["timeout_ms"] = timeout_ms.into();
        }
        if function.fresh {
            entry["isolation"] = "fresh".into();
        }
        entries.insert(function.name.to_owned(), entry);
        routes.push(json!({
            "type": "http",
            "path": function.target(),
            "methods": ["GET", "POST"],
            "function": function.name,
        }));
        if function.callable {
            routes.push(json!({ "type": "function", "function": function.name }));
        }
    }
    let service = json!({ "name": "loadtest", "functions": entries, "routes": routes });
    Ok(json!({ "services": { "loadtest": service } }))
}

#[cfg(test)]
mod tests {
    use super::{Function, deploy, hello};

    #[test]
    fn deployments_name_files_and_routes() {
        let folder = tempfile::tempdir().unwrap();
        let slow = Function { timeout_ms: Some(100), ..Function::new("slow", "(module)") };
        let json = deploy(folder.path(), &[hello(), slow]).unwrap();
        let service = &json["services"]["loadtest"];
        assert_eq!(service["routes"][0]["path"], "/hello");
        assert_eq!(service["routes"][1]["function"], "slow");
        assert_eq!(service["functions"]["slow"]["timeout_ms"], 100);
        assert!(service["functions"]["hello"].get("timeout_ms").is_none());
        assert!(folder.path().join("hello.wasm").is_file());
    }
}
