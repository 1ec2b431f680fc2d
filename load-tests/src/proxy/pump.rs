//! One direction of one connection: takes bytes from one end and brings them to the other, by the orders of the moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::link::Link;
use super::{Fault, Way, fault, lock};

/// Bytes that may be under way in one direction of a connection, as a window of TCP would have it.
const UNDER_WAY: usize = 256 * 1_024;

/// Pieces that may be under way, however small.
const PIECES: usize = 4_096;

/// The largest piece.
const PIECE: usize = 16 * 1_024;

/// A throttled direction moves so often in a second.
const STEPS: u32 = 20;

/// What is to be done in one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Orders {
    pub(super) fault: Fault,
    /// Connections are numbered; for those with smaller numbers than this, the direction is over.
    pub(super) half_closed_before: u64,
}

/// Why a connection is reset at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// One end has reset it, and the other one is told.
    ByPeer,
    /// All are to be reset.
    Ordered,
    /// It lost bytes, and is found out.
    Hole,
    /// The reply that was to be lost has come.
    LostReply,
}

/// What has come from one end.
enum What {
    Bytes(Vec<u8>),
    /// It will not send any more.
    End,
    /// It has reset the connection.
    Reset,
}

struct Arrival {
    what: What,
    received: Instant,
    due: Instant,
    /// Its share of what may be under way.
    _place: Option<OwnedSemaphorePermit>,
}

/// Runs until the direction has ended properly, or the connection has to be reset.
pub(super) async fn run(link: &Link, way: Way, source: ReadHalf<'_>, sink: WriteHalf<'_>) -> Result<(), Cut> {
    let orders = link.shared.orders(way).subscribe();
    let (queue, arrivals) = mpsc::channel(PIECES);
    let out = Out { link, way, sink, orders: orders.clone(), place: 0 };
    let taken = async {
        take(source, &orders, queue).await;
        Ok(())
    };
    tokio::try_join!(taken, out.bring(arrivals)).map(drop)
}

/// Takes what comes until the end, and says when it is due.
async fn take(mut source: ReadHalf<'_>, orders: &watch::Receiver<Orders>, queue: mpsc::Sender<Arrival>) {
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let mut buffer = vec![0; PIECE];
    loop {
        let what = match source.read(&mut buffer).await {
            Ok(0) => What::End,
            Ok(read) => What::Bytes(buffer.get(..read).unwrap_or_default().to_owned()),
            Err(_) => What::Reset,
        };
        let (size, is_last) = match &what {
            What::Bytes(bytes) => (u32::try_from(bytes.len()).unwrap_or(u32::MAX), false),
            What::End | What::Reset => (0, true),
        };
        let received = Instant::now();
        let due = received + orders.borrow().fault.delay();
        // The semaphore is never closed.
        let _place = Arc::clone(&places).acquire_many_owned(size).await.ok();
        let arrival = Arrival { what, received, due, _place };
        if queue.send(arrival).await.is_err() || is_last {
            return;
        }
    }
}

/// The way out of a direction.
struct Out<'a> {
    link: &'a Link,
    way: Way,
    sink: WriteHalf<'a>,
    orders: watch::Receiver<Orders>,
    /// How many bytes have come by.
    place: u64,
}

