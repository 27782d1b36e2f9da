//! TLS towards back ends: which authorities are trusted, or that none is asked.
//!
//! Certificates are read once, at the server's start. The machine's own authorities count
//! (`SSL_CERT_FILE` and `SSL_CERT_DIR` change them, as they do for Go's programs), and those of one
//! more file if the settings name one.

mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

pub use verifier::Hosts;
use verifier::{Verifier, Wanted};

/// The authorities that back ends' certificates may come from.
#[derive(Debug, Clone)]
pub struct Roots {
    store: Arc<RootCertStore>,
    /// The same certificates, for drivers that make their own store.
    certificates: Arc<[CertificateDer<'static>]>,
}

/// A file of authorities that is of no use.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct RootsError {
    pub path: PathBuf,
    pub reason: String,
}

/// The one provider of cryptography in the process. Call it before anything else here; twice does no
/// harm.
pub fn install_provider() {
    // An error means that one is installed already.
    let _ = aws_lc_rs::default_provider().install_default();
}

impl Roots {
    /// The machine's authorities and those of `extra`, a PEM file. Reads files: at start only.
    pub fn load(extra: Option<&Path>) -> Result<Roots, RootsError> {
        let mut certificates = rustls_native_certs::load_native_certs().certs;
        let mut store = RootCertStore::empty();
        // Machines carry certificates that rustls does not take; the others count.
        store.add_parsable_certificates(certificates.iter().cloned());
        if let Some(path) = extra {
            certificates.extend(add(path, &mut store)?);
        }
        Ok(Roots { store: Arc::new(store), certificates: certificates.into() })
    }

    /// Those of a PEM file and no others. Reads it: at start only.
    pub fn of_file(path: &Path) -> Result<Roots, RootsError> {
        let certificates = read_certificates(path)?;
        let mut store = RootCertStore::empty();
        // It may be a copy of the machine's, see above.
        store.add_parsable_certificates(certificates.iter().cloned());
        Ok(Roots { store: Arc::new(store), certificates: certificates.into() })
    }

    /// The trusted certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// A client's side that offers `alpn`, in its order of preference. Without `verify` any
    /// certificate of any host will do: whoever is on the way can read and change everything.
    pub fn client(&self, verify: bool, alpn: &[&[u8]]) -> ClientConfig {
        let builder = ClientConfig::builder();
        let mut config = match verify {
            true => builder.with_root_certificates(Arc::clone(&self.store)).with_no_client_auth(),
            false => with_verifier(builder, None),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config
    }

    /// A client's side for a driver that is given addresses only: the certificate must be for one
    /// of `hosts`. There is no server name indication, since the driver has no name to send.
    /// `None` asks for nothing, as [`Roots::client`] does without `verify`.
    pub fn client_of(&self, hosts: Option<Hosts>) -> ClientConfig {
        let roots = Arc::clone(&self.store);
        let wanted = hosts.map(|hosts| Wanted { roots, hosts: Some(hosts) });
        with_verifier(ClientConfig::builder(), wanted)
    }

    /// A client's side that wants a certificate of a trusted authority, for whatever name.
    pub fn client_of_any_name(&self) -> ClientConfig {
        let wanted = Wanted { roots: Arc::clone(&self.store), hosts: None };
        with_verifier(ClientConfig::builder(), Some(wanted))
    }
}

fn with_verifier(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    wanted: Option<Wanted>,
) -> ClientConfig {
    let provider = Arc::clone(builder.crypto_provider());
    let verifier = Arc::new(Verifier { provider, wanted });
    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// Whether a file holds certificates that [`Roots::load`] can add, and no others.
pub fn check_file(path: &Path) -> Result<(), RootsError> {
    add(path, &mut RootCertStore::empty()).map(drop)
}

/// Certificates that were named on purpose: each must be of use.
fn add(path: &Path, store: &mut RootCertStore) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let fail =
        |error: rustls::Error| RootsError { path: path.to_owned(), reason: error.to_string() };
    let certificates = read_certificates(path)?;
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(fail)?;
    }
    Ok(certificates)
}

/// The certificates of a PEM file, at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let fail = |reason: String| RootsError { path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fail(error.to_string()))?;
    if certificates.is_empty() {
        return Err(fail(String::from("no certificate in it")));
    }
    Ok(certificates)
}

/// What a failed handshake says about TLS itself: a certificate that is not trusted or for another
/// host, or a peer that speaks something else. `None` if `error` is of another kind, such as a
/// connection that broke.
pub fn fault<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // What an `io::Error` was made of is not its source; that one's source is.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Roots, install_provider};

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for (content, reason) in [
            ("", "no certificate in it"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "base64"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = Roots::load(Some(&path)).unwrap_err().to_string();
            assert!(error.contains("ca.pem: ") && error.contains(reason), "{error}");
        }
        let missing = Roots::load(Some(&folder.path().join("none"))).unwrap_err().to_string();
        assert!(missing.contains("none: "), "{missing}");
    }

    #[test]
    fn the_protocols_offered_keep_their_order() {
        install_provider();
        let config = Roots::load(None).unwrap().client(true, &[b"h2", b"http/1.1"]);
        assert_eq!(config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    }
}
