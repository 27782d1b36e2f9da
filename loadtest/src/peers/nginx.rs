//! nginx with one worker for each core and `return 200`: the least that a well-known server does for a request.
//! It runs on a configuration of its own in a temporary folder and reads nothing of the system's.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{BODY, CONTENT_TYPE, Plan, Server, free_address, temporary_folder};
use crate::machine::{Stage, require_tool};
use crate::process::DeathSignal;

const TARGET: &str = "/hello";

pub(super) fn start(stage: &Stage) -> Result<Server> {
    start_on(vec![stage.server_cpu])
}

/// One that also sends files of these sizes, each under its `file_target`.
pub fn start_with_files(stage: &Stage, sizes: &[usize]) -> Result<Server> {
    start_serving(vec![stage.server_cpu], sizes)
}

/// Where the file of this size is.
pub fn file_target(bytes: usize) -> String {
    format!("/files/{bytes}")
}

/// A worker on each of these CPUs.
pub fn start_on(cpus: Vec<usize>) -> Result<Server> {
    start_serving(cpus, &[])
}

fn start_serving(cpus: Vec<usize>, file_sizes: &[usize]) -> Result<Server> {
    require_tool("nginx", "apt-get install nginx")?;
    let folder = temporary_folder()?;
    let address = free_address()?;
    std::fs::create_dir(folder.path().join("files"))?;
    for &bytes in file_sizes {
        let file = folder.path().join("files").join(bytes.to_string());
        std::fs::write(file, vec![b'x'; bytes]).context("write a file to serve")?;
    }
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, configuration(folder.path(), address, cpus.len()))
        .context("write nginx.conf")?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder.path()).arg("-c").arg(path).args(["-e", "stderr"]);
    let plan = Plan {
        name: "nginx",
        command,
        cpus,
        address,
        target: TARGET.to_owned(),
        folder,
        // The master must end its worker.
        death_signal: DeathSignal::Term,
        sheds: false,
    };
    Server::start(plan)
}

/// Keep-alive without end as the other peers have it: nginx closes after 1000 requests otherwise.
fn configuration(folder: &Path, address: SocketAddr, workers: usize) -> String {
    let folder = folder.display();
    // As airside's shards have it: connections are spread evenly.
    let reuseport = if workers > 1 { " reuseport" } else { "" };
    format!(
        r#"daemon off;
worker_processes {workers};
error_log stderr error;
pid {folder}/nginx.pid;
events {{
    worker_connections 16384;
}}
http {{
    access_log off;
    sendfile on;
    server_tokens off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address} backlog=4096{reuseport};
        location = {TARGET} {{
            default_type "{CONTENT_TYPE}";
            return 200 "{BODY}";
        }}
        location /files/ {{
            root {folder};
        }}
    }}
}}
"#
    )
}
