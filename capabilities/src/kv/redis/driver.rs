//! How a shard's connection to Redis is made, probed and ended.

use std::sync::Arc;

use tokio_rustls::TlsConnector;

use super::config::{RedisConfig, RedisEndpoint};
use super::failure::Failure;
use super::sentinel;
use super::session::Session;
use crate::backend::link::{ConnectError, Driver};
use crate::backend::{Network, dial};
use crate::dns::{HostPort, Resolver};

pub(super) struct RedisDriver {
    config: RedisConfig,
    resolver: Resolver,
    tls: Option<TlsConnector>,
}

impl RedisDriver {
    pub(super) fn new(config: &RedisConfig, network: &Network) -> RedisDriver {
        let connector = || TlsConnector::from(Arc::new(network.roots.client(config.verify, &[])));
        RedisDriver {
            config: config.clone(),
            resolver: network.resolver.clone(),
            tls: config.tls.then(connector),
        }
    }

    /// Without a word to the server.
    pub(super) async fn connect_to(&self, server: &HostPort) -> Result<Session, ConnectError> {
        let stream = dial::tcp(&self.resolver, server, self.config.keepalive).await?;
        match &self.tls {
            Some(tls) => Session::begin(dial::tls(tls, &server.host, stream).await?).await,
            None => Session::begin(stream).await,
        }
    }

    pub(super) async fn log_in(&self, session: &Session) -> Result<(), Failure> {
        session.log_in(&self.config).await
    }

    /// Ready for commands. The probe at the end finds out whether the server takes any: it may want
    /// a login that we have none for, or be loading its data.
    pub(super) async fn log_in_at(&self, server: &HostPort) -> Result<Session, ConnectError> {
        let session = self.connect_to(server).await?;
        self.log_in(&session).await?;
        session.select(self.config.database).await?;
        session.ping().await?;
        Ok(session)
    }
}

impl Driver for RedisDriver {
    type Connection = Session;

    async fn connect(&self) -> Result<Session, ConnectError> {
        match &self.config.endpoint {
            RedisEndpoint::Server(server) => self.log_in_at(server).await,
            RedisEndpoint::Sentinels { sentinels, master } => {
                sentinel::connect(self, sentinels, master).await
            }
        }
    }

    /// With sentinels, a server that has become a replica is as good as gone.
    async fn probe(&self, session: &Session) -> Result<(), String> {
        let probed = match &self.config.endpoint {
            RedisEndpoint::Server(_) => session.ping().await.map(Ok),
            RedisEndpoint::Sentinels { .. } => sentinel::check(session).await,
        };
        probed.unwrap_or_else(|failure| Err(failure.to_string()))
    }

    fn close(&self, session: &Session) {
        session.close();
    }
}
