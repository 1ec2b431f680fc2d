//! What a stranger learns: nothing. A foreign thing and a missing one get the same answer, byte for byte, on every command and route
//! there is. Commands, frames and routes come from the protocol's own tables, so that a new one is asked here or turns a test red; the
//! tables are held to the protocol's README.

use std::collections::BTreeSet;

use anteroom_load_tests::client::{Socket, from_start, new_client_id};
use anteroom_protocol::client::CONTROL_TYPES;
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{
    CandidacyId, ContractId, InvitationId, JobId, OfferId, ProposalId, RoomId, RoomRef,
};
use anteroom_protocol::job::JobStatus;
use anteroom_protocol::route::{self, Answer, Body, Method, RouteSpec, Who};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::{Answered, Door, Person, Scene, ask, exchange, id};

/// The things of one case, or ids that stand for nothing.
#[derive(Debug, Clone)]
pub(crate) struct Things {
    pub(crate) room: RoomRef,
    pub(crate) invitation: InvitationId,
    pub(crate) proposal: ProposalId,
    pub(crate) candidacy: CandidacyId,
    pub(crate) offer: OfferId,
    pub(crate) contract: ContractId,
    pub(crate) job: JobId,
}

impl Things {
    pub(crate) fn missing() -> Self {
        Self {
            room: RoomRef::Room(RoomId(Uuid::now_v7())),
            invitation: InvitationId(Uuid::now_v7()),
            proposal: ProposalId(Uuid::now_v7()),
            candidacy: CandidacyId(Uuid::now_v7()),
            offer: OfferId(Uuid::now_v7()),
            contract: id("no-such-contract"),
            job: id("no-such-job"),
        }
    }

    /// Fills the places of a path.
    pub(crate) fn path(&self, template: &str) -> String {
        let things = [
            ("{room}", self.room.to_string()),
            ("{invitation}", self.invitation.to_string()),
            ("{proposal}", self.proposal.to_string()),
            ("{candidacy}", self.candidacy.to_string()),
            ("{offer}", self.offer.to_string()),
            ("{contract}", self.contract.to_string()),
            ("{job}", self.job.to_string()),
            ("{schedule}", "default".to_owned()),
            ("{webhook}", "crm".to_owned()),
            ("{delivery}", "1".to_owned()),
            ("{channel}", "webhooks".to_owned()),
            ("{client}", "clara".to_owned()),
            ("{freelancer}", "felix".to_owned()),
            ("{user}", "clara".to_owned()),
        ];
        things.iter().fold(template.to_owned(), |path, (place, thing)| path.replace(place, thing))
    }

    /// The fields of a command or marker about these things. A new one panics here until it has its row.
    pub(crate) fn fields(&self, command: &str) -> Value {
        let terms = json!(ask::hourly(7_000));
        match command {
            "message.post" => json!({"room": self.room, "body": "hello"}),
            "message.edit" => json!({"room": self.room, "seq": 1, "body": "hello"}),
            "message.redact" => json!({"room": self.room, "seq": 1, "reason": "hello"}),
            "invitation.send" => json!({"job": self.job, "freelancer": "felix", "message": "hello"}),
            "invitation.accept" => json!({"invitation": self.invitation, "message": "hello", "terms": terms}),
            "invitation.decline" => json!({"invitation": self.invitation, "reason": "too_busy"}),
            "invitation.archive" | "invitation.withdraw" | "invitation.retract" => {
                json!({"invitation": self.invitation})
            }
            "proposal.submit" => json!({"job": self.job, "cover_letter": "hello", "terms": terms}),
            "proposal.answer" => json!({"proposal": self.proposal, "message": "hello"}),
            "proposal.decline" | "proposal.withdraw" => json!({"proposal": self.proposal}),
            "candidacy.decline" | "candidacy.withdraw" => json!({"candidacy": self.candidacy}),
            "terms.propose" => json!({"candidacy": self.candidacy, "expected_version": 0, "terms": terms}),
            "terms.accept" | "offer.make" => {
                json!({"candidacy": self.candidacy, "version": 1, "hash": ask::hourly(7_000).hash()})
            }
            "terms.decline" | "terms.withdraw" | "terms.acknowledge" => {
                json!({"candidacy": self.candidacy, "version": 1})
            }
            "offer.change" | "offer.accept" => {
                json!({"offer": self.offer, "version": 1, "hash": ask::hourly(7_000).hash()})
            }
            "offer.request_change" => json!({"offer": self.offer, "message": "hello"}),
            "offer.withdraw" | "offer.decline" => json!({"offer": self.offer}),
            "contract.form" => {
                json!({"candidacy": self.candidacy, "contract": self.contract, "terms": terms})
            }
            "candidacy.reopen" => json!({"candidacy": self.candidacy}),
            "candidacies.decline" | "candidacies.mark" => json!({"candidacies": [self.candidacy]}),
            "proposal.archive" => json!({"proposal": self.proposal}),
            "invitation.remove" => json!({"invitation": self.invitation}),
            "invitation.report" => json!({"invitation": self.invitation, "reason": "spam"}),
            "message.report" => json!({"room": self.room, "seq": 1, "reason": "spam"}),
            "member.add" | "member.remove" => json!({"room": self.room, "user": "felix"}),
            "contract.end" => json!({"contract": self.contract}),
            "read" | "mark_unread" => json!({"room": self.room, "seq": 1}),
            new => panic!("{new} has no row in this test"),
        }
    }

