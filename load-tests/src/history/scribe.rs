//! Writes down what crosses a client's sockets, so that whoever uses them need not: a test or a load talks as it likes, and its history is
//! written beside it. What goes over HTTP is written down by [`Scribe::over_http`] and [`Scribe::read`].

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anteroom_protocol::client::{self, ClientFrame, Envelope};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::room::{Cursor, JoinResult, Joined};
use anteroom_protocol::server::{self, ServerFrame, Welcome};
use serde::Deserialize as _;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::record::{Digest, Nanos, Record, Via, What};
use super::recorder::ClientLog;
use crate::client::NO_CLOSE_FRAME;
use crate::client::observer::{Seen, Witness};
use crate::client::{Http, HttpError, Posted, Socket, SocketError, SocketOptions};

/// One person's device. Clones are the same device.
#[derive(Debug, Clone)]
pub struct Scribe(Arc<Device>);

#[derive(Debug)]
struct Device {
    log: ClientLog,
    user: UserId,
    connections: AtomicU32,
    /// How far each log was received, of those that were joined or read.
    reached: Mutex<BTreeMap<RoomRef, u64>>,
    /// Commands on open connections that were not answered yet.
    unsettled: AtomicUsize,
    received: Notify,
}

/// What a frame asked for, until it is answered.
#[derive(Debug)]
enum Asked {
    Join(Cursor, Nanos),
    Leave(RoomRef),
    Do(ClientId, RoomRef),
}

impl Asked {
    /// How many commands that is.
    fn commands(&self) -> usize {
        usize::from(matches!(self, Self::Do(..)))
    }
}

/// One connection of a device.
#[derive(Debug)]
struct Connection {
    device: Arc<Device>,
    n: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hello: Vec<(Cursor, Nanos)>,
    asked: HashMap<String, Asked>,
    /// Where each log ended when it was joined: what comes up to there is a replay.
    heads: HashMap<RoomRef, u64>,
    has_ended: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can panic half-way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Scribe {
    /// A device of this person, whose doings go into this log.
    pub(super) fn new(log: ClientLog, user: UserId) -> Self {
        let (connections, unsettled) = (AtomicU32::new(0), AtomicUsize::new(0));
        let (reached, received) = (Mutex::default(), Notify::new());
        Self(Arc::new(Device { log, user, connections, reached, unsettled, received }))
    }

    /// Whose device it is.
    pub fn user(&self) -> &UserId {
        &self.0.user
    }

    /// A socket of this device, on which everything is written down.
    ///
    /// # Errors
    /// As [`Socket::connect`].
    pub async fn connect(
        &self,
        base: &str,
        token: &str,
        rooms: Vec<Cursor>,
    ) -> Result<(Socket, Welcome), SocketError> {
        self.connect_with(base, token, rooms, SocketOptions::default()).await
    }

    /// The same with these options.
    ///
    /// # Errors
    /// As [`Socket::connect`].
    pub async fn connect_with(
        &self,
        base: &str,
        token: &str,
        rooms: Vec<Cursor>,
        options: SocketOptions,
    ) -> Result<(Socket, Welcome), SocketError> {
        let options = SocketOptions { witness: Some(self.next_connection()), ..options };
        let mut socket = Socket::connect_with(base, &options).await?;
        let welcome = socket.hello(token, rooms).await?;
        Ok((socket, welcome))
    }

    fn next_connection(&self) -> Witness {
        let n = self.0.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = Connection { device: self.0.clone(), n, state: Mutex::default() };
        Witness::new(move |seen| connection.see(seen))
    }

    /// Writes down that this command is about to be sent by other means, whose answer nobody waits for.
    pub fn sends(&self, client_id: ClientId, command: &Command) {
        self.0.invoke(Record::HTTP, client_id, command);
    }

    /// Sends a command over HTTP.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn over_http(
        &self,
        http: &Http,
        client_id: ClientId,
        command: &Command,
    ) -> Result<Value, HttpError> {
        let device = &self.0;
        let room = device.invoke(Record::HTTP, client_id, command);
        let answer: Result<Value, HttpError> = http.command(client_id, command).await;
        match &answer {
            Ok(data) => device.done(Record::HTTP, room, client_id, data),
            Err(error) => {
                if let Some(problem) = error.problem() {
                    device.log.refused(Record::HTTP, client_id.into(), &problem.error);
                }
            }
        }
        answer
    }

    /// Writes down entries of a log that were read over HTTP.
    pub fn read(&self, room: RoomRef, via: Via, entries: &[EntryFrame]) {
        let device = &self.0;
        let name = device.log.recorder().room(room, &device.user);
        for entry in entries {
            device.log.entry(0, name, via, entry);
            device.reached(room, entry.seq);
        }
    }

