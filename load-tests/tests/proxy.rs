//! The fault proxy: each fault does what it says, says that it did, and spares what it should spare.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anteroom_load_tests::private::{PrivateRedis, RedisOptions};
use anteroom_load_tests::proxy::{Door, Fault, Proxy, Way};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

/// A slow machine is no failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing has to come for it to be nothing. A machine that is slow makes this test weaker, never red.
const SILENCE: Duration = Duration::from_millis(60);

#[tokio::test]
async fn what_is_sent_passes_both_ways_and_is_counted() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    say(&mut client, b"a question").await;
    hear(&mut server, b"a question").await;
    say(&mut server, b"an answer").await;
    hear(&mut client, b"an answer").await;
    client.shutdown().await.unwrap();
    assert_eq!(end_of(&mut server).await, None);
    say(&mut server, b"!").await;
    drop(server);
    hear(&mut client, b"!").await;
    assert_eq!(end_of(&mut client).await, None);
    let counts = within(stage.proxy.until(|counts| counts.open == 0)).await;
    assert_eq!((counts.connections, counts.to_server, counts.to_client), (1, 10, 10));
    assert_eq!((counts.vanished, counts.flipped, counts.resets, counts.refused), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_closed_door_refuses_who_comes_and_lets_who_is_there_go_on() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.door(Door::Closed).await.unwrap();
    let refused = TcpStream::connect(stage.proxy.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    say(&mut client, b"still here").await;
    hear(&mut server, b"still here").await;
    stage.proxy.door(Door::Open).await.unwrap();
    stage.connect().await;
}

#[tokio::test]
async fn a_slammed_door_accepts_and_resets_at_once() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.door(Door::Slammed).await.unwrap();
    // The reset may be there before `connect` has returned.
    let refused = match TcpStream::connect(stage.proxy.address()).await {
        Ok(mut refused) => end_of(&mut refused).await,
        Err(error) => Some(error.kind()),
    };
    assert_eq!(refused, Some(io::ErrorKind::ConnectionReset));
    within(stage.proxy.until(|counts| counts.refused == 1)).await;
    say(&mut server, b"still here").await;
    hear(&mut client, b"still here").await;
}

#[tokio::test]
async fn a_server_that_is_not_there_resets_the_client() {
    let stage = Stage::new().await;
    let proxy = stage.proxy.clone();
    drop(stage);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(end_of(&mut client).await, Some(io::ErrorKind::ConnectionReset));
    within(proxy.until(|counts| counts.unreachable == 1)).await;
}

#[tokio::test]
async fn new_connections_can_be_led_to_another_server() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    let other = Stage::new().await;
    let here = stage.listener.local_addr().unwrap();
    assert_eq!(stage.proxy.url(&format!("redis://{here}/0")), format!("redis://{}/0", stage.proxy.address()));
    stage.proxy.lead_to(other.listener.local_addr().unwrap());
    stage.listener = other.listener;
    let (mut newcomer, mut successor) = stage.connect().await;
    say(&mut newcomer, b"new").await;
    hear(&mut successor, b"new").await;
    say(&mut client, b"old").await;
    hear(&mut server, b"old").await;
}

#[tokio::test]
async fn vanished_bytes_are_never_heard_of_and_the_connection_is_reset_when_it_speaks_again() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.fault_on(Way::ToServer, Fault::Vanish);
    say(&mut client, b"lost").await;
    within(stage.proxy.until(|counts| counts.vanished == 4)).await;
    say(&mut server, b"the other way is open").await;
    hear(&mut client, b"the other way is open").await;
    stage.proxy.fault(Fault::Pass);
    hears_nothing(&mut server).await;
    say(&mut client, b"is anybody there").await;
    assert_eq!(end_of(&mut client).await, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(end_of(&mut server).await, Some(io::ErrorKind::ConnectionReset));
    let counts = within(stage.proxy.until(|counts| counts.resets == 1)).await;
    assert_eq!((counts.to_server, counts.vanished), (0, 4));
    let (mut client, mut server) = stage.connect().await;
    say(&mut client, b"a new one is whole").await;
    hear(&mut server, b"a new one is whole").await;
}

