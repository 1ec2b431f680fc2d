//! A Redis that is there and wrong: it forgets, refuses, is another one than the others', or tells what nobody said.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anteroom_load_tests::private::{PrivateRedis, RedisOptions};
use tokio::time::{Instant, sleep};

use super::play::Play;
use super::{Fleet, lasting, until};
use crate::support::stranger::Stranger;

const LATE: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_redis_that_forgets_everything_has_nothing_to_forget() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-flushed").await;
    let mut stranger = Stranger::come(&fleet.redis).await;
    for _ in 0..20 {
        let _: String = stranger.ask(&["FLUSHALL"]).await;
        play.goes_on(10).await;
    }
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(Duration::from_secs(1));
    for node in &fleet.nodes {
        assert_eq!(node.figure("anteroom_bus_subscriptions_total").await, 1);
    }
    let info: String = stranger.ask(&["INFO", "commandstats"]).await;
    assert!(info.contains("cmdstat_flushall:calls=20"), "the fault has hit: {info}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_node_that_listens_to_another_redis_finds_out_and_its_people_wait_for_nothing() {
    let fleet = Fleet::start(2).await;
    let second = PrivateRedis::start(&RedisOptions::default()).await.expect("a second redis");
    let (mut stranger, mut elsewhere) = (Stranger::come(&fleet.redis).await, Stranger::come(&second).await);
    let play = Play::begin(&fleet, "redis-second").await;
    let [right, wrong] = fleet.nodes.as_slice() else { panic!("two nodes") };
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    wrong.redis.lead_to(at(second.port()));
    // Those that listen connect anew, this one to the other Redis; what it publishes with stays where it is.
    let since = Instant::now();
    let _: u64 = stranger.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    wrong.until_degraded(true).await;
    right.until_degraded(false).await;
    let noticed = since.elapsed();
    assert!(noticed < Duration::from_secs(10) && wrong.is_ready().await, "{noticed:?}");
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 10)).await;
    assert!(wrong.is_degraded().await && !right.is_degraded().await);
    let there: Vec<String> = elsewhere.ask(&["PUBSUB", "CHANNELS", "anteroom:*"]).await;
    eprintln!("noticed after {noticed:?}; {} channels at the wrong one", there.len());
    wrong.redis.lead_to(at(fleet.redis.port()));
    let _: u64 = elsewhere.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    wrong.until_degraded(false).await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    assert!(wrong.repairs("degraded").await > 0, "the fault has hit");
}

/// As one does that has become a replica, or has an access list with a mistake in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_redis_that_refuses_to_publish_makes_it_slower_and_nothing_else() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-refuses").await;
    let mut stranger = Stranger::come(&fleet.redis).await;
    let _: String = stranger.ask(&["ACL", "SETUSER", "default", "-publish"]).await;
    for node in &fleet.nodes {
        node.until_degraded(true).await;
        assert!(node.is_ready().await);
    }
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 10)).await;
    let _: String = stranger.ask(&["ACL", "SETUSER", "default", "+publish"]).await;
    fleet.until_together().await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    for node in &fleet.nodes {
        let failed = node.figure("anteroom_bus_publications_total{outcome=\"failed\"}").await;
        assert!(failed > 0 && node.repairs("degraded").await > 0, "the fault has hit: {failed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn whoever_can_write_to_redis_puts_no_word_into_anybodys_room() {
    const FORGERIES: usize = 300;
    let fleet = Fleet::start(2).await;
    let mut stranger = Stranger::come(&fleet.redis).await;
    let play = Play::begin(&fleet, "redis-forged").await;
    let mut overheard = Vec::new();
    for _ in 0..50 {
        overheard.push(stranger.overhear().await);
    }
    for number in 0..FORGERIES {
        let (channel, said) = &overheard[number % overheard.len()];
        let mut forged = said.clone();
        match number % 4 {
            // What was said is said again; a bit of it is another; its end is missing; its version is one that nobody speaks.
            0 => {}
            1 => forged[number % said.len()] ^= 1 << (number % 8),
            2 => forged.truncate(number % said.len()),
            _ => forged[0] = 99,
        }
        stranger.publish(channel, &forged).await;
    }
    play.goes_on(40).await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    for node in &fleet.nodes {
        let heard = async |outcome: &str| {
            node.figure(&format!("anteroom_bus_heard_total{{outcome=\"{outcome}\"}}")).await
        };
        let (forged, repeated) = (heard("forged").await, heard("repeated").await);
        eprintln!("forged {forged}, repeated {repeated}");
        assert!(forged > 0 && repeated > 0, "the fault has hit");
        until("word of what nobody said", async || node.figure("anteroom_bus_missed_total").await > 0).await;
    }
}
