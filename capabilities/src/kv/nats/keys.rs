//! The keys of a bucket: the last message of each subject, without its data, by a consumer of the
//! stream that is made for it and asked for a bounded number at a time.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::{StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;

use super::connection::{Connection, MESSAGES_MAX, is_data};
use super::errors::{Failure, refused};
use crate::backend::FailureKind;

/// The server removes a consumer that nobody has asked for so long: one whose caller gave up.
const CONSUMER_KEPT: Duration = Duration::from_secs(10);

/// What is asked of consumers begins with it.
const CONSUMERS: &str = "$JS.API.CONSUMER.";

/// Who asks one request's messages of a consumer gets as many, or fewer and a status that says that
/// there are no more.
struct Listing<'a> {
    connection: &'a Connection,
    request: String,
    inbox: String,
    messages: Subscriber,
}

/// Gives each key once. One that is set or deleted meanwhile may be among them or not.
pub(super) async fn list(
    connection: &Connection,
    each: &mut impl FnMut(&[u8]),
) -> Result<(), Failure> {
    let prefix = &connection.bucket.stored;
    let found = tokio::select! {
        biased;
        failure = connection.fate.no_answer(CONSUMERS) => return Err(failure),
        found = collect(connection, prefix) => found?,
    };
    for key in found {
        each(key.as_bytes());
    }
    Ok(())
}

/// The keys that have data at the end. A key that is written while the consumer runs comes once
/// more.
async fn collect(connection: &Connection, prefix: &str) -> Result<HashSet<String>, Failure> {
    let stream = &connection.bucket.stream;
    let config = pull::Config {
        deliver_policy: DeliverPolicy::LastPerSubject,
        ack_policy: AckPolicy::None,
        filter_subject: format!("{prefix}>"),
        headers_only: true,
        inactive_threshold: CONSUMER_KEPT,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(refused)?;
    let info = consumer.cached_info();
    let mut found = HashSet::new();
    if info.num_pending > 0 {
        let mut listing = Listing::begin(connection, &info.stream_name, &info.name).await?;
        while listing.next(prefix, &mut found).await? {}
    }
    // Nobody waits for the answer: without it the consumer ends by itself.
    let delete = format!("$JS.API.CONSUMER.DELETE.{}.{}", info.stream_name, info.name);
    let _ = connection.client.publish(delete, Bytes::new()).await;
    Ok(found)
}

impl<'a> Listing<'a> {
    async fn begin(
        connection: &'a Connection,
        stream: &str,
        consumer: &str,
    ) -> Result<Listing<'a>, Failure> {
        let inbox = connection.client.new_inbox();
        let messages = connection.client.subscribe(inbox.clone()).await;
        let messages = messages.map_err(|error| (FailureKind::Connection, error.to_string()))?;
        let request = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        Ok(Listing { connection, request, inbox, messages })
    }

    /// One request's messages; whether there may be more.
    async fn next(&mut self, prefix: &str, found: &mut HashSet<String>) -> Result<bool, Failure> {
        let batch = format!(r#"{{"batch":{MESSAGES_MAX},"no_wait":true}}"#);
        let (request, inbox) = (self.request.clone(), self.inbox.clone());
        let asked = self.connection.client.publish_with_reply(request, inbox, batch.into()).await;
        asked.map_err(|error| (FailureKind::Connection, error.to_string()))?;
        for _ in 0..MESSAGES_MAX {
            let Some(message) = self.messages.next().await else {
                return Err((FailureKind::Connection, String::from("the connection was lost")));
            };
            match message.status {
                None => {}
                Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => return Ok(false),
                Some(status) => {
                    let said = message.description.unwrap_or_default();
                    return Err(refused(format!("{status} {said}")));
                }
            }
            let Some(key) = message.subject.strip_prefix(prefix) else { continue };
            match message.headers.as_ref().is_none_or(is_data) {
                true => found.insert(key.to_owned()),
                false => found.remove(key),
            };
        }
        Ok(true)
    }
}
