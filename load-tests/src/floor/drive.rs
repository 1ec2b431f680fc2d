//! The load of `steady-rooms` on floors: the same rooms, the same closed loop, the same bytes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

use crate::scenario::rooms::Plan;

/// How long one message may take.
const TURN: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type")]
    name: &'a str,
}

/// One room and its two seats, at different floors where there are several.
struct Pair {
    room: usize,
    seats: [Socket; 2],
    author: usize,
    number: usize,
    filler: String,
}

impl Pair {
    async fn connect(urls: &[String], room: usize, plan: &Plan) -> anyhow::Result<Self> {
        let mut seats = Vec::new();
        for seat in 0..2 {
            let url = &urls[(room + seat) % urls.len()];
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
            let join = format!(r#"{{"type":"join","room":{room},"user":"user-{room}-{seat}"}}"#);
            socket.send(Message::text(join)).await?;
            next(&mut socket).await?;
            seats.push(socket);
        }
        let seats = seats.try_into().ok().context("a room has two seats")?;
        Ok(Self { room, seats, author: 0, number: 0, filler: "x".repeat(plan.body_bytes.saturating_sub(9)) })
    }

    /// Sends one message and waits until it is acknowledged and at both seats.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let Self { room, number, filler, .. } = self;
        let client_id = Uuid::new_v4();
        let post = format!(
            r#"{{"type":"message.post","id":"{number}","client_id":"{client_id}","room":{room},"body":"{number:08} {filler}"}}"#
        );
        self.seats[self.author].send(Message::text(post)).await?;
        let (mut acknowledged, mut entries) = (false, [false; 2]);
        while !acknowledged || entries != [true; 2] {
            let [one, other] = &mut self.seats;
            let (seat, is_entry) = tokio::select! {
                biased;
                entry = next(one) => (0, entry?),
                entry = next(other) => (1, entry?),
            };
            if is_entry {
                entries[seat] = true;
            } else {
                acknowledged = true;
            }
        }
        (self.author, self.number) = (1 - self.author, self.number + 1);
        Ok(())
    }
}

/// Whether the next frame is an entry.
async fn next(socket: &mut Socket) -> anyhow::Result<bool> {
    loop {
        if let Message::Text(text) = socket.next().await.context("the socket has ended")?? {
            let incoming: Incoming<'_> = serde_json::from_str(&text)?;
            return Ok(incoming.name == "entry");
        }
    }
}

/// Connected rooms.
pub struct Talk {
    pairs: Vec<Pair>,
    plan: Plan,
}

impl Talk {
    /// Connects all rooms to floors at these addresses (`ws://…`).
    ///
    /// # Errors
    /// A floor does not answer.
    pub async fn connect(urls: &[String], plan: Plan) -> anyhow::Result<Self> {
        let mut pairs = Vec::new();
        for room in 0..plan.rooms {
            pairs.push(Pair::connect(urls, room, &plan).await?);
        }
        Ok(Self { pairs, plan })
    }

    /// Talks for the time of the plan. How many messages reached the other seat.
    ///
    /// # Errors
    /// One did not come.
    pub async fn run(self) -> anyhow::Result<u64> {
        let ends = Instant::now() + self.plan.duration;
        let senders = self.plan.in_flight.min(self.plan.rooms);
        let mut shares: Vec<Vec<Pair>> = (0..senders).map(|_| Vec::new()).collect();
        for (number, pair) in self.pairs.into_iter().enumerate() {
            shares[number % senders].push(pair);
        }
        let mut tasks = JoinSet::new();
        for mut share in shares {
            tasks.spawn(async move {
                let mut deliveries = 0;
                'talking: loop {
                    for pair in &mut share {
                        if Instant::now() >= ends {
                            break 'talking;
                        }
                        timeout(TURN, pair.turn()).await.context("a message did not come")??;
                        deliveries += 1;
                    }
                }
                anyhow::Ok(deliveries)
            });
        }
        let mut deliveries = 0;
        while let Some(share) = tasks.join_next().await {
            deliveries += share.context("a sender failed")??;
        }
        ensure!(deliveries > 0, "nothing was said");
        Ok(deliveries)
    }
}
