//! Somebody with a socket and the routes, who does things through one of the two and sees them through both.

use anteroom_load_tests::client::{Case, Http, HttpError, Posted, Socket, at_head, new_client_id};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::{ClientId, RoomRef, UserId};
use anteroom_protocol::log::{Hash, chain_name, verify_chain};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::UserProfile;
use futures_util::TryFutureExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{TestServer, id};

/// The way commands take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Socket,
    Http,
}

/// Somebody whom the marketplace has told of, with a socket that reads the own inbox from now on.
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) http: Http,
    pub(crate) socket: Socket,
    door: Door,
}

impl Person {
    /// Somebody new.
    pub(crate) async fn arrive(server: &TestServer, name: &str, door: Door) -> Self {
        let user: UserId = id(name);
        server.marketplace.put_user(&user, name).await.expect("told of the person");
        Self::come(server, user, door).await
    }

    /// Somebody known.
    pub(crate) async fn come(server: &TestServer, user: UserId, door: Door) -> Self {
        let http = Http::new(&server.base_of(&user), server.token(&user));
        let socket = Self::open(server, &user, vec![at_head(RoomRef::Inbox)]).await;
        Self { user, http, socket, door }
    }

    /// One more socket of this person.
    pub(crate) async fn socket_at(&self, server: &TestServer, rooms: Vec<Cursor>) -> Socket {
        Self::open(server, &self.user, rooms).await
    }

    async fn open(server: &TestServer, user: &UserId, rooms: Vec<Cursor>) -> Socket {
        let connected = Socket::connect(&server.base_of(user), &server.token(user), rooms).await;
        connected.expect("a socket").0
    }

    /// The way this person's commands take.
    pub(crate) fn door(&self) -> Door {
        self.door
    }

    /// Does something through this person's door.
    pub(crate) async fn say_as(&mut self, client_id: ClientId, command: Command) -> Result<Value, ErrorBody> {
        match self.door {
            Door::Socket => {
                let refused = self.socket.command(client_id, command).await;
                refused.map_err(|error| error.refusal().cloned().unwrap_or_else(|| panic!("{error}")))
            }
            Door::Http => self.http.command(client_id, &command).map_err(|error| problem(&error)).await,
        }
    }

    /// The same under a fresh client id.
    pub(crate) async fn say(&mut self, command: Command) -> Result<Value, ErrorBody> {
        self.say_as(new_client_id(), command).await
    }

    /// Does something that changes a case, and for the first time.
    pub(crate) async fn case(&mut self, command: Command) -> Case {
        let name = command.name();
        let answer = self.say(command).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let case: Case = serde_json::from_value(answer).expect("a case");
        assert!(!case.duplicate, "{name}");
        case
    }

    /// Posts a message.
    pub(crate) async fn posted(&mut self, room: RoomRef, body: &str) -> Posted {
        let answer = self.say(super::ask::post(room, body)).await.expect("posted");
        serde_json::from_value(answer).expect("an answer")
    }

    /// Tries something that is refused.
    pub(crate) async fn refused(&mut self, command: Command) -> ErrorBody {
        let name = command.name();
        let error = self.say(command).await;
        error.err().unwrap_or_else(|| panic!("{name} was done"))
    }

    /// Tries something, and is refused with this code.
    pub(crate) async fn refused_with(&mut self, code: ErrorCode, command: Command) -> ErrorBody {
        let error = self.refused(command).await;
        assert_eq!(error.code, code, "{error:?}");
        error
    }

    /// A whole log from its first entry, whose chain holds.
    pub(crate) async fn log(&self, room: RoomRef) -> Vec<EntryFrame> {
        let entries = self.http.all_entries(room, true).await.expect("a log");
        let name = chain_name(room, &self.user);
        verify_chain(&name, (0, Hash::GENESIS), &entries).expect("a chain that holds");
        entries
    }

    /// The own inbox from its first entry.
    pub(crate) async fn inbox(&self) -> Vec<EntryFrame> {
        self.log(RoomRef::Inbox).await
    }

    /// A page or a view.
    pub(crate) async fn see<T: DeserializeOwned>(&self, path: &str) -> T {
        self.http.get(path).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The `items` of a list.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let list: Value = self.see(path).await;
        list["items"].as_array().expect("items").clone()
    }

    /// The next entry of this log on the socket.
    pub(crate) async fn hears(&mut self, room: RoomRef) -> EntryFrame {
        let wanted = |frame: &ServerFrame| matches!(frame, ServerFrame::Entry(entry) if entry.room == room);
        match self.socket.wait_for("entry of a room", wanted).await {
            Ok(ServerFrame::Entry(entry)) => entry,
            other => panic!("no entry: {other:?}"),
        }
    }

    /// Waits until the socket is told that a log it does not read reaches this far.
    pub(crate) async fn hears_of(&mut self, room: RoomRef, head: u64) {
        let wanted = |frame: &ServerFrame| *frame == ServerFrame::Activity { room, head };
        self.socket.wait_for("activity", wanted).await.expect("activity");
    }
}

impl TestServer {
    /// Changes what the marketplace tells of somebody.
    pub(crate) async fn retell(&self, person: &Person, change: impl FnOnce(&mut UserProfile)) {
        let mut profile = UserProfile::active(person.user.as_str());
        change(&mut profile);
        self.marketplace.put_profile(&person.user, &profile).await.expect("told");
    }
}

/// The error of a problem document, whose form and status are right.
pub(crate) fn problem(error: &HttpError) -> ErrorBody {
    let Some(problem) = error.problem() else { panic!("no problem document: {error}") };
    assert_eq!(problem.content_type, "application/problem+json");
    assert_eq!(problem.status, problem.error.code.http_status());
    problem.error.clone()
}

/// The kinds of these entries.
pub(crate) fn kinds(entries: &[EntryFrame]) -> Vec<&str> {
    entries.iter().map(|entry| entry.kind.as_str()).collect()
}

/// The public part of the entry of this number.
pub(crate) fn data(entries: &[EntryFrame], seq: usize) -> Value {
    entries[seq - 1].data()
}
