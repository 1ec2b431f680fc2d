//! Further people of the rooms: one of the client's team, and some who were of the freelancer's side and came back on the client's.

use anteroom_load_tests::client::Case;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::user::Side;

use super::life::Life;
use super::planted::{Planted, Said};
use super::seat::Seat;
use crate::access::Things;
use crate::support::{Scene, ask, id};

/// Somebody who was on the freelancer's side of one room, and is on the client's.
pub(super) struct Crossed {
    pub(super) seat: Seat,
    room: RoomRef,
    /// What there was to be told on the freelancer's side.
    known: Planted,
    /// How many words had been said before there was nothing more of it to be told.
    before: Option<usize>,
}

impl Crossed {
    /// The case whose room it is.
    pub(super) fn case<'a>(&self, cases: &'a [(Things, Case)]) -> &'a (Things, Case) {
        cases.iter().find(|(things, _)| things.room == self.room).expect("a case that was kept")
    }

    /// What was said on the freelancer's side, and what on the client's.
    pub(super) async fn heard(&mut self) -> (Vec<Said>, Vec<Said>) {
        let mut before = self.seat.heard().await;
        let after = before.split_off(self.before.expect("on the client's side by now"));
        (before, after)
    }

    /// What there was to be told on the freelancer's side, and was not.
    pub(super) fn untold(&self, before: &[Said]) -> Vec<String> {
        assert!(!self.known.is_empty(), "nothing was to be told");
        self.known.untold(before)
    }
}

/// Somebody new, of whom the marketplace tells.
pub(super) async fn arrives(scene: &Scene, name: &str) -> Seat {
    let user = id(name);
    scene.server.marketplace.put_user(&user, name).await.expect("told of the person");
    Seat::of(&scene.server, &user).await
}

/// These things for somebody who is no client: whoever can propose to do a job is a candidate, and is told of the own fees.
pub(super) fn without_the_job(things: &Things) -> Things {
    Things { job: Things::missing().job, ..things.clone() }
}

impl Life {
    /// The client brings in somebody of the team, who reads on from the beginning.
    pub(super) async fn brings_in_the_team(&mut self, room: RoomRef) {
        let user = self.member.user.clone();
        self.client_does(ask::add_member(room, &user, None)).await;
        self.member.joins(room).await;
    }

    /// The freelancer brings in somebody, who reads on from the beginning.
    pub(super) async fn brings_in_an_agent(&mut self, room: RoomRef) {
        let seat = arrives(&self.scene, &format!("agent-{}", self.crossed.len())).await;
        self.freelancer_does(ask::add_member(room, &seat.user, Some(Side::Freelancer))).await;
        self.crossed.push(Crossed { seat, room, known: Planted::default(), before: None });
        self.crossed.last_mut().expect("somebody").seat.joins(room).await;
    }

    /// That one is removed, and brought in again by the client before anybody has looked.
    pub(super) async fn the_agent_comes_back_on_the_other_side(&mut self, joins: bool) {
        let crossed = self.crossed.last().expect("somebody");
        let (user, room) = (crossed.seat.user.clone(), crossed.room);
        self.freelancer_does(ask::remove_member(room, &user)).await;
        self.client_does(ask::add_member(room, &user, Some(Side::Client))).await;
        let known = self.planted.since(&self.before_this_job);
        let crossed = self.crossed.last_mut().expect("somebody");
        // The last of what a socket gets that was joined before.
        crossed.seat.is_told(room, "member.removed").await;
        (crossed.known, crossed.before) = (known, Some(crossed.seat.heard().await.len()));
        if joins {
            crossed.seat.joins(room).await;
        }
    }
}
