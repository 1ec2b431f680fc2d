//! Anything in any order, beside a model so simple that it cannot be wrong: a list of lines for each room, and a table of what was done.

use std::collections::HashMap;

use anteroom::domain::log::Log;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CommitError, Committed};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::id::{CandidacyId, ClientId, RoomId};
use anteroom_protocol::user::UserStatus;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::block_in_place;

use super::deed::person;
use super::kept_property;
use super::world::{Post, World, told};
use crate::support::ask;

const AUTHORS: [&str; 3] = ["clara", "felix", "mallory"];
const BODIES: [&str; 3] = [" ", "yes", "no"];
const ROOMS: usize = 3;
const IDS: usize = 9;

#[derive(Debug, Clone)]
enum Op {
    Batch(Vec<Line>),
    End { author: usize, room: usize, id: usize },
    Felix(UserStatus),
    OpenAgain,
}

/// One post. The room after the last is one that does not exist.
#[derive(Debug, Clone)]
struct Line {
    author: usize,
    room: usize,
    id: usize,
    body: usize,
}

fn op() -> impl Strategy<Value = Op> {
    let line = (0..AUTHORS.len(), 0..=ROOMS, 0..IDS, 0..BODIES.len())
        .prop_map(|(author, room, id, body)| Line { author, room, id, body });
    let end = (0..AUTHORS.len(), 0..ROOMS, 0..IDS);
    prop_oneof![
        8 => vec(line, 1..10).prop_map(Op::Batch),
        3 => end.prop_map(|(author, room, id)| Op::End { author, room, id }),
        1 => Just(Op::Felix(UserStatus::Suspended)),
        2 => Just(Op::Felix(UserStatus::Active)),
        1 => Just(Op::OpenAgain),
    ]
}

#[derive(Debug, Clone, PartialEq)]
enum Did {
    Said { room: usize, body: usize },
    Ended { room: usize },
}

struct Talk {
    room: RoomId,
    candidacy: CandidacyId,
    ended: Option<Phase>,
    /// Who, under which id.
    lines: Vec<(String, Option<ClientId>)>,
}

struct Model {
    talks: Vec<Talk>,
    ids: Vec<ClientId>,
    done: HashMap<(usize, usize), (Did, String)>,
    felix: UserStatus,
}

impl Model {
    async fn new(world: &World) -> Self {
        world.tell_of("felix", UserStatus::Active).await;
        let mut talks = Vec::new();
        for _ in 0..ROOMS {
            let (candidacy, room) = world.case(&format!("job-{}", world.fresh()), "felix").await;
            let mut talk = Talk { room, candidacy, ended: None, lines: Vec::new() };
            talk.lines = lines(world, room).await;
            talks.push(talk);
        }
        let ids = (0..IDS).map(|_| world.client_id()).collect();
        Self { talks, ids, done: HashMap::new(), felix: UserStatus::Active }
    }

    /// What has to come of it; `None`: it has to be written.
    fn expected(&self, (author, id): (usize, usize), did: &Did) -> Option<String> {
        if let Some((before, answer)) = self.done.get(&(author, id)) {
            return Some(if before == did { format!("again {answer}") } else { "reused".into() });
        }
        let (Did::Said { room, .. } | Did::Ended { room }) = did;
        let Some(talk) = self.talks.get(*room) else {
            return Some(format!("{:?}", Refusal::NotFound));
        };
        if matches!(did, Did::Said { body: 0, .. }) {
            return Some("invalid".into());
        }
        match (AUTHORS[author], self.felix, talk.ended) {
            ("mallory", ..) => Some(format!("{:?}", Refusal::NotFound)),
            ("felix", UserStatus::Suspended, _) => Some("account".into()),
            (_, _, Some(phase)) => Some(format!("{:?}", Refusal::WrongPhase(phase))),
            (_, _, None) => None,
        }
    }

