//! Connections: kept, replaced when they turn out to be closed, bounded.

use std::cell::Cell;
use std::net::SocketAddr;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;

use super::upstream::{Upstream, answer_raw, ok, raw, read_head};
use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_connection_is_used_again() {
    run(async {
        let upstream = Upstream::start(|_| ok(vec![b'x'; 300_000])).await;
        let (client, backend) = client_with(config(), Bounds::default(), None);
        let url = upstream.url("/");
        for _ in 0..5 {
            client.call(&post(&url, "body")).await.unwrap();
        }
        assert_eq!(upstream.connections.get(), 1);
        assert_eq!(backend.counts().connections, 1);
    });
}

#[test]
fn a_closed_connection_is_replaced_if_the_request_may_be_repeated() {
    // The server answers once per connection and, without saying so, hangs up when asked again.
    let check = |method: &'static str, header: Option<&'static str>, is_repeated: bool| {
        run(async move {
            let url = raw(async |mut stream, _| {
                answer_raw(&mut stream, OK).await;
                read_head(&mut stream).await;
            })
            .await;
            let client = client(config());
            client.call(&get(&url)).await.unwrap();
            let mut request = HttpRequest { method: method.into(), ..get(&url) };
            if let Some(header) = header {
                request = request.with(header, "1");
            }
            let result = client.call(&request).await;
            assert_eq!(result.is_ok(), is_repeated, "{method} {header:?}: {:?}", result.err());
        });
    };
    check("GET", None, true);
    check("HEAD", None, true);
    check("POST", None, false);
    check("DELETE", None, false);
    check("POST", Some("Idempotency-Key"), true);
}

#[test]
fn a_request_is_repeated_only_once() {
    run(async {
        let heads = Rc::new(Cell::new(0));
        let count = Rc::clone(&heads);
        let url = raw(move |mut stream, number| {
            let count = Rc::clone(&count);
            async move {
                if number == 0 {
                    answer_raw(&mut stream, OK).await;
                }
                count.set(count.get() + usize::from(read_head(&mut stream).await));
            }
        })
        .await;
        let client = client(config());
        client.call(&get(&url)).await.unwrap();
        assert!(text(client.call(&get(&url)).await.unwrap_err()).ends_with(": EOF"));
        assert_eq!(heads.get(), 2);
    });
}

#[test]
fn a_connection_that_was_closed_while_idle_is_noticed() {
    run(async {
        let url = raw(async |mut stream, _| {
            answer_raw(&mut stream, OK).await;
        })
        .await;
        let (client, backend) = client_with(config(), Bounds::default(), None);
        for _ in 0..3 {
            // A request that must not be repeated gets through as well.
            client.call(&post(&url, "")).await.unwrap();
            until("the close is seen", || backend.counts().connections == 0).await;
        }
    });
}

/// An upstream that gives one answer for each permit.
async fn held(release: &Rc<Semaphore>) -> String {
    let release = Rc::clone(release);
    raw(move |mut stream, _| {
        let release = Rc::clone(&release);
        async move {
            while read_head(&mut stream).await {
                release.acquire().await.unwrap().forget();
                let _ = stream.write_all(OK).await;
            }
        }
    })
    .await
}

#[test]
fn calls_beyond_the_bound_of_a_target_wait_for_a_connection() {
    run(async {
        let release = Rc::new(Semaphore::new(0));
        let url = held(&release).await;
        let bounds = Bounds { per_target: 2, in_all: 100 };
        let (client, backend) = client_with(config(), bounds, None);
        let answered = Rc::new(Cell::new(0));
        let most = Rc::new(Cell::new(0));
        let calls = join_all((0..6).map(|_| async {
            client.call(&get(&url)).await.unwrap();
            answered.set(answered.get() + 1);
        }));
        let watch = async {
            while answered.get() < 6 {
                most.set(most.get().max(backend.counts().connections));
                release.add_permits(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::join!(calls, watch);
        assert_eq!(most.get(), 2);
    });
}

#[test]
fn idle_connections_make_room_for_others() {
    run(async {
        let bounds = Bounds { per_target: 2, in_all: 2 };
        let (client, backend) = client_with(config(), bounds, None);
        let upstreams = join_all((0..4).map(|_| Upstream::start(|_| ok("hello")))).await;
        for upstream in upstreams.iter().chain(&upstreams) {
            client.call(&get(&upstream.url("/"))).await.unwrap();
        }
        until("no more than two are open", || backend.counts().connections <= 2).await;
    });
}

#[test]
fn when_all_connections_are_in_use_a_call_is_refused() {
    run(async {
        let bounds = Bounds { per_target: 2, in_all: 2 };
        let (client, backend) = client_with(config(), bounds, None);
        let release = Rc::new(Semaphore::new(0));
        let busy = held(&release).await;
        let request = get(&busy);
        let both = join_all([client.call(&request), client.call(&request)]);
        let third = async {
            until("two are in use", || backend.counts().connections == 2).await;
            let error = text(client.call(&get("http://127.0.0.1:1/")).await.unwrap_err());
            assert!(error.ends_with(": too many open connections"), "{error}");
            release.add_permits(2);
        };
        let (both, ()) = tokio::join!(both, third);
        assert!(both.iter().all(Result::is_ok));
    });
}

/// An address that neither takes nor refuses connections: its queue of one is full.
async fn deaf() -> (SocketAddr, Vec<tokio::net::TcpStream>, TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut streams = Vec::new();
    let connect =
        || tokio::time::timeout(Duration::from_millis(50), tokio::net::TcpStream::connect(address));
    while let Ok(Ok(stream)) = connect().await {
        streams.push(stream);
    }
    (address, streams, listener)
}

#[test]
fn an_address_that_does_not_answer_delays_the_next_only_shortly() {
    run(async {
        let (deaf, _streams, _listener) = deaf().await;
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        let to = live.local_addr().unwrap();
        for addresses in [vec![deaf, to], vec![closed, to], vec![closed, deaf, to], vec![to, deaf]]
        {
            let started = Instant::now();
            let stream = connect::first_to_answer(&addresses).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), to);
            assert!(started.elapsed() < Duration::from_secs(2));
        }
        let (address, error) = connect::first_to_answer(&[closed, closed]).await.unwrap_err();
        assert_eq!((address, error.kind()), (closed, std::io::ErrorKind::ConnectionRefused));
    });
}

#[test]
fn an_answer_that_comes_before_the_request_is_sent_is_taken() {
    run(async {
        let url = raw(async |mut stream, _| {
            let answer =
                b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
            answer_raw(&mut stream, answer).await;
            // The rest of the body is never read.
            std::future::pending::<()>().await;
        })
        .await;
        let (client, backend) = client_with(config(), Bounds::default(), None);
        let body = Bytes::from(vec![b'x'; 32_000_000]);
        let request = HttpRequest { method: "POST".into(), body, ..get(&url) };
        let response = client.call(&request).await.unwrap();
        assert_eq!((response.code, &*response.body), (413, &b"no"[..]));
        until("the connection is given up", || backend.counts().connections == 0).await;
    });
}

#[test]
fn a_call_that_is_dropped_leaves_nothing_open() {
    run(async {
        let release = Rc::new(Semaphore::new(0));
        let url = held(&release).await;
        let (client, backend) = client_with(config(), Bounds::default(), None);
        for _ in 0..3 {
            let request = get(&url);
            let call = client.call(&request);
            let _ = tokio::time::timeout(Duration::from_millis(20), call).await;
        }
        until("all are closed", || backend.counts().connections == 0).await;
    });
}
