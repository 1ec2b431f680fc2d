//! A run: two people in each of a few rooms, on different nodes, who write and read while something is broken, and what the judge says of
//! it when everything is whole again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anteroom_load_tests::history::trial::{Breaking, Trial};
use anteroom_load_tests::history::verdict::Verdict;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::desk::{Account, Desk, Work};
use super::{Fleet, PATIENCE};

const ROOMS: usize = 4;

/// People who write.
pub(super) struct Play {
    trial: Trial,
    work: Arc<Work>,
    desks: Vec<JoinHandle<Desk>>,
}

/// How it went.
pub(super) struct Played {
    pub(super) verdict: Verdict,
    /// What each desk was told, and where it is at home.
    pub(super) accounts: Vec<(usize, Account)>,
}

impl Play {
    /// The client of each room is at one node, the freelancer at the next. In half of the rooms the freelancer only reads.
    pub(super) async fn begin(fleet: &Fleet, name: &str) -> Self {
        let marketplace = &fleet.nodes[0].marketplace;
        let rooms = marketplace.open_rooms(ROOMS, name).await.expect("rooms");
        let doors: Vec<String> = fleet.nodes.iter().map(|node| node.server.base_url().to_owned()).collect();
        let (nodes, told, is_over) = (doors.len(), watch::Sender::default(), watch::Sender::default());
        let work = Arc::new(Work { doors, told, is_over });
        let mut trial = Trial::begin(name, None);
        let mut desks = Vec::new();
        for (number, room) in rooms.iter().enumerate() {
            trial.room(marketplace, room).await.expect("a room");
            for (side, user) in [&room.client, &room.freelancer].into_iter().enumerate() {
                let (scribe, token) = (trial.device(user), marketplace.token(user));
                let home = (number + side) % nodes;
                let mut desk = Desk::new(room.room, scribe, token, home, work.clone());
                desk.is_silent = number >= ROOMS / 2 && side == 1;
                desks.push(tokio::spawn(desk.write()));
            }
        }
        let play = Self { trial, work, desks };
        play.goes_on(20).await;
        play
    }

    /// Waits for so many more acknowledgements.
    pub(super) async fn goes_on(&self, more: u64) {
        let mut told = self.work.told.subscribe();
        let enough = *told.borrow() + more;
        let waiting = timeout(PATIENCE, told.wait_for(|told| *told >= enough)).await;
        assert!(waiting.is_ok(), "{more} more acknowledgements: not within {PATIENCE:?}");
    }

    /// Something is broken until what is returned is dropped.
    pub(super) fn breaks(&self, name: &'static str) -> Breaking {
        self.trial.breaks(name)
    }

    /// Everything is whole again: lets everybody finish and read to the end, and asks the judge.
    pub(super) async fn end(self, fleet: &Fleet, teller: usize) -> Played {
        self.goes_on(20).await;
        self.work.is_over.send_replace(true);
        let mut desks = Vec::new();
        for desk in self.desks {
            desks.push(timeout(PATIENCE, desk).await.expect("an end in time").expect("a desk"));
        }
        let marketplace = &fleet.nodes[teller].marketplace;
        let mut heads = BTreeMap::new();
        for desk in &mut desks {
            let head = heads.entry(desk.room).or_insert(0);
            if *head == 0 {
                let sql = format!("SELECT seq FROM logs WHERE room = '{}'", desk.room);
                *head = fleet.query(&sql).await.parse().expect("a number");
            }
            let read = timeout(Duration::from_secs(10), desk.read_to(*head)).await;
            assert!(read.is_ok(), "{} of {}: not read within 10 s, without a new socket", head, desk.room);
        }
        let verdict = self.trial.prove(marketplace).await.unwrap_or_else(|found| panic!("{found}"));
        fleet.is_dense().await;
        let accounts: Vec<_> = desks.iter().map(|desk| (desk.home, desk.account.clone())).collect();
        for (home, account) in &accounts {
            assert_eq!(account.sent, account.acknowledged, "in the end everything is acknowledged, once");
            eprintln!("at {home}: {account:?}");
        }
        eprintln!("{}", verdict.text());
        Played { verdict, accounts }
    }
}

impl Played {
    /// Errors of the desks of this node, or of all, by code.
    pub(super) fn errors(&self, home: Option<usize>) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for (_, account) in self.accounts.iter().filter(|(at, _)| home.is_none_or(|home| home == *at)) {
            for (code, count) in &account.errors {
                *all.entry(*code).or_default() += count;
            }
        }
        all
    }

    /// Nobody was refused anything, and whatever was acknowledged was at its readers within this time.
    pub(super) fn nobody_noticed(&self, within: Duration) {
        let (count, longest) = self.arrival("healthy");
        eprintln!("{count} arrived, within {longest:?}; answered within {:?}", self.longest());
        assert!(self.errors(None).is_empty(), "{:?}", self.errors(None));
        assert!(longest < within, "{longest:?}");
    }

    /// The longest time from an acknowledgement to a reader while this was broken, and how many there were.
    pub(super) fn arrival(&self, window: &str) -> (u64, Duration) {
        let delays = self.verdict.latency.get(window).expect("something arrived meanwhile");
        (delays.count, Duration::from_secs_f64(delays.max / 1_000.0))
    }

    /// The longest time to an answer.
    pub(super) fn longest(&self) -> Duration {
        self.accounts.iter().map(|(_, account)| account.longest).max().unwrap_or_default()
    }
}
