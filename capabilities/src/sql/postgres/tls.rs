//! TLS as `sslmode` and the files beside it want it.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::dsn::{PostgresDsn, TlsMode};
use crate::sql::dsn::DsnError;
use crate::tls::{Roots, RootsError, read_certificates};

/// Reads the files that the DSN names: at the server's start only.
pub(super) fn client(dsn: &PostgresDsn, roots: &Roots) -> Result<ClientConfig, DsnError> {
    let named = dsn.root_cert.as_deref().map(Roots::of_file).transpose();
    let named = named.map_err(|error| unusable("sslrootcert", error))?;
    let mut config = match (dsn.tls, &named) {
        (TlsMode::VerifyFull, named) => named.as_ref().unwrap_or(roots).client(true, &[]),
        (TlsMode::VerifyCa, named) => named.as_ref().unwrap_or(roots).client_of_any_name(),
        // Whoever names authorities wants them asked.
        (TlsMode::Require | TlsMode::Prefer, Some(named)) => named.client_of_any_name(),
        (TlsMode::Require | TlsMode::Prefer, None) | (TlsMode::Disable, _) => {
            roots.client(false, &[])
        }
    };
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
    let chain = read_certificates(cert).map_err(|error| unusable("sslcert", error))?;
    let fail = |error: &dyn std::fmt::Display| DsnError::new("sslkey", error.to_string());
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| fail(&error))?;
    let key = config.crypto_provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| fail(&error))?;
    let identity = rustls::sign::CertifiedKey::new(chain, key);
    let mut config = config;
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(identity));
    Ok(config)
}

/// The file's path is part of the DSN, which no error shows.
fn unusable(part: &'static str, error: RootsError) -> DsnError {
    DsnError::new(part, error.reason)
}
