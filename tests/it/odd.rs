//! Odd texts, names and numbers: each is kept as it is or refused with a code, and nothing else happens.

use anteroom_load_tests::client::{Http, HttpError, Socket};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::entry::EntryPage;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{RoomRef, UserId};
use anteroom_protocol::room::{Changes, Cursor};
use anteroom_protocol::search::SearchPage;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{UserProfile, UserView};
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::{Door, Person, Scene, TestServer, ask, id};

/// What has broken databases that were asked in strings.
const SQL: [&str; 12] = [
    "'; DROP TABLE entries; --",
    "' OR '1'='1",
    "\"; DELETE FROM users; --",
    "1; ATTACH DATABASE 'x' AS y",
    "') UNION SELECT value FROM keys --",
    "$1",
    "?1",
    ":name",
    "%",
    "_%' ESCAPE '",
    "body MATCH 'x' OR 1",
    "NULL",
];

/// The code that a text from a client is answered with, and whether the socket lives.
async fn answer(person: &mut Person, text: &str) -> Option<ErrorCode> {
    person.socket.send_text(text).await.expect("sent");
    let is_answer = |frame: &ServerFrame| matches!(frame, ServerFrame::Ok { .. } | ServerFrame::Error { .. });
    let answer = person.socket.wait_for("answer", is_answer).await.expect("an answer");
    if let ServerFrame::Error { error, .. } = answer { Some(error.code) } else { None }
}

