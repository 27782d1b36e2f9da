//! One connection to one of the servers. The driver's own reconnecting is not used: a connection
//! that is lost is thrown away, and the link makes the next one, with the names resolved anew.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::{
    Client, ConnectOptions, HeaderMap, HeaderName, HeaderValue, Message, Request, ServerAddr,
    StatusCode, jetstream,
};
use bytes::Bytes;

use super::bucket::Bucket;
use super::errors::{Failure, not_answered, not_connected, refused};
use super::fate::Fate;
use super::{NatsConfig, NatsLogin, NatsServer};
use crate::backend::link::{ConnectError, Driver};
use crate::backend::{BackendTimes, FailureKind, Network};
use crate::tls::Hosts;

/// To reach one of several servers. Less than an attempt to connect may take, so that one that is
/// not there leaves time for the others.
const SERVER_MAX: Duration = Duration::from_millis(750);
/// Messages of a subscription that wait to be taken: those of one request of [`super::keys`].
pub(super) const MESSAGES_MAX: usize = 1024;

/// Whether a message is a key's data or says that the key is gone, and by what hand.
pub(super) const OPERATION: HeaderName = HeaderName::from_static("KV-Operation");
const DELETE: &str = "DEL";
/// Says that the server itself removed the key, since its time was over.
const REMOVED: HeaderName = HeaderName::from_static("Nats-Marker-Reason");

/// The servers of the settings, and all that is needed to connect to one.
pub(super) struct Servers {
    config: NatsConfig,
    network: Network,
    times: BackendTimes,
}

/// A connection to one of them, with the bucket open.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) bucket: Bucket,
    pub(super) fate: Arc<Fate>,
}

impl Servers {
    pub(super) fn new(config: &NatsConfig, network: &Network, times: BackendTimes) -> Servers {
        Servers { config: config.clone(), network: network.clone(), times }
    }

    async fn connect_to(&self, server: &NatsServer) -> Result<Connection, ConnectError> {
        let host = &server.address;
        let found = self.network.resolver.resolve(&host.host, host.port).await;
        let addresses = found.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let mut hosts = Hosts::default();
        hosts.add(&host.host, &addresses).map_err(ConnectError::Refused)?;
        let fate = Arc::new(Fate::default());
        let options = self.options(server, hosts, &fate);
        let mut result = Err(ConnectError::Unreachable(format!("{host} has no address")));
        for address in addresses {
            let address = format!("nats://{address}").parse::<ServerAddr>();
            let address = address.map_err(|error| ConnectError::Refused(error.to_string()))?;
            let connected = options.clone().connect(address).await;
            result = connected.map_err(|error| not_connected(&error));
            if !matches!(result, Err(ConnectError::Unreachable(_))) {
                break;
            }
        }
        self.open(result?, fate).await
    }

    fn options(&self, server: &NatsServer, hosts: Hosts, fate: &Arc<Fate>) -> ConnectOptions {
        let limit = match self.config.servers.len() {
            1 => self.times.connect,
            _ => self.times.connect.min(SERVER_MAX),
        };
        let events = Arc::clone(fate);
        let options = ConnectOptions::new()
            .name("airside")
            .connection_timeout(limit)
            // One attempt, which is the first; after a loss it ends the driver's tasks.
            .max_reconnects(1)
            // Another server is the link's choice, and a thread would resolve a name in there.
            .ignore_discovered_servers()
            // Calls are bounded by the link.
            .request_timeout(None)
            .subscription_capacity(2 * MESSAGES_MAX)
            // Keys have been checked.
            .skip_subject_validation(true)
            .require_tls(server.tls)
            .tls_client_config(self.network.roots.client_of(self.config.verify.then_some(hosts)))
            .event_callback(move |event| {
                events.event(event);
                std::future::ready(())
            });
        match &server.login {
            None => options,
            Some(NatsLogin::User { user, password }) => {
                options.user_and_password(user.clone(), password.reveal().to_owned())
            }
            Some(NatsLogin::Token(token)) => options.token(token.reveal().to_owned()),
        }
    }

    /// A permission that is missing is no answer but a word aside, after which none comes.
    async fn open(&self, client: Client, fate: Arc<Fate>) -> Result<Connection, ConnectError> {
        let jetstream = jetstream::new(client.clone());
        let bucket = tokio::select! {
            biased;
            bucket = Bucket::open(&jetstream, &self.config.bucket) => bucket?,
            denial = fate.denial() => return Err(ConnectError::Refused(denial)),
        };
        Ok(Connection { client, bucket, fate })
    }
}

