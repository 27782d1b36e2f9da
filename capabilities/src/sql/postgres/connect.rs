//! From a DSN to a connection that is logged in, without a thread for the host's name.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dsn::{Host, PostgresDsn, SessionKind, TlsMode};
use super::pipe::Pipe;
use super::{failure, tls};
use crate::backend::link::ConnectError;
use crate::backend::{BackendTimes, Network};
use crate::dns::Resolver;
use crate::sql::dsn::DsnError;

/// The only style of dates that is read here.
const ISO_DATES: &str = "SET datestyle TO 'ISO, MDY'";

/// Eight bytes: their number, and the code that stands for this message.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Where connections go, and as whom.
pub(super) struct Server {
    dsn: PostgresDsn,
    config: Config,
    tls: MakeRustlsConnect,
    resolver: Resolver,
    /// For one address.
    connect_max: Duration,
}

/// One address of a server.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Tcp { address: SocketAddr, name: String },
    Unix(PathBuf),
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}
type Stream = Box<dyn Io>;

impl Server {
    /// Reads the files that the DSN names.
    pub(super) fn new(
        dsn: PostgresDsn,
        network: &Network,
        times: BackendTimes,
    ) -> Result<Server, DsnError> {
        let tls = MakeRustlsConnect::new(tls::client(&dsn, &network.roots)?);
        let connect_max = dsn.connect_timeout.map_or(times.connect, |max| max.min(times.connect));
        let resolver = network.resolver.clone();
        Ok(Server { config: config(&dsn), dsn, tls, resolver, connect_max })
    }

    /// Opens a connection to the first address that takes us.
    pub(super) async fn open(self: &Rc<Server>) -> Result<Rc<Pipe>, ConnectError> {
        let mut refused = None;
        let mut unreachable = String::from("the DSN names no host");
        for host in &self.dsn.hosts {
            let places = match self.places(host).await {
                Ok(places) => places,
                Err(reason) => {
                    unreachable = reason;
                    continue;
                }
            };
            for place in places {
                match self.open_at(place).await {
                    Ok(pipe) => return Ok(pipe),
                    // A name may have an address where nobody listens: who answers counts more.
                    Err(ConnectError::Refused(reason)) => refused = Some(reason),
                    Err(ConnectError::Unreachable(reason)) => unreachable = reason,
                }
            }
        }
        Err(refused.map_or(ConnectError::Unreachable(unreachable), ConnectError::Refused))
    }

    /// Asks the server to end what a connection is doing. Whether it does, the connection shows.
    pub(super) async fn cancel(&self, place: &Place, token: &CancelToken) {
        let cancel = async {
            let stream = stream(place).await.ok()?;
            token.cancel_query_raw(stream, self.handshake(place)?).await.ok()
        };
        // Whoever waited has been told already.
        let _ = timeout(self.connect_max, cancel).await;
    }

    /// Whether a server answers there at all: asks it for TLS, and waits for its yes or no.
    pub(super) async fn knock(&self, place: &Place) -> io::Result<()> {
        let mut stream = stream(place).await?;
        stream.write_all(&TLS_REQUEST).await?;
        stream.read_u8().await.map(drop)
    }

    async fn places(&self, host: &Host) -> Result<Vec<Place>, String> {
        let (name, address, port) = match host {
            Host::Unix(path) => return Ok(vec![Place::Unix(path.clone())]),
            Host::Tcp { name, address, port } => (name, address, *port),
        };
        let addresses = match address {
            Some(address) => vec![SocketAddr::new(*address, port)],
            None => {
                let found = self.resolver.resolve(name, port).await;
                found.map_err(|error| error.to_string())?
            }
        };
        let place = |address| Place::Tcp { address, name: name.clone() };
        Ok(addresses.into_iter().map(place).collect())
    }

    async fn open_at(self: &Rc<Server>, place: Place) -> Result<Rc<Pipe>, ConnectError> {
        let opened = timeout(self.connect_max, self.log_in(&place)).await;
        let ms = self.connect_max.as_millis();
        let late = |_| ConnectError::Unreachable(format!("no connection within {ms} ms"));
        let Session { client, driver, utc, iso } = opened.map_err(late)??;
        let pipe = Pipe::new(Rc::clone(self), place, client, driver, utc, !iso);
        let ready = timeout(self.connect_max, async {
            pipe.set_up().await.map_err(|error| failure::of_connect(&error, &self.dsn.user))?;
            self.check_kind(&pipe.client).await
        });
        ready.await.map_err(late)??;
        Ok(pipe)
    }

