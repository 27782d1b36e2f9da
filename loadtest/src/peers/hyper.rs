//! hyper on one tokio current_thread runtime: the least that Rust's common HTTP library does for
//! a request. It runs as `loadtest serve-hyper`.

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
}

pub(super) fn start(stage: &Stage) -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve-hyper", "--port", &address.port().to_string()]);
    let plan = Plan {
        name: "hyper",
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, accept(options.port, || service_fn(answer)))?;
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

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("hyper"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(super::CONTENT_TYPE));
    Ok(response)
}
