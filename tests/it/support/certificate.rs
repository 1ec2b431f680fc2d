//! Certificates for servers that speak TLS.

use std::path::PathBuf;
use std::sync::Arc;

use anteroom::config::Config;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// A certificate for `localhost`, and its files.
pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    files: TempDir,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let files = tempfile::tempdir().expect("a directory");
        let write = |name: &str, tag: &str, der: &[u8]| {
            let text = pem::encode(&pem::Pem::new(tag, der));
            std::fs::write(files.path().join(name), text).expect("written");
        };
        write("cert.pem", "CERTIFICATE", made.cert.der());
        write("key.pem", "PRIVATE KEY", &made.signing_key.serialize_der());
        Self { der: made.cert.der().clone(), files }
    }

    /// Puts one of the files of another certificate in the place of its own.
    pub(crate) fn take(&self, other: &Self, name: &str) {
        let from = other.files.path().join(name);
        std::fs::copy(from, self.files.path().join(name)).expect("copied");
    }

    /// The path of one of its files.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.files.path().join(name))
    }

    /// Has a server use it.
    pub(crate) fn of(&self, config: &mut Config) {
        config.tls.certificate = self.file("cert.pem");
        config.tls.key = self.file("key.pem");
    }

    /// A client that trusts this certificate alone.
    pub(crate) fn connector(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a root");
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config).into()
    }
}