    async fn log_in(
        &self,
        place: &Place,
    ) -> Result<Session<impl Future<Output = ()> + use<>>, ConnectError> {
        let unreachable = |error: io::Error| ConnectError::Unreachable(error.to_string());
        let stream = stream(place).await.map_err(unreachable)?;
        let unnamed = || ConnectError::Refused(String::from("TLS needs a host by name or address"));
        let handshake = self.handshake(place).ok_or_else(unnamed)?;
        let mut config = self.config.clone();
        if matches!(place, Place::Unix(_)) {
            config.ssl_mode(SslMode::Disable);
        }
        let connected = config.connect_raw(stream, handshake).await;
        let (client, connection) =
            connected.map_err(|error| failure::of_connect(&error, &self.dsn.user))?;
        let utc = connection.parameter("TimeZone").is_some_and(is_utc);
        let iso = connection.parameter("DateStyle").is_some_and(|style| style.starts_with("ISO"));
        // How it ended, those see whose queries it carried.
        let driver = async { drop(connection.await) };
        Ok(Session { client, driver, utc, iso })
    }

    fn handshake(
        &self,
        place: &Place,
    ) -> Option<<MakeRustlsConnect as MakeTlsConnect<Stream>>::TlsConnect> {
        let name = match place {
            Place::Tcp { name, .. } => name,
            // Not asked for: there is no TLS.
            Place::Unix(_) => "localhost",
        };
        MakeTlsConnect::<Stream>::make_tls_connect(&mut self.tls.clone(), name).ok()
    }

    /// Whether the server is what `target_session_attrs` asks for.
    async fn check_kind(&self, client: &Client) -> Result<(), ConnectError> {
        let (query, wanted) = match self.dsn.session {
            SessionKind::Any => return Ok(()),
            SessionKind::ReadWrite => ("SHOW transaction_read_only", "off"),
            SessionKind::ReadOnly => ("SHOW transaction_read_only", "on"),
            SessionKind::Primary => ("SELECT pg_is_in_recovery()", "f"),
            SessionKind::Standby => ("SELECT pg_is_in_recovery()", "t"),
        };
        let answer = client.simple_query(query).await;
        let answer = answer.map_err(|error| failure::of_connect(&error, &self.dsn.user))?;
        let is_wanted = answer.iter().any(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0) == Some(wanted),
            _ => false,
        });
        let other = "the server is not what target_session_attrs asks for";
        if is_wanted { Ok(()) } else { Err(ConnectError::Unreachable(String::from(other))) }
    }
}

/// What a log-in gives.
struct Session<D> {
    client: Client,
    /// Carries the connection's bytes until the connection or the client ends.
    driver: D,
    /// The session's zone is UTC.
    utc: bool,
    /// Dates are written as ISO 8601 has them.
    iso: bool,
}

impl Pipe {
    /// Brings a new session, or one that was cleaned up, to where queries expect it.
    pub(super) async fn set_up(&self) -> Result<(), tokio_postgres::Error> {
        if self.foreign_dates { self.client.batch_execute(ISO_DATES).await } else { Ok(()) }
    }
}

async fn stream(place: &Place) -> io::Result<Stream> {
    match place {
        Place::Tcp { address, .. } => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream))
        }
        Place::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
    }
}

fn is_utc(zone: &str) -> bool {
    let names = ["utc", "etc/utc", "gmt", "etc/gmt", "zulu", "etc/zulu", "uct", "etc/uct"];
    names.iter().any(|name| zone.eq_ignore_ascii_case(name))
}

fn config(dsn: &PostgresDsn) -> Config {
    let mut config = Config::new();
    config.user(&dsn.user);
    if let Some(password) = &dsn.password {
        config.password(password.reveal());
    }
    if let Some(database) = &dsn.database {
        config.dbname(database);
    }
    if let Some(name) = &dsn.application_name {
        config.application_name(name);
    }
    let mut options = dsn.options.clone();
    for (name, value) in &dsn.parameters {
        // Blanks part the options, and a backslash keeps one from doing so.
        let value = value.replace('\\', r"\\").replace(' ', r"\ ");
        options.push_str(&format!(" -c {name}={value}"));
    }
    if !options.is_empty() {
        config.options(options.trim_start());
    }
    config.ssl_mode(match dsn.tls {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    });
    if dsn.tls_direct {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
}
