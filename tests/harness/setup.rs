//! What a server is started with: a folder of its own, settings, functions, routes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::binary::binary;
use super::services::Settings;
use super::turns::{Turn, among_others};
use super::{Server, cpus, poll_until, wasm};

/// Long enough to compile the largest guest of the examples with an unoptimised server on a busy machine.
pub(super) const START_WAIT: Duration = Duration::from_secs(120);

/// The folder, `tarmac.json` and environment of a server that is yet to be started.
#[derive(Debug)]
pub struct Setup {
    folder: TempDir,
    settings: BTreeMap<String, String>,
    functions: Map<String, Value>,
    routes: Vec<Value>,
    /// The whole `tarmac.json`, when it is not to be made of functions and routes.
    tarmac_json: Option<String>,
    wrapper: Vec<String>,
    arguments: Vec<String>,
    /// The server's current folder.
    current: PathBuf,
}

/// A run that ended by itself.
#[derive(Debug)]
pub struct Finished {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup::new()
    }
}

impl Setup {
    /// No functions; a port of the kernel's choice; two shards where there are two CPUs.
    pub fn new() -> Setup {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let setup = Setup {
            current: folder.path().to_owned(),
            folder,
            settings: BTreeMap::new(),
            functions: Map::new(),
            routes: Vec::new(),
            tarmac_json: None,
            wrapper: Vec::new(),
            arguments: Vec::new(),
        };
        let config = setup.path("tarmac.json");
        let artifacts = setup.path("artifacts");
        setup
            .set("listen_addr", "127.0.0.1:0")
            .set("enable_tls", false)
            .set("shards", cpus().len().min(2))
            .set("wasm_function_config", config)
            .set("artifact_dir", artifacts)
    }

    /// Without any setting: what a user gets who has configured nothing.
    pub fn bare() -> Setup {
        let mut setup = Setup::new();
        setup.settings.clear();
        setup
    }

    /// Sets `APP_` + `key` in upper case.
    pub fn set(mut self, key: &str, value: impl ToString) -> Setup {
        self.settings.insert(format!("APP_{}", key.to_ascii_uppercase()), value.to_string());
        self
    }

    /// Leaves a setting out of the environment.
    pub fn unset(mut self, key: &str) -> Setup {
        self.settings.remove(&format!("APP_{}", key.to_ascii_uppercase()));
        self
    }

    /// Several settings, such as those of a [`Backend`](super::services::Backend).
    pub fn set_all(self, settings: Settings) -> Setup {
        settings.into_iter().fold(self, |setup, (key, value)| setup.set(key, value))
    }

    /// A function and its route `/NAME`, from `tests/guests/NAME.wat`.
    pub fn guest(self, name: &str) -> Setup {
        self.guest_with(name, json!({}))
    }

    /// The same with further keys in `tarmac.json`.
    pub fn guest_with(self, name: &str, keys: Value) -> Setup {
        self.function(name, &wasm(name), keys)
    }

    /// A function and its route `/NAME`, from a module.
    pub fn function(self, name: &str, wasm: &[u8], keys: Value) -> Setup {
        let file = self.folder().join(name).with_extension("wasm");
        fs::write(&file, wasm).expect("the folder can be written");
        self.function_at(name, &file, keys)
    }

    /// A function and its route `/NAME`, from a file.
    pub fn function_at(mut self, name: &str, file: &Path, keys: Value) -> Setup {
        let mut function = json!({ "filepath": file });
        let object = function.as_object_mut().expect("made above");
        object.extend(keys.as_object().expect("keys are an object").clone());
        self.functions.insert(name.to_owned(), function);
        self.route(json!({
            "type": "http", "path": format!("/{name}"), "methods": ["GET", "POST"], "function": name,
        }))
    }

    /// One more route, as in `tarmac.json`.
    pub fn route(mut self, route: Value) -> Setup {
        self.routes.push(route);
        self
    }

    /// Lets other functions call `function`.
    pub fn callable(self, function: &str) -> Setup {
        self.route(json!({ "type": "function", "function": function }))
    }

    /// A `tarmac.json` of one's own.
    pub fn tarmac_json(mut self, text: impl ToString) -> Setup {
        self.tarmac_json = Some(text.to_string());
        self
    }

    /// Starts the server by another command, which is given the server's: `prlimit --nofile=64`.
    pub fn under(mut self, wrapper: &[&str]) -> Setup {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Command line of the server: none is `serve`.
    pub fn arguments(mut self, arguments: &[&str]) -> Setup {
        self.arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Starts the server in another current folder.
    pub fn in_folder(mut self, folder: &Path) -> Setup {
        self.current = folder.to_owned();
        self
    }

    /// The server's folder; it is its current one too, if no other is asked for.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the folder.
    pub fn path(&self, file: &str) -> String {
        let path = self.folder().join(file);
        path.to_str().expect("temporary folders have names in UTF-8").to_owned()
    }

    /// Starts the server and waits until it listens.
    #[track_caller]
    pub fn start(self) -> Server {
        let turn = among_others();
        Server::start(self, turn)
    }

    /// Starts the server and waits only for `what`, which is before it listens.
    #[track_caller]
    pub fn start_until(self, what: &str, mut reached: impl FnMut() -> Option<()>) -> Server {
        let turn = among_others();
        Server::start_until(what, self, turn, |_| reached().map(|()| None))
    }

    /// Runs to the end, for what is not to serve.
    #[track_caller]
    pub fn run(self) -> Finished {
        let _turn: Turn = among_others();
        let mut command = self.command();
        let mut child = command.spawn().expect("the server can be started");
        let stdout = super::server::collect(child.stdout.take().expect("piped"));
        let stderr = super::server::collect(child.stderr.take().expect("piped"));
        let status = poll_until("the end of the run", START_WAIT, || {
            let status = child.try_wait().expect("one's own child can be waited for");
            if status.is_none() && super::server::address_in(&stderr.text()).is_some() {
                child.kill().expect("one's own child can be killed");
                panic!("it serves:\n{}", stderr.text());
            }
            status
        });
        Finished { code: status.code(), stdout: stdout.into_text(), stderr: stderr.into_text() }
    }

    /// The command, with `tarmac.json` written.
    pub(super) fn command(&self) -> Command {
        self.write_tarmac_json();
        let mut words = self.wrapper.iter();
        let mut command = match words.next() {
            Some(first) => {
                let mut command = Command::new(first);
                command.args(words).arg(binary());
                command
            }
            None => Command::new(binary()),
        };
        command
            .args(&self.arguments)
            .current_dir(&self.current)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .envs(&self.settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: the keeper kills groups.
            .process_group(0);
        command
    }

    fn write_tarmac_json(&self) {
        let text = match &self.tarmac_json {
            Some(text) => text.clone(),
            None if self.functions.is_empty() => return,
            None => {
                let service =
                    json!({ "name": "test", "functions": self.functions, "routes": self.routes });
                json!({ "services": { "test": service } }).to_string()
            }
        };
        fs::write(self.path("tarmac.json"), text).expect("the folder can be written");
    }
}
