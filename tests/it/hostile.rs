//! Clients that mean no good, or are broken: what the framing layer refuses, what the meter ends, and what nobody waits for.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anteroom_load_tests::client::{Http, at_head, new_client_id};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::close::CloseCode;

use crate::support::raw::{BINARY, CLOSE, PING, PONG, Raw, TEXT, frame};
use crate::support::{Door, Person, TestServer, soon};

/// A frame that is not the last one of its message.
fn piece(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame(opcode, payload, true);
    bytes[0] &= 0x7f;
    bytes
}

/// The code a raw socket is closed with, after hello, for these bytes; and then nothing more comes.
async fn closed_for(server: &TestServer, person: &Person, bytes: &[u8]) -> u16 {
    let mut raw = Raw::greeted(server, person).await;
    raw.send(bytes).await;
    let code = raw.closed().await;
    assert_eq!(raw.end().await, 0, "the close is the last word");
    code
}

/// A server and somebody who goes on unharmed while others misbehave.
async fn peaceful() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let person = Person::arrive(&server, "ana", Door::Socket).await;
    (server, person)
}

#[tokio::test]
async fn a_frame_or_a_message_above_the_bound_is_not_even_waited_for() {
    let (server, mut ana) = peaceful().await;
    let declared = [&[0x81, 0xff][..], &(1_u64 << 62).to_be_bytes(), &[1, 2, 3, 4]].concat();
    let mut pieces = piece(TEXT, &[b' '; 4_096]);
    (0..6).for_each(|_| pieces.extend(piece(0, &[b' '; 4_096])));
    for bytes in [declared, pieces, frame(TEXT, &[b' '; 16_385], true)] {
        assert_eq!(closed_for(&server, &ana, &bytes).await, CloseCode::TooBig.code());
    }
    ana.socket.ping().await.expect("nobody else is concerned");
}

#[tokio::test]
async fn whatever_breaks_the_framing_of_the_rfc_is_a_protocol_error() {
    let (server, ana) = peaceful().await;
    let mut compressed = frame(TEXT, b"{}", true);
    compressed[0] |= 0x40;
    let mut unknown_control = frame(0xb, b"", true);
    unknown_control[0] = 0x8b;
    for (what, bytes) in [
        ("no mask", frame(TEXT, b"{}", false)),
        ("a reserved bit, as compression that was never agreed on sets it", compressed),
        ("an opcode without a meaning", frame(3, b"", true)),
        ("a control opcode without a meaning", unknown_control),
        ("a ping of more than 125 bytes", frame(PING, &[0; 126], true)),
        ("a ping in pieces", piece(PING, b"x")),
        ("a continuation of nothing", frame(0, b"x", true)),
        (
            "a new message before the last one has ended",
            [piece(TEXT, b"{"), frame(TEXT, b"}", true)].concat(),
        ),
    ] {
        assert_eq!(closed_for(&server, &ana, &bytes).await, CloseCode::ProtocolError.code(), "{what}");
    }
}

