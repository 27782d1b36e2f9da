//! A response that goes on: a page whose parts are sent as the control thread makes them, until it ends the page or the
//! client leaves. The connection closes behind it.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::connection::Interrupted;
use crate::http::{LAST_CHUNK, Method, ResponseHead, Version, put_chunk};
use crate::net::stream::Stream;
use crate::shard::Shard;
use crate::telemetry::clock;

use super::target::Reply;
use super::{End, LINGER_BYTES_MAX, Request, Session};

/// Parts come every few seconds; when none comes for this long, the control thread is in trouble.
const QUIET_MAX: Duration = Duration::from_secs(60);

impl<S: Stream> Session<S> {
    /// Sends the head, then each part as it comes. Whoever does not read them is ended by the write timeout, and before
    /// that by whoever makes the parts.
    pub(super) async fn follow(
        &mut self,
        shard: &Shard,
        request: &Request,
        reply: &Reply<'_>,
        mut parts: mpsc::Receiver<String>,
    ) -> Result<(), End> {
        self.closes = true;
        // HTTP/1.0 knows no chunks; there the end of the connection is the end of the body.
        let chunked = request.head.version == Version::Http11;
        shard.encoder.head(
            &mut self.output,
            shard.date.borrow_mut().line(request.started_ns),
            &ResponseHead {
                status: reply.status,
                content_type: reply.content_type,
                content_length: None,
                chunked,
                extra: reply.extra.as_slice(),
                keep_alive: false,
                version: request.head.version,
            },
        );
        if request.head.method == Method::Head {
            return Ok(());
        }
        while let Some(part) = self.next_part(&mut parts).await? {
            if chunked {
                put_chunk(&mut self.output, part.as_bytes());
            } else {
                self.output.extend_from_slice(part.as_bytes());
            }
            self.flush(shard, &[]).await?;
        }
        if chunked {
            self.output.extend_from_slice(LAST_CHUNK);
        }
        Ok(())
    }

    /// The next part, none at the end. Reads meanwhile, so that a client that leaves is noticed at once; what it sends
    /// instead is not answered.
    async fn next_part(
        &mut self,
        parts: &mut mpsc::Receiver<String>,
    ) -> Result<Option<String>, End> {
        let due_ns = clock::now_ns() + QUIET_MAX.as_nanos() as u64;
        loop {
            if self.connection.input.len() > LINGER_BYTES_MAX {
                return Err(End::Interrupted(Interrupted::Closed));
            }
            tokio::select! {
                part = parts.recv() => return Ok(part),
                filled = self.connection.fill(due_ns, false) => filled.map_err(End::Interrupted)?,
            }
        }
    }
}
