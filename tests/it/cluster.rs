//! What `make cluster` starts: three nodes on a PostgreSQL and a Redis of their own, and one address before them.

use anteroom_load_tests::client::{Http, Socket, at_head};
use anteroom_load_tests::cluster::{Cluster, Options};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_protocol::id::RoomRef;

use crate::support::ask;
use crate::support::process::BINARY;

#[tokio::test]
async fn a_talk_behind_one_address_goes_over_three_nodes_and_ends_with_them() {
    let cluster = Cluster::start(&Options::new(BINARY, 3)).await.expect("a cluster");
    let announced = cluster.announcement();
    assert_eq!(
        announced.lines().filter(|line| line.contains(&format!("{}/#token=", cluster.base_url()))).count(),
        2
    );
    let [first, ..] = cluster.nodes() else { panic!("no nodes") };
    let mint = first.mint().expect("the secret that all of them share");
    let marketplace = Marketplace::new(&cluster.base_url(), &mint);
    let open = marketplace.open_room("talk").await.expect("a room");
    let room: RoomRef = open.room;
    // Each socket on the next node: of three, one cannot be on the node of the one who writes.
    let mut readers = Vec::new();
    for node in cluster.nodes() {
        let token = mint.user(&open.freelancer);
        let connected = Socket::connect(node.base_url(), &token, vec![at_head(room)]).await;
        readers.push(connected.expect("a socket").0);
    }
    let client = Http::new(&cluster.base_url(), mint.user(&open.client));
    for number in 0..6 {
        let post = ask::post(room, format!("number {number}"));
        let client_id = anteroom_load_tests::client::new_client_id();
        client.command::<serde_json::Value>(client_id, &post).await.expect("posted");
    }
    for reader in &mut readers {
        let mut seqs = Vec::new();
        for _ in 0..6 {
            seqs.push(reader.next_entry().await.expect("an entry").seq);
        }
        assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    }
    cluster.stop().await.expect("all of them ended");
}