impl Driver for Servers {
    type Connection = Connection;

    /// The servers are tried in an order that differs from shard to shard, so that they share the
    /// load.
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let mut servers: Vec<_> = self.config.servers.iter().collect();
        fastrand::shuffle(&mut servers);
        let mut failed = ConnectError::Unreachable(String::from("no server is configured"));
        for server in servers {
            match self.connect_to(server).await {
                Ok(connection) => return Ok(connection),
                // A server that refuses us is more to the point than one that is not there.
                Err(error) if matches!(failed, ConnectError::Unreachable(_)) => failed = error,
                Err(_) => {}
            }
        }
        Err(failed)
    }

    /// Asks for a key that is not there: the way of every get, so it also finds a bucket that is
    /// gone.
    async fn probe(&self, connection: &Connection) -> Result<(), String> {
        match connection.get("airside/probe").await {
            Ok(_) => Ok(()),
            Err((_, reason)) => Err(reason),
        }
    }
}

impl Connection {
    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Failure> {
        let Bucket { direct, stored, .. } = &self.bucket;
        let Some(direct) = direct else {
            return self.get_by_stream(format!("{stored}{key}")).await;
        };
        let answer = self.request(format!("{direct}{stored}{key}"), Request::new()).await?;
        match answer.status {
            None => {}
            Some(StatusCode::NOT_FOUND) => return Ok(None),
            Some(status) => {
                let said = answer.description.unwrap_or_default();
                return Err(refused(format!("{status} {said}")));
            }
        }
        let present = answer.headers.as_ref().is_none_or(is_data);
        Ok(present.then_some(answer.payload))
    }

    /// A bucket that was made without direct gets: the stream's leader answers, in JSON.
    async fn get_by_stream(&self, subject: String) -> Result<Option<Bytes>, Failure> {
        let found = tokio::select! {
            biased;
            failure = self.fate.no_answer(&subject) => return Err(failure),
            found = self.bucket.stream.get_last_raw_message_by_subject(&subject) => found,
        };
        match found {
            Ok(message) => Ok(is_data(&message.headers).then_some(message.payload)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::Other => Err((FailureKind::Connection, error.to_string())),
                _ => Err(refused(error)),
            },
        }
    }

    pub(super) async fn set(&self, key: &str, data: Bytes) -> Result<(), Failure> {
        let (bytes, bytes_max) = (data.len(), self.client.max_payload());
        if bytes > bytes_max {
            return Err(refused(format!(
                "{bytes} bytes are more than the server's max_payload of {bytes_max}"
            )));
        }
        self.publish(key, Request::new().payload(data)).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(OPERATION, HeaderValue::from(DELETE));
        self.publish(key, Request::new().headers(headers)).await
    }

    /// Done when the stream has stored it.
    async fn publish(&self, key: &str, message: Request) -> Result<(), Failure> {
        let subject = format!("{}{key}", self.bucket.published);
        let answer = self.request(subject, message).await?;
        match serde_json::from_slice::<Response<PublishAck>>(&answer.payload) {
            Ok(Response::Ok(_)) => Ok(()),
            Ok(Response::Err { error }) => Err(refused(error)),
            Err(error) => Err(refused(format!("unreadable answer: {error}"))),
        }
    }

    async fn request(&self, subject: String, request: Request) -> Result<Message, Failure> {
        tokio::select! {
            biased;
            failure = self.fate.no_answer(&subject) => Err(failure),
            answer = self.client.send_request(subject.clone(), request) => {
                answer.map_err(not_answered)
            }
        }
    }
}

/// Whether a message is data, not the mark of a key that was deleted.
pub(super) fn is_data(headers: &HeaderMap) -> bool {
    let operation = headers.get(OPERATION).map(HeaderValue::as_str);
    matches!(operation, None | Some("PUT")) && headers.get(REMOVED).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_deleted_keys_are_no_data() {
        for (name, value, data) in [
            ("KV-Operation", "DEL", false),
            ("KV-Operation", "PURGE", false),
            ("KV-Operation", "PUT", true),
            ("Nats-Marker-Reason", "MaxAge", false),
            ("Nats-Sequence", "7", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value);
            assert_eq!(is_data(&headers), data, "{name}: {value}");
        }
        assert!(is_data(&HeaderMap::new()));
    }
}