    /// The logs that this device has joined or read.
    pub(super) fn rooms(&self) -> Vec<RoomRef> {
        lock(&self.0.reached).keys().copied().collect()
    }

    /// Waits for whoever reads its sockets to have reached this entry, so long at most.
    pub async fn reaches(&self, room: RoomRef, seq: u64, patience: Duration) {
        let device = &self.0;
        let has = || lock(&device.reached).get(&room).is_some_and(|reached| *reached >= seq);
        self.until(has, patience).await;
    }

    /// Waits until everything that was asked on its open sockets is answered, so long at most.
    pub async fn settles(&self, patience: Duration) {
        self.until(|| self.0.unsettled.load(Ordering::Relaxed) == 0, patience).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool, patience: Duration) {
        let waiting = async {
            loop {
                let received = self.0.received.notified();
                if is_so() {
                    return;
                }
                received.await;
            }
        };
        // What is still missing, the judge finds.
        let _ = timeout(patience, waiting).await;
    }

    /// Writes down that it has waited for everything in its logs, which end there, and ends its own.
    pub(super) fn end(&self, heads: &BTreeMap<RoomRef, u64>) {
        let device = &self.0;
        for (room, head) in self.rooms().into_iter().filter_map(|room| heads.get_key_value(&room)) {
            let room = device.log.recorder().room(*room, &device.user);
            device.log.note(0, What::Final { room, head: *head });
        }
        device.log.clone().end();
    }
}

impl Device {
    fn settled(&self, commands: usize) {
        self.unsettled.fetch_sub(commands, Ordering::Relaxed);
        self.received.notify_one();
    }

    fn reached(&self, room: RoomRef, seq: u64) {
        let mut logs = lock(&self.reached);
        let reached = logs.entry(room).or_default();
        *reached = seq.max(*reached);
        drop(logs);
        // Whoever waits looks again, and one at most waits for a device.
        self.received.notify_one();
    }

    /// Writes down that a command is about to be sent. What is no message's stands under the author's inbox, and may write elsewhere.
    fn invoke(&self, n: u32, client_id: ClientId, command: &Command) -> RoomRef {
        let recorder = self.log.recorder();
        let name = |room| recorder.room(room, &self.user);
        #[expect(clippy::wildcard_enum_match_arm, reason = "all the others are commands on cases")]
        let room = match command {
            Command::MessagePost(post) => {
                self.log.posting(n, name(post.room), client_id, &post.body);
                return post.room;
            }
            Command::MessageEdit(edit) => edit.room,
            Command::MessageRedact(redact) => redact.room,
            _ => RoomRef::Inbox,
        };
        let (kind, digest) = (recorder.word(command.name()), Digest::NONE);
        self.log.note(n, What::Invoke { room: name(room), cid: client_id.into(), kind, digest });
        room
    }

    fn done(&self, n: u32, room: RoomRef, client_id: ClientId, data: &Value) {
        let name = self.log.recorder().room(room, &self.user);
        if let Ok(posted) = Posted::deserialize(data) {
            return self.log.posted(n, name, client_id, &posted);
        }
        let dup = data["duplicate"] == Value::Bool(true);
        self.log.note(n, What::Ok { room: name, cid: client_id.into(), seq: 0, hash: Digest::NONE, dup });
    }
}

impl Connection {
    fn see(&self, seen: Seen<'_>) {
        match seen {
            Seen::Sent { text, .. } => {
                // What is broken on purpose asks for nothing.
                if let Ok((id, frame)) = client::decode(text) {
                    self.sent(id, frame);
                }
            }
            Seen::Received { text, .. } => {
                if let Ok(frame) = server::decode(text) {
                    self.received(frame);
                }
            }
            Seen::Ended { code, .. } => self.ended(code),
            Seen::Exchanged(_) => {}
        }
    }

    fn sent(&self, id: Option<String>, frame: ClientFrame) {
        let began = self.device.log.recorder().now();
        let mut state = lock(&self.state);
        let asked = match frame {
            ClientFrame::Hello(hello) => {
                state.hello = hello.rooms.into_iter().map(|cursor| (cursor, began)).collect();
                return;
            }
            ClientFrame::Join(cursor) => Asked::Join(cursor, began),
            ClientFrame::Leave(leave) => Asked::Leave(leave.room),
            ClientFrame::Command(Envelope { client_id, .. }, command) => {
                let room = self.device.invoke(self.n, client_id, &command);
                Asked::Do(client_id, room)
            }
            ClientFrame::Ping(_)
            | ClientFrame::Refresh(_)
            | ClientFrame::Read(_)
            | ClientFrame::MarkUnread(_)
            | ClientFrame::Typing(_) => return,
        };
        let Some(id) = id else { return };
        self.device.unsettled.fetch_add(asked.commands(), Ordering::Relaxed);
        if let Some(before) = state.asked.insert(id, asked) {
            // A second one under the same id: which of them is answered cannot be told.
            self.device.settled(before.commands());
        }
    }

