//! Redis is gone, stands still, or is out of one node's reach: nobody who writes notices, and nothing is lost. As nobody notices, the judge is
//! not told of a fault; that one has hit is in the figures.

use std::time::Duration;

use anteroom_load_tests::proxy::{Door, Fault};
use tokio::time::{Instant, sleep};

use super::play::Play;
use super::{Fleet, lasting};

/// How late an entry of another node may be, also of the first moments, when it is not noticed yet that nodes do not hear each other.
const LATE: Duration = Duration::from_secs(4);
/// The same when it is noticed at once, and looked for once a second.
const LOOKED_FOR: Duration = Duration::from_millis(2_500);
/// After this time all nodes are back on a Redis that is back.
const BACK: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_redis_that_is_killed_and_comes_back_empty_is_noticed_by_nobody_who_writes() {
    let mut fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-killed").await;
    fleet.redis.kill().await.expect("killed");
    // A machine without a server refuses; what stands in front of one here would let everybody in, and then reset them.
    for node in &fleet.nodes {
        node.redis.door(Door::Closed).await.expect("closed");
    }
    for node in &fleet.nodes {
        node.until_degraded(true).await;
    }
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 6)).await;
    fleet.redis.restart().await.expect("an empty redis");
    for node in &fleet.nodes {
        node.redis.door(Door::Open).await.expect("open");
    }
    let since = Instant::now();
    fleet.until_subscribed().await;
    let back = since.elapsed();
    fleet.until_together().await;
    let played = play.end(&fleet, 0).await;
    eprintln!("back on all channels after {back:?}");
    assert!(back < BACK, "{back:?}");
    played.nobody_noticed(LOOKED_FOR);
    for node in &fleet.nodes {
        assert!(node.repairs("degraded").await > 0, "the fault has hit");
    }
}

/// The others looked once when they heard nothing of it any more, and then not for half a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_node_that_is_cut_from_redis_alone_is_degraded_alone_and_its_people_send_and_receive() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-cut").await;
    let [cut, whole] = fleet.nodes.as_slice() else { panic!("two nodes") };
    cut.redis.door(Door::Closed).await.expect("closed");
    cut.redis.reset_all();
    cut.until_degraded(true).await;
    // Long enough for what is written after the first look for a silent node.
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 10)).await;
    assert!(!whole.is_degraded().await && cut.is_ready().await && whole.is_ready().await);
    cut.redis.door(Door::Open).await.expect("open");
    fleet.until_together().await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    assert!(cut.repairs("degraded").await > 0 && whole.figure("anteroom_repairs_total").await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_redis_that_stands_still_keeps_nobody_waiting() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-still").await;
    fleet.redis.pause().await.expect("paused");
    for node in &fleet.nodes {
        node.until_degraded(true).await;
    }
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 5)).await;
    fleet.redis.resume().expect("goes on");
    fleet.until_together().await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    assert!(played.longest() < Duration::from_secs(2));
    for node in &fleet.nodes {
        assert!(node.repairs("degraded").await > 0, "the fault has hit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_node_that_is_started_without_redis_serves_and_joins_the_others_later() {
    let mut fleet = Fleet::start(1).await;
    fleet.redis.kill().await.expect("killed");
    fleet.join().await;
    for node in &fleet.nodes {
        node.until_degraded(true).await;
        assert!(node.is_ready().await);
    }
    let play = Play::begin(&fleet, "redis-late").await;
    play.goes_on(60).await;
    fleet.redis.restart().await.expect("a redis");
    fleet.until_together().await;
    let played = play.end(&fleet, 1).await;
    played.nobody_noticed(LOOKED_FOR);
    for node in &fleet.nodes {
        assert!(node.repairs("degraded").await > 0, "the fault has hit");
    }
}

/// What goes to Redis vanishes without a word, and what comes from there, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_line_to_redis_that_loses_everything_is_found_out_by_the_ticks_that_do_not_come_back() {
    let fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "redis-vanish").await;
    let cut = &fleet.nodes[1];
    cut.redis.fault(Fault::Vanish);
    cut.until_degraded(true).await;
    play.goes_on(60).await;
    cut.redis.fault(Fault::Pass);
    fleet.until_together().await;
    let played = play.end(&fleet, 0).await;
    played.nobody_noticed(LATE);
    assert!(cut.redis.counts().vanished > 0, "the fault has hit");
}
