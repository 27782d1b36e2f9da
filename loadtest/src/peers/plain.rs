//! hyper on one tokio current_thread runtime whose requests each make one call on a back end, with the crate that airside
//! uses for it: what that call costs without a guest and without airside. It runs as `loadtest serve-plain`.

mod http;
mod kv;
mod sql;

use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::rc::Rc;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::service::service_fn;

use super::hyper::accept;
use super::{Plan, Server, free_address, temporary_folder};
use crate::calls::{Call, Place};
use crate::machine::Stage;
use crate::process::DeathSignal;

#[derive(clap::Args)]
pub struct Options {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    call: Call,
    /// See `Call::plain_backend`.
    #[arg(long)]
    backend: String,
}

/// A connection to whatever answers.
enum Backend {
    Memory(kv::Memory),
    Embedded(kv::Embedded),
    Redis(kv::Redis),
    Cassandra(Box<kv::Cassandra>),
    Nats(Box<kv::Nats>),
    Postgres(sql::Postgres),
    Mysql(sql::Mysql),
    Http(Box<http::Upstream>),
    /// Nothing is called.
    None,
}

/// Starts it; it makes the tables and keys that the call needs.
pub fn start(stage: &Stage, call: Call, place: &Place<'_>, folder: &Path) -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["serve-plain", "--port", &address.port().to_string()])
        .args(["--call", &call.name()])
        .args(["--backend", &call.plain_backend(place, folder)]);
    let plan = Plan {
        name: "plain",
        command,
        cpus: vec![stage.server_cpu],
        address,
        target: "/call".to_owned(),
        folder: temporary_folder()?,
        death_signal: DeathSignal::Kill,
        sheds: false,
    };
    Server::start(plan)
}

/// `loadtest serve-plain`: serves until it is killed.
pub fn serve(options: &Options) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let call = options.call;
        let backend = Rc::new(Backend::open(call, &options.backend).await?);
        accept(options.port, move || {
            let backend = Rc::clone(&backend);
            service_fn(move |_| {
                let backend = Rc::clone(&backend);
                async move { Ok::<_, Infallible>(response(backend.call(call).await)) }
            })
        })
        .await
    })?;
    Ok(ExitCode::SUCCESS)
}

fn response(answer: Result<Bytes>) -> Response<Full<Bytes>> {
    match answer {
        Ok(body) => Response::new(Full::new(body)),
        Err(error) => {
            let mut response = Response::new(Full::new(Bytes::from(format!("{error:#}\n"))));
            *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

impl Backend {
    async fn open(call: Call, backend: &str) -> Result<Backend> {
        Ok(match call {
            Call::MemoryGet | Call::MemorySet => Backend::Memory(kv::Memory::open()),
            Call::EmbeddedGet | Call::EmbeddedSet => {
                Backend::Embedded(kv::Embedded::open(backend)?)
            }
            Call::RedisGet | Call::RedisSet => Backend::Redis(kv::Redis::open(backend).await?),
            Call::CassandraGet | Call::CassandraSet => {
                Backend::Cassandra(Box::new(kv::Cassandra::open(backend).await?))
            }
            Call::NatsGet | Call::NatsSet => {
                Backend::Nats(Box::new(kv::Nats::open(backend).await?))
            }
            Call::PostgresSelect => Backend::Postgres(sql::Postgres::open(backend).await?),
            Call::MysqlSelect => Backend::Mysql(sql::Mysql::open(backend).await?),
            Call::Http => Backend::Http(Box::new(http::Upstream::open(backend)?)),
            Call::Function => Backend::None,
        })
    }

    async fn call(&self, call: Call) -> Result<Bytes> {
        let get = call.is_get();
        match self {
            Backend::Memory(memory) => memory.call(get),
            Backend::Embedded(embedded) => embedded.call(get).await,
            Backend::Redis(redis) => redis.call(get).await,
            Backend::Cassandra(cassandra) => cassandra.call(get).await,
            Backend::Nats(nats) => nats.call(get).await,
            Backend::Postgres(postgres) => postgres.select().await,
            Backend::Mysql(mysql) => mysql.select().await,
            Backend::Http(upstream) => upstream.get().await,
            Backend::None => Ok(Bytes::from_static(super::BODY.as_bytes())),
        }
    }
}
