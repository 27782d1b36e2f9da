//! nginx, as the server that guests call over HTTP.

use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::sync::OnceLock;

use super::daemon::{Launch, open_to_all};
use super::ports::free_port;
use super::{Backend, Certificates, Daemon, Settings};

/// One nginx server; `tests/services/nginx.sh` says what is where.
#[derive(Debug)]
pub struct Nginx {
    daemon: Daemon,
    tls_port: u16,
}

impl Nginx {
    /// That of this test process.
    pub fn shared() -> &'static Nginx {
        static NGINX: OnceLock<Nginx> = OnceLock::new();
        NGINX.get_or_init(Nginx::start)
    }

    /// One of a test's own, to be stopped and started.
    pub fn start() -> Nginx {
        let tls_port = Cell::new(0);
        let certificates = Certificates::shared().folder();
        let daemon = Daemon::start(|| {
            tls_port.set(free_port());
            Launch::new("nginx.sh", free_port())
                .arguments([tls_port.get().to_string(), certificates.display().to_string()])
        });
        Nginx { daemon, tls_port: tls_port.get() }
    }

    /// A page by HTTP/1.1.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemon.address())
    }

    /// A page by HTTP/2 or HTTP/1.1 over TLS. Who asks must know the authority of [`Certificates`].
    pub fn url_over_tls(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.tls_port)
    }

    /// Has a file served as `/files/NAME` and, slowly, as `/slow/NAME`.
    pub fn file(&self, name: &str, content: &[u8]) {
        let path = self.daemon.folder().join("files").join(name);
        fs::write(&path, content).expect("the folder can be written");
        open_to_all(&path);
    }
}

impl Backend for Nginx {
    fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// The HTTP client needs no settings; guests say where they call. It is told whom to trust.
    fn settings_at(&self, _address: SocketAddr) -> Settings {
        vec![("backend_ca_file", Certificates::shared().authority())]
    }
}
