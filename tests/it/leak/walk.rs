//! Everything somebody can ask of the server, from the protocol's own tables: each route with each id and each parameter, each command, each
//! frame. What is new in a table panics here until it has its row.

use std::collections::{BTreeMap, BTreeSet};

use anteroom_load_tests::client::{Case, Socket};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::client::{CONTROL_TYPES, ClientFrame, Hello};
use anteroom_protocol::command::Command;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::marker::MARKS;
use anteroom_protocol::room::{JoinMode, JoinResult};
use anteroom_protocol::route::{self, Body, Method, QueryKind, QuerySpec, RouteSpec};
use anteroom_protocol::server::ServerFrame;
use serde_json::{Value, json};

use super::seat::{Seat, from_the_start};
use crate::access::Things;
use crate::support::TestServer;

/// Every command there is, about this case: as it would be done, and with a version that is not the newest.
pub(super) async fn every_command(seat: &mut Seat, server: &TestServer, things: &Things, case: &Case) {
    for spec in Command::ALL {
        let outdated = things.fields(spec.name);
        let mut fitting = outdated.clone();
        for (field, value) in [
            ("version", json!(case.terms_version)),
            ("expected_version", json!(case.terms_version.unwrap_or_default())),
            ("hash", json!(case.terms_hash)),
        ] {
            if let Some(place) = fitting.get_mut(field).filter(|_| !value.is_null()) {
                *place = value;
            }
        }
        for fields in [outdated, fitting] {
            seat.tries(server, spec.name, fields).await;
        }
    }
}

/// Every route there is but those of commands, which [`every_command`] tries.
pub(super) async fn every_route(seat: &Seat, server: &TestServer, all: &[Things]) {
    for route in route::all() {
        match (route.method, route.body) {
            (Method::Get, Body::Empty) => every_view(seat, server, &route, all).await,
            // The marketplace's own, which tells others nothing but that.
            (Method::Put | Method::Post | Method::Delete, Body::Empty | Body::Type(_)) => {
                for path in paths(&route, all) {
                    seat.gets(server, &route, &path, &[], "{}".into()).await;
                }
            }
            (Method::Post, Body::Frame(name)) if MARKS.iter().any(|mark| mark.name == name) => {
                for things in all {
                    seat.asks(server, &route, things.fields(name)).await;
                }
            }
            (Method::Post, Body::Frame(name)) => {
                let is_command = Command::ALL.iter().any(|spec| spec.name == name);
                assert!(is_command, "{name} has no row in this walk");
            }
            (Method::Get | Method::Put | Method::Delete, _) => {
                panic!("{} has no row in this walk", route.name)
            }
        }
    }
}

/// Its path, with the ids of each case.
fn paths(route: &RouteSpec, all: &[Things]) -> BTreeSet<String> {
    let inbox = Things { room: RoomRef::Inbox, ..Things::missing() };
    let paths: BTreeSet<String> = all.iter().chain([&inbox]).map(|things| things.path(route.path)).collect();
    assert!(
        paths.iter().all(|path| !path.contains('{')),
        "{} has a place that this walk cannot fill",
        route.name
    );
    paths
}

/// Each page of this view, under each of its parameters.
async fn every_view(seat: &Seat, server: &TestServer, route: &RouteSpec, all: &[Things]) {
    for path in paths(route, all) {
        for query in queries(route, all) {
            let first = format!("{path}?{query}");
            let mut next = Some(first.clone());
            while let Some(path) = next {
                let answer = seat.gets(server, route, &path, &[], String::new()).await;
                next = following(route, &answer.body).map(|following| format!("{first}&{following}"));
            }
        }
    }
}

/// The cursor that asks for what follows this answer.
fn following(route: &RouteSpec, body: &str) -> Option<String> {
    let cursor = route.query.iter().find(|parameter| parameter.kind == QueryKind::Cursor)?;
    let answer: Value = serde_json::from_str(body).ok()?;
    let has_more = answer["has_more"] == json!(true);
    let value = answer["next"].as_str().or_else(|| answer["cursor"].as_str().filter(|_| has_more))?;
    Some(format!("{}={value}", cursor.name))
}

/// What is asked with: what is required, beside it each value of each parameter, and with these again whatever changes the form of a page.
fn queries(route: &RouteSpec, all: &[Things]) -> Vec<String> {
    let values: Vec<(&QuerySpec, Vec<String>)> =
        route.query.iter().map(|parameter| (parameter, values(parameter, all))).collect();
    let mut queries = vec![String::new()];
    for (parameter, values) in &values {
        let asked: Vec<String> = values.iter().map(|value| format!("{}={value}", parameter.name)).collect();
        let with = |query: &String| asked.iter().map(|asked| format!("{query}&{asked}")).collect::<Vec<_>>();
        let more = if matches!(parameter.kind, QueryKind::Limit | QueryKind::Flag) || parameter.required {
            queries.iter().flat_map(with).collect()
        } else {
            with(&queries[0])
        };
        if parameter.required { queries = more } else { queries.extend(more) }
    }
    queries.iter().map(|query| query.trim_start_matches('&').to_owned()).collect()
}

