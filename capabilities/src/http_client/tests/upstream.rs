//! Servers to call.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

/// A request as it came, its head in lines.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&String| line.split(": ").next() == Some(name);
        self.headers.iter().find(is_it).map(|line| &line[name.len() + 2..])
    }
}

/// A hyper server that remembers what it was asked.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    pub(super) seen: Rc<RefCell<Vec<Seen>>>,
    pub(super) connections: Rc<Cell<usize>>,
}

pub(super) type Answer = Response<Full<Bytes>>;

/// A 200 with this body.
pub(super) fn ok(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()))
}

impl Upstream {
    /// HTTP/1.1 without TLS.
    pub(super) async fn start(answer: impl Fn(&Seen) -> Answer + 'static) -> Upstream {
        let (upstream, listener) = Upstream::listen().await;
        let (server, answer) = (upstream.clone(), Rc::new(answer));
        spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn_local(server.clone().serve_h1(stream, Rc::clone(&answer)));
            }
        });
        upstream
    }

    pub(super) async fn listen() -> (Upstream, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Upstream { address, seen: Rc::default(), connections: Rc::default() }, listener)
    }

    pub(super) async fn serve_h1(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        answer: Rc<impl Fn(&Seen) -> Answer + 'static>,
    ) {
        self.connections.set(self.connections.get() + 1);
        let service = service_fn(|request| self.clone().answer(request, Rc::clone(&answer)));
        let _ = hyper::server::conn::http1::Builder::new()
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
        answer: Rc<impl Fn(&Seen) -> Answer>,
    ) -> Result<Answer, Infallible> {
        let (head, body) = request.into_parts();
        let mut headers: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        headers.sort();
        let body = body.collect().await.unwrap().to_bytes();
        let seen = Seen {
            line: format!("{} {} {:?}", head.method, head.uri, head.version),
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        self.seen.borrow_mut().push(seen.clone());
        Ok(answer(&seen))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen.borrow().iter().map(|seen| seen.line.clone()).collect()
    }
}

/// A server of bare sockets: `talk` has each connection and its number, from 0.
pub(super) async fn raw<F: Future<Output = ()> + 'static>(
    talk: impl Fn(TcpStream, usize) -> F + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            spawn_local(talk(stream, number));
        }
    });
    format!("http://{address}/")
}

/// Reads a request without a body. False at the end of the connection.
pub(super) async fn read_head(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Reads a request and answers it with these bytes.
pub(super) async fn answer_raw(stream: &mut TcpStream, answer: &[u8]) -> bool {
    read_head(stream).await && stream.write_all(answer).await.is_ok()
}
