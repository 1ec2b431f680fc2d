//! The walk from every seat: those on the client's side find nothing, the freelancer's finds everything.

use super::life::{Life, and_others, at_a_flat_rate, by_tiers, with_a_share_on_top};
use super::people::{Crossed, without_the_job};
use super::planted::{Planted, Said};
use super::salts;
use super::seat::Seat;
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

/// How somebody who negotiates nothing was refused at least, through both doors.
const REFUSED_TO_OTHERS: [&str; 5] = ["bad_request", "not_found", "forbidden", "wrong_phase", "not_a_member"];

/// A walk that has not been where figures could be proves little.
fn has_been_everywhere(told: &[Said], refused: &[&str]) {
    let (frames, answers): (Vec<&Said>, _) = told.iter().partition(|said| said.origin.contains("socket"));
    let tell =
        |of: &[&Said], words: String| assert!(of.iter().any(|said| said.text.contains(&words)), "{words}");
    for kind in HEARD {
        tell(&frames, format!(r#""kind":"{kind}""#));
    }
    for code in refused {
        tell(&frames, format!(r#""code":"{code}""#));
        tell(&answers, format!(r#""code":"{code}""#));
    }
}

/// Nothing of what was planted was told here.
fn tells_nothing(planted: &Planted, told: &[Said]) {
    let leaks = planted.leaks(told);
    assert!(leaks.is_empty(), "{}", shown(&leaks));
}

/// From the second addition on they are told nothing, of what came before neither; until then they were.
async fn were_told_of_the_one_side_alone(planted: &Planted, crossed: Vec<Crossed>) {
    let mut told = Vec::new();
    for mut person in crossed {
        let (before, after) = person.heard().await;
        let untold = person.untold(&before);
        assert!(untold.is_empty(), "a search that finds nothing proves nothing: {untold:#?}");
        told.extend(after);
    }
    tells_nothing(planted, &told);
    has_been_everywhere(&told, &REFUSED_TO_OTHERS);
}

/// The walk takes minutes where the machine has other things to do.
async fn all_stay(seats: [&mut Seat; 3], crossed: &mut [Crossed]) {
    for seat in seats.into_iter().chain(crossed.iter_mut().map(|person| &mut person.seat)) {
        seat.stays().await;
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
    let Life { scene, mut client, mut freelancer, mut member, mut crossed, planted, cases, .. } = life;
    let all: Vec<Things> = cases.iter().map(|(things, _)| things.clone()).collect();
    for seat in [&client, &freelancer, &member] {
        every_route(seat, &scene.server, &all).await;
    }
    all_stay([&mut client, &mut freelancer, &mut member], &mut crossed).await;
    for person in &mut crossed {
        let (things, case) = person.case(&cases);
        every_route(&person.seat, &scene.server, std::slice::from_ref(things)).await;
        every_command(&mut person.seat, &scene.server, &without_the_job(things), case).await;
    }
    // Behind the views, and the client's last: it ends what was still open.
    for (things, case) in &cases {
        all_stay([&mut client, &mut freelancer, &mut member], &mut crossed).await;
        every_command(&mut member, &scene.server, &without_the_job(things), case).await;
        every_command(&mut client, &scene.server, things, case).await;
    }
    all_stay([&mut client, &mut freelancer, &mut member], &mut crossed).await;
    for seat in [&client, &freelancer, &member] {
        every_frame(seat, &scene.server, &all).await;
    }
    all_stay([&mut client, &mut freelancer, &mut member], &mut crossed).await;
    for person in &crossed {
        every_frame(&person.seat, &scene.server, std::slice::from_ref(&person.case(&cases).0)).await;
    }
    for (seat, refused) in [(&mut client, &REFUSED[..]), (&mut member, &REFUSED_TO_OTHERS[..])] {
        let told = seat.heard().await;
        tells_nothing(&planted, &told);
        has_been_everywhere(&told, refused);
    }
    were_told_of_the_one_side_alone(&planted, crossed).await;
    let untold = planted.untold(&freelancer.heard().await);
    assert!(untold.is_empty(), "a search that finds nothing proves nothing: {untold:#?}");
}