    fn check(&mut self, by: (usize, usize), did: Did, outcome: &Result<Committed, CommitError>) {
        let expected = self.expected(by, &did);
        if let Some(expected) = expected {
            assert_eq!(found(outcome), expected, "{by:?} {did:?}");
            return;
        }
        let done = outcome.as_ref().unwrap_or_else(|error| panic!("{by:?} {did:?}: {error}"));
        assert!(!done.duplicate, "{by:?} {did:?}");
        let (Did::Said { room, .. } | Did::Ended { room }) = did;
        let talk = &mut self.talks[room];
        talk.lines.push((AUTHORS[by.0].into(), Some(self.ids[by.1])));
        assert_eq!(done.appended[0].entry.seq, u64::try_from(talk.lines.len()).expect("small"));
        if let Did::Ended { .. } = did {
            talk.ended = Some(if AUTHORS[by.0] == "clara" { Phase::Declined } else { Phase::Withdrawn });
        }
        self.done.insert(by, (did, told(done)));
    }

    async fn step(&mut self, world: &mut World, op: &Op) {
        match op {
            Op::Batch(batch) => self.batch(world, batch).await,
            Op::End { author, room, id } => {
                let candidacy = self.talks[*room].candidacy;
                let command = match AUTHORS[*author] {
                    "felix" => ask::withdraw_candidacy(candidacy),
                    _ => ask::decline_candidacy(candidacy),
                };
                let outcome = world.act(&person(AUTHORS[*author]), self.ids[*id], &command).await;
                self.check((*author, *id), Did::Ended { room: *room }, &outcome);
            }
            Op::Felix(status) => {
                world.tell_of("felix", *status).await;
                self.felix = *status;
            }
            Op::OpenAgain => world.open_again().await,
        }
    }

    async fn batch(&mut self, world: &World, batch: &[Line]) {
        let post = |line: &Line| {
            let room = self.talks.get(line.room).map_or(RoomId(uuid::Uuid::nil()), |talk| talk.room);
            let client_id = self.ids[line.id];
            Post { client_id, ..world.post(AUTHORS[line.author], room, BODIES[line.body]) }
        };
        let posts: Vec<Post> = batch.iter().map(post).collect();
        for (line, outcome) in batch.iter().zip(world.commit(&posts).await) {
            let did = Did::Said { room: line.room, body: line.body };
            self.check((line.author, line.id), did, &outcome);
        }
    }
}

/// What came of it, in the model's words.
fn found(outcome: &Result<Committed, CommitError>) -> String {
    match outcome {
        Ok(done) if done.duplicate => format!("again {}", told(done)),
        Ok(done) => format!("new {}", told(done)),
        Err(CommitError::Reused) => "reused".into(),
        Err(CommitError::Refused(Refusal::Account(_))) => "account".into(),
        Err(CommitError::Refused(Refusal::Invalid(_))) => "invalid".into(),
        Err(CommitError::Refused(refusal)) => format!("{refusal:?}"),
        Err(error @ (CommitError::Busy(_) | CommitError::Unknown(_))) => error.to_string(),
    }
}

async fn lines(world: &World, room: RoomId) -> Vec<(String, Option<ClientId>)> {
    let entries = world.sound(&Log::Room(room)).await;
    entries.iter().map(|entry| (entry.by.as_ref().expect("somebody").to_string(), entry.client_id)).collect()
}

pub(super) async fn whatever_is_done_the_logs_are_those_of_a_simple_model(world: World) {
    let world = Mutex::new(world);
    let handle = Handle::current();
    let story = async |ops: &[Op]| {
        let mut world = world.lock().await;
        let mut model = Model::new(&world).await;
        for op in ops {
            model.step(&mut world, op).await;
        }
        for talk in &model.talks {
            assert_eq!(lines(&world, talk.room).await, talk.lines);
        }
    };
    let outcome = block_in_place(|| {
        TestRunner::new(kept_property(24)).run(&vec(op(), 1..16), |ops| {
            handle.block_on(story(&ops));
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
