//! TLS as `sslmode` and the files beside it want it.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::dsn::{PostgresDsn, TlsMode};
use crate::sql::dsn::DsnError;
use crate::tls::Roots;

/// Reads the files that the DSN names: at the server's start only.
pub(super) fn client(dsn: &PostgresDsn, roots: &Roots) -> Result<ClientConfig, DsnError> {
    let mut mode = dsn.tls;
    let mut config = roots.client(mode == TlsMode::VerifyFull, &[]);
    let mut store = RootCertStore::empty();
    match &dsn.root_cert {
        Some(path) => {
            let certificates = certificates("sslrootcert", path)?;
            store.add_parsable_certificates(certificates);
            // Whoever names authorities wants them asked.
            if matches!(mode, TlsMode::Require | TlsMode::Prefer) {
                mode = TlsMode::VerifyCa;
            }
        }
        None => {
            store.add_parsable_certificates(roots.certificates().iter().cloned());
        }
    }
    let store = Arc::new(store);
    match mode {
        TlsMode::VerifyFull if dsn.root_cert.is_some() => {
            config = ClientConfig::builder().with_root_certificates(store).with_no_client_auth();
        }
        TlsMode::VerifyCa => {
            let provider = Arc::clone(config.crypto_provider());
            let verifier = AnyName { store, provider };
            config.dangerous().set_certificate_verifier(Arc::new(verifier));
        }
        _ => {}
    }
    if dsn.tls_direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    match &dsn.client_cert {
        Some((cert, key)) => with_identity(config, cert, key),
        None => Ok(config),
    }
}

/// Shows our certificate to a server that asks for one.
fn with_identity(config: ClientConfig, cert: &Path, key: &Path) -> Result<ClientConfig, DsnError> {
    let chain = certificates("sslcert", cert)?;
    let fail = |error: &dyn std::fmt::Display| DsnError::new("sslkey", error.to_string());
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| fail(&error))?;
    let key = config.crypto_provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| fail(&error))?;
    let identity = rustls::sign::CertifiedKey::new(chain, key);
    let mut config = config;
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(identity));
    Ok(config)
}

fn certificates(part: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, DsnError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(DsnError::new(part, "no certificate in the file")),
        Err(error) => Err(DsnError::new(part, error.to_string())),
    }
}

/// Wants a certificate of a trusted authority, for whatever name.
#[derive(Debug)]
struct AnyName {
    store: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.store,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
