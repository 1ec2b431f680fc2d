//! TLS on the listener: the operator's certificate, and handshakes that end in time.

mod files;
mod renewal;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use self::files::Files;
use self::renewal::Renewal;
use crate::config::Tls as Configured;
use crate::ws::crowd::Crowd;
use crate::ws::transport::Transport;

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Makes connections secure.
pub(super) struct Tls {
    acceptor: watch::Receiver<TlsAcceptor>,
    crowd: Arc<Crowd>,
}

impl Tls {
    /// With the certificate that is configured, if one is, and the work of seeing to it that it stays the newest. Handshakes count among
    /// those of the crowd that have not said hello.
    pub(super) fn new(
        config: &Configured,
        crowd: Arc<Crowd>,
    ) -> anyhow::Result<Option<(Self, impl Future<Output = ()> + use<>)>> {
        let Some(files) = Files::of(config) else { return Ok(None) };
        let (renewal, acceptor) = Renewal::of(files)?;
        Ok(Some((Self { acceptor, crowd }, renewal.keep_up())))
    }

    /// Makes a connection secure, in time, unless its address has too many under way. `counted`: a trusted proxy's is not.
    pub(super) async fn secure(&self, stream: TcpStream, peer: IpAddr, counted: bool) -> Option<Transport> {
        let newcomer = counted.then(|| self.crowd.greet(peer));
        if matches!(newcomer, Some(None)) {
            // Nothing can be said before the handshake.
            tracing::debug!("too many handshakes of one address");
            return None;
        }
        let acceptor = self.acceptor.borrow().clone();
        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
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
