//! A node dies under load, and its people go on elsewhere.

use super::Fleet;
use super::play::Play;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn the_people_of_a_node_that_is_killed_go_on_at_another_and_each_message_stands_there_once() {
    let mut fleet = Fleet::start(2).await;
    let play = Play::begin(&fleet, "node-killed").await;
    let breaking = play.breaks("killed");
    fleet.nodes[0].server.kill().await.expect("killed");
    play.goes_on(60).await;
    drop(breaking);
    let launcher = fleet.nodes[0].launcher.clone();
    fleet.nodes[0].server = launcher.start().await.expect("back");
    fleet.until_together().await;
    let played = play.end(&fleet, 1).await;
    for (home, account) in &played.accounts {
        assert_eq!(account.connections, if *home == 0 { 2 } else { 1 }, "the fault has hit: {account:?}");
    }
    assert!(played.errors(None).is_empty(), "{:?}", played.errors(None));
    let (count, longest) = played.arrival("killed");
    eprintln!("{count} arrived meanwhile, within {longest:?}");
}
