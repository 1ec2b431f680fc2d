//! A new version goes over all nodes while people write; and everybody of a node comes to another one at once.

use std::time::Duration;

use super::Fleet;
use super::play::Play;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn three_nodes_are_restarted_one_by_one_and_nobody_loses_anything() {
    const DRAIN: u64 = 5;
    let mut fleet = Fleet::start_with(3, &[("ANTEROOM_DRAIN_SECONDS", &DRAIN.to_string())]).await;
    let play = Play::begin(&fleet, "rolling").await;
    for at in 0..fleet.nodes.len() {
        play.goes_on(60).await;
        let node = &mut fleet.nodes[at];
        let since = tokio::time::Instant::now();
        let ended = node.server.terminate().await.expect("ended");
        assert_eq!(ended.code(), Some(0), "{}", node.server.log());
        eprintln!("node {at} took its leave within {:?}", since.elapsed());
        assert!(since.elapsed() < Duration::from_secs(DRAIN + 15));
        let launcher = node.launcher.clone();
        node.server = launcher.start().await.expect("back");
        fleet.until_together().await;
    }
    let played = play.end(&fleet, 0).await;
    let (count, longest) = played.arrival("healthy");
    eprintln!("{count} arrived, within {longest:?}");
    assert!(played.errors(None).is_empty(), "{:?}", played.errors(None));
    for (_, account) in &played.accounts {
        assert!(account.connections > 1, "the fault has hit: {account:?}");
        assert!(account.closes.keys().all(|code| *code == 1012), "{account:?}");
    }
}
