//! Two who act at the same moment: whichever of them the server takes first, there is one outcome, and everybody sees the same one. What
//! is judged is what people can see: their answers, both logs with their proofs, and the views.

pub(crate) mod member;
mod offer;
mod seal;
mod terms;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anteroom_load_tests::client::{Case, Http, Socket, new_client_id};
use anteroom_load_tests::marketplace::posting;
use anteroom_protocol::command::Command;
use anteroom_protocol::error::ErrorBody;
use anteroom_protocol::id::ClientId;
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::user::Side;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::task::yield_now;

use crate::support::{Door, Person, Scene, TestServer, problem};

/// So many rounds show every outcome of a duel, unless one of them cannot be.
const ENOUGH: usize = 500;

/// `ANTEROOM_DUEL_ROUNDS`: how often each duel is fought (200; `make proof` takes 2,000). `ANTEROOM_DUEL_SEED`: the seed of who goes which
/// way, as a failed run printed it.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// One of the ways somebody's commands can take.
pub(crate) enum Way {
    Socket(Socket),
    Http(Http),
}

impl Way {
    /// All there are for one person.
    async fn all(server: &TestServer, person: &Person) -> [Self; 3] {
        [
            Self::Socket(person.socket_at(server, Vec::new()).await),
            Self::Socket(person.socket_at(server, Vec::new()).await),
            Self::Http(person.http.clone()),
        ]
    }

    pub(crate) async fn say(&mut self, key: ClientId, command: &Command) -> Result<Value, ErrorBody> {
        match self {
            Self::Socket(socket) => {
                let answer = socket.command(key, command.clone()).await;
                answer.map_err(|error| error.refusal().cloned().unwrap_or_else(|| panic!("{error}")))
            }
            Self::Http(http) => http.command(key, command).await.map_err(|error| problem(&error)),
        }
    }
}

/// What somebody does in a duel.
enum Blow {
    /// A person sends a command under this id.
    Says(Side, ClientId, Box<Command>),
    /// The marketplace tells that the job is in this state.
    Tells(JobStatus),
}

impl Blow {
    fn says(side: Side, command: Command) -> Self {
        Self::Says(side, new_client_id(), Box::new(command))
    }
}

/// What came of a blow, and when it was sent and answered, counted in what happened in the round.
#[derive(Debug)]
struct Struck {
    answer: Result<Value, ErrorBody>,
    sent: usize,
    answered: usize,
}

impl Struck {
    /// It was answered before the other was even sent, so it was taken first.
    fn was_before(&self, other: &Self) -> bool {
        self.answered < other.sent
    }
}

/// Which round it is. Told when it fails.
struct Rounds {
    seed: u64,
    fought: usize,
    all: usize,
}

impl Drop for Rounds {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in round {} of ANTEROOM_DUEL_SEED={}", self.fought, self.seed);
        }
    }
}

/// A client and a freelancer, each with three ways to the server, and a fresh job for each round.
struct Arena {
    scene: Scene,
    dice: StdRng,
    rounds: Rounds,
    ways: [[Way; 3]; 2],
    outcomes: BTreeMap<String, usize>,
}

impl Arena {
    async fn open() -> Self {
        let seed = number("ANTEROOM_DUEL_SEED").unwrap_or_else(rand::random);
        let all = number("ANTEROOM_DUEL_ROUNDS").unwrap_or(200);
        let rounds = Rounds { seed, fought: 0, all: usize::try_from(all).expect("few") };
        let scene = Scene::new(Door::Http).await;
        let ways =
            [Way::all(&scene.server, &scene.client).await, Way::all(&scene.server, &scene.freelancer).await];
        Self { scene, dice: StdRng::seed_from_u64(seed), rounds, ways, outcomes: BTreeMap::new() }
    }

    /// Prepares one round more, if there is to be one: nothing of the last one is left in a socket.
    async fn next_round(&mut self) -> bool {
        if self.rounds.fought == self.rounds.all {
            return false;
        }
        self.rounds.fought += 1;
        for way in self.ways.iter_mut().flatten() {
            if let Way::Socket(socket) = way {
                forget(socket).await;
            }
        }
        forget(&mut self.scene.client.socket).await;
        forget(&mut self.scene.freelancer.socket).await;
        self.scene.server.clock.advance_seconds(1);
        self.scene.job = self.scene.another_job(&format!("job-{}", self.rounds.fought)).await;
        true
    }

