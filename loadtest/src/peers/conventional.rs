//! The design that one would write first: hyper on tokio's multi-threaded runtime, and a pool of waPC hosts that all threads
//! share. The same guest, by the crates `wapc` and `wasmtime-provider`; no limits, no deadline, no telemetry. It runs as
//! `loadtest serve-conventional`.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use wapc::WapcHostAsync;
use wasmtime_provider::WasmtimeEngineProviderBuilder;

use super::{Plan, Server, free_address, temporary_folder};
use crate::guests;
use crate::machine::Stage;
use crate::process::DeathSignal;

/// The operation that Tarmac's guests register.
const OPERATION: &str = "handler";
/// More than can run at once on the cores that it has.
const HOSTS: usize = 64;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    module: PathBuf,
}

pub(super) fn start(stage: &Stage) -> Result<Server> {
    let (address, folder) = (free_address()?, temporary_folder()?);
    let module = folder.path().join("hello.wasm");
    std::fs::write(&module, guests::compile(guests::HELLO)?).context("write a guest")?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["serve-conventional", "--port", &address.port().to_string(), "--threads", "1"])
        .arg("--module")
        .arg(module);
    Server::start(Plan {
        name: "conventional",
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/hello".to_owned(),
        folder,
        death_signal: DeathSignal::Kill,
        sheds: false,
    })
}

/// `loadtest serve-conventional`: serves until it is killed.
pub fn serve(options: &Options) -> Result<ExitCode> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(options.threads).enable_all().build()?;
    runtime.block_on(async {
        let hosts = Arc::new(Hosts::open(&options.module).await?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        // On a worker, as connections are: the main thread is none.
        tokio::spawn(accept(listener, hosts)).await?
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn accept(listener: TcpListener, hosts: Arc<Hosts>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true)?;
        let hosts = Arc::clone(&hosts);
        let service = service_fn(move |request| {
            let hosts = Arc::clone(&hosts);
            async move { Ok::<_, Infallible>(respond(hosts.answer(request).await)) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that goes away is no event here.
        tokio::spawn(async move { drop(connection.await) });
    }
}

/// Hosts that wait for a call; a call that finds none waits for one.
struct Hosts {
    idle: Mutex<Vec<WapcHostAsync>>,
    permits: Semaphore,
}

impl Hosts {
    async fn open(module: &Path) -> Result<Hosts> {
        let bytes = std::fs::read(module).context("read the guest")?;
        let builder = WasmtimeEngineProviderBuilder::new().module_bytes(&bytes);
        let template = builder.build_async_pre()?;
        let mut idle = Vec::with_capacity(HOSTS);
        for _ in 0..HOSTS {
            let host = WapcHostAsync::new(Box::new(template.rehydrate()?), None).await;
            idle.push(host.map_err(|error| anyhow!("start the guest: {error}"))?);
        }
        Ok(Hosts { idle: Mutex::new(idle), permits: Semaphore::new(HOSTS) })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Vec<u8>> {
        let payload = request.into_body().collect().await?.to_bytes();
        let _permit = self.permits.acquire().await?;
        let taken = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(host) = taken else { bail!("there is a host for each permit") };
        let answer = host.call(OPERATION, &payload).await;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(host);
        answer.map_err(|error| anyhow!("{error}"))
    }
}

fn respond(answer: Result<Vec<u8>>) -> Response<Full<Bytes>> {
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n").into_bytes()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("conventional"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::CONTENT_TYPE));
    response
}