#[tokio::test]
async fn texts_that_break_parsers_are_answered_with_an_error_and_too_many_of_them_end_the_socket() {
    let server = TestServer::start().await;
    let deep = format!(r#"{{"type":"join","room":{}1{}}}"#, "[".repeat(8_000), "]".repeat(8_000));
    let not_frames = [
        r#"{"type":"ping""#,
        r#"{"type":"ping","type":"ping"}"#,
        r#"{"type":"ping","id":"\ud800"}"#,
        "{\"type\":\"ping\u{0}\"",
    ];
    let mut ana = Person::arrive(&server, "ana", Door::Socket).await;
    for text in not_frames {
        assert_eq!(answer(&mut ana, text).await, Some(ErrorCode::BadFrame), "{:.60}", text);
    }
    ana.socket.ping().await.expect("still open");
    for (text, code) in [
        (deep.as_str(), ErrorCode::BadRequest),
        (r#"{"type":"dance","id":"1"}"#, ErrorCode::UnknownType),
        (r#"{"type":"join","id":"1"}"#, ErrorCode::BadRequest),
        (r#"{"type":"join","id":"1","room":"inbox","after":-1}"#, ErrorCode::BadRequest),
        (r#"{"type":"join","id":"1","room":"inbox","after":18446744073709551616}"#, ErrorCode::BadRequest),
        (r#"{"type":"join","id":"1","room":"inbox","after":1.5}"#, ErrorCode::BadRequest),
        (r#"{"type":"join","id":"1","room":"inbox","after":1e999}"#, ErrorCode::BadRequest),
        (r#"{"type":"join","id":"1","room":"inbox","hash":"abc"}"#, ErrorCode::BadRequest),
        (r#"{"type":"read","id":"1","room":"inbox","seq":9223372036854775808}"#, ErrorCode::BadRequest),
        (r#"{"type":"ping","id":"1","heads":{"nowhere":1}}"#, ErrorCode::BadRequest),
    ] {
        assert_eq!(answer(&mut ana, text).await, Some(code), "{text}");
    }
    for text in not_frames.iter().cycle().take(6) {
        answer(&mut ana, text).await;
    }
    let (number, _) = ana.socket.closed().await.expect("closed");
    assert_eq!(number, CloseCode::Malformed.code(), "the tenth within a minute");
}

#[tokio::test]
async fn a_message_says_nothing_to_the_database_whatever_stands_in_it() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    for text in SQL {
        let posted = scene.client.posted(room, text).await;
        let entries = scene.freelancer.log(room).await;
        assert_eq!(entries.last().expect("an entry").data(), json!({ "body": text }), "kept to the letter");
        scene.client.say(ask::edit(room, posted.seq, format!("{text} again"))).await.expect("edited");
        let http = &scene.freelancer.http;
        for (name, value) in [("q", text), ("before", text), ("room", text), ("limit", text)] {
            let mut url = Url::parse("http://server/v1/search?q=x").expect("an address");
            url.query_pairs_mut().append_pair(name, text);
            let asked = format!("{}?{}", url.path(), url.query().expect("a query"));
            no_failure(http.get::<SearchPage>(&asked).await, value);
        }
        let mut url = Url::parse("http://server/v1/changes").expect("an address");
        url.query_pairs_mut().append_pair("after", text);
        let asked = format!("{}?{}", url.path(), url.query().expect("a query"));
        let changes: Changes = http.get(&asked).await.expect("all of them");
        assert!(changes.reset, "{text} is no cursor of this database");
    }
    assert_eq!(scene.freelancer.log(room).await.len(), 4 + 2 * SQL.len(), "and all is still there");
}

/// Done or refused, but no failure of the server.
fn no_failure<T>(outcome: Result<T, HttpError>, of: &str) {
    if let Err(error) = outcome {
        let code = error.code();
        assert!(
            matches!(code, Some(ErrorCode::BadRequest | ErrorCode::NotFound | ErrorCode::TooLarge)),
            "{of}: {error}"
        );
    }
}

#[tokio::test]
async fn ids_names_and_reasons_say_nothing_to_the_database_either() {
    let scene = Scene::new(Door::Http).await;
    let service = scene.server.marketplace.service();
    for (number, text) in SQL.into_iter().enumerate() {
        let told: UserProfile = UserProfile {
            status_reason: Some(text.into()),
            status_next_step: Some(text.into()),
            ..UserProfile::active(text)
        };
        let path = format!("/v1/users/odd-{number}");
        let kept: UserView = service.put(&path, &told).await.expect("kept");
        assert_eq!(kept.profile, told, "to the letter");
        let path = format!("/v1/users/{}", encoded(text));
        no_failure(service.put::<Value>(&path, &UserProfile::active("Odd")).await, text);
        no_failure(
            scene.client.http.get::<EntryPage>(&format!("/v1/rooms/{}/entries", encoded(text))).await,
            text,
        );
        no_failure(scene.client.http.get::<Value>(&format!("/v1/invitations/{}", encoded(text))).await, text);
        no_failure(
            scene.client.http.get::<Value>(&format!("/v1/invitations?before={}", encoded(text))).await,
            text,
        );
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn a_page_has_two_hundred_entries_at_most_however_many_are_asked_for() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let bodies = (0..220).map(|number| format!("number {number}"));
    crate::support::post_all(&mut scene.client.socket, room, bodies).await;
    let http: &Http = &scene.client.http;
    let page: EntryPage =
        http.get(&format!("/v1/rooms/{room}/entries?limit=1000000000")).await.expect("a page");
    assert_eq!((page.items.len(), page.has_more), (200, true));
    for query in ["before=garbage", "after=garbage", "limit=1e3", "after=-1", "before=18446744073709551616"] {
        let refused = http.get::<EntryPage>(&format!("/v1/rooms/{room}/entries?{query}")).await;
        assert_eq!(refused.expect_err("refused").code(), Some(ErrorCode::BadRequest), "{query}");
    }
}

/// A name stands in sentences that others read: it must not turn or hide them, and what looks the same is the same.
#[tokio::test]
async fn names_are_kept_in_normal_form_or_refused_and_messages_are_kept_byte_for_byte() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let service = scene.server.marketplace.service().clone();
    let kept: UserView =
        service.put("/v1/users/amelie", &UserProfile::active("Ame\u{301}lie")).await.expect("kept");
    assert_eq!(kept.profile.name, "Am\u{e9}lie");
    for name in ["Ana\u{202e}nimda", "A\u{200b}na", "\u{2067}Ana"] {
        let refused =
            service.put::<Value>("/v1/users/ana", &UserProfile::active(name)).await.expect_err("refused");
        assert_eq!(refused.code(), Some(ErrorCode::BadRequest), "{name:?}");
    }
    for body in ["\u{202e}drow", "a\u{200b}b", "Ame\u{301}lie", "Am\u{e9}lie", "pаypal", "tab\tand\r\nend"] {
        scene.client.posted(room, body).await;
        let entries = scene.freelancer.log(room).await;
        assert_eq!(entries.last().expect("an entry").data()["body"], body);
    }
}

#[tokio::test]
async fn an_invitation_of_long_ago_comes_once_and_in_its_place_to_whoever_comes_back() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, first) = scene.invited(None).await;
    let freelancer: UserId = id("felix");
    let inbox = scene.freelancer.inbox().await;
    let last = inbox.last().expect("an entry");
    let cursor = Cursor { room: RoomRef::Inbox, after: Some(last.seq), hash: Some(last.hash) };
    scene.job = scene.another_job("job-2").await;
    let (_, second) = scene.invited(None).await;
    scene.server.clock.advance_seconds(2 * 3_600);
    let token = scene.server.token(&freelancer);
    let (mut socket, _) =
        Socket::connect(&scene.server.base_of(&freelancer), &token, vec![cursor]).await.expect("back");
    let entry = socket.next_entry().await.expect("what was missed");
    assert_eq!((entry.seq, &entry.data()["invitation"]), (last.seq + 1, &json!(second)));
    assert_ne!(first, second);
    assert_eq!(socket.listen(std::time::Duration::from_millis(200)).await.expect("open"), None, "once");
}