    /// What a control frame can say of the room. A new one panics here until it has its row.
    pub(crate) fn frames(&self, kind: &str) -> Vec<Value> {
        let room = self.room;
        match kind {
            "join" => vec![
                json!({"room": room}),
                json!({"room": room, "after": 0}),
                json!({"room": room, "after": 2}),
                json!({"room": room, "after": 99}),
            ],
            "read" | "mark_unread" => [0, 1, 99].map(|seq| json!({"room": room, "seq": seq})).to_vec(),
            "leave" | "typing" => vec![json!({"room": room})],
            "ping" => [0, 1, 99].map(|head| json!({"heads": {room.to_string(): head}})).to_vec(),
            // The first frame has a test of its own, and a token names no thing.
            "hello" | "refresh" => Vec::new(),
            new => panic!("{new} has no row in this test"),
        }
    }
}

/// Cases of other people in several phases, and a job that takes nobody.
async fn foreign(scene: &mut Scene) -> Vec<Things> {
    let closed = scene.another_job("closed-job").await;
    let open = std::mem::replace(&mut scene.job, closed);
    scene.job_is(JobStatus::Closed).await;
    let missing = Things { job: std::mem::replace(&mut scene.job, open), ..Things::missing() };
    let (case, room) = scene.talking().await;
    let terms = ask::propose_terms(case.candidacy, 0, ask::hourly(7_000));
    let terms = scene.freelancer.case(terms).await;
    let offer = ask::offer(case.candidacy, 1, terms.terms_hash.expect("terms"));
    let offered = scene.client.case(offer).await;
    let mut all = vec![Things {
        room,
        candidacy: case.candidacy,
        invitation: case.invitation.expect("an invitation"),
        proposal: case.proposal.expect("a proposal"),
        offer: offered.offer.expect("an offer"),
        ..missing.clone()
    }];
    for (number, archived) in [(2, false), (3, true)] {
        scene.job = scene.another_job(&format!("job-{number}")).await;
        let (case, invitation) = scene.invited(None).await;
        if archived {
            scene.freelancer.case(ask::archive(invitation)).await;
        }
        all.push(Things { candidacy: case.candidacy, invitation, ..missing.clone() });
    }
    scene.job = scene.another_job("job-4").await;
    let (case, proposal) = scene.proposed().await;
    all.push(Things { candidacy: case.candidacy, proposal, ..missing.clone() });
    all
}

/// A stranger, other people's things, and things that are not there.
async fn strangers_scene() -> (Scene, Person, Vec<Things>, Things) {
    let mut scene = Scene::new(Door::Http).await;
    let foreign = foreign(&mut scene).await;
    let stranger = Person::arrive(&scene.server, "mallory", Door::Socket).await;
    (scene, stranger, foreign, Things::missing())
}

/// Every route on which people do what a frame does.
fn doing() -> impl Iterator<Item = RouteSpec> {
    route::all().filter(|route| matches!(route.body, Body::Frame(_)) && route.who != Who::Service)
}

