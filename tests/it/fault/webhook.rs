//! Webhooks of two nodes, one of which dies, stands still, or is as good as the other.

use std::time::Duration;

use super::Fleet;
use crate::support::receiver::Receiver;
use crate::webhook::backlog::{all_in_order, drained, memory, pause, pending, pile_up};

/// Rooms of the pile, each of which begins with a message.
const ROOMS: usize = 64;
/// What a node may grow by, in bytes.
const GROWTH: u64 = 48 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn many_pending_events_drain_once_from_two_nodes() {
    let fleet = Fleet::start(2).await;
    let marketplace = fleet.nodes[0].marketplace.clone();
    let receivers = [Receiver::start().await, Receiver::start().await];
    let expected = pile_up(&marketplace, &receivers[0], pending()).await;
    let servers = || fleet.nodes.iter().map(|node| &node.server);
    let before = memory(servers());
    let mut most = before;
    pause(&marketplace, &receivers[0], false).await;
    let events = pending() + ROOMS;
    let took = drained(&receivers[0], events, || most = most.max(memory(servers()))).await;
    assert_eq!(all_in_order(&receivers[0].taken(), &expected), 0, "told once, whichever node tells");
    let rate = events as f64 / took.as_secs_f64();
    eprintln!(
        "{events} events in {took:.1?}, {rate:.0}/s; memory {} MiB, at most {} MiB",
        before >> 20,
        most >> 20
    );
    assert!(most < before + GROWTH, "{before} bytes became {most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn when_the_node_that_tells_dies_or_stands_still_the_other_one_goes_on_after_its_lease() {
    let mut fleet = Fleet::start(2).await;
    let marketplace = fleet.nodes[1].marketplace.clone();
    let receiver = Receiver::start().await;
    receiver.answers_after(|_| (204, Duration::from_millis(20)));
    let messages = 2_000;
    let expected = pile_up(&marketplace, &receiver, messages).await;
    // The other one stands still, so that it is this one who tells.
    fleet.nodes[1].server.pause().expect("paused");
    pause(&fleet.nodes[0].marketplace, &receiver, false).await;
    drained(&receiver, 300, || {}).await;
    fleet.nodes[1].server.resume().expect("goes on");
    fleet.nodes[0].server.kill().await.expect("killed");
    let took = drained(&receiver, messages + ROOMS, || {}).await;
    let again = all_in_order(&receiver.taken(), &expected);
    eprintln!("all told {took:.1?} after the kill, {again} events again");
    assert!(again <= 128, "{again}");
}
