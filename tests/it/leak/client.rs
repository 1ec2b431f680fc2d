//! The walk from both seats: the client's finds nothing, the freelancer's finds everything.

use super::life::{Life, and_others, at_a_flat_rate, by_tiers, with_a_share_on_top};
use super::planted::Said;
use super::salts;
use super::walk::{every_command, every_frame, every_route};
use crate::access::Things;

/// What the client was told on its sockets at least.
const HEARD: [&str; 16] = [
    "invitation.accepted",
    "terms.proposed",
    "terms.accepted",
    "terms.declined",
    "terms.withdrawn",
    "terms.expired",
    "offer.made",
    "offer.change_requested",
    "offer.changed",
    "offer.declined",
    "offer.withdrawn",
    "offer.expired",
    "offer.accepted",
    "contract.formed",
    "contract.sealed",
    "contract.ended",
];
/// How it was refused at least, through both doors.
const REFUSED: [&str; 11] = [
    "bad_request",
    "not_found",
    "forbidden",
    "wrong_side",
    "wrong_phase",
    "terms_stale",
    "offer_not_standing",
    "offer_expired",
    "job_not_open",
    "candidacy_exists",
    "cover_letter_fixed",
];

/// At most as many as are shown without hiding the first.
fn shown(leaks: &[String]) -> String {
    let short = |leak: &String| leak.chars().take(600).collect::<String>();
    format!("{} leaks:\n{}", leaks.len(), leaks.iter().take(12).map(short).collect::<Vec<_>>().join("\n"))
}

/// A walk that has not been where figures could be proves little.
fn has_been_everywhere(told: &[Said]) {
    let (frames, answers): (Vec<&Said>, _) = told.iter().partition(|said| said.origin.contains("socket"));
    let tell =
        |of: &[&Said], words: String| assert!(of.iter().any(|said| said.text.contains(&words)), "{words}");
    for kind in HEARD {
        tell(&frames, format!(r#""kind":"{kind}""#));
    }
    for code in REFUSED {
        tell(&frames, format!(r#""code":"{code}""#));
        tell(&answers, format!(r#""code":"{code}""#));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_client_can_get_hold_of_tells_nothing_of_what_the_freelancer_takes_home() {
    let mut life = Life::begin().await;
    by_tiers(&mut life).await;
    at_a_flat_rate(&mut life).await;
    with_a_share_on_top(&mut life).await;
    and_others(&mut life).await;
    salts(&mut life).await;
    life.planted.is_unmistakable();
    let Life { scene, mut client, mut freelancer, planted, cases } = life;
    let all: Vec<Things> = cases.iter().map(|(things, _)| things.clone()).collect();
    for seat in [&client, &freelancer] {
        every_route(seat, &scene.server, &all).await;
    }
    // Behind the views: it ends what was still open.
    for (things, case) in &cases {
        every_command(&mut client, &scene.server, things, case).await;
    }
    for seat in [&client, &freelancer] {
        every_frame(seat, &scene.server, &all).await;
    }
    let told = client.heard().await;
    let leaks = planted.leaks(&told);
    assert!(leaks.is_empty(), "{}", shown(&leaks));
    has_been_everywhere(&told);
    let untold = planted.untold(&freelancer.heard().await);
    assert!(untold.is_empty(), "a search that finds nothing proves nothing: {untold:#?}");
}
