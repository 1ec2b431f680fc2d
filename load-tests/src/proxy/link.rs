//! One connection through the proxy: its two ends, its two directions, and its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::pump::{self, Cut};
use super::{Fault, Shared, Way, lock};

/// What both directions of a connection know.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) shared: Arc<Shared>,
    /// Whether bytes have vanished on the way to the server, and to the client.
    to_server_has_a_hole: AtomicBool,
    to_client_has_a_hole: AtomicBool,
    /// When the request went on whose reply is to be lost.
    pub(super) doomed: OnceLock<Instant>,
}

/// Leads a client to the server, in a task of its own.
pub(super) fn open(shared: &Arc<Shared>, client: TcpStream) {
    let link = Link {
        number: shared.next_number.fetch_add(1, Ordering::SeqCst),
        shared: Arc::clone(shared),
        to_server_has_a_hole: AtomicBool::new(false),
        to_client_has_a_hole: AtomicBool::new(false),
        doomed: OnceLock::new(),
    };
    shared.count(|counts| counts.connections += 1);
    tokio::spawn(link.run(client));
}

/// Ends a connection so that its peer notices at once (RST), and what was under way is lost.
pub(super) fn reset(stream: TcpStream) {
    // It fails on a connection that is gone, and there is nothing to reset then.
    let _ = stream.set_zero_linger();
    drop(stream);
}

impl Link {
    fn hole(&self, way: Way) -> &AtomicBool {
        match way {
            Way::ToServer => &self.to_server_has_a_hole,
            Way::ToClient => &self.to_client_has_a_hole,
        }
    }

    /// Notes that bytes have vanished.
    pub(super) fn tear(&self, way: Way) {
        self.hole(way).store(true, Ordering::SeqCst);
    }

    /// Whether bytes have vanished on a way that is open again.
    pub(super) fn is_found_out(&self) -> bool {
        let is_open = |way| self.shared.orders(way).borrow().fault != Fault::Vanish;
        [Way::ToServer, Way::ToClient]
            .into_iter()
            .any(|way| self.hole(way).load(Ordering::SeqCst) && is_open(way))
    }

    async fn run(self, client: TcpStream) {
        let mut orders = self.shared.reset_before.subscribe();
        let upstream = *lock(&self.shared.upstream);
        // Fair: whichever comes first.
        let server = tokio::select! {
            server = TcpStream::connect(upstream) => server,
            () = is_ordered(&mut orders, self.number) => {
                reset(client);
                return self.shared.count(|counts| counts.resets += 1);
            }
        };
        let Ok(server) = server else {
            reset(client);
            return self.shared.count(|counts| counts.unreachable += 1);
        };
        self.shared.count(|counts| counts.open += 1);
        let ended = self.talk(client, server, orders).await;
        self.shared.count(|counts| {
            counts.open -= 1;
            match ended {
                Ok(()) | Err(Cut::ByPeer) => {}
                Err(Cut::Ordered | Cut::Hole) => counts.resets += 1,
                Err(Cut::LostReply) => {
                    counts.lost_replies += 1;
                    counts.resets += 1;
                }
            }
        });
    }

    /// Both directions, until both have ended properly or the whole is cut.
    async fn talk(
        &self,
        mut client: TcpStream,
        mut server: TcpStream,
        mut orders: watch::Receiver<u64>,
    ) -> Result<(), Cut> {
        // A small piece is not to wait for the next one; an error says that the connection is gone, which the pumps will see.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let ended = {
            // Not `into_split`: its halves say a proper farewell when they are dropped.
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let both = async {
                let there = pump::run(self, Way::ToServer, from_client, to_server);
                let back = pump::run(self, Way::ToClient, from_server, to_client);
                tokio::try_join!(there, back).map(drop)
            };
            // The order first: nothing more is to arrive after it.
            tokio::select! {
                biased;
                () = is_ordered(&mut orders, self.number) => Err(Cut::Ordered),
                ended = both => ended,
            }
        };
        if ended.is_err() {
            reset(client);
            reset(server);
        }
        ended
    }
}

/// Waits until the connection of this number is to be reset.
async fn is_ordered(orders: &mut watch::Receiver<u64>, number: u64) {
    // It fails when nobody is left to give the order: the same end.
    let _ = orders.wait_for(|before| number < *before).await;
}
