//! The client against a server of a few lines that says what each test wants: what it keeps, what it reports, when it gives up.

use std::time::Duration;

use anteroom_load_tests::client::{Socket, SocketError, SocketOptions, at_head, new_client_id};
use anteroom_protocol::SUBPROTOCOL;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::server::ServerFrame;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

#[tokio::test]
async fn a_hello_is_answered_with_a_welcome_and_offers_the_subprotocol() {
    let base = serve(async |mut wire| {
        let hello = heard(&mut wire).await;
        assert_eq!((&hello["type"], &hello["token"]), (&json!("hello"), &json!("a token")));
        assert_eq!(hello["rooms"], json!([{"room": "inbox"}]));
        say(&mut wire, &welcome()).await;
        heard(&mut wire).await;
    })
    .await;
    let (_socket, welcome) =
        Socket::connect(&base, "a token", vec![at_head(RoomRef::Inbox)]).await.expect("a welcome");
    assert_eq!(welcome.user.as_str(), "ana");
}

#[tokio::test]
async fn frames_that_come_while_an_answer_is_awaited_are_kept_in_order() {
    let base = serve(async |mut wire| {
        let post = heard(&mut wire).await;
        say(&mut wire, &entry(1)).await;
        say(&mut wire, &json!({"type": "activity", "room": room(), "head": 9})).await;
        say(&mut wire, &entry(2)).await;
        say(&mut wire, &posted(&post["id"], 2)).await;
        say(&mut wire, &entry(3)).await;
        heard(&mut wire).await;
    })
    .await;
    let mut socket = Socket::connect_raw(&base).await.expect("a socket");
    let answer = socket.post(room(), new_client_id(), "hello").await.expect("an answer");
    assert_eq!((answer.seq, answer.duplicate), (2, false));
    for seq in 1..=3 {
        assert_eq!(socket.next_entry().await.expect("an entry").seq, seq);
    }
    assert!(matches!(socket.next().await, Ok(ServerFrame::Activity { head: 9, .. })));
}

#[tokio::test]
async fn answers_are_found_by_their_id_in_whatever_order_they_come() {
    let base = serve(async |mut wire| {
        let (one, two) = (heard(&mut wire).await, heard(&mut wire).await);
        say(&mut wire, &posted(&two["id"], 2)).await;
        say(&mut wire, &posted(&one["id"], 1)).await;
        heard(&mut wire).await;
    })
    .await;
    let (mut sender, mut receiver) = Socket::connect_raw(&base).await.expect("a socket").split();
    let one = sender.send_command(new_client_id(), post("one")).await.expect("sent");
    let two = sender.send_command(new_client_id(), post("two")).await.expect("sent");
    assert_eq!(receiver.answer(&one).await.expect("an answer")["seq"], 1);
    assert_eq!(receiver.answer(&two).await.expect("an answer")["seq"], 2);
}

#[tokio::test]
async fn a_refusal_carries_the_code_of_the_error() {
    let base = serve(async |mut wire| {
        let id = heard(&mut wire).await["id"].clone();
        let error = json!({"code": "not_found", "message": "no such thing", "retryable": false});
        say(&mut wire, &json!({"type": "error", "id": id, "error": error})).await;
        heard(&mut wire).await;
    })
    .await;
    let mut socket = Socket::connect_raw(&base).await.expect("a socket");
    let error = socket.post(room(), new_client_id(), "hello").await.expect_err("a refusal");
    assert_eq!(error.code(), Some(ErrorCode::NotFound));
}

#[tokio::test]
async fn a_close_is_told_with_its_code_and_reason_again_and_again() {
    let base = serve(async |mut wire| {
        let frame = CloseFrame { code: 4008.into(), reason: "slow".into() };
        wire.send(Message::Close(Some(frame))).await.expect("sent");
        let _ = wire.next().await;
    })
    .await;
    let mut socket = Socket::connect_raw(&base).await.expect("a socket");
    assert_eq!(socket.closed().await.expect("a close"), (4008, "slow".to_owned()));
    assert_eq!(socket.next().await.expect_err("closed").close_code(), Some(4008));
}

#[tokio::test]
async fn a_connection_that_ends_without_a_close_frame_is_closed_with_1006() {
    let base = serve(async |wire| drop(wire)).await;
    let mut socket = Socket::connect_raw(&base).await.expect("a socket");
    assert_eq!(socket.next().await.expect_err("closed").close_code(), Some(1006));
}

#[tokio::test]
async fn what_does_not_come_in_time_is_given_up_and_named() {
    let base = serve(async |mut wire| drop(heard(&mut wire).await)).await;
    let options = SocketOptions { timeout: Duration::from_millis(20), ..SocketOptions::default() };
    let mut socket = Socket::connect_with(&base, &options).await.expect("a socket");
    assert!(matches!(socket.next_entry().await, Err(SocketError::Timeout { awaited: "entry", .. })));
    assert_eq!(socket.listen(Duration::from_millis(1)).await.expect("quiet"), None);
}

#[tokio::test]
async fn a_handshake_that_is_refused_tells_the_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        stream.readable().await.expect("a request");
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nno";
        assert_eq!(stream.try_write(answer).expect("sent"), answer.len());
    });
    let error = Socket::connect_raw(&base).await.expect_err("no upgrade");
    assert!(matches!(error, SocketError::NotUpgraded { status: 400, .. }), "{error}");
}

type Wire = WebSocketStream<TcpStream>;

/// Listens, upgrades one client and plays this part for it.
async fn serve<F: Future<Output = ()> + Send>(part: impl FnOnce(Wire) -> F + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        part(accept_hdr_async(stream, choose).await.expect("an upgrade")).await;
    });
    base
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the form is the library's")]
fn choose(
    request: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    let offered = request.headers().get("sec-websocket-protocol").expect("a subprotocol").clone();
    assert_eq!(offered, SUBPROTOCOL);
    response.headers_mut().insert("sec-websocket-protocol", offered);
    Ok(response)
}

async fn heard(wire: &mut Wire) -> Value {
    match wire.next().await {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).expect("a frame"),
        _ => Value::Null,
    }
}

async fn say(wire: &mut Wire, frame: &Value) {
    wire.send(Message::text(frame.to_string())).await.expect("sent");
}

const AT: &str = "2026-01-01T00:00:00.000000Z";

fn room() -> RoomRef {
    RoomRef::Room(RoomId(uuid::Uuid::from_u128(7)))
}

fn post(body: &str) -> anteroom_protocol::command::Command {
    use anteroom_protocol::{command::Command, message::MessagePost};
    Command::MessagePost(MessagePost { room: room(), body: body.to_owned() })
}

fn entry(seq: u64) -> Value {
    let hash = "0".repeat(64);
    json!({"type": "entry", "room": room(), "seq": seq, "kind": "message.posted", "at": AT, "hash": hash,
           "data": {"body": "hello"}})
}

fn posted(id: &Value, seq: u64) -> Value {
    let data = json!({"room": room(), "seq": seq, "at": AT, "hash": "0".repeat(64), "duplicate": false});
    json!({"type": "ok", "id": id, "data": data})
}

fn welcome() -> Value {
    let limits = json!({"frame_bytes": 1, "body_bytes": 1, "joined_rooms": 1, "commands_in_flight": 1,
                        "page_items": 1});
    json!({"type": "welcome", "connection": "1", "user": "ana", "heartbeat_ms": 1, "token_expires_at": AT,
           "server_time": AT, "limits": limits, "rooms": [{"room": "inbox", "head": 0, "mode": "live"}]})
}