    fn received(&self, frame: ServerFrame) {
        let log = &self.device.log;
        let name = |room| log.recorder().room(room, &self.device.user);
        match frame {
            ServerFrame::Welcome(welcome) => self.welcomed(&welcome),
            ServerFrame::Ok { id, data } => match self.asked(&id) {
                Some(Asked::Join(cursor, began)) => {
                    if let Ok(joined) = Joined::deserialize(&data) {
                        self.joined(&cursor, &joined, began);
                    }
                }
                Some(Asked::Leave(room)) => {
                    log.note(self.n, What::Leave { room: name(room) });
                    // Who has left waits for nothing in the end.
                    lock(&self.device.reached).remove(&room);
                }
                Some(Asked::Do(client_id, room)) => self.device.done(self.n, room, client_id, &data),
                None => {}
            },
            ServerFrame::Error { id: Some(id), error } => {
                if let Some(Asked::Do(client_id, _)) = self.asked(&id) {
                    log.refused(self.n, client_id.into(), &error);
                }
            }
            ServerFrame::Entry(entry) => {
                let head = lock(&self.state).heads.get(&entry.room).copied().unwrap_or_default();
                let via = if entry.seq <= head { Via::Resume } else { Via::Live };
                log.entry(self.n, name(entry.room), via, &entry);
                self.device.reached(entry.room, entry.seq);
            }
            ServerFrame::Gap { room, from, to } => log.note(self.n, What::Gap { room: name(room), from, to }),
            ServerFrame::Reset { room: Some(room), .. } => {
                log.note(self.n, What::Reset { room: name(room) });
            }
            ServerFrame::Error { id: None, .. }
            | ServerFrame::Reset { room: None, .. }
            | ServerFrame::Activity { .. }
            | ServerFrame::Pong { .. }
            | ServerFrame::Account(_)
            | ServerFrame::Receipt(_)
            | ServerFrame::Typing { .. }
            | ServerFrame::Presence { .. }
            | ServerFrame::Goaway { .. } => {}
        }
    }

    /// What was asked under this id. What it is answered may lock the state again.
    fn asked(&self, id: &str) -> Option<Asked> {
        let asked = lock(&self.state).asked.remove(id)?;
        self.device.settled(asked.commands());
        Some(asked)
    }

    fn welcomed(&self, welcome: &Welcome) {
        self.device.log.note(self.n, What::Conn);
        let hello = std::mem::take(&mut lock(&self.state).hello);
        for ((cursor, began), answer) in hello.iter().zip(&welcome.rooms) {
            if let JoinResult::Joined(joined) = answer {
                self.joined(cursor, joined, *began);
            }
        }
    }

    fn joined(&self, cursor: &Cursor, joined: &Joined, began: Nanos) {
        let device = &self.device;
        let room = device.log.recorder().room(joined.room, &device.user);
        device.log.joined(self.n, room, cursor, joined, began);
        lock(&self.state).heads.insert(joined.room, joined.head);
        device.reached(joined.room, cursor.after.unwrap_or(joined.head));
    }

    fn ended(&self, code: u16) {
        let mut state = lock(&self.state);
        if !std::mem::replace(&mut state.has_ended, true) {
            self.device.log.note(self.n, What::Disc { code });
            self.device.settled(state.asked.drain().map(|(_, asked)| asked.commands()).sum());
        }
    }
}

