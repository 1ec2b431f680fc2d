//! A person's sockets on several nodes, when something about the person changes at one of them.

use std::time::Duration;

use anteroom_load_tests::client::{Socket, new_client_id};
use anteroom_load_tests::proxy::Door;
use anteroom_protocol::id::UserId;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{UserProfile, UserStatus};
use tokio::time::Instant;

use super::Fleet;
use crate::support::ask;

/// How soon every socket knows …
const SOON: Duration = Duration::from_secs(2);
/// … and how soon while the nodes do not hear each other.
const LATE: Duration = Duration::from_secs(30);

async fn everywhere(fleet: &Fleet, user: &UserId) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for node in &fleet.nodes {
        let (mut socket, _) = node.marketplace.socket(user, Vec::new()).await.expect("a socket");
        socket.set_timeout(LATE);
        sockets.push(socket);
    }
    sockets
}

/// Takes the tokens of this person back at the first node. How long it takes until the last socket is closed.
async fn revoked(fleet: &Fleet, user: &UserId) -> Duration {
    let mut sockets = everywhere(fleet, user).await;
    let since = Instant::now();
    let path = format!("/v1/users/{user}/revoke");
    let answer = fleet.nodes[0].marketplace.service().raw("POST", &path, &[], None).await.expect("an answer");
    assert_eq!(answer.status, 200);
    for socket in &mut sockets {
        assert_eq!(socket.closed().await.expect("closed").0, 4502);
    }
    since.elapsed()
}

/// Suspends this person at the first node. How long it takes until the last socket was told, which all stay open.
async fn suspended(fleet: &Fleet, user: &UserId, name: &str) -> Duration {
    let room = fleet.nodes[0].marketplace.open_room(name).await.expect("a room");
    let mut sockets = everywhere(fleet, user).await;
    let since = Instant::now();
    let profile = UserProfile {
        status: UserStatus::Suspended,
        status_reason: Some("a complaint".into()),
        ..UserProfile::active("Somebody")
    };
    fleet.nodes[0].marketplace.put_profile(user, &profile).await.expect("told");
    for socket in &mut sockets {
        let told = |frame: &ServerFrame| matches!(frame, ServerFrame::Account(_));
        socket.wait_for("word of the account", told).await.expect("told");
    }
    let after = since.elapsed();
    for socket in &mut sockets {
        let refused = socket.command(new_client_id(), ask::post(room.room, "still here?")).await;
        refused.expect_err("whoever is suspended writes nothing");
        socket.ping().await.expect("open");
    }
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_revocation_closes_and_a_suspension_tells_the_sockets_of_every_node_also_without_redis() {
    let fleet = Fleet::start(2).await;
    let people = fleet.nodes[0].marketplace.open_rooms(2, "device").await.expect("people");
    let (closed, told) =
        (revoked(&fleet, &people[0].client).await, suspended(&fleet, &people[0].freelancer, "one").await);
    eprintln!("all closed after {closed:?}, all told after {told:?}");
    assert!(closed < SOON && told < SOON);
    let heard = fleet.nodes[1].figure("anteroom_bus_heard_total{outcome=\"person\"}").await;
    for node in &fleet.nodes {
        node.redis.door(Door::Closed).await.expect("closed");
        node.redis.reset_all();
        node.until_degraded(true).await;
    }
    let (closed, told) =
        (revoked(&fleet, &people[1].client).await, suspended(&fleet, &people[1].freelancer, "two").await);
    eprintln!("without Redis: all closed after {closed:?}, all told after {told:?}");
    assert!(closed < LATE && told < LATE);
    let after = fleet.nodes[1].figure("anteroom_bus_heard_total{outcome=\"person\"}").await;
    assert!(heard > 0 && after == heard, "the fault has hit: {heard}, {after}");
}
