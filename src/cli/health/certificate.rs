//! Trust in one certificate and no other: the one that the configuration names. Who signed it, which names it has and until when it holds
//! is for the clients to judge, who come by a name; a health check comes by the address, and asks after the server and not after that.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::unready::Unready;

/// How to speak TLS with whoever has the first certificate of this file, and its key.
pub(super) fn only(file: &Path) -> Result<ClientConfig, Unready> {
    let unusable = |why: String| Unready::Certificate { file: file.to_owned(), why };
    let certificate = CertificateDer::from_pem_file(file).map_err(|error| unusable(error.to_string()))?;
    trusting(certificate).map_err(|error| unusable(error.to_string()))
}

fn trusting(certificate: CertificateDer<'static>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Only { certificate, algorithms }))
        .with_no_client_auth())
}

/// The certificate that counts.
#[derive(Debug)]
struct Only {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    // A certificate is public. That the other end has its key is what these two see to.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
    use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
    use tokio_rustls::rustls::version::{TLS12, TLS13};
    use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion, sign};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// A server that shows this certificate and signs with this key, whether they belong together or not.
    #[derive(Debug)]
    struct Shows(Arc<sign::CertifiedKey>);

    impl ResolvesServerCert for Shows {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }

    fn made() -> CertifiedKey<KeyPair> {
        generate_simple_self_signed(["elsewhere.example".to_owned()]).expect("a certificate")
    }

    /// Whether somebody who trusts the one certificate believes a server that shows `shown` and has the key of `key`.
    async fn believed(
        trusted: &CertifiedKey<KeyPair>,
        (shown, key): (&CertifiedKey<KeyPair>, &CertifiedKey<KeyPair>),
        version: &'static SupportedProtocolVersion,
    ) -> bool {
        let key = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
        let key = any_supported_type(&key).expect("a key");
        let shows = Shows(Arc::new(sign::CertifiedKey::new(vec![shown.cert.der().clone()], key)));
        let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shows));
        let client = trusting(trusted.cert.der().clone()).expect("a configuration");
        let (here, there) = tokio::io::duplex(16 * 1024);
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let connect = TlsConnector::from(Arc::new(client)).connect(name, here);
        let (connected, _) = tokio::join!(connect, TlsAcceptor::from(Arc::new(server)).accept(there));
        connected.is_ok()
    }

    #[tokio::test]
    async fn only_the_certificate_that_is_named_is_believed_and_only_of_whoever_has_its_key() {
        let (ours, other) = (made(), made());
        for version in [&TLS12, &TLS13] {
            assert!(believed(&ours, (&ours, &ours), version).await, "by whatever name it is asked");
            assert!(!believed(&ours, (&other, &other), version).await);
            assert!(!believed(&ours, (&ours, &other), version).await, "a certificate is public");
        }
    }
}
