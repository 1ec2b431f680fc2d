//! One address before several nodes: each connection goes to the next of them, and past one that does not answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What distributes connections. Dropped, it takes no more.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Front {
    /// Listens here, before these nodes.
    ///
    /// # Errors
    /// Nobody can listen there.
    pub async fn start(listen: SocketAddr, nodes: Vec<SocketAddr>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let nodes: Arc<[SocketAddr]> = nodes.into();
        let next = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (nodes, first) = (nodes.clone(), next.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(carry(client, nodes, first));
            }
        });
        Ok(Self { address, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, nodes: Arc<[SocketAddr]>, first: usize) {
    for turn in 0..nodes.len() {
        let node = nodes[(first + turn) % nodes.len()];
        if let Ok(mut server) = TcpStream::connect(node).await {
            // A balancer adds no delay of its own. An error here is a connection that is over.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
