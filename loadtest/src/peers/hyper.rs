//! hyper on tokio: the least that Rust's common HTTP library does for a request, on a current_thread runtime, and on the
//! multi-threaded one that most servers use. It runs as `loadtest serve-hyper`.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::{BODY, Plan, Server, free_address, temporary_folder};
use crate::machine::Stage;
use crate::process::DeathSignal;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    port: u16,
    /// Workers of the multi-threaded runtime [default: the current_thread runtime].
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn start(stage: &Stage) -> Result<Server> {
    start_as("hyper", stage, &[])
}

/// With as many workers as the server's one core can run at once: connections still pass through queues that threads share,
/// and what they hold must be `Send`.
pub(super) fn start_threads(stage: &Stage) -> Result<Server> {
    start_as("hyper-threads", stage, &["--threads", "1"])
}

fn start_as(name: &'static str, stage: &Stage, arguments: &[&str]) -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve-hyper", "--port", &address.port().to_string()]).args(arguments);
    let plan = Plan {
        name,
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/hello".to_owned(),
        folder: temporary_folder()?,
        death_signal: DeathSignal::Kill,
        sheds: false,
    };
    Server::start(plan)
}

/// `loadtest serve-hyper`: serves until it is killed.
pub fn serve(options: &Options) -> Result<ExitCode> {
    match options.threads {
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            LocalSet::new().block_on(&runtime, accept(options.port, || service_fn(answer)))?;
        }
        Some(threads) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(threads).enable_all().build()?;
            // On a worker, as connections are: the main thread is none.
            runtime.block_on(runtime.spawn(accept_for_all(options.port)))??;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves each connection with a service of its own, on the runtime's thread.
pub(super) async fn accept<S>(port: u16, service: impl Fn() -> S) -> Result<()>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible> + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.context("listen")?;
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service());
        tokio::task::spawn_local(async move {
            // A client that goes away is no event here.
            let _ = connection.await;
        });
    }
}

/// The same with connections that any worker may take up.
async fn accept_for_all(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.context("listen")?;
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        let connection = http1::Builder::new().serve_connection(stream, service_fn(answer));
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("hyper"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::CONTENT_TYPE));
    Ok(response)
}
