//! Many sockets that are authenticated, joined and silent: what each of them costs the server in memory.

use std::time::{Duration, Instant};

use anteroom_protocol::room::JoinResult;
use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::time::sleep;

use super::fresh_name;
use super::target::Target;
use crate::client::{Socket, at_head};
use crate::marketplace::{Marketplace, OpenRoom};

/// Handshakes under way at a time.
const AT_ONCE: usize = 64;

/// Sockets that come and go before memory is measured, so that what the server makes once is not charged to the others.
const FIRST: usize = 64;

/// How long the server is left alone before its memory is measured: far less than its heartbeat's patience.
const REST: Duration = Duration::from_secs(3);

/// What came of it.
#[derive(Debug, Serialize)]
pub struct IdleResult {
    /// Sockets, each of a person of its own, two in each room.
    pub sockets: usize,
    /// Whether the server was started afresh between opening the rooms and measuring.
    pub fresh_process: bool,
    /// How long it took to tell of the people and open the rooms, in seconds.
    pub setup_seconds: f64,
    /// How long it took until all were upgraded, authenticated and joined, in seconds.
    pub connect_seconds: f64,
    /// The server's processor time for that, in seconds, if its process is known.
    pub connect_server_cpu: Option<f64>,
    /// The server's resident memory before, in bytes.
    pub rss_before: Option<u64>,
    /// The same with all sockets, at rest.
    pub rss_after: Option<u64>,
    /// The difference for each socket.
    pub bytes_per_socket: Option<i64>,
    /// Sockets that answered a ping at the end.
    pub alive: usize,
    /// The server's processor time for these pings, in seconds, if its process is known.
    pub ping_server_cpu: Option<f64>,
}

impl IdleResult {
    /// Everything that makes this run a failure, in words.
    pub fn failures(&self) -> Vec<String> {
        let dead = self.sockets - self.alive;
        if dead == 0 {
            Vec::new()
        } else {
            vec![format!("{dead} of {} idle sockets did not live", self.sockets)]
        }
    }
}

/// Opens the rooms, measures, connects, rests, and measures again.
///
/// # Errors
/// The rooms could not be opened, or a socket was not let in.
pub async fn run(target: &mut Target, sockets: usize) -> anyhow::Result<IdleResult> {
    let began = Instant::now();
    let rooms = target.marketplace().open_rooms(sockets.div_ceil(2), &fresh_name()).await;
    let rooms = rooms.context("opening the rooms")?;
    let setup_seconds = began.elapsed().as_secs_f64();
    let fresh_process = target.restart().await?;
    let marketplace = target.marketplace();

    for socket in connect(&marketplace, &rooms, sockets.min(FIRST)).await? {
        socket.close().await?;
    }
    sleep(REST).await;
    let rss_before = target.rss_bytes();
    let (began, cpu) = (Instant::now(), target.cpu_seconds());
    let open = connect(&marketplace, &rooms, sockets).await?;
    let connect_seconds = began.elapsed().as_secs_f64();
    let connect_server_cpu = target.cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    sleep(REST).await;
    let rss_after = target.rss_bytes();
    let growth = rss_after.zip(rss_before).map(|(after, before)| after.cast_signed() - before.cast_signed());

    let cpu = target.cpu_seconds();
    let answers = stream::iter(open).map(|mut socket| async move { (socket.ping().await.is_ok(), socket) });
    // Kept: a socket that ends costs something, too.
    let answered: Vec<(bool, Socket)> = answers.buffer_unordered(AT_ONCE).collect().await;
    let ping_server_cpu = target.cpu_seconds().zip(cpu).map(|(after, before)| after - before);
    let alive = answered.iter().filter(|(alive, _)| *alive).count();
    Ok(IdleResult {
        sockets,
        fresh_process,
        setup_seconds,
        connect_seconds,
        connect_server_cpu,
        rss_before,
        rss_after,
        bytes_per_socket: growth.map(|bytes| bytes / i64::try_from(sockets.max(1)).unwrap_or(i64::MAX)),
        alive,
        ping_server_cpu,
    })
}

async fn connect(
    marketplace: &Marketplace,
    rooms: &[OpenRoom],
    sockets: usize,
) -> anyhow::Result<Vec<Socket>> {
    let seats = rooms.iter().flat_map(|open| [(open.room, &open.client), (open.room, &open.freelancer)]);
    stream::iter(seats.take(sockets).collect::<Vec<_>>())
        .map(|(room, user)| async move {
            let (socket, welcome) = marketplace.socket(user, vec![at_head(room)]).await?;
            match welcome.rooms.first() {
                Some(JoinResult::Joined(_)) => Ok(socket),
                answer => bail!("{user} did not join {room}: {answer:?}"),
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
