//! What a server's certificate must show: nothing, that it comes from a trusted authority, or also that
//! it is for the host that the settings name.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Who the servers of a driver may be that knows them by address only, because their names were
/// resolved for it.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Vec<ServerName<'static>>,
    /// Where the names led: an answer of the name server, so a certificate for such an address
    /// proves nothing about the host that was asked for.
    resolved: Vec<IpAddr>,
}

impl Hosts {
    /// Adds a host of the settings, and the addresses that it has.
    ///
    /// # Errors
    /// No certificate can be for such a name.
    pub fn add(&mut self, host: &str, addresses: &[SocketAddr]) -> Result<(), String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("{host} is no name that a certificate could have"))?;
        self.names.push(name);
        self.resolved.extend(addresses.iter().map(SocketAddr::ip));
        Ok(())
    }

    /// A certificate is for one of the hosts, or for the address of a server that the others told
    /// of.
    fn check(
        &self,
        certificate: &ParsedCertificate<'_>,
        server: &ServerName<'_>,
    ) -> Result<(), rustls::Error> {
        let learnt = match server {
            ServerName::IpAddress(address) => !self.resolved.contains(&IpAddr::from(*address)),
            _ => true,
        };
        if learnt && verify_server_name(certificate, server).is_ok() {
            return Ok(());
        }
        let mut result = Err(CertificateError::NotValidForName.into());
        for name in &self.names {
            result = verify_server_name(certificate, name);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

/// Checks certificates, and that the peer has the key of its own. Who takes any certificate, also one that rustls cannot
/// read (of X.509 version 1, which `openssl x509` makes by itself), is not protected by its key either.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) provider: Arc<CryptoProvider>,
    /// `None`: any certificate will do.
    pub(super) wanted: Option<Wanted>,
}

#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) roots: Arc<RootCertStore>,
    /// `None`: any name will do.
    pub(super) hosts: Option<Hosts>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(Wanted { roots, hosts }) = &self.wanted {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
            if let Some(hosts) = hosts {
                hosts.check(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.wanted.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if self.wanted.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// For `db.example` and 10.0.0.7, by nobody whom anybody trusts.
    const CERTIFICATE: &str = "\
        MIIBjTCCATKgAwIBAgIUONMHd5+xYBcb3ta9qlg3R8ZSk00wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBdDAgFw0yNj\
        ExMjExNjA4MDlaGA8yMTI2MTAyODE2MDgwOVowDDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA\
        BCOT3i3V86j8N35GgG2tLw2JU0E3HXOuoQyoNT4E+iOVlEfp8lV1TVqMkeJqFJPc36KfGUk8a7oDjU3V5noYqlmjcD\
        BuMB0GA1UdDgQWBBQvFain4zZhx3h3eNtJD5OVjjNb1jAfBgNVHSMEGDAWgBQvFain4zZhx3h3eNtJD5OVjjNb1jAP\
        BgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCCmRiLmV4YW1wbGWHBAoAAAcwCgYIKoZIzj0EAwIDSQAwRgIhAOPdgB\
        WAywGwNWeJ4YxfSuxRmSe+akUakNY9JUDhMmo+AiEArEvdNJapLJ1y20svKfJm1iVUI3PF2/jbmWO+sU968DA=";

    #[test]
    fn a_certificate_is_for_the_host_that_was_asked_for() {
        let certificate = CertificateDer::from(STANDARD.decode(CERTIFICATE).unwrap());
        let certificate = ParsedCertificate::try_from(&certificate).unwrap();
        for (host, resolved, server, ok) in [
            ("db.example", "10.0.0.7", "10.0.0.7", true),
            ("db.example", "10.0.0.9", "10.0.0.9", true),
            ("10.0.0.7", "10.0.0.7", "10.0.0.7", true),
            // Another host's name led to the certificate's address.
            ("kv.example", "10.0.0.7", "10.0.0.7", false),
            ("kv.example", "10.0.0.9", "10.0.0.9", false),
            ("10.0.0.9", "10.0.0.9", "10.0.0.9", false),
            // A node that another one told of.
            ("kv.example", "10.0.0.9", "10.0.0.7", true),
            ("kv.example", "10.0.0.9", "10.0.0.8", false),
        ] {
            let mut hosts = Hosts::default();
            hosts.add(host, &[SocketAddr::new(resolved.parse().unwrap(), 1)]).unwrap();
            let server = ServerName::IpAddress(server.parse::<IpAddr>().unwrap().into());
            let checked = hosts.check(&certificate, &server);
            assert_eq!(checked.is_ok(), ok, "{host} at {resolved}, {server:?}: {checked:?}");
        }
    }

    #[test]
    fn a_name_that_no_certificate_can_have_is_refused() {
        assert!(Hosts::default().add("a b", &[]).is_err());
    }
}
