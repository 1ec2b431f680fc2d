//! Sockets and their rooms.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use uuid::Uuid;

use super::server::QUEUE;

/// The way to a socket.
pub(super) type Outbox = mpsc::Sender<Utf8Bytes>;

/// A message that is to be written.
pub(super) struct Post {
    pub(super) room: i64,
    pub(super) id: String,
    pub(super) client_id: Uuid,
    pub(super) by: String,
    pub(super) body: String,
    pub(super) author: Outbox,
}

/// Who is in which room here.
#[derive(Default)]
pub(super) struct Rooms(RwLock<HashMap<i64, Vec<Outbox>>>);

impl Rooms {
    fn join(&self, room: i64, outbox: Outbox) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(room).or_default().push(outbox);
    }

    /// Gives this to everybody in the room. Who has gone gets nothing.
    pub(super) fn deliver(&self, room: i64, text: &Utf8Bytes) {
        let rooms = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for outbox in rooms.get(&room).into_iter().flatten() {
            drop(outbox.try_send(text.clone()));
        }
    }
}

/// What comes from a client.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    name: String,
    room: i64,
    #[serde(default)]
    id: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    client_id: Uuid,
    #[serde(default)]
    body: String,
}

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    rooms: Arc<Rooms>,
    posts: mpsc::Sender<Post>,
) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (sink, mut source) = tokio_tungstenite::accept_async(stream).await?.split();
    let (outbox, queue) = mpsc::channel(QUEUE);
    let writing = tokio::spawn(write(sink, queue));
    let mut user = String::new();
    while let Some(Ok(message)) = source.next().await {
        let Message::Text(text) = message else { continue };
        let frame: Frame = serde_json::from_str(&text)?;
        if frame.name == "join" {
            user = frame.user;
            rooms.join(frame.room, outbox.clone());
            drop(outbox.try_send(Utf8Bytes::from_static(r#"{"type":"joined"}"#)));
        } else {
            let (by, author) = (user.clone(), outbox.clone());
            let Frame { room, id, client_id, body, .. } = frame;
            posts.send(Post { room, id, client_id, by, body, author }).await?;
        }
    }
    writing.abort();
    Ok(())
}

/// Sends what waits, as much as there is at once.
async fn write(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut queue: mpsc::Receiver<Utf8Bytes>,
) {
    while let Some(text) = queue.recv().await {
        let mut next = Some(text);
        while let Some(text) = next {
            if sink.feed(Message::Text(text)).await.is_err() {
                return;
            }
            next = queue.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}