#[tokio::test]
async fn held_bytes_arrive_later_in_order_and_so_does_the_end() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.fault_on(Way::ToServer, Fault::Hold);
    say(&mut client, b"one ").await;
    say(&mut client, b"two ").await;
    say(&mut client, b"three").await;
    client.shutdown().await.unwrap();
    hears_nothing(&mut server).await;
    say(&mut server, b"the other way is open").await;
    hear(&mut client, b"the other way is open").await;
    assert_eq!(stage.proxy.counts().to_server, 0);
    stage.proxy.fault_on(Way::ToServer, Fault::Pass);
    hear(&mut server, b"one two three").await;
    assert_eq!(end_of(&mut server).await, None);
}

#[tokio::test]
async fn behind_a_partition_nobody_learns_that_a_peer_has_gone() {
    let reset = Some(io::ErrorKind::ConnectionReset);
    for (fault, dies, later) in [
        (Fault::Hold, true, reset),
        (Fault::Hold, false, None),
        (Fault::Vanish, true, reset),
        (Fault::Vanish, false, reset),
    ] {
        let mut stage = Stage::new().await;
        let (client, mut server) = stage.connect().await;
        stage.proxy.fault(fault);
        if dies {
            client.set_zero_linger().unwrap();
        }
        drop(client);
        hears_nothing(&mut server).await;
        stage.proxy.fault(Fault::Pass);
        assert_eq!(end_of(&mut server).await, later, "{fault:?}");
    }
}

#[tokio::test]
async fn that_a_client_has_died_does_not_come_back_through_a_way_that_is_held() {
    for fault in [Fault::Hold, Fault::Vanish] {
        let mut stage = Stage::new().await;
        let (client, mut server) = stage.connect().await;
        stage.proxy.fault_on(Way::ToServer, fault);
        client.set_zero_linger().unwrap();
        drop(client);
        // What it says reaches a machine that knows of no such connection, whose answer is held.
        for _ in 0..3 {
            say(&mut server, b"are you there").await;
            hears_nothing(&mut server).await;
        }
        stage.proxy.fault(Fault::Pass);
        assert_eq!(end_of(&mut server).await, Some(io::ErrorKind::ConnectionReset));
    }
}

#[tokio::test]
async fn a_delay_makes_all_later_and_nothing_slower() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    let delay = Duration::from_millis(300);
    stage.proxy.fault_on(Way::ToServer, Fault::Delay(delay));
    let began = Instant::now();
    for _ in 0..50 {
        say(&mut client, b"tick").await;
    }
    hear(&mut server, &b"tick".repeat(50)).await;
    let took = began.elapsed();
    assert!(took >= delay && took < 25 * delay, "{took:?}: fifty at once are not fifty one after the other");
}

#[tokio::test]
async fn a_throttle_lets_so_many_bytes_through_a_second_and_lets_go_at_once() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.fault_on(Way::ToClient, Fault::Throttle(10_000));
    let began = Instant::now();
    say(&mut server, &[1; 3_000]).await;
    hear(&mut client, &[1; 3_000]).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());

    stage.proxy.fault_on(Way::ToClient, Fault::Throttle(1));
    say(&mut server, &[2; 3_000]).await;
    hear(&mut client, &[2]).await;
    stage.proxy.fault_on(Way::ToClient, Fault::Pass);
    hear(&mut client, &[2; 2_999]).await;
}

