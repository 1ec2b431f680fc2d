//! Whole lives of candidacies, under every kind of fee, in which the client tries what it may and what it may not.

use anteroom::app::timer::look;
use anteroom::domain::fee::Fees;
use anteroom_load_tests::client::{Case, new_client_id};
use anteroom_load_tests::marketplace::posting;
use anteroom_protocol::command::Command;
use anteroom_protocol::fee::{Billing, FeeSchedule, Tier};
use anteroom_protocol::id::{JobId, RoomRef};
use anteroom_protocol::invitation::DeclineReason;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::terms::{Amounts, Milestone, Terms, TermsKind};
use serde_json::{Value, json};

use super::people::{Crossed, arrives, without_the_job};
use super::planted::Planted;
use super::seat::Seat;
use super::walk::every_command;
use crate::access::Things;
use crate::support::{Door, Scene, ask, id, newest};

const DAY: i64 = 24 * 3_600;

/// Two people, whom they brought in, everything that happened between them, and what only one side may know of it.
pub(super) struct Life {
    pub(super) scene: Scene,
    pub(super) client: Seat,
    pub(super) freelancer: Seat,
    /// Somebody of the client's team, in every room.
    pub(super) member: Seat,
    /// Who changed sides, each in a room of the own.
    pub(super) crossed: Vec<Crossed>,
    pub(super) planted: Planted,
    /// What had been planted when the latest job was put up.
    pub(super) before_this_job: Planted,
    pub(super) cases: Vec<(Things, Case)>,
}

/// A job under a schedule.
struct Stage {
    job: JobId,
    fees: Fees,
}

impl Life {
    /// Nothing has happened yet.
    pub(super) async fn begin() -> Self {
        let scene = Scene::new(Door::Http).await;
        let client = Seat::of(&scene.server, &scene.client.user).await;
        let freelancer = Seat::of(&scene.server, &scene.freelancer.user).await;
        let member = arrives(&scene, "tina").await;
        let billing = Billing { currency: "EUR".into(), amount: BILLED };
        let service = scene.server.marketplace.service();
        service.put::<Value>("/v1/billings/clara/felix", &billing).await.expect("told of the billing");
        let planted = Planted::default();
        let before_this_job = planted.clone();
        Self {
            scene,
            client,
            freelancer,
            member,
            crossed: Vec::new(),
            planted,
            before_this_job,
            cases: Vec::new(),
        }
    }

    /// The marketplace tells of a schedule and of a job under it. Neither has a name that says anything.
    async fn stage(&mut self, name: &str, schedule: FeeSchedule) -> Stage {
        let service = self.scene.server.marketplace.service();
        service
            .put::<Value>(&format!("/v1/fee-schedules/{name}"), &schedule)
            .await
            .expect("told of the fees");
        let stage = Stage { job: id(&format!("job-{name}")), fees: Fees { schedule, billed: BILLED } };
        self.before_this_job = self.planted.clone();
        self.planted.schedule(&stage.fees);
        self.job_is(&stage, name, JobStatus::Open).await;
        stage
    }

    async fn job_is(&self, stage: &Stage, name: &str, status: JobStatus) {
        let mut job = posting(&self.client.user, "A web shop");
        (job.status, job.fee_schedule) = (status, Some(id(name)));
        self.scene.server.marketplace.put_posting(&stage.job, &job).await.expect("told of the job");
    }

    /// What these terms mean is for the freelancer alone.
    fn plants(&mut self, name: &str, stage: &Stage, terms: &Terms) -> Terms {
        self.planted.terms(name, &stage.fees, terms);
        terms.clone()
    }

    pub(super) async fn client_does(&mut self, command: Command) -> Case {
        self.client.does(&self.scene.server, command).await
    }

    pub(super) async fn freelancer_does(&mut self, command: Command) -> Case {
        self.freelancer.does(&self.scene.server, command).await
    }

    async fn marketplace_does(&self, command: Command) -> Case {
        let service = self.scene.server.marketplace.service();
        service.command(new_client_id(), &command).await.expect("done")
    }

    /// Both read the room of this case, and so does one of the team.
    async fn joined(&mut self, case: &Case) -> RoomRef {
        let room = case.room.expect("a room");
        self.client.joins(room).await;
        self.freelancer.joins(room).await;
        self.brings_in_the_team(room).await;
        room
    }

