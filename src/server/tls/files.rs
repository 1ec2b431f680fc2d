//! The PEM files of a certificate and its key, as they are found.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls as Configured;

/// Where they are.
#[derive(Debug, Clone)]
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What was in them.
pub(super) struct Found {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    /// Those that are configured, if they are.
    pub(super) fn of(config: &Configured) -> Option<Self> {
        let (certificate, key) = (config.certificate.clone()?, config.key.clone()?);
        Some(Self { certificate, key })
    }

    /// Reads them.
    pub(super) fn read(&self) -> anyhow::Result<Found> {
        let read = |what, path: &Path| std::fs::read(path).with_context(|| unusable(what, path));
        let certificate = read("tls.certificate", &self.certificate)?;
        Ok(Found { certificate, key: read("tls.key", &self.key)? })
    }

    /// What serves by what was found in them.
    pub(super) fn acceptor(&self, found: &Found) -> anyhow::Result<TlsAcceptor> {
        let chain = CertificateDer::pem_slice_iter(&found.certificate)
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| unusable("tls.certificate", &self.certificate))?;
        let place = self.certificate.display();
        ensure!(!chain.is_empty(), "tls.certificate: there is no certificate in {place}");
        let key =
            PrivateKeyDer::from_pem_slice(&found.key).with_context(|| unusable("tls.key", &self.key))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .context("tls.key does not fit tls.certificate")?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn unusable(what: &str, path: &Path) -> String {
    format!("{what}: cannot use {}", path.display())
}

impl Found {
    /// By what it is known again, so that a key need not be kept for that.
    pub(super) fn digest(&self) -> [u8; 32] {
        let both = Sha256::digest(&self.certificate).into_iter().chain(Sha256::digest(&self.key));
        Sha256::digest(both.collect::<Vec<u8>>()).into()
    }
}