/// An answer that says of each of several that it is not there.
fn is_nothing_of_several(answer: &str) -> bool {
    answer.contains(r#""items":[{"candidacy":"-","error":"not_found"}]"#)
}

/// Does this about these things as the stranger.
async fn over_http(scene: &Scene, stranger: &Person, route: &RouteSpec, things: &Things) -> Answered {
    let fields = things.fields(route.name);
    let mut body = fields.as_object().expect("fields").clone();
    for field in route.path_fields() {
        body.remove(field);
    }
    let token = scene.server.token(&stranger.user);
    let key = new_client_id().to_string();
    let key = [("Idempotency-Key", key.as_str())];
    let headers: &[_] = if route.idempotency_key { &key } else { &[] };
    let asked = (route.method.as_str(), things.path(route.path));
    let body = Value::Object(body).to_string();
    let mut answer = exchange(&scene.server, (asked.0, &asked.1), Some(&token), headers, body).await;
    answer.body = without_ids(&answer.body, things);
    answer.headers.retain(|(name, _)| name != "content-length");
    answer
}

/// What an answer about several says beside the ids that it was asked with.
fn without_ids(answer: &str, things: &Things) -> String {
    answer.replace(&format!(r#""{}""#, things.candidacy), r#""-""#)
}

#[tokio::test]
async fn every_command_and_marker_over_http_tells_a_stranger_the_same_of_foreign_and_missing_things() {
    let (scene, stranger, foreign, missing) = strangers_scene().await;
    let before = scene.client.inbox().await.len();
    for route in doing() {
        let expected = over_http(&scene, &stranger, &route, &missing).await;
        let plain = expected.status == 404 && expected.body.contains(r#""code":"not_found""#);
        assert!(plain || is_nothing_of_several(&expected.body), "{}: {expected:?}", route.name);
        for things in &foreign {
            let answer = over_http(&scene, &stranger, &route, things).await;
            assert_eq!(answer, expected, "{} on {things:?}", route.name);
        }
    }
    assert_eq!(scene.client.inbox().await.len(), before, "and changes nothing");
}

#[tokio::test]
async fn every_route_of_the_marketplace_tells_a_stranger_the_same_of_known_and_missing_things() {
    let (scene, stranger, foreign, missing) = strangers_scene().await;
    let token = scene.server.token(&stranger.user);
    for route in route::all().filter(|route| route.who == Who::Service) {
        let ask = async |path: String| {
            let asked = (route.method.as_str(), path.as_str());
            let command = matches!(route.body, Body::Frame(_));
            let mut fields = if command { missing.fields(route.name) } else { json!({}) };
            for field in route.path_fields() {
                fields.as_object_mut().expect("fields").remove(field);
            }
            if route.method == Method::Get {
                return exchange(&scene.server, asked, Some(&token), &[], String::new()).await;
            }
            let key = [("Idempotency-Key", "0195b2a0-0000-7000-8000-00000000000a")];
            exchange(&scene.server, asked, Some(&token), &key, fields.to_string()).await
        };
        let expected = ask(missing.path(route.path).replace("clara", "nobody")).await;
        assert_eq!(expected.code(), "forbidden", "{}", route.name);
        assert_eq!(ask(foreign[0].path(route.path)).await, expected, "{}", route.name);
    }
}

/// The answer to a frame under an id, as it came.
async fn answer_text(socket: &mut Socket, mut frame: Map<String, Value>) -> String {
    frame.insert("id".into(), "q".into());
    socket.send_text(Value::Object(frame).to_string()).await.expect("sent");
    let (_, receiver) = socket.halves();
    receiver.next_text().await.expect("an answer").to_string()
}

fn frame(kind: &str, fields: Value) -> Map<String, Value> {
    let Value::Object(mut frame) = fields else { panic!("no fields") };
    frame.insert("type".into(), kind.into());
    frame
}

#[tokio::test]
async fn every_command_on_the_socket_tells_a_stranger_the_same_of_foreign_and_missing_things() {
    let (scene, mut stranger, foreign, missing) = strangers_scene().await;
    let before = scene.room(foreign[0].room).await.len();
    for spec in Command::ALL {
        let ask = |things: &Things| {
            let mut frame = frame(spec.name, things.fields(spec.name));
            frame.insert("client_id".into(), json!(new_client_id()));
            frame
        };
        let expected = without_ids(&answer_text(&mut stranger.socket, ask(&missing)).await, &missing);
        // What only the marketplace can say is nobody's, whatever it is about.
        let the_marketplaces = spec.name.starts_with("contract.") || spec.name == "invitation.remove";
        let code = if the_marketplaces { "forbidden" } else { "not_found" };
        let refused = expected.contains(&format!(r#""code":"{code}""#));
        assert!(refused || is_nothing_of_several(&expected), "{}: {expected}", spec.name);
        for things in &foreign {
            let answer = without_ids(&answer_text(&mut stranger.socket, ask(things)).await, things);
            assert_eq!(answer, expected, "{} on {things:?}", spec.name);
        }
    }
    assert_eq!(scene.room(foreign[0].room).await.len(), before, "and changes nothing");
}

#[tokio::test]
async fn every_control_frame_tells_a_stranger_the_same_of_foreign_and_missing_rooms() {
    let (scene, mut stranger, foreign, missing) = strangers_scene().await;
    for kind in CONTROL_TYPES {
        for (foreign, missing) in foreign[0].frames(kind).into_iter().zip(missing.frames(kind)) {
            let expected = answer_text(&mut stranger.socket, frame(kind, missing)).await;
            let answer = answer_text(&mut stranger.socket, frame(kind, foreign.clone())).await;
            assert_eq!(answer, expected, "{kind} {foreign}");
        }
    }
    let rooms = [missing.room, foreign[0].room];
    let token = scene.server.token(&stranger.user);
    let cursors = rooms.map(from_start).to_vec();
    let (_, welcome) =
        Socket::connect(&scene.server.base_of(&stranger.user), &token, cursors).await.expect("a welcome");
    let told: Vec<String> = welcome
        .rooms
        .iter()
        .zip(rooms)
        .map(|(told, room)| serde_json::to_string(told).expect("JSON").replace(&room.to_string(), "ROOM"))
        .collect();
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains("not_found"), "{}", told[0]);
}

#[tokio::test]
async fn every_route_tells_a_stranger_the_same_of_foreign_and_missing_things() {
    let (scene, stranger, foreign, missing) = strangers_scene().await;
    let token = scene.server.token(&stranger.user);
    let queries = ["", "?after=0", "?before=3&limit=1", "?proof=true"];
    let views =
        route::all().filter(|route| route.method == Method::Get && route.path_fields().next().is_some());
    // What all see of a person is for everybody to see, and what the marketplace's systems see for no person at all.
    let views = views.filter(|route| route.name != "profile" && route.who != Who::Service);
    for template in views.map(|route| route.path) {
        for query in if template.ends_with("entries") { &queries[..] } else { &queries[..1] } {
            let get = async |things: &Things| {
                let path = format!("{}{query}", things.path(template));
                exchange(&scene.server, ("GET", &path), Some(&token), &[], String::new()).await
            };
            let expected = get(&missing).await;
            assert_eq!(
                (expected.status, expected.code()),
                (404, "not_found".into()),
                "{template}: {expected:?}"
            );
            for things in &foreign {
                assert_eq!(get(things).await, expected, "{template}{query} on {things:?}");
            }
        }
    }
}

#[tokio::test]
async fn lists_show_a_stranger_nothing_of_others() {
    let (scene, stranger, foreign, _) = strangers_scene().await;
    let names = ["clara", "felix"].map(str::to_owned);
    let things = foreign.iter().flat_map(|things| {
        [things.room.to_string(), things.invitation.to_string(), things.candidacy.to_string()]
    });
    let never: Vec<String> = names.into_iter().chain(things).collect();
    let lists = route::all().filter(|route| route.who == Who::User && route.method == Method::Get);
    // Open jobs are for everybody to see.
    for route in lists.filter(|route| route.path_fields().next().is_none() && route.name != "jobs") {
        let required = route.query.iter().filter(|parameter| parameter.required);
        let query: Vec<String> = required.map(|parameter| format!("{}=hello", parameter.name)).collect();
        let view: Value = stranger.see(&format!("{}?{}", route.path, query.join("&"))).await;
        let text = view.to_string();
        assert!(!never.iter().any(|name| text.contains(name)), "{}: {text}", route.path);
        if let Answer::Page(_) = route.answer {
            assert_eq!(view["items"], json!([]), "{}", route.path);
        }
    }
    assert_eq!(scene.client.list("/v1/jobs").await.len(), 5, "one's own, whatever their status");
    assert_eq!(stranger.list("/v1/jobs").await.len(), 4, "of others' the open ones");
}

#[tokio::test]
async fn a_person_with_a_case_is_a_stranger_to_every_other_case() {
    let (scene, _, foreign, missing) = strangers_scene().await;
    let mine = scene.server.marketplace.open_room("mine").await.expect("a room");
    let person = Person::come(&scene.server, mine.freelancer, Door::Http).await;
    for route in doing() {
        let expected = over_http(&scene, &person, &route, &missing).await;
        assert_eq!(over_http(&scene, &person, &route, &foreign[0]).await, expected, "{}", route.name);
    }
}

/// The routes that the tables of the README name, with those of the commands.
fn readme() -> BTreeSet<(String, String)> {
    let readme = include_str!("../../protocol/README.md");
    let mut routes = BTreeSet::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let line = line.replace("\\|", "&");
        let mut base = String::new();
        for cell in line.split('|') {
            for code in cell.split('·').filter_map(|part| part.trim().strip_prefix('`')?.strip_suffix('`')) {
                if let Some((method @ ("GET" | "PUT" | "POST" | "DELETE"), path)) = code.split_once(' ') {
                    base = path.split('?').next().unwrap_or_default().to_owned();
                    routes.insert((method.to_owned(), base.clone()));
                } else if code.starts_with("/{") && !base.is_empty() {
                    routes.insert(("GET".to_owned(), format!("{base}{code}")));
                }
            }
        }
    }
    routes
}

#[test]
fn the_table_of_routes_has_the_routes_of_the_readme() {
    // The socket's own route has a chapter instead of a row.
    let routes = route::all().filter(|route| route.answer != Answer::Upgrade);
    let expected: BTreeSet<_> =
        routes.map(|route| (route.method.as_str().to_owned(), route.path.to_owned())).collect();
    assert_eq!(readme(), expected);
}
