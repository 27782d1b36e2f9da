//! workerd with a JavaScript function that answers a constant: what V8 isolates cost where airside has WebAssembly.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};

use super::{BODY, CONTENT_TYPE, Plan, Server, free_address, temporary_folder};
use crate::machine::{Stage, require_tool};
use crate::process::DeathSignal;

pub(super) fn start(stage: &Stage) -> Result<Server> {
    require_tool("workerd", "npm install --global workerd")?;
    let (address, folder) = (free_address()?, temporary_folder()?);
    let path = folder.path().join("hello.capnp");
    std::fs::write(&path, configuration(address)).context("write a configuration for workerd")?;
    let mut command = Command::new("workerd");
    command.arg("serve").arg(path);
    Server::start(Plan {
        name: "workerd",
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/hello".to_owned(),
        folder,
        death_signal: DeathSignal::Kill,
        sheds: false,
    })
}

fn configuration(address: SocketAddr) -> String {
    let answer =
        format!("new Response('{BODY}', {{ headers: {{ 'Content-Type': '{CONTENT_TYPE}' }} }})");
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .hello)],
  sockets = [(name = "http", address = "{address}", http = (), service = "main")]
);
const hello :Workerd.Worker = (
  modules = [(name = "hello", esModule = "export default {{ fetch() {{ return {answer}; }} }};")],
  compatibilityDate = "2025-01-01"
);
"#
    )
}