    /// Keeps the ids of a case for the walk.
    fn keep(&mut self, stage: &Stage, case: Case) {
        self.cases.push((things(stage, &case), case));
    }

    /// Time goes by, and what is due happens.
    async fn days_go_by(&self, days: i64) {
        self.scene.server.clock.advance_seconds(days * DAY);
        while look(self.scene.server.app()).await.expect("looked") {}
    }

    /// What the client and the team may not do while the two negotiate, each with what could make the server talk.
    async fn is_refused(&mut self, case: &Case) {
        let (candidacy, (version, hash)) = (case.candidacy, newest(case));
        let terms = |amount: i64| json!(ask::hourly(amount));
        let propose = |version: u32, terms: Value| json!({"candidacy": candidacy, "expected_version": version, "terms": terms});
        let with = |mut fields: Value, name: &str, value: Value| {
            fields[name] = value;
            fields
        };
        let named =
            |version: u32, hash: Value| json!({"candidacy": candidacy, "version": version, "hash": hash});
        let mut tries = vec![
            ("terms.propose", propose(0, terms(5_000))),
            ("terms.propose", propose(version + 7, terms(5_000))),
            ("terms.propose", with(propose(version, terms(5_000)), "amounts", "take_home".into())),
            ("terms.propose", with(propose(version, terms(5_000)), "amounts", "net".into())),
            ("terms.propose", with(propose(version, terms(5_000)), "cover_letter", "Once more".into())),
            ("terms.propose", propose(version, with(terms(5_000), "currency", "JPY".into()))),
            ("terms.propose", propose(version, with(terms(5_000), "currency", "XXX".into()))),
            ("terms.propose", propose(version, with(terms(5_000), "amount", i64::MAX.into()))),
            ("terms.propose", propose(version, with(terms(5_000), "amount", 0.into()))),
            ("terms.accept", named(version, json!(hash))),
            ("terms.decline", named(version, json!(hash))),
            ("terms.withdraw", named(1, json!(hash))),
            ("offer.make", named(version, json!(ask::hourly(1).hash()))),
            ("offer.make", named(version, "no hash".into())),
            ("offer.make", named(version + 7, json!(hash))),
            (
                "contract.form",
                json!({"candidacy": candidacy, "contract": "C-0", "version": version, "hash": hash}),
            ),
        ];
        if let Some(offer) = case.offer {
            let named = |version: u32, hash: Value| json!({"offer": offer, "version": version, "hash": hash});
            tries.extend([
                ("offer.accept", named(version, json!(hash))),
                ("offer.change", named(version, json!(ask::hourly(1).hash()))),
                ("offer.change", named(version + 7, json!(hash))),
                ("offer.decline", json!({"offer": offer})),
                (
                    "offer.request_change",
                    json!({"offer": offer, "message": "hello", "terms": terms(9), "amounts": "take_home"}),
                ),
            ]);
        }
        for (name, fields) in tries {
            for seat in [&mut self.client, &mut self.member] {
                seat.tries(&self.scene.server, name, fields.clone()).await;
            }
        }
    }
}

/// The ids of a case. What it has not is nothing there is.
fn things(stage: &Stage, case: &Case) -> Things {
    let missing = Things::missing();
    Things {
        room: case.room.unwrap_or(missing.room),
        invitation: case.invitation.unwrap_or(missing.invitation),
        proposal: case.proposal.unwrap_or(missing.proposal),
        candidacy: case.candidacy,
        offer: case.offer.unwrap_or(missing.offer),
        contract: case.contract.clone().unwrap_or(missing.contract),
        job: stage.job.clone(),
    }
}

const BILLED: i64 = 424_243;

fn tiered() -> FeeSchedule {
    let tier = |up_to, basis_points| Tier { up_to, basis_points };
    let tiers = vec![tier(Some(7_654_321), 2_339), tier(Some(98_765_432), 1_741), tier(None, 1_153)];
    FeeSchedule::Tiered { currency: "EUR".into(), tiers }
}

fn fixed(amounts: [i64; 2]) -> Terms {
    let part = |amount| Milestone { title: "A part".into(), amount, due_date: None };
    Terms {
        kind: TermsKind::Fixed,
        amount: amounts.iter().sum(),
        weekly_hours: None,
        milestones: Some(amounts.map(part).to_vec()),
        ..ask::hourly(1)
    }
}

