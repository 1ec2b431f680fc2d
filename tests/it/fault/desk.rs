//! Somebody who writes in a room, reads it, and does as the protocol says: what was refused for now or not answered is sent again, in its
//! order, under the same id, and whoever has lost the socket comes back where there is a node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anteroom_load_tests::client::{Posted, SocketReceiver, SocketSender, after, at_head, new_client_id};
use anteroom_load_tests::history::scribe::Scribe;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::LOOK;
use crate::support::ask;

/// Between two messages of one desk.
const PACE: Duration = Duration::from_millis(120);
/// Posts of one desk that are not answered yet.
const WINDOW: usize = 8;

/// What all desks of a run share.
pub(super) struct Work {
    /// Where the nodes are.
    pub(super) doors: Vec<String>,
    /// Acknowledgements so far.
    pub(super) told: watch::Sender<u64>,
    /// Whether nothing new is to be written any more.
    pub(super) is_over: watch::Sender<bool>,
}

/// What a desk was told.
#[derive(Debug, Default, Clone)]
pub(super) struct Account {
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
    /// Of these, the ones that were done before.
    pub(super) repeated: u64,
    /// Errors, by code.
    pub(super) errors: BTreeMap<&'static str, u64>,
    pub(super) connections: u64,
    /// The codes with which connections were closed; 0: broken off.
    pub(super) closes: BTreeMap<u16, u64>,
    /// The longest time to any answer.
    pub(super) longest: Duration,
}

/// A post and its place among those of its desk.
type Post = (u64, ClientId, String);

/// The two halves of a socket.
type Line = (SocketSender, SocketReceiver);

/// One device of one person in one room.
pub(super) struct Desk {
    pub(super) room: RoomRef,
    pub(super) account: Account,
    pub(super) home: usize,
    /// Who reads alone is helped by nothing of one's own.
    pub(super) is_silent: bool,
    scribe: Scribe,
    token: String,
    work: Arc<Work>,
    cursor: Cursor,
    /// To be sent again.
    again: BTreeMap<u64, Post>,
    under_way: BTreeMap<String, (Post, Instant)>,
    line: Option<Line>,
}

impl Desk {
    /// One that comes in at this node, if it is there.
    pub(super) fn new(room: RoomRef, scribe: Scribe, token: String, home: usize, work: Arc<Work>) -> Self {
        let (again, under_way, account) = (BTreeMap::new(), BTreeMap::new(), Account::default());
        let (cursor, is_silent, line) = (at_head(room), false, None);
        Self { room, account, home, is_silent, scribe, token, work, cursor, again, under_way, line }
    }

    /// Writes until it is over and everything is answered.
    pub(super) async fn write(mut self) -> Self {
        loop {
            let (mut sender, mut receiver) = self.connect().await;
            if self.talk(&mut sender, &mut receiver).await {
                self.line = Some((sender, receiver));
                return self;
            }
            let lost = std::mem::take(&mut self.under_way).into_values();
            self.again.extend(lost.map(|(post, _)| (post.0, post)));
        }
    }

    /// Comes in at the first node that lets it, beginning with its own.
    async fn connect(&mut self) -> Line {
        let doors = &self.work.doors;
        for door in doors.iter().cycle().skip(self.home) {
            let rooms = vec![self.cursor.clone()];
            if let Ok((socket, _)) = self.scribe.connect(door, &self.token, rooms).await {
                self.account.connections += 1;
                let (sender, mut receiver) = socket.split();
                // A quiet room is none that has ended.
                receiver.set_timeout(Duration::from_secs(3_600));
                return (sender, receiver);
            }
            sleep(LOOK).await;
        }
        unreachable!("there are always doors")
    }

    /// Whether it ended because it is over.
    async fn talk(&mut self, sender: &mut SocketSender, receiver: &mut SocketReceiver) -> bool {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Fair: neither waits long for the other.
            tokio::select! {
                frame = receiver.next() => match frame {
                    Ok(frame) => self.take(frame),
                    Err(error) => {
                        *self.account.closes.entry(error.close_code().unwrap_or_default()).or_default() += 1;
                        return false;
                    }
                },
                _ = pace.tick() => {
                    let is_over = *self.work.is_over.borrow();
                    if is_over && self.under_way.is_empty() && self.again.is_empty() {
                        return true;
                    }
                    self.say(sender, is_over).await;
                }
            }
        }
    }

    /// What failed comes first, and only when nothing is under way any more: then everything is in its order.
    async fn say(&mut self, sender: &mut SocketSender, is_over: bool) {
        if !self.again.is_empty() {
            if self.under_way.is_empty() {
                for post in std::mem::take(&mut self.again).into_values() {
                    self.send(sender, post).await;
                }
            }
        } else if !is_over && !self.is_silent && self.under_way.len() < WINDOW {
            self.account.sent += 1;
            let body = format!("{} writes number {}", self.scribe.user(), self.account.sent);
            self.send(sender, (self.account.sent, new_client_id(), body)).await;
        }
    }

    async fn send(&mut self, sender: &mut SocketSender, post: Post) {
        let id = sender.fresh_id();
        let command = ask::post(self.room, post.2.clone());
        let frame = anteroom_protocol::client::ClientFrame::Command(post.1.into(), command);
        self.under_way.insert(id.clone(), (post, Instant::now()));
        // Where the socket is gone, the other half says so.
        drop(sender.send_frame(&frame, Some(&id)).await);
    }

    fn take(&mut self, frame: ServerFrame) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "receipts and the like are not looked at")]
        match frame {
            ServerFrame::Ok { id, data } => {
                self.settled(&id);
                let posted: Posted = serde_json::from_value(data).expect("the answer to a post");
                self.account.acknowledged += 1;
                self.account.repeated += u64::from(posted.duplicate);
                self.work.told.send_modify(|told| *told += 1);
            }
            ServerFrame::Error { id: Some(id), error } => {
                assert!(error.retryable, "{error:?}");
                *self.account.errors.entry(error.code.as_str()).or_default() += 1;
                let post = self.settled(&id);
                self.again.insert(post.0, post);
            }
            ServerFrame::Entry(entry) => self.cursor = after(&entry),
            ServerFrame::Gap { .. } | ServerFrame::Reset { .. } => {
                panic!("so much was not missed: {frame:?}")
            }
            _ => {}
        }
    }

    fn settled(&mut self, id: &str) -> Post {
        let (post, since) = self.under_way.remove(id).expect("an answer to something");
        self.account.longest = self.account.longest.max(since.elapsed());
        post
    }

    /// Reads on, on the socket that it has, to this entry.
    pub(super) async fn read_to(&mut self, head: u64) {
        let (_, receiver) = self.line.as_mut().expect("a socket");
        while self.cursor.after.is_none_or(|after| after < head) {
            let entry = receiver.next_entry().await.expect("an entry");
            self.cursor = after(&entry);
        }
    }
}
