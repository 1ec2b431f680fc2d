//! Many posts on one socket without waiting for their answers.

use anteroom_load_tests::client::{Posted, Socket, SocketError, new_client_id};
use anteroom_protocol::id::{ClientId, RoomRef};

use super::ask;

/// Posts these bodies one behind the other and reads the answers meanwhile. Other frames are kept.
pub(crate) async fn post_all(
    socket: &mut Socket,
    room: RoomRef,
    bodies: impl IntoIterator<Item = String>,
) -> Vec<(ClientId, Posted)> {
    post_everywhere(socket, bodies.into_iter().map(|body| (room, body)).collect()).await
}

/// The same into several rooms.
pub(crate) async fn post_everywhere(
    socket: &mut Socket,
    posts: Vec<(RoomRef, String)>,
) -> Vec<(ClientId, Posted)> {
    let (sender, receiver) = socket.halves();
    let posts: Vec<_> =
        posts.into_iter().map(|(room, body)| (new_client_id(), ask::post(room, body))).collect();
    let keys: Vec<ClientId> = posts.iter().map(|(key, _)| *key).collect();
    let (ids, mut awaited) = tokio::sync::mpsc::channel(posts.len().max(1));
    let send = async move {
        for (key, post) in posts {
            let id = sender.send_command(key, post).await.expect("sent");
            ids.send(id).await.expect("awaited");
        }
    };
    let receive = async {
        let mut answers = Vec::new();
        while let Some(id) = awaited.recv().await {
            let answer: Result<_, SocketError> = receiver.answer(&id).await;
            answers.push(serde_json::from_value(answer.expect("posted")).expect("an answer"));
        }
        answers
    };
    let ((), answers) = tokio::join!(send, receive);
    keys.into_iter().zip(answers).collect()
}
