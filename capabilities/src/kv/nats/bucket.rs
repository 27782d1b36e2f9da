//! The bucket: a stream that is found or made, and the subjects under which its keys are.

use async_nats::jetstream::context::Context;
use async_nats::jetstream::kv;
use async_nats::jetstream::stream::Stream;

use super::errors::{is_absent, no_bucket};
use crate::backend::link::ConnectError;

pub(super) struct Bucket {
    pub(super) stream: Stream,
    /// Before a key, in the subject to get it by and in those that the stream has.
    pub(super) stored: String,
    /// Before a key, in the subject to publish to. Another only for the mirror of a bucket.
    pub(super) published: String,
    /// Before [`Bucket::stored`], in the subject of a direct get; none if the bucket does not allow
    /// them.
    pub(super) direct: Option<String>,
}

impl Bucket {
    /// A bucket that is made has what nats.go gives to one, so that either finds the other's its
    /// own: in files, a history of one, direct gets.
    pub(super) async fn open(jetstream: &Context, name: &str) -> Result<Bucket, ConnectError> {
        let store = match jetstream.get_key_value(name).await {
            Err(error) if is_absent(&error) => {
                let config =
                    kv::Config { bucket: name.to_owned(), history: 1, ..kv::Config::default() };
                jetstream.create_key_value(config).await.map_err(|error| no_bucket(&error))?
            }
            found => found.map_err(|error| match error.kind() {
                kind @ async_nats::jetstream::context::KeyValueErrorKind::InvalidStoreName => {
                    ConnectError::Refused(format!("bucket {name:?}: {kind}"))
                }
                _ => no_bucket(&error),
            })?,
        };
        let kv::Store { stream_name, prefix, put_prefix, stream, .. } = store;
        let direct = stream.cached_info().config.allow_direct;
        Ok(Bucket {
            published: put_prefix.unwrap_or_else(|| prefix.clone()),
            direct: direct.then(|| format!("$JS.API.DIRECT.GET.{stream_name}.")),
            stored: prefix,
            stream,
        })
    }
}