#[tokio::test]
async fn corruption_turns_the_bits_that_its_seed_says() {
    let mut heard = Vec::new();
    for seed in [1, 1, 2] {
        let mut stage = Stage::new().await;
        let (mut client, mut server) = stage.connect().await;
        stage.proxy.fault_on(Way::ToServer, Fault::Corrupt { every: 100, seed });
        let mut bytes = [0; 1_000];
        for piece in bytes.chunks(70) {
            say(&mut client, piece).await;
        }
        within(server.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>(), 10);
        assert_eq!(stage.proxy.counts().flipped, 10);
        heard.push(bytes);
    }
    assert!(heard[0] == heard[1] && heard[0] != heard[2]);
}

#[tokio::test]
async fn a_half_closed_direction_is_over_and_the_other_one_goes_on() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    stage.proxy.half_close(Way::ToClient);
    assert_eq!(end_of(&mut client).await, None);
    within(stage.proxy.until(|counts| counts.half_closed == 1)).await;
    say(&mut client, b"can you hear me").await;
    hear(&mut server, b"can you hear me").await;
    say(&mut server, b"no").await;
    within(stage.proxy.until(|counts| counts.vanished == 2)).await;
    let (_client, mut server) = stage.connect().await;
    hears_nothing(&mut server).await;
}

#[tokio::test]
async fn of_a_lost_reply_the_request_has_arrived_and_the_client_sees_a_reset() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    let (mut bystander, mut his) = stage.connect().await;
    stage.proxy.lose_reply_to(b"COMMIT");
    say(&mut client, b"BEGIN").await;
    hear(&mut server, b"BEGIN").await;
    say(&mut server, b"begun").await;
    hear(&mut client, b"begun").await;
    say(&mut client, b"COMMIT").await;
    hear(&mut server, b"COMMIT").await;
    say(&mut server, b"committed").await;
    assert_eq!(end_of(&mut client).await, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(end_of(&mut server).await, Some(io::ErrorKind::ConnectionReset));
    let counts = within(stage.proxy.until(|counts| counts.lost_replies == 1)).await;
    assert_eq!((counts.resets, counts.open), (1, 1));
    say(&mut bystander, b"COMMIT").await;
    hear(&mut his, b"COMMIT").await;
    say(&mut his, b"committed").await;
    hear(&mut bystander, b"committed").await;

    stage.proxy.lose_next_reply();
    say(&mut bystander, b"anything").await;
    hear(&mut his, b"anything").await;
    say(&mut his, b"done").await;
    assert_eq!(end_of(&mut bystander).await, Some(io::ErrorKind::ConnectionReset));
    within(stage.proxy.until(|counts| counts.lost_replies == 2)).await;
}

#[tokio::test]
async fn a_reset_reaches_both_ends_of_every_connection_and_none_to_come() {
    let mut stage = Stage::new().await;
    let mut ends = Vec::new();
    for _ in 0..5 {
        let (client, server) = stage.connect().await;
        ends.extend([client, server]);
    }
    // What is held does not hold this up.
    stage.proxy.fault(Fault::Hold);
    say(&mut ends[0], b"held").await;
    stage.proxy.reset_all();
    for end in &mut ends {
        assert_eq!(end_of(end).await, Some(io::ErrorKind::ConnectionReset));
    }
    assert_eq!(within(stage.proxy.until(|counts| counts.open == 0)).await.resets, 5);
    stage.proxy.fault(Fault::Pass);
    let (mut client, mut server) = stage.connect().await;
    say(&mut client, b"welcome").await;
    hear(&mut server, b"welcome").await;
}

