//! TLS on the listener: the operator's certificate, and handshakes that end in time.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Tls as Configured;
use crate::ws::crowd::Crowd;
use crate::ws::transport::Transport;

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Makes connections secure.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    crowd: Arc<Crowd>,
}

impl Tls {
    /// With the certificate that is configured, if one is. Handshakes count among those of the crowd that have not said hello.
    pub(super) fn new(config: &Configured, crowd: Arc<Crowd>) -> anyhow::Result<Option<Self>> {
        let (Some(certificate), Some(key)) = (&config.certificate, &config.key) else { return Ok(None) };
        let acceptor = TlsAcceptor::from(Arc::new(server_config(certificate, key)?));
        Ok(Some(Self { acceptor, crowd }))
    }

    /// Makes a connection secure, in time, unless its address has too many under way. `counted`: a trusted proxy's is not.
    pub(super) async fn secure(&self, stream: TcpStream, peer: IpAddr, counted: bool) -> Option<Transport> {
        let newcomer = counted.then(|| self.crowd.greet(peer));
        if matches!(newcomer, Some(None)) {
            // Nothing can be said before the handshake.
            tracing::debug!("too many handshakes of one address");
            return None;
        }
        match timeout(HANDSHAKE, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(Transport::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }
}

fn server_config(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let unreadable = |what, path: &Path| format!("{what}: cannot use {}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| unreadable("tls.certificate", certificate))?;
    ensure!(!chain.is_empty(), "tls.certificate: there is no certificate in {}", certificate.display());
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| unreadable("tls.key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("tls.key does not fit tls.certificate")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