/// A socket that is let go of has ended.
impl Drop for Connection {
    fn drop(&mut self) {
        self.ended(NO_CLOSE_FRAME);
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::log::Hash;
    use anteroom_protocol::room::JoinMode;

    use super::super::record::{Cid, Role};
    use super::super::recorder::Recorder;
    use super::*;

    const ROOM: &str = "01890000-0000-7000-8000-000000000001";
    const KEY: &str = "0b0e7d5e-2f8c-4f0e-9a3c-1d2e3f405060";

    fn scribe(recorder: &Recorder) -> Scribe {
        let user: UserId = "ana".parse().expect("a user id");
        Scribe::new(recorder.client("ana", Some(&user), Role::Client), user)
    }

    /// What was written down behind the start of the only log, with the connections it belongs to.
    fn written(recorder: &Recorder) -> Vec<(u32, What)> {
        let logs = recorder.logs().logs;
        let [log] = logs.as_slice() else { panic!("one log, not {}", logs.len()) };
        log.iter().skip(1).map(|record| (record.n, record.what.clone())).collect()
    }

    fn sent(connection: &Connection, text: &str) {
        connection.see(Seen::Sent { connection: 0, text });
    }

    fn received(connection: &Connection, text: &str) {
        connection.see(Seen::Received { connection: 0, text });
    }

    fn connection(scribe: &Scribe, n: u32) -> Connection {
        Connection { device: scribe.0.clone(), n, state: Mutex::default() }
    }

    fn entry(seq: u64) -> String {
        let hash = Hash([7; 32]);
        format!(
            r#"{{"type":"entry","room":"{ROOM}","seq":{seq},"kind":"message.posted","at":"2026-01-01T00:00:00Z","by":"ben","hash":"{hash}","data":{{"body":"hi"}}}}"#
        )
    }

    #[test]
    fn a_post_its_answer_and_what_comes_are_written_down_on_their_connection() {
        let recorder = Recorder::new();
        let scribe = scribe(&recorder);
        let second = connection(&scribe, 2);
        sent(&second, &format!(r#"{{"type":"join","id":"j","room":"{ROOM}","after":3}}"#));
        received(
            &second,
            &format!(r#"{{"type":"ok","id":"j","data":{{"room":"{ROOM}","head":4,"mode":"resumed"}}}}"#),
        );
        received(&second, &entry(4));
        received(&second, &entry(5));
        sent(
            &second,
            &format!(r#"{{"type":"message.post","id":"p","client_id":"{KEY}","room":"{ROOM}","body":"hi"}}"#),
        );
        received(
            &second,
            r#"{"type":"error","id":"p","error":{"code":"busy","message":"later","retryable":true}}"#,
        );
        received(&second, &format!(r#"{{"type":"gap","room":"{ROOM}","from":6,"to":9}}"#));
        let cid = Cid::from(ClientId(KEY.parse().expect("a UUID")));
        let written = written(&recorder);
        let [join, four, five, invoke, nack, gap] = written.as_slice() else { panic!("{written:?}") };
        assert!(
            matches!(&join.1, What::Join(join) if (join.after, join.head, join.mode) == (Some(3), 4, JoinMode::Resumed))
        );
        assert!(matches!(&four.1, What::Recv(recv) if (recv.seq, recv.via) == (4, Via::Resume)));
        assert!(matches!(&five.1, What::Recv(recv) if (recv.seq, recv.via) == (5, Via::Live)));
        assert!(
            matches!(&invoke.1, What::Invoke { cid: of, digest, .. } if (*of, *digest) == (cid, Digest::of_body("hi")))
        );
        assert!(matches!(&nack.1, What::Nack { cid: of, retry: true, .. } if *of == cid));
        assert!(matches!(gap.1, What::Gap { from: 6, to: 9, .. }));
        assert!(written.iter().all(|(n, _)| *n == 2));
    }

    #[test]
    fn an_answer_is_the_one_to_what_was_asked_under_its_id() {
        let recorder = Recorder::new();
        let scribe = scribe(&recorder);
        let connection = connection(&scribe, 1);
        sent(
            &connection,
            &format!(r#"{{"type":"message.post","id":"p","client_id":"{KEY}","room":"{ROOM}","body":"hi"}}"#),
        );
        let hash = Hash([7; 32]);
        let data = format!(
            r#"{{"room":"{ROOM}","seq":5,"at":"2026-01-01T00:00:00Z","hash":"{hash}","duplicate":true}}"#
        );
        received(&connection, &format!(r#"{{"type":"ok","id":"other","data":{data}}}"#));
        received(&connection, &format!(r#"{{"type":"ok","id":"p","data":{data}}}"#));
        received(&connection, &format!(r#"{{"type":"ok","id":"p","data":{data}}}"#));
        let written = written(&recorder);
        let [_, ok] = written.as_slice() else { panic!("{written:?}") };
        assert!(matches!(ok.1, What::Ok { seq: 5, dup: true, .. }));
    }

    #[test]
    fn a_connection_ends_once_however_it_ends() {
        for code in [None, Some(4_008)] {
            let recorder = Recorder::new();
            let scribe = scribe(&recorder);
            let connection = connection(&scribe, 1);
            if let Some(code) = code {
                connection.see(Seen::Ended { connection: 0, code });
            }
            drop(connection);
            assert_eq!(written(&recorder), [(1, What::Disc { code: code.unwrap_or(NO_CLOSE_FRAME) })]);
        }
    }
}
