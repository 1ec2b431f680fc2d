//! A floor as a process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use futures_util::StreamExt as _;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::sockets::{self, Post, Rooms};

/// Messages of one commit at most, as of the server.
const BATCH: usize = 256;
/// What waits anywhere at most; more is dropped, which a closed loop would notice.
pub(super) const QUEUE: usize = 4_096;
/// Where all floors publish.
const CHANNEL: &str = "floor";

/// The bare floor that `scale` compares the server with: messages in, one plain insert for all that wait, messages out
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The database
    #[arg(long)]
    postgres: String,
    /// The Redis
    #[arg(long)]
    redis: String,
    /// Where
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves until it is ended; `say` is told the address.
///
/// # Errors
/// The database or Redis cannot be used.
pub async fn serve(options: Options, say: impl Fn(&str)) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect(&options.postgres).await?;
    let table = "CREATE TABLE IF NOT EXISTS posts (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room BIGINT NOT NULL,
        client_id UUID NOT NULL, by TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL)";
    sqlx::query(table).execute(&pool).await?;
    let rooms = Arc::new(Rooms::default());
    let node = Uuid::new_v4().simple().to_string();
    let client = redis::Client::open(options.redis)?;
    let mut heard = client.get_async_pubsub().await?;
    heard.subscribe(CHANNEL).await?;
    let listening = {
        let (rooms, node) = (rooms.clone(), node.clone());
        async move {
            let mut heard = heard.into_on_message();
            while let Some(message) = heard.next().await {
                hear(&rooms, &node, message.get_payload_bytes());
            }
        }
    };
    tokio::spawn(listening);
    let (publish, publications) = mpsc::channel(QUEUE);
    tokio::spawn(publish_all(client.get_multiplexed_async_connection().await?, publications));
    let (posts, queue) = mpsc::channel(QUEUE);
    tokio::spawn(write_all(pool, queue, rooms.clone(), (node, publish)));
    let listener = TcpListener::bind(options.listen).await?;
    say(&format!("listening on http://{}", listener.local_addr()?));
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(sockets::serve(stream, rooms.clone(), posts.clone()));
    }
}

/// `NODE ROOM TEXT`, unless this node said it.
fn hear(rooms: &Rooms, node: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, ' ');
    if let (Some(from), Some(room), Some(entry)) = (parts.next(), parts.next(), parts.next())
        && from != node
        && let Ok(room) = room.parse()
    {
        rooms.deliver(room, &Utf8Bytes::from(entry));
    }
}

async fn write_all(
    pool: PgPool,
    mut queue: mpsc::Receiver<Post>,
    rooms: Arc<Rooms>,
    (node, publish): (String, mpsc::Sender<String>),
) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let at = now()?;
        let ids: Vec<i64> = sqlx::query_scalar(
            "INSERT INTO posts (room, client_id, by, at, body)
             SELECT room, client_id, by, $4, body FROM unnest($1::bigint[], $2::uuid[], $3::text[], $5::text[]) AS p (room, client_id, by, body)
             RETURNING id",
        )
        .bind(batch.iter().map(|post| post.room).collect::<Vec<_>>())
        .bind(batch.iter().map(|post| post.client_id).collect::<Vec<_>>())
        .bind(batch.iter().map(|post| post.by.clone()).collect::<Vec<_>>())
        .bind(at)
        .bind(batch.iter().map(|post| post.body.clone()).collect::<Vec<_>>())
        .fetch_all(&pool)
        .await?;
        for (post, seq) in batch.drain(..).zip(ids) {
            let Post { room, id, client_id, by, body, author } = post;
            let ok = json!({"type": "ok", "id": id, "data": {"seq": seq, "at": at}});
            let entry = json!({"type": "entry", "room": room, "seq": seq, "at": at, "by": by, "client_id": client_id, "body": body});
            let entry = entry.to_string();
            drop(publish.try_send(format!("{node} {room} {entry}")));
            drop(author.try_send(ok.to_string().into()));
            rooms.deliver(room, &entry.into());
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "nothing here depends on what time it is")]
fn now() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}

async fn publish_all(
    mut connection: redis::aio::MultiplexedConnection,
    mut queue: mpsc::Receiver<String>,
) -> redis::RedisResult<()> {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, 512).await > 0 {
        let mut pipeline = redis::Pipeline::with_capacity(batch.len());
        for text in batch.drain(..) {
            pipeline.cmd("PUBLISH").arg(CHANNEL).arg(text);
        }
        let _: Vec<u64> = pipeline.query_async(&mut connection).await?;
    }
    Ok(())
}
