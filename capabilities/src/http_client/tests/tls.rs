//! TLS and HTTP/2, with an authority made for the test.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::task::spawn_local;
use tokio_rustls::TlsAcceptor;

use super::upstream::{Answer, Seen, Upstream, ok};
use super::*;

/// An authority's certificate in a file, and what a server of `localhost` shows.
struct Authority {
    _folder: tempfile::TempDir,
    file: PathBuf,
    server: ServerConfig,
}

fn authority(alpn: &[&[u8]]) -> Authority {
    install_provider();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let text = STANDARD.encode(certificate.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    std::fs::write(&file, pem).unwrap();

    let server_key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params, key);
    let params = CertificateParams::new(vec![String::from("localhost")]).unwrap();
    let chain = vec![params.signed_by(&server_key, &issuer).unwrap().der().clone()];
    let key = PrivateKeyDer::try_from(server_key.serialize_der()).unwrap();
    let mut server =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    server.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Authority { _folder: folder, file, server }
}

/// A server that speaks what was agreed on.
async fn serve(authority: &Authority, answer: impl Fn(&Seen) -> Answer + 'static) -> Upstream {
    let (upstream, listener) = Upstream::listen().await;
    let acceptor = TlsAcceptor::from(Arc::new(authority.server.clone()));
    let (server, answer) = (upstream.clone(), Rc::new(answer));
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, server, answer) = (acceptor.clone(), server.clone(), Rc::clone(&answer));
            spawn_local(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                    return server.serve_h1(stream, answer).await;
                }
                server.connections.set(server.connections.get() + 1);
                let service =
                    service_fn(move |request| server.clone().answer(request, Rc::clone(&answer)));
                let _ = hyper::server::conn::http2::Builder::new(connect::OnShard)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    upstream
}

fn https(upstream: &Upstream, path: &str) -> String {
    format!("https://localhost:{}{path}", upstream.address.port())
}

#[test]
fn the_version_is_what_both_ends_speak() {
    let check = |alpn: &[&[u8]], line: &str, host: bool| {
        run(async {
            let authority = authority(alpn);
            let upstream = serve(&authority, |_| ok("hello")).await;
            let client = client_with(config(), Bounds::default(), Some(&authority.file)).0;
            let url = https(&upstream, "/a?b");
            for _ in 0..3 {
                let request = post(&url, "body").with("Connection", "keep-alive");
                assert_eq!(&*client.call(&request).await.unwrap().body, b"hello");
            }
            let seen = upstream.seen.borrow().last().cloned().unwrap();
            assert_eq!(seen.line, line.replace("URL", &url));
            assert_eq!((&*seen.body, seen.header("host").is_some()), ("body", host));
            assert_eq!(upstream.connections.get(), 1);
        });
    };
    check(&[b"h2", b"http/1.1"], "POST URL HTTP/2.0", false);
    check(&[b"http/1.1"], "POST /a?b HTTP/1.1", true);
    check(&[], "POST /a?b HTTP/1.1", true);
}

#[test]
fn calls_at_once_share_a_connection_of_http2() {
    run(async {
        let authority = authority(&[b"h2"]);
        let upstream = serve(&authority, |_| ok(vec![b'x'; 100_000])).await;
        let (client, backend) = client_with(config(), Bounds::default(), Some(&authority.file));
        let url = https(&upstream, "/");
        client.call(&get(&url)).await.unwrap();
        let request = get(&url);
        let answers = join_all((0..50).map(|_| client.call(&request))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap().body.len() == 100_000));
        assert_eq!((upstream.connections.get(), backend.counts().connections), (1, 1));
    });
}

#[test]
fn a_certificate_of_an_unknown_authority_is_taken_only_when_asked_to() {
    run(async {
        let authority = authority(&[b"http/1.1"]);
        let upstream = serve(&authority, |_| ok("hello")).await;
        let (client, backend) = client_with(config(), Bounds::default(), None);
        let url = https(&upstream, "/");
        let insecure = HttpRequest { insecure: true, ..get(&url) };
        client.call(&insecure).await.unwrap();
        // The connection that trusts anybody is there, and is not used for a call that does not.
        let error = text(client.call(&get(&url)).await.unwrap_err());
        let expected = format!(r#"execute: Get "{url}": tls: invalid peer certificate: "#);
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(backend.counts().failures, [0, 0, 0, 1]);
        assert_eq!(upstream.lines().len(), 1);

        // Nor the other way round: a verified connection proves nothing for the other.
        let client = client_with(config(), Bounds::default(), Some(&authority.file)).0;
        client.call(&get(&url)).await.unwrap();
        client.call(&insecure).await.unwrap();
        assert_eq!(upstream.connections.get(), 3);
        // The name counts too.
        let other = format!("https://127.0.0.1:{}/", upstream.address.port());
        let error = text(client.call(&get(&other)).await.unwrap_err());
        assert!(error.contains("tls: invalid peer certificate"), "{error}");
    });
}

#[test]
fn a_connection_of_http2_is_not_used_after_a_call_was_broken_off() {
    run(async {
        let authority = authority(&[b"h2"]);
        let upstream = serve(&authority, |_| ok("hello")).await;
        let (client, backend) = client_with(config(), Bounds::default(), Some(&authority.file));
        let url = https(&upstream, "/");
        client.call(&get(&url)).await.unwrap();
        let request = get(&url);
        // Broken off before the answer could come.
        tokio::select! {
            biased;
            _ = client.call(&request) => panic!("nothing can have come yet"),
            () = std::future::ready(()) => {}
        }
        client.call(&get(&url)).await.unwrap();
        assert_eq!(upstream.connections.get(), 2);
        until("the first is closed", || backend.counts().connections == 1).await;
    });
}

/// One element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let len: &[u8] = match (high, low) {
        (0, ..0x80) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], len, &content[..]].concat()
}

/// A certificate without version, names and extensions, as `openssl x509 -req` makes it. Nobody
/// looks at its signature.
fn version_1(key: &KeyPair) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let algorithm = der(SEQUENCE, &[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"]);
    let common_name = der(SEQUENCE, &[b"\x06\x03\x55\x04\x03", &der(0x0c, &[b"localhost"])]);
    let name = der(SEQUENCE, &[&der(0x31, &[&common_name])]);
    let time = |text: &[u8]| der(0x17, &[text]);
    let validity = der(SEQUENCE, &[&time(b"260101000000Z"), &time(b"490101000000Z")]);
    let (serial, public_key) = (der(0x02, &[b"\x01"]), key.subject_public_key_info());
    let signed = [&serial, &algorithm, &name, &validity, &name, &public_key].map(|part| &part[..]);
    der(SEQUENCE, &[&der(SEQUENCE, &signed), &algorithm, &der(0x03, &[b"\x00\x30\x00"])])
}

#[test]
fn an_insecure_call_takes_certificates_that_rustls_cannot_read() {
    run(async {
        let mut authority = authority(&[]);
        let key = KeyPair::generate().unwrap();
        let chain = vec![version_1(&key).into()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        authority.server =
            ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(shown));
        let upstream = serve(&authority, |_| ok("hello")).await;
        let url = https(&upstream, "/");
        let client = client(config());
        let error = text(client.call(&get(&url)).await.unwrap_err());
        assert!(error.contains("tls: invalid peer certificate"), "{error}");
        let insecure = HttpRequest { insecure: true, ..get(&url) };
        assert_eq!(&*client.call(&insecure).await.unwrap().body, b"hello");
    });
}
