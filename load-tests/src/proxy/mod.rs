//! A proxy that does to connections what networks and dying machines do, at the moment a test says so. It stands on the loopback
//! interface in front of one server; how it treats new connections ([`Door`]), and what is under way in each direction ([`Fault`]), is
//! changed while it runs. It counts what it did, so that a fault test can prove that its fault hit something.
//!
//! ```no_run
//! # async fn example(redis: std::net::SocketAddr) -> std::io::Result<()> {
//! use anteroom_load_tests::proxy::{Door, Fault, Proxy, Way};
//!
//! let proxy = Proxy::start(redis).await?;
//! proxy.fault_on(Way::ToClient, Fault::Hold);
//! proxy.fault(Fault::Pass);
//! proxy.door(Door::Closed).await?;
//! proxy.reset_all();
//! proxy.until(|counts| counts.resets == 1).await;
//! # Ok(())
//! # }
//! ```
//!
//! What never lives here: what the bytes mean. The proxy knows no protocol.

mod count;
mod fault;
mod link;
mod porter;
mod pump;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

pub use count::Counts;
pub use fault::{Door, Fault, Way};

use crate::port;
use pump::Orders;

/// How often another port is tried when somebody else was quicker.
const PORTS_TRIED: usize = 5;

/// A running proxy. A clone is the same proxy; when the last one is dropped, it no longer listens and its connections are reset.
#[derive(Debug, Clone)]
pub struct Proxy(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    address: SocketAddr,
    shared: Arc<Shared>,
    doors: mpsc::Sender<porter::Order>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The porter goes by itself when nobody is left to give it orders.
        self.shared.reset_before.send_replace(u64::MAX);
    }
}

/// What the handle and all connections know.
#[derive(Debug)]
struct Shared {
    upstream: Mutex<SocketAddr>,
    to_server: watch::Sender<Orders>,
    to_client: watch::Sender<Orders>,
    /// Connections are numbered; those with smaller numbers than this are to be reset.
    reset_before: watch::Sender<u64>,
    next_number: AtomicU64,
    /// The request whose reply is to be lost holds these bytes.
    doomed: Mutex<Option<Vec<u8>>>,
    counts: watch::Sender<Counts>,
}

impl Shared {
    fn orders(&self, way: Way) -> &watch::Sender<Orders> {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }
}

/// What another thread's panic left is as good as before: each of these values is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Listens on a free port of the loopback interface and passes everything on to this server.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = listen().await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            to_server: watch::Sender::default(),
            to_client: watch::Sender::default(),
            reset_before: watch::Sender::default(),
            next_number: AtomicU64::new(0),
            doomed: Mutex::default(),
            counts: watch::Sender::default(),
        });
        let (doors, orders) = mpsc::channel(1);
        tokio::spawn(porter::run(Arc::clone(&shared), listener, orders));
        Ok(Self(Arc::new(Handle { address, shared, doors })))
    }

    /// Where a client finds the proxy. It stays the same, whatever becomes of the door.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The URL of the server, with the proxy's address in the place of the server's.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        url.replace(&lock(&self.0.shared.upstream).to_string(), &self.address().to_string())
    }

    /// Leads new connections to another server. Those that are there stay where they are: a failover.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *lock(&self.0.shared.upstream) = upstream;
    }

    /// Treats new connections like this from now on, and waits until it is so. Connections that are there go on.
    ///
    /// # Errors
    /// It cannot listen again: somebody else has taken the port.
    pub async fn door(&self, door: Door) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let gone = || io::Error::other("the runtime that the proxy was started in is gone");
        self.0.doors.send((door, done)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Does this to all that goes either way, from now on, on all connections.
    pub fn fault(&self, fault: Fault) {
        self.fault_on(Way::ToServer, fault);
        self.fault_on(Way::ToClient, fault);
    }

    /// Does this to all that goes one way, from now on, on all connections.
    pub fn fault_on(&self, way: Way, fault: Fault) {
        self.0.shared.orders(way).send_modify(|orders| orders.fault = fault);
    }

    /// Resets every connection that is there, at both ends: a firewall has restarted, a machine has died and come back, a connection has
    /// been killed by an operator. What was under way is lost. New connections are welcome.
    ///
    /// A connection is there when the proxy has accepted it, which is a moment after the client's `connect`: wait for [`Counts::open`].
    pub fn reset_all(&self) {
        let next = self.next_number();
        self.0.shared.reset_before.send_replace(next);
    }

    /// Ends one direction of every connection that is there, and leaves the other open: the peer has said that it is done (a FIN), as a server
    /// does that shuts down or a middlebox that has had enough, and may read on all the same. What comes from that peer later is dropped.
    pub fn half_close(&self, way: Way) {
        let next = self.next_number();
        self.0.shared.orders(way).send_modify(|orders| orders.half_closed_before = next);
    }

    /// Loses the reply to the next request: it reaches the server, the first that the server says afterwards is dropped, and the connection
    /// is reset. The client cannot know whether the server has done what it asked for.
    pub fn lose_next_reply(&self) {
        self.lose_reply_to(b"");
    }

    /// The same for the next request that holds these bytes, such as `COMMIT`, on whichever connection. (It is looked for in what arrives
    /// at once: short requests do.)
    pub fn lose_reply_to(&self, request: &[u8]) {
        *lock(&self.0.shared.doomed) = Some(request.to_owned());
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        *self.0.shared.counts.borrow()
    }

    /// Waits until the counts are such, for as long as it takes, and gives them.
    pub async fn until(&self, such: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.0.shared.counts.subscribe();
        // It fails when the sender is gone, and that one is ours.
        counts.wait_for(such).await.map_or_else(|_| self.counts(), |counts| *counts)
    }

    fn next_number(&self) -> u64 {
        self.0.shared.next_number.load(Ordering::SeqCst)
    }
}

async fn listen() -> io::Result<TcpListener> {
    let mut tried = 0;
    loop {
        tried += 1;
        match TcpListener::bind(("127.0.0.1", port::free()?)).await {
            Err(error) if tried < PORTS_TRIED && error.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
}
