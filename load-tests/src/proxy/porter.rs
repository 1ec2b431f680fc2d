//! Who stands at the door: accepts connections, or does not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::{Door, Shared, link};

/// How to treat new connections, and where to say that it is so.
pub(super) type Order = (Door, oneshot::Sender<io::Result<()>>);

/// Too many open files, most likely: the next moment may be better.
const AFTER_AN_ERROR: Duration = Duration::from_millis(10);

struct Porter {
    shared: Arc<Shared>,
    address: SocketAddr,
    door: Door,
    listener: Option<TcpListener>,
}

/// Does as it is told until the proxy ends.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener, mut orders: mpsc::Receiver<Order>) {
    let Ok(address) = listener.local_addr() else { return };
    let mut porter = Porter { shared, address, door: Door::Open, listener: Some(listener) };
    loop {
        // Orders first: who comes after one is treated by it.
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some((door, done)) => {
                    // Whoever asked may have gone.
                    let _ = done.send(porter.stand(door).await);
                }
                None => return,
            },
            accepted = accept(porter.listener.as_ref()) => porter.receive(accepted).await,
        }
    }
}

impl Porter {
    async fn stand(&mut self, door: Door) -> io::Result<()> {
        self.door = door;
        match door {
            Door::Closed => self.listener = None,
            Door::Open | Door::Slammed if self.listener.is_none() => {
                self.listener = Some(TcpListener::bind(self.address).await?);
            }
            Door::Open | Door::Slammed => {}
        }
        Ok(())
    }

    async fn receive(&self, accepted: io::Result<TcpStream>) {
        match (accepted, self.door) {
            (Ok(client), Door::Open) => link::open(&self.shared, client),
            (Ok(client), Door::Slammed | Door::Closed) => {
                link::reset(client);
                self.shared.count(|counts| counts.refused += 1);
            }
            (Err(_), Door::Open | Door::Slammed | Door::Closed) => sleep(AFTER_AN_ERROR).await,
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}