#[tokio::test]
async fn a_close_that_breaks_the_rfc_is_answered_as_what_it_is() {
    let (server, ana) = peaceful().await;
    let close = |payload: &[u8]| frame(CLOSE, payload, true);
    let broken = [&1_000_u16.to_be_bytes()[..], b"\xff\xfe"].concat();
    for (bytes, code) in [
        (close(b"x"), 1002),
        (close(&1_005_u16.to_be_bytes()), 1002),
        (close(&999_u16.to_be_bytes()), 1002),
        (close(&broken), 1007),
    ] {
        assert_eq!(closed_for(&server, &ana, &bytes).await, code, "{bytes:?}");
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_and_bytes_that_are_no_text_are_refused_by_their_own_codes() {
    let (server, ana) = peaceful().await;
    assert_eq!(closed_for(&server, &ana, &frame(TEXT, b"\xc3\x28", true)).await, 1007);
    assert_eq!(closed_for(&server, &ana, &frame(BINARY, b"{}", true)).await, 1003);
}

#[tokio::test]
async fn empty_pieces_of_a_message_without_end_are_ended() {
    let (server, mut ana) = peaceful().await;
    let mut bytes = piece(TEXT, b"");
    (0..200).for_each(|_| bytes.extend(piece(0, b"")));
    assert_eq!(closed_for(&server, &ana, &bytes).await, CloseCode::Malformed.code());
    ana.socket.ping().await.expect("nobody else is concerned");
}

#[tokio::test]
async fn fifty_pings_are_answered_and_a_flood_of_them_is_told_to_come_back_slower() {
    let (server, mut ana) = peaceful().await;
    let mut raw = Raw::greeted(&server, &ana).await;
    for number in 0..50_u8 {
        raw.frame(PING, &[number]).await;
        assert_eq!(raw.read_until(PONG).await, [number]);
    }
    raw.frame(PONG, b"one more").await;
    assert_eq!(raw.closed().await, CloseCode::RateLimited.code());
    ana.socket.ping().await.expect("nobody else is concerned");
}

#[tokio::test]
async fn whoever_floods_and_does_not_read_is_cut_off_soon() {
    let (server, mut ana) = peaceful().await;
    let mut raw = Raw::greeted(&server, &ana).await;
    let pings = frame(PING, &[0; 125], true).repeat(1_000);
    let mut rounds = 0;
    while raw.try_send(&pings).await {
        rounds += 1;
        assert!(rounds < 200, "200,000 pings were taken");
    }
    ana.socket.ping().await.expect("nobody else is concerned");
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_metered_too() {
    let server = TestServer::start().await;
    let mut raw = Raw::connect(&server.base).await;
    let pings = frame(PING, b"", true).repeat(60);
    raw.send(&[Raw::upgrade_request().as_bytes(), &pings].concat()).await;
    assert_eq!(raw.head().await.status, 101);
    assert_eq!(raw.closed().await, CloseCode::RateLimited.code());
}

#[tokio::test]
async fn more_frames_than_one_socket_may_send_in_ten_seconds_end_it() {
    let server = TestServer::start_with(|config| config.limits.socket_frames = 100).await;
    let ana = Person::arrive(&server, "ana", Door::Socket).await;
    let bytes = frame(TEXT, br#"{"type":"ping"}"#, true).repeat(101);
    assert_eq!(closed_for(&server, &ana, &bytes).await, CloseCode::RateLimited.code());
}

/// Waits for real: the frame's deadline is longer than any other wait of these tests.
#[tokio::test]
async fn a_frame_that_is_begun_and_not_finished_is_waited_for_fifteen_seconds() {
    let (server, mut ana) = peaceful().await;
    let mut raw = Raw::greeted(&server, &ana).await;
    let began = Instant::now();
    let bytes = frame(TEXT, br#"{"type":"ping"}"#, true);
    for byte in &bytes[..12] {
        raw.send(&[*byte]).await;
        ana.socket.ping().await.expect("nobody else is concerned");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(raw.closed().await, CloseCode::Malformed.code());
    assert!(began.elapsed() > Duration::from_secs(14), "{:?}", began.elapsed());
}

/// Waits for real: for clients that say nothing, nothing more, or too little.
#[tokio::test]
async fn whoever_does_not_send_a_whole_request_within_five_seconds_is_closed() {
    let server = TestServer::start().await;
    let began = Instant::now();
    let mut silent = Raw::connect(&server.base).await;
    let (mut idle, head) = Raw::request(&server.base, "GET", "/livez", &[]).await;
    assert_eq!(head.status, 200);
    let mut trickling = Raw::connect(&server.base).await;
    trickling.send(b"GET / HTTP/1.1\r\nX-Slow: ").await;
    let trickle = async {
        let mut sent = 0;
        while trickling.try_send(b"x").await {
            sent += 1;
            assert!(sent < 60, "it is still taken after half a minute");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let ends = async {
        let ends = tokio::join!(silent.end(), idle.end());
        assert!(began.elapsed() > Duration::from_millis(4_500), "{:?}", began.elapsed());
        ends
    };
    let ((said, rest), ()) = tokio::join!(ends, trickle);
    assert_eq!((said, rest), (0, "ok\n".len()));
}

/// The server with room for this many descriptors.
fn cramped_server(directory: &Path, descriptors: usize) -> PathBuf {
    let script = directory.join("cramped");
    let text =
        format!("#!/bin/sh\nulimit -S -n {descriptors}\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_anteroom"));
    std::fs::write(&script, text).expect("written");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o700)).expect("executable");
    script
}

#[tokio::test]
async fn out_of_descriptors_the_server_serves_who_is_there_idles_and_takes_others_when_there_is_room_again() {
    const DESCRIPTORS: usize = 64;
    let directory = tempfile::tempdir().expect("a directory");
    let script = cramped_server(directory.path(), DESCRIPTORS);
    let server = Launcher::new(script, directory.path().join("data")).start().await.expect("a server");
    let market = Marketplace::new(server.base_url(), &server.mint().expect("its secret"));
    let open = market.open_room("cramped").await.expect("a room");
    let (mut socket, _) = market.socket(&open.client, vec![at_head(open.room)]).await.expect("a socket");

    let mut crowd = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        crowd.push(Raw::connect(server.base_url()).await);
    }
    let full = async {
        let taken =
            || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("its descriptors").count();
        while taken() < DESCRIPTORS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("no more descriptors", full).await;
    let before = server.cpu_seconds().expect("its time");
    for number in 0..4 {
        let posted = socket.post(open.room, new_client_id(), number.to_string()).await.expect("posted");
        socket.next_entry().await.expect("heard");
        assert!(!posted.duplicate);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let spent = server.cpu_seconds().expect("its time") - before;
    assert!(spent < 0.4, "{spent} s of processor time in 2 s");

    drop(crowd);
    let http = Http::anonymous(server.base_url());
    let again = async {
        while !http.raw("GET", "/readyz", &[], None).await.is_ok_and(|answer| answer.status == 200) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("room again", again).await;
    socket.ping().await.expect("and who was there still is");
}