/// This command, whose amounts are what is to be taken home.
fn for_take_home(mut command: Command) -> Command {
    if let Command::InvitationAccept(accept) = &mut command {
        accept.amounts = Amounts::TakeHome;
    }
    if let Command::ProposalSubmit(submit) = &mut command {
        submit.amounts = Amounts::TakeHome;
    }
    command
}

/// From an invitation to the end of the contract, in milestones and by tiers.
pub(super) async fn by_tiers(life: &mut Life) {
    let stage = life.stage("first", tiered()).await;
    let suggested = life.plants("version 1", &stage, &fixed([4_100_003, 2_200_007]));
    let invited =
        life.client_does(ask::invite(&stage.job, &life.freelancer.user.clone(), Some(suggested))).await;
    life.is_refused(&invited).await;
    let wanted = fixed([3_000_001, 4_000_003]);
    let charged = stage.fees.charged(wanted.clone()).expect("chargeable");
    life.plants("version 2, typed as take-home", &stage, &charged);
    let accept = ask::accept(invited.invitation.expect("an invitation"), Some(wanted));
    let case = life.freelancer_does(for_take_home(accept)).await;
    assert_eq!(newest(&case), (2, charged.hash()));
    let (room, candidacy) = (life.joined(&case).await, case.candidacy);
    life.brings_in_an_agent(room).await;
    let countered = life.plants("version 3", &stage, &fixed([4_300_009, 3_100_013]));
    life.client_does(ask::propose_terms(candidacy, 2, countered)).await;
    let answered = life.plants("version 4", &stage, &fixed([4_500_017, 3_300_019]));
    let case = life.freelancer_does(ask::propose_terms(candidacy, 3, answered)).await;
    life.client_does(ask::acknowledge_terms(candidacy, 4)).await;
    life.the_agent_comes_back_on_the_other_side(false).await;
    life.is_refused(&case).await;
    let last = life.plants("version 5", &stage, &fixed([4_400_021, 3_200_023]));
    life.client_does(ask::propose_terms(candidacy, 4, last.clone())).await;
    let offered = life.client_does(ask::offer(candidacy, 5, last.hash())).await;
    let offer = offered.offer.expect("an offer");
    let changed = life.plants("version 6", &stage, &fixed([4_450_027, 3_250_029]));
    let asked = life.freelancer_does(ask::request_change(offer, Some((changed.clone(), 5)))).await;
    life.is_refused(&asked).await;
    life.client_does(ask::change_offer(offer, 6, changed.hash())).await;
    let hired = life.freelancer_does(ask::accept_offer(offer, 6, changed.hash())).await;
    let things = things(&stage, &hired);
    every_command(&mut life.client, &life.scene.server, &things, &hired).await;
    let agent = &mut life.crossed.last_mut().expect("somebody").seat;
    for seat in [&mut life.member, agent] {
        every_command(seat, &life.scene.server, &without_the_job(&things), &hired).await;
    }
    life.freelancer
        .tries(&life.scene.server, "message.post", json!({"room": room, "body": "a message"}))
        .await;
    let contract = hired.contract.clone().expect("a contract");
    life.marketplace_does(ask::end_contract(&contract)).await;
    life.keep(&stage, hired);
}

/// A counter and an offer run out, and the marketplace forms the contract, on a version and on terms of its own.
pub(super) async fn at_a_flat_rate(life: &mut Life) {
    let freelancer = life.freelancer.user.clone();
    for (name, own_terms) in [("second", false), ("third", true)] {
        let share = if own_terms { 1_429 } else { 1_337 };
        let stage = life.stage(name, FeeSchedule::Flat { basis_points: share }).await;
        let step = if own_terms { 31_000 } else { 0 };
        let invited = life.client_does(ask::invite(&stage.job, &freelancer, None)).await;
        let accept = ask::accept(invited.invitation.expect("an invitation"), None);
        let case = life.freelancer_does(accept).await;
        let room = life.joined(&case).await;
        life.brings_in_an_agent(room).await;
        let id = case.candidacy;
        let first = life.plants(&format!("version 1, {name}"), &stage, &ask::hourly(123_457 + step));
        life.freelancer_does(ask::propose_terms(id, 0, first.clone())).await;
        life.the_agent_comes_back_on_the_other_side(own_terms).await;
        let second = life.plants(&format!("version 2, {name}"), &stage, &ask::hourly(119_993 + step));
        let countered = life.client_does(ask::propose_terms(id, 1, second)).await;
        life.is_refused(&countered).await;
        life.days_go_by(15).await;
        life.client_does(ask::offer(id, 1, first.hash())).await;
        life.days_go_by(15).await;
        let form = if own_terms {
            let agreed = life.plants(&format!("version 3, {name}"), &stage, &ask::hourly(131_071));
            ask::form_contract_on(id, &crate::support::id("C-2"), agreed)
        } else {
            ask::form_contract(id, &crate::support::id("C-1"), 1, first.hash())
        };
        let formed = life.marketplace_does(form).await;
        life.keep(&stage, formed);
    }
}

