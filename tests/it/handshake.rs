//! The upgrade and the framing, byte by byte: RFC 6455 as this server speaks it.

use anteroom_protocol::SUBPROTOCOL;
use serde_json::Value;

use crate::support::raw::{BINARY, CLOSE, PING, PONG, Raw, TEXT, UPGRADE, frame};
use crate::support::{Door, Person, TestServer};

#[tokio::test]
async fn the_handshake_is_answered_with_the_key_of_the_rfc() {
    let server = TestServer::start().await;
    let (_raw, head) = Raw::ask(&server.base, &UPGRADE).await;
    assert_eq!(head.status, 101);
    // RFC 6455, 1.3, in small letters.
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pplmbitxaq9kygzzhzrbk+xoo="));
    assert_eq!(head.header("upgrade"), Some("websocket"));
    assert_eq!(
        (head.header("sec-websocket-protocol"), head.header("sec-websocket-extensions")),
        (None, None)
    );
}

#[tokio::test]
async fn compression_is_never_agreed_on_and_the_subprotocol_is_named() {
    let server = TestServer::start().await;
    let mut headers = UPGRADE.to_vec();
    headers.push(("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"));
    headers.push(("Sec-WebSocket-Protocol", "other"));
    headers.push(("Sec-WebSocket-Protocol", SUBPROTOCOL));
    let (_raw, head) = Raw::ask(&server.base, &headers).await;
    assert_eq!((head.status, head.header("sec-websocket-extensions")), (101, None));
    assert_eq!(head.header("sec-websocket-protocol"), Some(SUBPROTOCOL));
}

#[tokio::test]
async fn the_words_of_the_handshake_may_stand_in_lists_and_in_any_letters() {
    let server = TestServer::start().await;
    let mut headers = UPGRADE.to_vec();
    headers[0] = ("connection", "keep-alive, upgrade");
    headers[1] = ("UPGRADE", "WebSocket");
    assert_eq!(Raw::ask(&server.base, &headers).await.1.status, 101);
}

#[tokio::test]
async fn another_version_is_told_which_one_is_spoken() {
    let server = TestServer::start().await;
    for version in ["12", "8", ""] {
        let mut headers = UPGRADE.to_vec();
        headers[2] = ("Sec-WebSocket-Version", version);
        let (_raw, head) = Raw::ask(&server.base, &headers).await;
        assert_eq!((head.status, head.header("sec-websocket-version")), (426, Some("13")), "{version}");
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_refused_with_a_problem_document() {
    let server = TestServer::start().await;
    let without =
        |name: &str| UPGRADE.iter().filter(|(header, _)| *header != name).copied().collect::<Vec<_>>();
    let mut short_key = UPGRADE.to_vec();
    short_key[3] = ("Sec-WebSocket-Key", "abc");
    for (headers, status) in [
        (without("Connection"), 426),
        (without("Upgrade"), 426),
        (without("Sec-WebSocket-Version"), 426),
        (without("Sec-WebSocket-Key"), 400),
        (short_key, 400),
    ] {
        let (_raw, head) = Raw::ask(&server.base, &headers).await;
        assert_eq!((head.status, head.header("content-type")), (status, Some("application/problem+json")));
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_payload() {
    let server = TestServer::start().await;
    let mut raw = Raw::upgraded(&server.base).await;
    raw.frame(PING, b"are you there?").await;
    assert_eq!(raw.read_until(PONG).await, b"are you there?");
}

#[tokio::test]
async fn bytes_that_are_no_websocket_are_told_so() {
    let server = TestServer::start().await;
    let reserved_bits = [&[0xf1, 0x80][..], &[1, 2, 3, 4]].concat();
    let unknown_opcode = [&[0x83, 0x80][..], &[1, 2, 3, 4]].concat();
    for bytes in [frame(TEXT, b"{}", false), reserved_bits, unknown_opcode] {
        let mut raw = Raw::upgraded(&server.base).await;
        raw.send(&bytes).await;
        assert_eq!(raw.closed().await, 1002, "{bytes:?}");
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_told_so_before_and_after_hello() {
    let server = TestServer::start().await;
    let ana = Person::arrive(&server, "ana", Door::Socket).await;
    for hello in [false, true] {
        let mut raw = Raw::upgraded(&server.base).await;
        if hello {
            let text = format!(r#"{{"type":"hello","token":"{}"}}"#, server.token(&ana.user));
            raw.frame(TEXT, text.as_bytes()).await;
            let welcome: Value = serde_json::from_slice(&raw.read_until(TEXT).await).expect("JSON");
            assert_eq!(welcome["type"], "welcome");
        }
        raw.frame(TEXT, b"{\"type\":\"ping\",\"id\":\"\xff\xfe\"}").await;
        assert_eq!(raw.closed().await, 1007);
        assert_eq!(raw.end().await, 0, "and the connection ends");
    }
}

#[tokio::test]
async fn before_hello_binary_and_oversized_frames_end_the_socket_too() {
    let server = TestServer::start().await;
    for (opcode, size, code) in [(BINARY, 2, 1003), (TEXT, 16_385, 1009)] {
        let mut raw = Raw::upgraded(&server.base).await;
        raw.frame(opcode, &vec![b'x'; size]).await;
        assert_eq!(raw.closed().await, code);
    }
}

#[tokio::test]
async fn a_frame_in_pieces_is_one_frame_and_counts_as_one() {
    let server = TestServer::start().await;
    let ana = Person::arrive(&server, "ana", Door::Socket).await;
    let text = format!(r#"{{"type":"hello","id":"h","token":"{}"}}"#, server.token(&ana.user));
    let (one, two) = text.split_at(text.len() / 2);
    let mut raw = Raw::upgraded(&server.base).await;
    let mut first = frame(TEXT, one.as_bytes(), true);
    first[0] &= 0x7f;
    raw.send(&first).await;
    raw.frame(PING, b"in between").await;
    raw.frame(0, two.as_bytes()).await;
    assert_eq!(raw.read_until(PONG).await, b"in between");
    let welcome: Value = serde_json::from_slice(&raw.read_until(TEXT).await).expect("JSON");
    assert_eq!(welcome["id"], "h");

    let mut piece = frame(TEXT, &[b' '; 10_000], true);
    piece[0] &= 0x7f;
    raw.send(&piece).await;
    raw.frame(0, &[b' '; 10_000]).await;
    assert_eq!(raw.closed().await, 1009, "the pieces together are too big");
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_read() {
    let server = TestServer::start().await;
    let mut raw = Raw::connect(&server.base).await;
    let lines: String = UPGRADE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut bytes = format!("GET /v1/ws HTTP/1.1\r\nHost: server\r\n{lines}\r\n").into_bytes();
    bytes.extend(frame(PING, b"early", true));
    bytes.extend(frame(CLOSE, &1000_u16.to_be_bytes(), true));
    raw.send(&bytes).await;
    assert_eq!(raw.head().await.status, 101);
    assert_eq!(raw.read_until(PONG).await, b"early");
    assert_eq!(raw.closed().await, 1000);
}