/// What a parameter can say. A cursor comes from the answer before.
fn values(parameter: &QuerySpec, all: &[Things]) -> Vec<String> {
    let each =
        |id: &dyn Fn(&Things) -> String| all.iter().map(id).collect::<BTreeSet<_>>().into_iter().collect();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match (parameter.name, parameter.kind) {
        (_, QueryKind::Cursor) => Vec::new(),
        (_, QueryKind::Limit) => words(&["3"]),
        (_, QueryKind::Flag) => words(&["true"]),
        (_, QueryKind::Number) => words(&["0", "9"]),
        ("q", _) => words(&["message", "gladly", "hello", "done"]),
        ("room", _) => each(&|things| things.room.to_string()),
        ("candidacy", _) => each(&|things| things.candidacy.to_string()),
        ("proposal", _) => each(&|things| things.proposal.to_string()),
        ("offer", _) => each(&|things| things.offer.to_string()),
        ("contract", _) => each(&|things| things.contract.to_string()),
        ("status", _) => words(&[
            "pending",
            "archived",
            "accepted",
            "declined",
            "withdrawn",
            "expired",
            "closed",
            "removed",
        ]),
        ("audience", _) => words(&["client", "freelancer", "marketplace"]),
        ("outcome", _) => words(&["delivered", "failed", "parked", "redelivered"]),
        ("format", _) => words(&["jsonl", "html"]),
        ("mark", _) => words(&["shortlisted", "archived"]),
        ("side", _) => words(&["client", "freelancer"]),
        ("phase", _) => Phase::ALL.iter().map(|phase| phase.as_str().to_owned()).collect(),
        (new, _) => panic!("the parameter {new} has no row in this walk"),
    }
}

/// Every way to get frames: by resuming everything in the first one, by joining, by asking what has changed, and by every control frame.
pub(super) async fn every_frame(seat: &Seat, server: &TestServer, all: &[Things]) {
    let rooms: BTreeSet<RoomRef> = all.iter().map(|things| things.room).chain([RoomRef::Inbox]).collect();
    let rooms: Vec<RoomRef> = rooms.into_iter().collect();
    let mut resuming = seat.socket(server, "a socket that resumes").await;
    let hello = |rooms, changes_after| {
        let (token, client) = (Some(seat.token.clone()), None);
        ClientFrame::Hello(Hello { token, rooms, changes_after, client })
    };
    resuming.send_frame(&hello(from_the_start(&rooms), None), None).await.expect("sent");
    all_of_it(&mut resuming).await;

    let changes = route::all().find(|route| route.name == "changes").expect("a route");
    let page: Value = serde_json::from_str(
        &seat.gets(server, &changes, "/v1/changes?limit=1", &[], String::new()).await.body,
    )
    .expect("JSON");
    let cursors = [page["cursor"].as_str().expect("a cursor"), "no-such-cursor"];
    for cursor in cursors {
        let mut socket = seat.socket(server, "a socket that asks for changes").await;
        socket.send_frame(&hello(Vec::new(), Some(cursor.to_owned())), None).await.expect("sent");
        socket.next().await.expect("an answer");
    }
    every_control(seat, server, all).await;
}

/// Reads until the last entry of every log that the welcome names was there.
async fn all_of_it(socket: &mut Socket) {
    let Ok(ServerFrame::Welcome(welcome)) = socket.next().await else { panic!("no welcome") };
    let mut rest = BTreeMap::new();
    for result in welcome.rooms {
        if let JoinResult::Joined(joined) = result {
            assert_eq!(joined.mode, JoinMode::Resumed, "{joined:?}");
            rest.insert(joined.room, joined.head);
        }
    }
    while !rest.is_empty() {
        if let ServerFrame::Entry(entry) = socket.next().await.expect("a frame") {
            rest.retain(|room, head| (*room, *head) != (entry.room, entry.seq));
        }
    }
}

/// Every control frame, each on what it can be about.
async fn every_control(seat: &Seat, server: &TestServer, all: &[Things]) {
    let mut socket = seat.socket(server, "a socket that says everything").await;
    socket.hello(&seat.token, Vec::new()).await.expect("a welcome");
    for kind in CONTROL_TYPES {
        let frames: Vec<Value> = match kind {
            "refresh" => vec![json!({"token": seat.token}), json!({"token": "none"})],
            // A second one ends the socket: it is said last.
            "hello" => Vec::new(),
            other => all.iter().flat_map(|things| things.frames(other)).collect(),
        };
        for (number, mut frame) in frames.into_iter().enumerate() {
            frame["type"] = kind.into();
            frame["id"] = format!("{kind} {number}").into();
            socket.send_text(frame.to_string()).await.expect("sent");
        }
        socket.ping().await.expect("a pong");
    }
    socket.send_text(json!({"type": "hello", "token": seat.token}).to_string()).await.expect("sent");
    socket.closed().await.expect("closed");
}

#[test]
#[should_panic(expected = "strange_thing has a place that this walk cannot fill")]
fn a_route_with_a_place_that_the_walk_does_not_know_is_named() {
    let known = route::all().find(|route| route.name == "offer").expect("a route");
    paths(&RouteSpec { name: "strange_thing", path: "/v1/things/{thing}", ..known }, &[]);
}

#[test]
#[should_panic(expected = "the parameter strange_thing has no row in this walk")]
fn a_parameter_that_the_walk_does_not_know_is_named() {
    let kind = QueryKind::Text(10);
    values(&QuerySpec { name: "strange_thing", kind, required: false, meaning: "Something." }, &[]);
}