/// A proposal, counters and offers that end in every way, and the client ends the candidacy.
pub(super) async fn with_a_share_on_top(life: &mut Life) {
    let stage = life.stage("fourth", FeeSchedule::OnTop { basis_points: 1_879 }).await;
    let wanted = ask::hourly(88_811);
    let charged = stage.fees.charged(wanted.clone()).expect("chargeable");
    life.plants("version 1, on top", &stage, &charged);
    let submitted = life.freelancer_does(for_take_home(ask::propose(&stage.job, wanted))).await;
    assert_eq!(newest(&submitted), (1, charged.hash()));
    life.is_refused(&submitted).await;
    let counter = life.plants("version 2, on top", &stage, &ask::hourly(95_003));
    let proposal = submitted.proposal.expect("a proposal");
    let answer = ask::answer_with(proposal, Some("a message"), Some((counter.clone(), 1)), None);
    let case = life.client_does(answer).await;
    let id = case.candidacy;
    let room = life.joined(&case).await;
    life.brings_in_an_agent(room).await;
    life.freelancer_does(ask::accept_terms(id, 2, counter.hash())).await;
    life.the_agent_comes_back_on_the_other_side(true).await;
    for end in [true, false] {
        let offered = life.client_does(ask::offer(id, 2, counter.hash())).await;
        let offer = offered.offer.expect("an offer");
        if end {
            life.freelancer_does(ask::decline_offer(offer, Some("Too few hours"))).await;
        } else {
            life.client_does(ask::withdraw_offer(offer)).await;
        }
    }
    let third = life.plants("version 3, on top", &stage, &ask::hourly(96_007));
    life.client_does(ask::propose_terms(id, 2, third)).await;
    life.freelancer_does(ask::decline_terms(id, 3)).await;
    let fourth = life.plants("version 4, on top", &stage, &ask::hourly(97_001));
    let case = life.client_does(ask::propose_terms(id, 3, fourth)).await;
    life.client_does(ask::withdraw_terms(id, 4)).await;
    life.keep(&stage, case);
}

/// What ends before there is a contract, or does not end at all.
pub(super) async fn and_others(life: &mut Life) {
    let freelancer = life.freelancer.user.clone();
    for (number, name) in (0..).zip(["fifth", "sixth", "seventh", "eighth", "ninth"]) {
        let stage = life.stage(name, FeeSchedule::Flat { basis_points: 2_003 }).await;
        let terms = life.plants(&format!("terms of {name}"), &stage, &ask::hourly(141_121 + 1_009 * number));
        let case = if number < 3 {
            life.client_does(ask::invite(&stage.job, &freelancer, Some(terms.clone()))).await
        } else {
            life.freelancer_does(ask::propose(&stage.job, terms.clone())).await
        };
        match number {
            0 => {
                let decline =
                    ask::decline(case.invitation.expect("an invitation"), DeclineReason::TooBusy, None);
                life.freelancer_does(decline).await;
                life.keep(&stage, case);
            }
            1 => {
                let case =
                    life.freelancer_does(ask::accept(case.invitation.expect("an invitation"), None)).await;
                life.joined(&case).await;
                let offered = life.client_does(ask::offer(case.candidacy, 1, terms.hash())).await;
                life.job_is(&stage, name, JobStatus::Closed).await;
                life.days_go_by(0).await;
                life.keep(&stage, offered);
            }
            2 | 3 => life.keep(&stage, case),
            _ => {
                life.client_does(ask::decline_proposal(case.proposal.expect("a proposal"))).await;
                life.keep(&stage, case);
            }
        }
    }
}