    /// Does all of this at the same moment, or now and then in turn, in an order and on ways that the dice choose. What came of it is in the
    /// order of the blows.
    async fn at_once(&mut self, blows: Vec<Blow>) -> Vec<Struck> {
        let [client, freelancer] = &mut self.ways;
        let mut ways = [client, freelancer].map(|ways| ways.iter_mut().collect::<Vec<_>>());
        ways.iter_mut().for_each(|ways| ways.shuffle(&mut self.dice));
        let mut blows: Vec<_> = blows
            .into_iter()
            .enumerate()
            .map(|(at, blow)| {
                let way = match &blow {
                    Blow::Says(side, ..) => ways[usize::from(*side == Side::Freelancer)].pop(),
                    Blow::Tells(_) => None,
                };
                (at, blow, way, self.dice.random_range(0..60))
            })
            .collect();
        blows.shuffle(&mut self.dice);
        let (scene, happened) = (&self.scene, AtomicUsize::new(0));
        let strikes = blows.into_iter().map(async |(at, blow, way, waits)| {
            for _ in 0..waits {
                yield_now().await;
            }
            let sent = happened.fetch_add(1, Ordering::SeqCst);
            let answer = match blow {
                Blow::Says(_, key, command) => way.expect("a way of one's own").say(key, &command).await,
                Blow::Tells(status) => Ok(tell(scene, status).await),
            };
            (at, Struck { answer, sent, answered: happened.fetch_add(1, Ordering::SeqCst) })
        });
        // Of two that overlap either may be taken first. Now and then one is answered before the other is sent: then it was.
        let mut struck: Vec<_> = if self.dice.random_range(0..3) == 0 {
            stream::iter(strikes).then(|strike| strike).collect().await
        } else {
            join_all(strikes).await
        };
        struck.sort_by_key(|(at, _)| *at);
        struck.into_iter().map(|(_, struck)| struck).collect()
    }

    /// Counts what came of a round.
    fn came(&mut self, outcome: &str) {
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
    }

    /// A duel in which the same one always wins would be none: in many rounds, each of these came.
    fn every_outcome_came(&self, outcomes: &[&str]) {
        eprintln!("{:?}", self.outcomes);
        let all = outcomes.iter().all(|outcome| self.outcomes.contains_key(*outcome));
        assert!(all || self.rounds.all < ENOUGH, "{:?} of {outcomes:?}", self.outcomes);
    }
}

/// The marketplace tells of the scene's job.
async fn tell(scene: &Scene, status: JobStatus) -> Value {
    let mut job = posting(&scene.client.user, "A landing page");
    job.status = status;
    let told = scene.server.marketplace.put_posting(&scene.job, &job).await;
    serde_json::to_value(told.expect("told of the job")).expect("JSON")
}

/// Whatever has come on a socket and was not looked at.
pub(crate) async fn forget(socket: &mut Socket) {
    while socket.listen(Duration::ZERO).await.expect("open").is_some() {}
}

/// Of two one was done and the other refused: which was done, its answer, and why the other was not.
fn one_winner(struck: Vec<Struck>) -> (usize, Case, ErrorBody) {
    let [one, other] = <[Struck; 2]>::try_from(struck).expect("two");
    let was_before = [one.was_before(&other), other.was_before(&one)];
    let (won, done, refused) = match (one.answer, other.answer) {
        (Ok(done), Err(refused)) => (0, done, refused),
        (Err(refused), Ok(done)) => (1, done, refused),
        neither => panic!("not one of two: {neither:?}"),
    };
    assert!(!was_before[1 - won], "who was answered before the other had begun was refused: {refused:?}");
    let done: Case = serde_json::from_value(done).expect("a case");
    assert!(!done.duplicate && !refused.retryable, "{done:?} {refused:?}");
    (won, done, refused)
}
