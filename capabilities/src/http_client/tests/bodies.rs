//! Answers' bodies: long, slow, cut off, compressed.

use std::io::Write;

use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;

use super::upstream::{Upstream, answer_raw, ok, raw};
use super::*;

/// The answer of a server that says exactly this and closes.
async fn answer_of(
    config: HttpClientConfig,
    said: &'static [u8],
) -> Result<HttpResponse, HttpFailure> {
    let url = raw(async move |mut stream, _| {
        answer_raw(&mut stream, said).await;
    })
    .await;
    client(config).call(&get(&url)).await
}

#[test]
fn a_body_over_the_limit_is_an_error_that_names_it() {
    run(async {
        let limited = HttpClientConfig { body_bytes_max: 5, ..config() };
        let cut = HttpClientConfig { compat: true, ..limited };
        let reason = "body: it is longer than the limit of 5 bytes";
        let check = async |said: &'static [u8], whole: bool, partial: &[u8]| {
            match answer_of(limited, said).await {
                Ok(response) => assert!(whole && *response.body == *b"12345"),
                Err(HttpFailure::Body { partial: response, reason: told }) => {
                    assert!(!whole && reason.ends_with(&told), "{told}");
                    assert_eq!((response.code, &*response.body), (200, partial));
                }
                Err(other) => panic!("{other:?}"),
            }
            assert_eq!(&*answer_of(cut, said).await.unwrap().body, b"12345");
        };
        check(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", true, b"").await;
        // A length that is too large is refused before anything is read.
        check(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456", false, b"").await;
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunked = [&chunks[..], b"3\r\n123\r\n3\r\n456\r\n0\r\n\r\n"].concat();
        check(Box::leak(chunked.into()), false, b"12345").await;
        let chunked = [&chunks[..], b"3\r\n123\r\n2\r\n45\r\n0\r\n\r\n"].concat();
        check(Box::leak(chunked.into()), true, b"").await;
        check(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456", false, b"12345").await;
    });
}

#[test]
fn what_came_before_a_break_is_told() {
    run(async {
        let said = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 9\r\n\r\n1234";
        let failure = answer_of(config(), said).await.unwrap_err();
        let HttpFailure::Body { partial, reason } = failure else { panic!("{failure:?}") };
        assert_eq!((&*reason, partial.code, &*partial.body), ("unexpected EOF", 200, &b"1234"[..]));
        assert_eq!(partial.headers["x-a"], "1");

        let failure = answer_of(config(), b"HTTP/1.1 200").await.unwrap_err();
        assert!(text(failure).ends_with(": EOF"));
        let failure = text(answer_of(config(), b"SSH-2.0-x\r\n\r\n").await.unwrap_err());
        assert!(failure.contains("malformed HTTP response"), "{failure}");
    });
}

#[test]
fn a_call_takes_no_longer_than_it_may() {
    run(async {
        let short = HttpClientConfig { timeout: Duration::from_millis(100), ..config() };
        let (client, backend) = client_with(short, Bounds::default(), None);
        let never = async |said: &'static [u8]| {
            let url = raw(async move |mut stream, _| {
                answer_raw(&mut stream, said).await;
                std::future::pending().await
            })
            .await;
            (client.call(&get(&url)).await.unwrap_err(), url)
        };
        let started = Instant::now();
        let (failure, url) = never(b"").await;
        assert_eq!(
            text(failure),
            format!(
                "execute: Get \"{url}\": context deadline exceeded \
                 (Client.Timeout exceeded while awaiting headers)"
            )
        );
        let (failure, _) = never(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1").await;
        let HttpFailure::Body { partial, reason } = failure else { panic!("{failure:?}") };
        assert_eq!(&*partial.body, b"1");
        assert_eq!(
            reason,
            "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
        );
        assert!(started.elapsed() < WAIT / 4);
        assert_eq!(backend.counts().failures, [0, 2, 0, 0]);
        until("connections of calls that were given up are closed", || {
            backend.counts().connections == 0
        })
        .await;
    });
}

#[test]
fn a_timeout_counts_over_all_redirects() {
    run(async {
        let url = raw(async |mut stream, _| {
            // Each answer is in time, all together are not.
            while super::upstream::read_head(&mut stream).await {
                tokio::time::sleep(Duration::from_millis(40)).await;
                let answer = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer).await;
            }
        })
        .await;
        let short = HttpClientConfig { timeout: Duration::from_millis(150), ..config() };
        let failure = text(client(short).call(&get(&url)).await.unwrap_err());
        assert!(failure.contains("context deadline exceeded"), "{failure}");
    });
}

#[test]
fn gzip_that_nobody_asked_for_is_unpacked() {
    run(async {
        let upstream = Upstream::start(|_| {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(b"unpacked").unwrap();
            let mut answer = ok(encoder.finish().unwrap());
            answer.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
            answer
        })
        .await;
        let client = client(config());
        let url = upstream.url("/");
        let response = client.call(&get(&url)).await.unwrap();
        assert_eq!(&*response.body, b"unpacked");
        assert!(!response.headers.contains_key("content-encoding"));
        assert!(!response.headers.contains_key("content-length"));
        // A guest that asks for it gets it as it is.
        let response = client.call(&get(&url).with("Accept-Encoding", "gzip")).await.unwrap();
        assert!(response.body.starts_with(b"\x1f\x8b"));
        assert_eq!(response.headers["content-encoding"], "gzip");
        let head = HttpRequest { method: "HEAD".into(), ..get(&url) };
        assert!(client.call(&head).await.unwrap().body.is_empty());
    });
}
