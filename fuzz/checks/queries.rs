//! Query strings of everything that is read over HTTP, through the server's own routes, down to the database.
//!
//! An input is one byte and a query string. The byte says what is asked for, and in its highest bit whether the values are bytes to be
//! written as a browser does, or stand in the address as they are. With the bit below it, the rest is words, one a line, that the database is
//! asked for past the routes, which let only letters and digits through.

use std::net::Ipv4Addr;

use anteroom::peer::Peer;
use anteroom_protocol::error::{ErrorCode, MESSAGE_BYTES};
use anteroom_protocol::limits;
use axum::body::{Body, to_bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{Request, StatusCode, Uri};
use serde_json::Value;
use tower::ServiceExt as _;

use super::world::World;

/// Bytes of an answer that a query string can cause here: the talk is short.
const ANSWER_BYTES: usize = 64 * 1024;

thread_local! {
    static WORLD: World = World::new();
}

/// Every query string has an answer: a page, or a problem that is the client's.
pub(crate) fn check(data: &[u8]) {
    let Some((&what, query)) = data.split_first() else { return };
    if what & 0x40 != 0 {
        return WORLD.with(|world| words(world, &String::from_utf8_lossy(query)));
    }
    WORLD.with(|world| {
        let path = match what % 8 {
            0 => format!("/v1/rooms/{}/entries", world.room),
            1 => "/v1/rooms".to_owned(),
            2 => "/v1/jobs".to_owned(),
            3 => "/v1/invitations".to_owned(),
            4 => "/v1/proposals".to_owned(),
            5 => "/v1/candidacies".to_owned(),
            6 => "/v1/changes".to_owned(),
            _ => "/v1/search".to_owned(),
        };
        let query =
            if what & 0x80 == 0 { String::from_utf8_lossy(query).into_owned() } else { written(query) };
        // What is no address never comes as far as the routes.
        let Ok(uri) = format!("{path}?{query}").parse() else { return };
        world.runtime.block_on(ask(world, &uri));
    });
}

/// No word is an error, whatever it may mean to the database.
fn words(world: &World, words: &str) {
    let words: Vec<String> = words.lines().take(16).map(str::to_owned).collect();
    let page = anteroom::app::page(None, None);
    let store = &world.server.app.store;
    let found = world.runtime.block_on(store.search(&world.reader.user, None, &words, page));
    let found = found.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    assert!(found.entries.len() <= world.entries.len(), "{words:?}");
}

/// Percent-encodes all but what parts names and values.
fn written(query: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'&' | b'=' | b'0'..=b'9' | b'a'..=b'z' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    query.iter().map(byte).collect()
}

async fn ask(world: &World, uri: &Uri) {
    let bearer = format!("Bearer {}", world.token);
    let peer = Peer { address: Ipv4Addr::LOCALHOST.into(), secure: true };
    let request = Request::get(uri).header(AUTHORIZATION, bearer).extension(peer).body(Body::empty());
    let request = request.expect("a request");
    let response = world.routes.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), ANSWER_BYTES).await.expect("a short answer");
    let body: Value = serde_json::from_slice(&body).expect("an answer in JSON");
    match status {
        StatusCode::OK => page(&body, uri),
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::PAYLOAD_TOO_LARGE => {
            let code: ErrorCode = serde_json::from_value(body["code"].clone()).expect("a code of the table");
            assert_eq!(code.http_status(), status.as_u16(), "{uri}: {body}");
            assert!(
                body["detail"].as_str().is_some_and(|detail| detail.len() <= MESSAGE_BYTES),
                "{uri}: {body}"
            );
        }
        other => panic!("{uri}: {other}: {body}"),
    }
}

fn page(body: &Value, uri: &Uri) {
    let items = body["items"].as_array().expect("a page has items");
    assert!(items.len() <= limits::PAGE_ITEMS as usize, "{uri}: {body}");
    if uri.path().ends_with("/entries") {
        let numbers: Vec<u64> = items.iter().filter_map(|item| item["seq"].as_u64()).collect();
        assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{uri}: {body}");
    }
}