#[tokio::test]
async fn a_reset_by_one_end_is_passed_on_to_the_other() {
    let mut stage = Stage::new().await;
    let (client, mut server) = stage.connect().await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(end_of(&mut server).await, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(within(stage.proxy.until(|counts| counts.open == 0)).await.resets, 0);
}

#[tokio::test]
async fn whatever_is_done_without_loss_while_they_pass_bytes_arrive_as_they_were_sent() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    let sent: Vec<u8> =
        (0..2_000_000_u32).map(|number| number.to_le_bytes()[(number % 3) as usize]).collect();
    let copy = sent.clone();
    let sending = tokio::spawn(async move { client.write_all(&copy).await });
    let mut heard = Vec::new();
    let faults = [Fault::Hold, Fault::Throttle(100_000), Fault::Delay(Duration::from_millis(5)), Fault::Pass];
    for round in 0..20 {
        stage.proxy.fault(faults[round % faults.len()]);
        let mut some = vec![0; 50_000];
        // Under `Hold` nothing may come at all.
        if let Ok(read) = timeout(Duration::from_millis(10), server.read(&mut some)).await {
            heard.extend_from_slice(&some[..read.unwrap()]);
        }
    }
    stage.proxy.fault(Fault::Pass);
    within(server.read_to_end(&mut heard)).await.unwrap();
    within(sending).await.unwrap().unwrap();
    assert!(heard == sent, "{} of {} bytes, or others", heard.len(), sent.len());
}

#[tokio::test]
async fn the_proxy_ends_with_its_last_handle_and_not_before() {
    let mut stage = Stage::new().await;
    let (mut client, mut server) = stage.connect().await;
    let address = stage.proxy.address();
    drop(stage.proxy.clone());
    say(&mut client, b"one handle is left").await;
    hear(&mut server, b"one handle is left").await;
    drop(stage);
    assert_eq!(end_of(&mut client).await, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(end_of(&mut server).await, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_redis_has_done_what_it_was_asked_for_though_its_reply_was_lost() {
    let redis = PrivateRedis::start(&RedisOptions::default()).await.unwrap();
    let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], redis.port()))).await.unwrap();
    assert_eq!(proxy.url(&redis.url()), format!("redis://{}/", proxy.address()));
    proxy.lose_reply_to(b"INCR");
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut client, b"INCR visits\r\n").await;
    assert_eq!(end_of(&mut client).await, Some(io::ErrorKind::ConnectionReset));
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut client, b"GET visits\r\n").await;
    hear(&mut client, b"$1\r\n1\r\n").await;
}

/// A proxy, and the server behind it, whose part the test plays.
struct Stage {
    listener: TcpListener,
    proxy: Proxy,
}

impl Stage {
    async fn new() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(loopback).await.expect("a port");
        let proxy = Proxy::start(listener.local_addr().expect("its address")).await.expect("a proxy");
        Self { listener, proxy }
    }

    /// Both ends of a new connection, which the proxy stands between.
    async fn connect(&mut self) -> (TcpStream, TcpStream) {
        let open = self.proxy.counts().open;
        let client = within(TcpStream::connect(self.proxy.address())).await.expect("the proxy");
        let (server, _) = within(self.listener.accept()).await.expect("the proxy comes on");
        within(self.proxy.until(|counts| counts.open > open)).await;
        (client, server)
    }
}

async fn within<T>(something: impl Future<Output = T>) -> T {
    timeout(PATIENCE, something).await.expect("it comes in time")
}

async fn say(stream: &mut TcpStream, words: &[u8]) {
    within(stream.write_all(words)).await.expect("an open connection");
}

async fn hear(stream: &mut TcpStream, words: &[u8]) {
    let mut heard = vec![0; words.len()];
    within(stream.read_exact(&mut heard)).await.expect("an open connection");
    assert_eq!(heard, words);
}

async fn hears_nothing(stream: &mut TcpStream) {
    let heard = timeout(SILENCE, stream.read(&mut [0])).await;
    assert!(heard.is_err(), "{heard:?}");
}

/// How a connection ends, on which nothing more is said: properly (`None`) or by an error.
async fn end_of(stream: &mut TcpStream) -> Option<io::ErrorKind> {
    match within(stream.read(&mut [0; 64])).await {
        Ok(read) => {
            assert_eq!(read, 0, "nothing is said");
            None
        }
        Err(error) => Some(error.kind()),
    }
}
