//! One side of a negotiation, of which every word that reaches it is written down: each frame of each socket, and each answer with its
//! headers.

use std::sync::{Arc, Mutex, PoisonError};

use anteroom_load_tests::client::observer::{Seen, Witness};
use anteroom_load_tests::client::{Case, Socket, SocketOptions, at_head, from_start, new_client_id};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::route::{self, Body, RouteSpec};
use anteroom_protocol::server::ServerFrame;
use serde_json::{Map, Value, json};

use super::planted::Said;
use crate::support::{Answered, TestServer, exchange_at};

/// Somebody, with a socket that reads the inbox and every room, and one that reads nothing and is told of growth.
pub(super) struct Seat {
    pub(super) user: UserId,
    pub(super) token: String,
    heard: Arc<Mutex<Vec<Said>>>,
    live: Socket,
    idle: Socket,
    /// Commands take the two doors in turn.
    done: usize,
}

impl Seat {
    pub(super) async fn of(server: &TestServer, user: &UserId) -> Self {
        let (heard, base) = (Arc::default(), server.base_of(user));
        let token = server.token(user);
        let mut live = open(&base, &heard, "the live socket").await;
        live.hello(&token, vec![at_head(RoomRef::Inbox)]).await.expect("a welcome");
        let mut idle = open(&base, &heard, "the idle socket").await;
        idle.hello(&token, Vec::new()).await.expect("a welcome");
        Self { user: user.clone(), token, heard, live, idle, done: 0 }
    }

    /// Another socket of this person, which has said nothing yet.
    pub(super) async fn socket(&self, server: &TestServer, name: &'static str) -> Socket {
        open(&server.base_of(&self.user), &self.heard, name).await
    }

    /// Reads a room from its beginning, and goes on.
    pub(super) async fn joins(&mut self, room: RoomRef) {
        self.live.join(from_start(room)).await.expect("joined");
    }

    /// Waits until the live socket is told of something in this room.
    pub(super) async fn is_told(&mut self, room: RoomRef, kind: &str) {
        let wanted = |frame: &ServerFrame| matches!(frame, ServerFrame::Entry(entry) if entry.room == room && entry.kind == kind);
        self.live.wait_for("an entry of this kind", wanted).await.expect("told");
    }

    /// Does something that changes a case.
    pub(super) async fn does(&mut self, server: &TestServer, command: Command) -> Case {
        let name = command.name();
        self.done += 1;
        let answer = if self.done.is_multiple_of(2) {
            let answer = self.live.command(new_client_id(), command).await;
            answer.unwrap_or_else(|error| panic!("{name}: {error}"))
        } else {
            let fields = serde_json::to_value(&command).expect("JSON");
            let answer = self.asks(server, &route_of(name), fields).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            serde_json::from_str(&answer.body).expect("JSON")
        };
        serde_json::from_value(answer).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Tries something through both doors, under one id: it is done, known or refused.
    pub(super) async fn tries(&mut self, server: &TestServer, name: &str, fields: Value) {
        let Value::Object(mut frame) = fields.clone() else { panic!("{name} has no fields") };
        frame.insert("type".into(), name.into());
        frame.insert("id".into(), "tried".into());
        let key = new_client_id();
        frame.insert("client_id".into(), json!(key));
        self.live.send_text(Value::Object(frame).to_string()).await.expect("sent");
        // Either answer is as good: what it says is written down.
        let _ = self.live.halves().1.answer("tried").await;
        self.asks_under(server, &route_of(name), fields, &key.to_string()).await;
    }

    /// Calls the route of a command or a marker.
    pub(super) async fn asks(&self, server: &TestServer, route: &RouteSpec, fields: Value) -> Answered {
        self.asks_under(server, route, fields, &new_client_id().to_string()).await
    }

    async fn asks_under(&self, server: &TestServer, route: &RouteSpec, fields: Value, key: &str) -> Answered {
        let (path, body) = placed(route, fields);
        let headers = [("Idempotency-Key", key)];
        self.gets(server, route, &path, &headers, Value::Object(body).to_string()).await
    }

    /// Asks this of a route, and writes down the answer.
    pub(super) async fn gets(
        &self,
        server: &TestServer,
        route: &RouteSpec,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answered {
        let asked = (route.method.as_str(), path);
        let base = server.base_of(&self.user);
        let answer = exchange_at(&base, asked, Some(&self.token), headers, body).await;
        // How long the body is says nothing that the body does not.
        let headers = answer.headers.iter().filter(|(name, _)| name != "content-length");
        let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
        let is_document = route.answer == route::Answer::Document;
        let origin = format!("{} {path}", route.method.as_str());
        let said = Said { is_document, ..Said::new(origin, format!("{headers}\n{}", answer.body)) };
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        answer
    }

    /// Says that it is still there: a socket that is silent for a minute is closed, and the others may take longer.
    pub(super) async fn stays(&mut self) {
        for socket in [&mut self.live, &mut self.idle] {
            socket.ping().await.expect("a pong");
        }
    }

    /// Everything that has reached this person.
    pub(super) async fn heard(&mut self) -> Vec<Said> {
        self.stays().await;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn open(base: &str, heard: &Arc<Mutex<Vec<Said>>>, name: &'static str) -> Socket {
    let heard = heard.clone();
    let witness = Witness::new(move |seen| {
        if let Seen::Received { text, .. } = seen {
            let frame: Value = serde_json::from_str(text).expect("JSON");
            let origin =
                [&frame["type"], &frame["kind"]].map(|word| word.as_str().unwrap_or_default()).join(" ");
            let said = Said::new(format!("{name}: {}", origin.trim()), text);
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        }
    });
    let options = SocketOptions { witness: Some(witness), ..SocketOptions::default() };
    Socket::connect_with(base, &options).await.expect("a socket")
}

/// The route that does what the frame of this name does.
pub(super) fn route_of(name: &str) -> RouteSpec {
    route::all().find(|route| route.body != Body::Empty && route.name == name).expect("a route")
}

/// The path with what these fields say, and the fields that are left.
fn placed(route: &RouteSpec, fields: Value) -> (String, Map<String, Value>) {
    let Value::Object(mut fields) = fields else { panic!("{} has no fields", route.name) };
    fields.remove("type");
    let mut path = route.path.to_owned();
    for field in route.path_fields() {
        let value = fields.remove(field).unwrap_or_else(|| panic!("{}: no {field}", route.name));
        path = path.replace(&format!("{{{field}}}"), value.as_str().expect("text"));
    }
    (path, fields)
}

/// A cursor at the beginning of each of these logs.
pub(super) fn from_the_start(rooms: &[RoomRef]) -> Vec<Cursor> {
    rooms.iter().map(|room| from_start(*room)).collect()
}
