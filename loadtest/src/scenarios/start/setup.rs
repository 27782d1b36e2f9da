//! What is started, and one start of it. The folder, and so the compiled code, outlives all starts.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::machine::Stage;
use crate::peers::{Wait, airside, free_address, last_lines, temporary_folder};
use crate::proc;
use crate::process::{DeathSignal, Process};
use crate::table::whole;

/// The kernel's timer slack makes 0.1 ms of it.
const LOOK_PAUSE: Duration = Duration::from_micros(50);
/// A thousand modules of some size take a minute to compile, on one core and by an unoptimised build much more.
const START_TIME_MAX: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setup {
    /// `airside demo`.
    Demo,
    /// So many functions, all of the same module.
    OneFile { functions: u32 },
    /// So many functions and as many modules, which differ in nothing that matters.
    ManyFiles { functions: u32 },
}

/// One start: times from exec on, and memory when it was ready.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Until a function had answered with 200.
    pub first_answer_ms: f64,
    /// Until `/ready` had, after that.
    pub ready_ms: f64,
    pub resident_bytes: u64,
    pub proportional_bytes: u64,
}

impl Sample {
    pub fn resident_mib(&self) -> f64 {
        self.resident_bytes as f64 / f64::from(1 << 20)
    }

    pub fn proportional_mib(&self) -> f64 {
        self.proportional_bytes as f64 / f64::from(1 << 20)
    }
}

impl Setup {
    pub fn all(functions: u32) -> [Setup; 3] {
        [Setup::Demo, Setup::OneFile { functions }, Setup::ManyFiles { functions }]
    }

    pub fn name(self) -> String {
        match self {
            Setup::Demo => String::from("demo"),
            Setup::OneFile { functions } => {
                format!("{} functions of one file", whole(functions.into()))
            }
            Setup::ManyFiles { functions } => {
                format!("{} functions of as many files", whole(functions.into()))
            }
        }
    }

    /// Of the function that is asked first.
    fn target(self) -> &'static str {
        match self {
            Setup::Demo => "/hello",
            Setup::OneFile { .. } | Setup::ManyFiles { .. } => "/f0",
        }
    }

    /// Writes the modules into `folder` and returns the tarmac.json that serves them; the demo has its own in the binary.
    fn deploy(self, folder: &Path, guest: &[u8]) -> Result<Option<Value>> {
        let (functions, files) = match self {
            Setup::Demo => return Ok(None),
            Setup::OneFile { functions } => (functions, 1),
            Setup::ManyFiles { functions } => (functions, functions),
        };
        for file in 0..files {
            std::fs::write(module(folder, file), variant(guest, file)).context("write a guest")?;
        }
        let mut entries = Map::new();
        let mut routes = Vec::new();
        for index in 0..functions {
            let name = format!("f{index}");
            entries.insert(name.clone(), json!({ "filepath": module(folder, index % files) }));
            routes.push(json!({
                "type": "http",
                "path": format!("/{name}"),
                "methods": ["GET"],
                "function": name,
            }));
        }
        let service = json!({ "name": "many", "functions": entries, "routes": routes });
        Ok(Some(json!({ "services": { "many": service } })))
    }
}

fn module(folder: &Path, index: u32) -> PathBuf {
    folder.join(format!("f{index}.wasm"))
}

/// The same module to whoever runs it and another to whoever hashes it: a custom section with a number stands behind it.
fn variant(guest: &[u8], number: u32) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    const NAME: &[u8] = b"variant";
    // Both lengths are below 128: one byte each in LEB128.
    let (name_len, len) = (NAME.len() as u8, (1 + NAME.len() + size_of::<u32>()) as u8);
    [guest, &[CUSTOM, len, name_len], NAME, &number.to_le_bytes()].concat()
}

/// One setup on its CPUs, to be started again and again.
pub struct Place<'s> {
    stage: &'s Stage,
    setup: Setup,
    cpus: Vec<usize>,
    folder: TempDir,
}

