//! A run that ends before the judge. Whoever takes part has a [`Scribe`]; in the end every log that anybody used is read afresh, and
//! [`check`] says what the history is worth.

use std::collections::BTreeMap;
use std::time::Duration;

use anteroom_protocol::id::{RoomRef, UserId};

use super::Logs;
use super::check::{Options, check};
use super::record::{Fault, Member, Nanos, Role, Run, Via, What};
use super::recorder::Recorder;
use super::scribe::Scribe;
use super::verdict::{Validity, Verdict};
use crate::client::HttpError;
use crate::marketplace::{Marketplace, OpenRoom};

/// What is acknowledged and has not arrived by then has not arrived. Times are measured elsewhere, and never fail a run.
const BOUND: Duration = Duration::from_secs(10);

/// A run.
#[derive(Debug)]
pub struct Trial {
    recorder: Recorder,
    run: Run,
    rooms: Vec<(RoomRef, [UserId; 2])>,
    scribes: Vec<Scribe>,
}

/// Something that is being broken. It is over when this is dropped.
#[derive(Debug)]
pub struct Breaking {
    recorder: Recorder,
    name: &'static str,
    start: Nanos,
}

impl Drop for Breaking {
    fn drop(&mut self) {
        let (name, start, stop) = (self.name.to_owned(), self.start, self.recorder.now());
        self.recorder.loose().note(0, What::Fault(Box::new(Fault { name, start, stop, bound_ms: None })));
    }
}

impl Trial {
    /// A run of this scenario, whose chances began with this seed.
    pub fn begin(scenario: &str, seed: Option<u64>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let run = Run {
            scenario: Some(scenario.to_owned()),
            seed,
            bound_ms: u64::try_from(BOUND.as_millis()).ok(),
            versions: BTreeMap::from([("anteroom-load-tests".to_owned(), version)]),
            ..Run::default()
        };
        Self { recorder: Recorder::new(), run, rooms: Vec::new(), scribes: Vec::new() }
    }

    /// Lets an entry take so long to its readers: where they read late themselves, it is not the server that is slow.
    pub fn bound(&mut self, bound: Duration) {
        self.run.bound_ms = u64::try_from(bound.as_millis()).ok();
    }

    /// A room that is used in it: what stands there by now is nobody's of this run.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn room(&mut self, marketplace: &Marketplace, open: &OpenRoom) -> Result<(), HttpError> {
        self.room_of(marketplace, open.room, [open.client.clone(), open.freelancer.clone()]).await
    }

    /// The same of a room of these two.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn room_of(
        &mut self,
        marketplace: &Marketplace,
        room: RoomRef,
        people: [UserId; 2],
    ) -> Result<(), HttpError> {
        let page = marketplace.as_user(&people[0]).entries(room, None, Some(1), false).await?;
        let (log, name) = (self.recorder.loose(), self.recorder.room(room, &people[0]));
        log.note(0, What::Before { room: name, head: page.head });
        for user in &people {
            let user = self.recorder.user(user);
            log.note(0, What::Member(Member { room: name, user, on: true, seq: 0, began: 0 }));
        }
        self.rooms.push((room, people));
        Ok(())
    }

    /// One more device of this person.
    pub fn device(&mut self, user: &UserId) -> Scribe {
        let name = format!("{user}#{}", self.scribes.len());
        let log = self.recorder.client(&name, Some(user), Role::Client);
        let scribe = Scribe::new(log, user.clone());
        self.scribes.push(scribe.clone());
        scribe
    }

    /// Something is broken from now on, until what is returned is dropped.
    #[must_use]
    pub fn breaks(&self, name: &'static str) -> Breaking {
        Breaking { recorder: self.recorder.clone(), name, start: self.recorder.now() }
    }

    /// Ends it, and asks the judge: the verdict on a valid history.
    ///
    /// # Errors
    /// What else was found, in words, or why it could not be.
    pub async fn prove(self, marketplace: &Marketplace) -> Result<Verdict, String> {
        let logs = self.end(marketplace).await.map_err(|error| error.to_string())?;
        let verdict = check(&logs, Options::default());
        if verdict.valid == Validity::Valid { Ok(verdict) } else { Err(verdict.text()) }
    }

    /// Everything is over: every room is read afresh, as both of its people, and every device is waited for.
    ///
    /// # Errors
    /// A room cannot be read.
    pub async fn end(self, marketplace: &Marketplace) -> Result<Logs, HttpError> {
        self.recorder.loose().note(0, What::Run(Box::new(self.run)));
        for scribe in &self.scribes {
            scribe.settles(BOUND).await;
        }
        let mut heads = BTreeMap::new();
        for (room, people) in &self.rooms {
            for reader in people {
                let (entries, head) = marketplace.as_user(reader).whole_log(*room, false).await?;
                let log = self.recorder.client(&format!("fresh {reader} {room}"), Some(reader), Role::Reader);
                let name = self.recorder.room(*room, reader);
                entries.iter().for_each(|entry| log.entry(0, name, Via::Fresh, entry));
                log.note(0, What::Final { room: name, head });
                log.end();
                heads.insert(*room, head);
            }
        }
        for scribe in &self.scribes {
            for (room, head) in scribe.rooms().into_iter().filter_map(|room| heads.get_key_value(&room)) {
                scribe.reaches(*room, *head, BOUND).await;
            }
        }
        // All at once, and read at once: what a device still does while others are waited for belongs to the run.
        self.scribes.iter().for_each(|scribe| scribe.end(&heads));
        Ok(self.recorder.logs())
    }
}
