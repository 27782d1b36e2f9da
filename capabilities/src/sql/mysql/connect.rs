//! From a DSN to a connection that is logged in, without a thread for the host's name.

use std::net::IpAddr;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Compression, Conn, Opts, OptsBuilder, SslOpts};
use rustls::RootCertStore;
use tokio::time::timeout;

use super::dsn::{MysqlDsn, Place, TlsMode};
use super::failure;
use crate::backend::link::ConnectError;
use crate::backend::{BackendTimes, Network};
use crate::dns::Resolver;

/// The longest packet, which is a row of a result or a query: the default of Go's driver.
const PACKET_BYTES_MAX: usize = 64 << 20;
/// After how many idle seconds the server may close a connection, which the driver would ask it for.
/// Connections here are never idle for a tenth of it.
const WAIT_TIMEOUT_S: usize = 28_800;

/// Where connections go, and as whom.
pub(super) struct Server {
    dsn: MysqlDsn,
    options: OptsBuilder,
    resolver: Resolver,
    connect_max: Duration,
}

impl Server {
    pub(super) fn new(dsn: MysqlDsn, network: &Network, times: BackendTimes) -> Server {
        let connect_max = dsn.connect_timeout.map_or(times.connect, |max| max.min(times.connect));
        let mut options = OptsBuilder::default()
            .user(Some(&dsn.user))
            .pass(dsn.password.as_ref().map(|password| password.reveal()))
            .db_name(dsn.database.as_ref())
            .client_found_rows(dsn.found_rows)
            .enable_cleartext_plugin(dsn.cleartext_passwords)
            .compression(dsn.compress.then(Compression::default))
            .max_allowed_packet(Some(PACKET_BYTES_MAX))
            .wait_timeout(Some(WAIT_TIMEOUT_S))
            .prefer_socket(false)
            .tcp_nodelay(true)
            // The driver takes the last one first.
            .setup(dsn.setup.iter().rev().cloned().collect());
        if let Place::Tcp(host) = &dsn.place {
            options = options.ip_or_hostname(&host.host).tcp_port(host.port);
            if dsn.tls != TlsMode::Disable {
                options = options.ssl_opts(tls(dsn.tls, network));
            }
        }
        Server { options, resolver: network.resolver.clone(), connect_max, dsn }
    }

    pub(super) async fn open(&self) -> Result<Conn, ConnectError> {
        let opened = timeout(self.connect_max, self.log_in());
        opened.await.unwrap_or_else(|_| {
            let ms = self.connect_max.as_millis();
            Err(ConnectError::Unreachable(format!("no connection within {ms} ms")))
        })
    }

    /// Has the server end what another connection is doing. Whoever waited has been told already.
    pub(super) async fn kill(&self, id: u32) {
        if let Ok(mut conn) = self.open().await {
            let kill = async {
                let _ = conn.query_drop(format!("KILL QUERY {id}")).await;
                conn.disconnect().await
            };
            let _ = timeout(self.connect_max, kill).await;
        }
    }

    async fn log_in(&self) -> Result<Conn, ConnectError> {
        let mut options = self.options.clone();
        match &self.dsn.place {
            Place::Unix(path) => options = options.socket(path.to_str()),
            Place::Tcp(host) => {
                let found = self.resolver.resolve(&host.host, host.port).await;
                let found = found.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
                let addresses: Vec<IpAddr> = found.iter().map(|address| address.ip()).collect();
                options = options.resolved_ips(Some(addresses));
            }
        }
        let options = Opts::from(options);
        let mut connected = Conn::new(options.clone()).await;
        if let Err(error) = &connected
            && self.dsn.tls == TlsMode::Preferred
            && failure::has_no_tls(error)
        {
            connected = Conn::new(OptsBuilder::from_opts(options).ssl_opts(None)).await;
        }
        connected.map_err(|error| failure::of_connect(&error, &self.dsn.user))
    }
}

fn tls(mode: TlsMode, network: &Network) -> SslOpts {
    if mode != TlsMode::Verify {
        return SslOpts::default().with_danger_accept_invalid_certs(true);
    }
    let options = SslOpts::default().with_disable_built_in_roots(true);
    // The driver makes a store of its own, and fails on the first certificate that is none to rustls.
    let usable = network
        .roots
        .certificates()
        .iter()
        .filter(|certificate| RootCertStore::empty().add((*certificate).clone()).is_ok());
    options.with_root_certs(usable.map(|certificate| certificate.to_vec().into()).collect())
}