impl<'s> Place<'s> {
    pub fn prepare(stage: &'s Stage, setup: Setup, shards: u32, guest: &[u8]) -> Result<Self> {
        let cpus = stage.server_cpus(shards as usize)?;
        let folder = temporary_folder()?;
        if let Some(services) = setup.deploy(folder.path(), guest)? {
            std::fs::write(folder.path().join("tarmac.json"), services.to_string())
                .context("write tarmac.json")?;
        }
        Ok(Place { stage, setup, cpus, folder })
    }

    /// Starts it, waits until it is ready, and ends it.
    pub fn start(&self) -> Result<Sample> {
        let address = free_address()?;
        let log = self.folder.path().join("server.log");
        let output = File::create(&log)?;
        // The demo's store is closed well, so that the next start has nothing to repair.
        let mut process = Process::start(
            &self.command(address)?,
            &self.cpus,
            DeathSignal::Term,
            output.try_clone()?.into(),
            output.into(),
        )?;
        self.watch(&mut process, address).with_context(|| {
            format!("{} does not start; its last words:\n{}", self.setup.name(), last_lines(&log))
        })
    }

    fn command(&self, address: SocketAddr) -> Result<Command> {
        let mut command = airside::command(self.stage, &self.cpus, address, self.folder.path())?;
        match self.setup {
            Setup::Demo => command.arg("demo").env("XDG_STATE_HOME", self.folder.path()),
            Setup::OneFile { .. } | Setup::ManyFiles { .. } => command
                .arg("serve")
                .env("APP_WASM_FUNCTION_CONFIG", self.folder.path().join("tarmac.json")),
        };
        Ok(command)
    }

    fn watch(&self, process: &mut Process, address: SocketAddr) -> Result<Sample> {
        let wait = Wait { time_max: START_TIME_MAX, pause: LOOK_PAUSE };
        let started = process.wait_for_exec(LOOK_PAUSE)?;
        let since = |moment: Instant| moment.duration_since(started).as_secs_f64() * 1e3;
        let first_answer_ms = since(wait.for_answer(process, address, self.setup.target())?);
        let ready_ms = since(wait.for_answer(process, address, "/ready")?);
        Ok(Sample {
            first_answer_ms,
            ready_ms,
            resident_bytes: proc::resident_bytes(process.id())?,
            proportional_bytes: proc::proportional_bytes(process.id())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Setup, variant};
    use crate::guests;

    #[test]
    fn variants_are_modules_that_differ() {
        let guest = guests::compile(guests::HELLO).unwrap();
        let variants: HashSet<Vec<u8>> = (0..300).map(|number| variant(&guest, number)).collect();
        assert_eq!(variants.len(), 300);
        for module in variants.iter().take(3) {
            assert!(module.starts_with(&guest));
            wapc_runs(module);
        }
    }

    #[track_caller]
    fn wapc_runs(module: &[u8]) {
        let engine = wasmtime_provider::WasmtimeEngineProviderBuilder::new();
        let engine = Box::new(engine.module_bytes(module).build().unwrap());
        let host = wapc::WapcHost::new(engine, Some(Box::new(|_, _, _, _, _| Ok(vec![])))).unwrap();
        assert_eq!(host.call("handler", b"").unwrap(), b"Hello, World!");
    }

    #[test]
    fn functions_share_a_file_or_have_one_each() {
        let files = |setup: Setup| {
            let folder = tempfile::tempdir().unwrap();
            let json = setup.deploy(folder.path(), b"guest").unwrap().unwrap();
            let service = &json["services"]["many"];
            assert_eq!(service["routes"].as_array().unwrap().len(), 5);
            assert_eq!(service["routes"][4]["path"], "/f4");
            let functions = service["functions"].as_object().unwrap();
            assert_eq!(functions.len(), 5);
            assert!(
                functions
                    .values()
                    .all(|f| std::fs::exists(f["filepath"].as_str().unwrap()).unwrap())
            );
            std::fs::read_dir(folder.path()).unwrap().count()
        };
        assert_eq!(files(Setup::OneFile { functions: 5 }), 1);
        assert_eq!(files(Setup::ManyFiles { functions: 5 }), 5);
        let folder = tempfile::tempdir().unwrap();
        assert!(Setup::Demo.deploy(folder.path(), b"").unwrap().is_none());
    }
}