impl Out<'_> {
    async fn bring(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Result<(), Cut> {
        loop {
            let mut orders = self.orders.clone();
            // An end that is ordered comes first: nothing more is to arrive after it.
            let arrival = tokio::select! {
                biased;
                () = is_half_closed(&mut orders, self.link.number) => return self.half_close(arrivals).await,
                arrival = next(&mut arrivals) => arrival,
            };
            let Some(arrival) = arrival else { return Ok(()) };
            match arrival.what {
                What::Bytes(bytes) => self.deliver(bytes, arrival.received).await?,
                What::End => {
                    self.until_news_pass().await?;
                    return self.sink.shutdown().await.map_err(|_| Cut::ByPeer);
                }
                What::Reset => {
                    self.until_news_pass().await?;
                    return Err(Cut::ByPeer);
                }
            }
        }
    }

    /// Brings bytes to the other end, as the orders of the moment want it: they may change on the way.
    async fn deliver(&mut self, mut bytes: Vec<u8>, received: Instant) -> Result<(), Cut> {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let fault = self.orders.borrow_and_update().fault;
            let goes_on = !matches!(fault, Fault::Hold | Fault::Vanish);
            if goes_on && done == 0 {
                self.look_at(rest, received)?;
            }
            done += match fault {
                Fault::Hold => {
                    self.wait_for_orders(None).await;
                    0
                }
                Fault::Vanish => self.lose(rest),
                Fault::Pass | Fault::Delay(_) => self.write(rest).await?,
                Fault::Throttle(rate) => self.write_slowly(rest, rate.max(1)).await?,
                Fault::Corrupt { every, seed } => self.write_corrupted(rest, every, seed).await?,
            };
        }
        Ok(())
    }

    /// What is to be known of bytes before they go on.
    fn look_at(&self, bytes: &[u8], received: Instant) -> Result<(), Cut> {
        if self.link.is_found_out() {
            return Err(Cut::Hole);
        }
        match self.way {
            Way::ToServer => {
                let mut doomed = lock(&self.link.shared.doomed);
                if doomed.as_ref().is_some_and(|request| holds(bytes, request)) {
                    *doomed = None;
                    // Two at once on one connection are lost together.
                    let _ = self.link.doomed.set(Instant::now());
                }
                Ok(())
            }
            Way::ToClient if self.link.doomed.get().is_some_and(|since| received >= *since) => {
                Err(Cut::LostReply)
            }
            Way::ToClient => Ok(()),
        }
    }

    /// Writes some of these bytes, and gives how many.
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Cut> {
        let written = match self.sink.write(bytes).await {
            Ok(written) => written,
            Err(_) => return Err(self.tell_back().await),
        };
        self.place += count(written);
        self.link.shared.count(|counts| match self.way {
            Way::ToServer => counts.to_server += count(written),
            Way::ToClient => counts.to_client += count(written),
        });
        Ok(written)
    }

    async fn write_slowly(&mut self, bytes: &[u8], rate: u32) -> Result<usize, Cut> {
        let step = usize::try_from(rate / STEPS).unwrap_or(usize::MAX).clamp(1, bytes.len());
        let written = self.write(bytes.get(..step).unwrap_or_default()).await?;
        self.wait_for_orders(Some(Duration::from_secs(count(written)) / rate)).await;
        Ok(written)
    }

    async fn write_corrupted(&mut self, bytes: &mut [u8], every: u32, seed: u64) -> Result<usize, Cut> {
        let flipped = fault::corrupt(bytes, self.place, every, seed);
        self.link.shared.count(|counts| counts.flipped += flipped);
        // To the last of them: bits are not to be turned twice.
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            done += self.write(rest).await?;
        }
        Ok(done)
    }

    /// This end is gone. That is news for the other one, and goes the way that this end's bytes would.
    async fn tell_back(&self) -> Cut {
        let mut orders = self.link.shared.orders(self.way.back()).subscribe();
        // It fails when the proxy ends.
        let _ = orders.wait_for(|orders| !matches!(orders.fault, Fault::Hold | Fault::Vanish)).await;
        Cut::ByPeer
    }

    /// That a peer is gone is news, which is held or vanishes as bytes are.
    async fn until_news_pass(&mut self) -> Result<(), Cut> {
        loop {
            match self.orders.borrow_and_update().fault {
                Fault::Hold => {}
                Fault::Vanish => self.link.tear(self.way),
                Fault::Pass | Fault::Delay(_) | Fault::Throttle(_) | Fault::Corrupt { .. } => break,
            }
            self.wait_for_orders(None).await;
        }
        if self.link.is_found_out() { Err(Cut::Hole) } else { Ok(()) }
    }

    /// Ends the direction here, and lets whatever comes later vanish.
    async fn half_close(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Result<(), Cut> {
        self.sink.shutdown().await.map_err(|_| Cut::ByPeer)?;
        self.link.shared.count(|counts| counts.half_closed += 1);
        while let Some(arrival) = arrivals.recv().await {
            match arrival.what {
                What::Bytes(bytes) => self.link.shared.count(|counts| counts.vanished += count(bytes.len())),
                What::End => {}
                What::Reset => return Err(Cut::ByPeer),
            }
        }
        Ok(())
    }

    /// Loses all of these bytes, and gives how many.
    fn lose(&mut self, bytes: &[u8]) -> usize {
        self.link.tear(self.way);
        self.place += count(bytes.len());
        self.link.shared.count(|counts| counts.vanished += count(bytes.len()));
        bytes.len()
    }

    async fn wait_for_orders(&mut self, at_most: Option<Duration>) {
        let enough = async {
            match at_most {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
        };
        // Fair: the orders are looked at in either case. They end with the proxy, which resets the connection.
        tokio::select! {
            _ = self.orders.changed() => {}
            () = enough => {}
        }
    }
}

/// The next arrival, when it is due.
async fn next(arrivals: &mut mpsc::Receiver<Arrival>) -> Option<Arrival> {
    let arrival = arrivals.recv().await?;
    sleep_until(arrival.due).await;
    Some(arrival)
}

async fn is_half_closed(orders: &mut watch::Receiver<Orders>, number: u64) {
    if orders.wait_for(|orders| number < orders.half_closed_before).await.is_err() {
        std::future::pending().await
    }
}

fn holds(bytes: &[u8], request: &[u8]) -> bool {
    request.is_empty() || bytes.windows(request.len()).any(|window| window == request)
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
